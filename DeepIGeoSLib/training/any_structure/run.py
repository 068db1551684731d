"""A training run of the network for any structure."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from DeepIGeoSLib.networks import ANY_STRUCTURE
from DeepIGeoSLib.training.any_structure.images import read_images
from DeepIGeoSLib.training.any_structure.module import AnyStructureModule
from DeepIGeoSLib.training.any_structure.samples import AnyStructureSamples, WindowSampler
from DeepIGeoSLib.training.any_structure.settings import AnyStructureSettings
from DeepIGeoSLib.training.callbacks import CleanStop, FiniteNumbers, RepeatableChance
from DeepIGeoSLib.training.checkpoints import (
    LAST,
    WholeCheckpoints,
    remove_torn,
    step_to_resume_from,
)
from DeepIGeoSLib.training.curve import LossCurve
from DeepIGeoSLib.training.fitting import loggers
from DeepIGeoSLib.training.one_dnn import channels_last

Progress = Callable[[float, str], None]

logger = logging.getLogger(__name__)

_LOG_EVERY = 20


def train_any_structure(
    settings: AnyStructureSettings, base: Path, progress: Progress | None = None
) -> None:
    """Train as ``settings`` say, or go on where a run in the same folder stopped.

    Args:
        settings: the configuration.
        base: folder that its relative paths start from.
        progress: called with the share of the steps done and a text.

    Raises:
        InputError: images or checkpoints are missing or unusable, or the run diverged.
        KeyboardInterrupt: the run was stopped, and can be resumed.
    """
    folder = (base / settings.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    optimization = settings.optimization
    if optimization.threads:
        torch.set_num_threads(optimization.threads)
    network = settings.network.build(ANY_STRUCTURE)
    if settings.start is not None:
        network.load_state_dict(load_file(base / settings.start))
    channels_last(network)
    module = AnyStructureModule(network, settings)
    images = read_images((base / settings.root).resolve(), settings.sources)
    remove_torn(folder)
    done = step_to_resume_from(folder, module)
    trainer = lightning.Trainer(
        max_steps=optimization.steps,
        precision=optimization.precision,
        accelerator=settings.hardware.accelerator,
        devices=1,
        logger=loggers(settings, folder, done or 0),
        callbacks=[
            RepeatableChance(settings.seed),
            FiniteNumbers(folder),
            LossCurve(folder, _LOG_EVERY),
            CleanStop(folder),
            _Progress(optimization.steps, progress),
            ModelCheckpoint(
                folder,
                filename=Path(LAST).stem,
                every_n_train_steps=settings.checkpoint_every,
                enable_version_counter=False,
            ),
        ],
        plugins=[WholeCheckpoints()],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=_LOG_EVERY,
    )
    loader = DataLoader(
        AnyStructureSamples(images, settings),
        batch_sampler=WindowSampler(settings, done or 0),
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*LeafSpec.*")
        warnings.filterwarnings("ignore", ".*ended before the epoch ended.*")
        warnings.filterwarnings("ignore", ".*with manual optimization and every_n_train_steps.*")
        warnings.filterwarnings("ignore", ".*exists and is not empty.*")
        resumed = None if done is None else str(folder / LAST)
        trainer.fit(module, loader, ckpt_path=resumed)
    if trainer.global_step < optimization.steps:
        raise KeyboardInterrupt
    trainer.save_checkpoint(folder / LAST)


class _Progress(lightning.Callback):
    """Tells the caller how far the run is."""

    def __init__(self, steps: int, progress: Progress | None) -> None:
        self._steps = steps
        self._progress = progress

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        step = trainer.global_step
        if self._progress is not None and step % _LOG_EVERY == 0:
            means = ", ".join(f"{mean:.3f}" for mean in pl_module.recent_dice())
            self._progress(step / self._steps, f"Step {step} of {self._steps}, Dice {means}")
