"""The loop of a training run: processes, checkpoints, logs, stop and resume; Lightning runs it."""

from __future__ import annotations

import logging
import signal
import uuid
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.training.averaging import AveragedWeights
from DeepIGeoSLib.training.callbacks import CleanStop, CurrentRates, FiniteNumbers, RepeatableChance
from DeepIGeoSLib.training.checkpoints import (
    LAST,
    WholeCheckpoints,
    remove_torn,
    step_to_resume_from,
)
from DeepIGeoSLib.training.curve import LossCurve
from DeepIGeoSLib.training.one_dnn import channels_last
from DeepIGeoSLib.training.processes import share_statistics
from DeepIGeoSLib.training.sampling import StepSampler
from DeepIGeoSLib.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

_LOG_EVERY = 20


def fit(
    module: lightning.LightningModule,
    samples: Dataset,
    validator: lightning.Callback,
    *,
    settings: TrainingSettings,
    folder: Path,
    progress: Progress | None,
    extra: Sequence[lightning.Callback] = (),
) -> None:
    """Run the steps that are left; ``extra`` callbacks take part.

    Raises:
        InputError: the newest checkpoint is unusable, the disk is full, or the run diverged.
        KeyboardInterrupt: the run was stopped, and can be resumed.
    """
    remove_torn(folder)
    done = step_to_resume_from(folder, module)
    optimization, hardware = settings.optimization, settings.hardware
    trainer = lightning.Trainer(
        max_steps=optimization.steps,
        precision=optimization.precision,
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        num_nodes=hardware.nodes,
        strategy="auto" if hardware.processes == 1 else "ddp",
        logger=loggers(settings, folder, done or 0),
        callbacks=[
            RepeatableChance(settings.seed),
            CurrentRates(),
            FiniteNumbers(folder),
            LossCurve(folder, min(_LOG_EVERY, optimization.steps)),
            *([AveragedWeights(optimization.average)] if optimization.average else []),
            validator,
            _Steps(settings, folder, progress),
            CleanStop(folder),
            *_checkpoints(settings, folder),
            *extra,
        ],
        plugins=[WholeCheckpoints()],
        # R-Net steps its optimizer itself, and clips and accumulates there.
        **_automatic(module, settings),
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=min(_LOG_EVERY, optimization.steps),
    )
    if trainer.world_size > 1:
        share_statistics(cast(torch.nn.Module, module.network))
    network = cast(SegmentationNetwork, module.network)
    if optimization.precision != "32-true" or network.known_encoder is not None:
        channels_last(network)
    if done is not None:
        logger.info("Resuming from step %d", done)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*LeafSpec.*")
        # Samples are numbered by steps, and steps are what R-Net's optimizer makes itself.
        warnings.filterwarnings("ignore", ".*ended before the epoch ended.*")
        warnings.filterwarnings("ignore", ".*with manual optimization and every_n_train_steps.*")
        warnings.filterwarnings("ignore", ".*exists and is not empty.*")  # it holds the data report
        try:
            trainer.fit(
                module,
                _loader(samples, settings, trainer),
                ckpt_path=None if done is None else str(folder / LAST),
            )
        except SystemExit as stopped:  # what Lightning makes of a second Ctrl-C
            raise KeyboardInterrupt from stopped
    if trainer.global_step < optimization.steps:
        raise KeyboardInterrupt
    trainer.save_checkpoint(folder / LAST)  # the command given once more has nothing left to do


def _automatic(module: lightning.LightningModule, settings: TrainingSettings) -> dict:
    if not module.automatic_optimization:
        return {}
    optimization = settings.optimization
    return {
        "gradient_clip_val": optimization.gradient_clip,
        "accumulate_grad_batches": optimization.accumulate,
    }


def _checkpoints(settings: TrainingSettings, folder: Path) -> list[ModelCheckpoint]:
    """Return what saves ``last.ckpt``, and the checkpoints before it that are to be kept."""
    every = settings.checkpoint_every
    last = ModelCheckpoint(
        folder,
        filename=Path(LAST).stem,
        every_n_train_steps=every,
        enable_version_counter=False,
    )
    if settings.keep == 1:
        return [last]
    several = ModelCheckpoint(
        folder,
        filename="checkpoint-{step:07d}",
        auto_insert_metric_name=False,
        monitor="step",
        mode="max",
        save_top_k=settings.keep,
        every_n_train_steps=every,
        enable_version_counter=False,
    )
    return [several, last]


def _loader(samples: Dataset, settings: TrainingSettings, trainer: lightning.Trainer) -> DataLoader:
    optimization = settings.optimization
    sampler = StepSampler(
        optimization.steps,
        lambda: trainer.global_step,
        batch=optimization.batch_size,
        accumulate=optimization.accumulate,
        processes=trainer.world_size,
        rank=trainer.global_rank,
    )
    return DataLoader(
        samples,
        batch_size=optimization.batch_size,
        sampler=sampler,
        num_workers=settings.workers,
        worker_init_fn=_leave_interrupts_to_the_main_process,
    )


def _leave_interrupts_to_the_main_process(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def loggers(settings: TrainingSettings, folder: Path, step: int) -> list[Logger]:
    """Return Lightning's loggers that the settings ask for.

    Args:
        settings: the configuration.
        folder: of the run.
        step: that the run starts from; what an earlier process logged after it is hidden.

    Raises:
        InputError: a package is missing.
    """
    found: list[Logger] = []
    wanted = settings.logging
    if wanted.tensorboard:
        _need("tensorboard", "logging.tensorboard")
        found.append(TensorBoardLogger(folder, name="tensorboard", version="", purge_step=step))
    if wanted.wandb is not None:
        _need("wandb", "logging.wandb")
        from lightning.pytorch.loggers import WandbLogger

        found.append(
            WandbLogger(
                name=folder.name,
                project=wanted.wandb,
                save_dir=folder,
                id=_wandb_id(folder),
                resume="allow",
            )
        )
    return found


def _need(package: str, key: str) -> None:
    if find_spec(package) is None:
        raise InputError(
            f"{key} needs the Python package {package}: install it, or switch the key off."
        )


def _wandb_id(folder: Path) -> str:
    """Return by what name Weights & Biases knows the run; a resumed run keeps it."""
    path = folder / "wandb-id.txt"
    if not path.is_file():
        path.write_text(uuid.uuid4().hex[:12], encoding="utf-8")
    return path.read_text(encoding="utf-8")


class _Steps(lightning.Callback):
    """Tells the caller how far the run is, and keeps the snapshots that were asked for."""

    def __init__(self, settings: TrainingSettings, folder: Path, progress: Progress | None) -> None:
        self._settings = settings
        self._folder = folder
        self._progress = progress

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        if (batch_idx + 1) % pl_module.batches_a_step:
            return
        step, total = trainer.global_step, self._settings.optimization.steps
        if step in self._settings.snapshots:
            trainer.save_checkpoint(self._folder / f"step-{step}.ckpt", weights_only=True)
        if self._progress is not None and trainer.is_global_zero:
            loss = float(trainer.callback_metrics["train/loss"])
            self._progress(step / total, f"Step {step} of {total}, loss {loss:.3f}")
