"""One training run, from a configuration to checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.training.cases import TrainingCase, find_cases, prepare_cases
from DeepIGeoSLib.training.config import TrainingSettings
from DeepIGeoSLib.training.modules import PNetModule
from DeepIGeoSLib.training.sampling import PNetSamples, EpochSampler
from DeepIGeoSLib.training.validation import PNetValidation

logger = logging.getLogger(__name__)


def train(
    settings: TrainingSettings,
    base: Path,
    progress: Callable[[float, str], None] | None = None,
) -> Path:
    """Train as ``settings`` say, or go on where a run in the same folder stopped.

    Args:
        settings: the configuration.
        base: folder that its relative paths start from.
        progress: called with the share done and a text while cases are read.

    Returns:
        The run's folder, which holds ``best.ckpt``, ``last.ckpt`` and ``validation.csv``.

    Raises:
        InputError: cases are missing or unusable.
    """
    folder = (base / settings.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    if settings.optimization.threads:
        torch.set_num_threads(settings.optimization.threads)
    cases = {
        use: prepare_cases(
            find_cases(settings.data, base, use), settings.normalization, settings.grid, progress
        )
        for use in ("train", "val")
    }
    network = build_network(
        settings.task, preset=settings.network.preset, dimension=settings.network.dimension
    )
    module = PNetModule(network, settings.optimization)
    validation = PNetValidation(cases["val"], folder, settings.validate_every)
    fit(module, cases["train"], validation, settings, folder)
    return folder


def fit(
    module: lightning.LightningModule,
    cases: list[TrainingCase],
    validation: lightning.Callback,
    settings: TrainingSettings,
    folder: Path,
) -> None:
    """Run the epochs that are left."""
    optimization = settings.optimization
    loader = DataLoader(
        PNetSamples(cases, settings),
        batch_size=optimization.batch_size,
        sampler=EpochSampler(settings.steps_per_epoch * optimization.batch_size),
        num_workers=settings.workers,
        persistent_workers=settings.workers > 0,
    )
    checkpoint = ModelCheckpoint(
        dirpath=folder, filename="last", every_n_epochs=1, enable_version_counter=False
    )
    trainer = lightning.Trainer(
        max_steps=optimization.steps,
        precision=optimization.precision,
        gradient_clip_val=optimization.gradient_clip,
        logger=CSVLogger(folder, name="", version=""),
        callbacks=[validation, checkpoint],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=20,
    )
    if optimization.precision != "32-true" and settings.network.dimension == 3:
        # bfloat16 convolutions of oneDNN are twice as fast when the channels come last.
        module.network.to(memory_format=torch.channels_last_3d)
    last = folder / "last.ckpt"
    if last.is_file():
        logger.info("Resuming from %s", last)
    trainer.fit(module, loader, ckpt_path=str(last) if last.is_file() else None)
