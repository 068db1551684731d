"""One training run, from a configuration to checkpoints."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, Dataset

from DeepIGeoSLib.cases import LabeledCase, find_cases
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.evaluate import evaluate
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.session import InteractiveSession
from DeepIGeoSLib.training.cases import TrainingCase, prepare_case
from DeepIGeoSLib.training.config import NetworkSettings, TrainingSettings
from DeepIGeoSLib.training.export import draft_manifest, export_bundle
from DeepIGeoSLib.training.modules import PNetModule, RNetModule
from DeepIGeoSLib.training.sampling import EpochSampler, PNetSamples, RNetSamples
from DeepIGeoSLib.training.validation import NetworksInTraining, PNetValidation, RNetValidation

Progress = Callable[[float, str], None]

logger = logging.getLogger(__name__)


def train(
    settings: TrainingSettings, base: Path, progress: Progress | None = None
) -> tuple[Path, Path | None]:
    """Train as ``settings`` say, or go on where a run in the same folder stopped.

    Args:
        settings: the configuration.
        base: folder that its relative paths start from.
        progress: called with the share of the epochs done and a text.

    Returns:
        The run's folder, which holds ``best.ckpt``, ``last.ckpt`` and ``validation.csv``; and the
        folder of the bundle, if the settings describe one.

    Raises:
        InputError: cases or checkpoints are missing or unusable.
    """
    folder = (base / settings.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    if settings.optimization.threads:
        torch.set_num_threads(settings.optimization.threads)
    pnets = [load_checkpoint("pnet", base / path, settings.network) for path in settings.pnet]
    training = _prepared(find_cases(settings.data, base, "train"), settings)
    held_out = find_cases(settings.data, base, "val")
    network = _network(settings.task, settings.network)
    every = settings.validate_every
    if settings.task == "pnet":
        module: lightning.LightningModule = PNetModule(network, settings.optimization)
        samples: Dataset = PNetSamples(training, settings)
        validator: lightning.Callback = PNetValidation(_prepared(held_out, settings), folder, every)
    else:
        module = RNetModule(network, settings)
        samples = RNetSamples(training, propose_all(pnets, training), settings)
        validator = RNetValidation(held_out, pnets[-1], draft_manifest(settings), folder, every)
    _fit(module, samples, validator, settings, folder, progress)
    if settings.bundle is None:
        return folder, None
    best = load_checkpoint("rnet", folder / "best.ckpt", settings.network)
    bundle = _export(settings, folder, {"pnet": pnets[-1], "rnet": best}, held_out)
    return folder, bundle


def load_checkpoint(role: str, path: Path, settings: NetworkSettings) -> nn.Module:
    """Return the network of a training checkpoint.

    Raises:
        InputError: the file is missing, or does not hold the weights of that network.
    """
    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.")
    network = _network(role, settings)
    prefix = "network."
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        network.load_state_dict(
            {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
        )
    except Exception as error:  # torch.load raises whatever the damaged bytes lead it to
        raise InputError(
            f"{path} does not hold the weights of a {settings.preset} {settings.dimension}D {role}."
        ) from error
    return network.eval()


def propose_all(
    pnets: Sequence[nn.Module], cases: Sequence[TrainingCase]
) -> list[list[np.ndarray]]:
    """Return for each case the probability of each P-Net, as bytes (255 = 1)."""
    engines = [TorchEngine(pnet) for pnet in pnets]
    return [
        [
            np.round(255 * engine.foreground_probability(case.image[np.newaxis])).astype(np.uint8)
            for engine in engines
        ]
        for case in cases
    ]


def _export(
    settings: TrainingSettings,
    folder: Path,
    networks: dict[str, nn.Module],
    cases: Sequence[LabeledCase],
) -> Path:
    """Measure the trained networks and write their bundle; an older one there is replaced."""
    session = InteractiveSession(NetworksInTraining(draft_manifest(settings), networks))
    results = evaluate(session, cases)
    target = folder / settings.bundle.name
    shutil.rmtree(target, ignore_errors=True)
    return export_bundle(target, settings, networks, results)


def _prepared(files: Sequence[LabeledCase], settings: TrainingSettings) -> list[TrainingCase]:
    return [prepare_case(entry, settings.normalization, settings.grid) for entry in files]


def _network(role: str, settings: NetworkSettings) -> nn.Module:
    return build_network(role, preset=settings.preset, dimension=settings.dimension)


class _EpochReport(lightning.Callback):
    """Tells the caller how many epochs are done."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress = progress
        self._steps = steps

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        loss = trainer.callback_metrics.get("train/loss", torch.nan)
        done = trainer.global_step
        self._progress(done / self._steps, f"Step {done} of {self._steps}, loss {float(loss):.3f}")


def _fit(
    module: lightning.LightningModule,
    samples: Dataset,
    validator: lightning.Callback,
    settings: TrainingSettings,
    folder: Path,
    progress: Progress | None,
) -> None:
    """Run the epochs that are left."""
    optimization = settings.optimization
    loader = DataLoader(
        samples,
        batch_size=optimization.batch_size,
        sampler=EpochSampler(settings.steps_per_epoch * optimization.batch_size),
        num_workers=settings.workers,
        persistent_workers=settings.workers > 0,
    )
    checkpoint = ModelCheckpoint(
        dirpath=folder, filename="last", every_n_epochs=1, enable_version_counter=False
    )
    callbacks = [validator, checkpoint]
    if progress is not None:
        callbacks.append(_EpochReport(progress, optimization.steps))
    # R-Net steps its optimizer itself, and clips there.
    clip = optimization.gradient_clip if module.automatic_optimization else None
    trainer = lightning.Trainer(
        max_steps=optimization.steps,
        precision=optimization.precision,
        gradient_clip_val=clip,
        logger=CSVLogger(folder, name="", version=""),
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=min(20, settings.steps_per_epoch),
    )
    if optimization.precision != "32-true" and settings.network.dimension == 3:
        # bfloat16 convolutions of oneDNN are twice as fast when the channels come last.
        module.network.to(memory_format=torch.channels_last_3d)
    last = folder / "last.ckpt"
    if last.is_file():
        logger.info("Resuming from %s", last)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*LeafSpec.*")
        trainer.fit(module, loader, ckpt_path=str(last) if last.is_file() else None)
