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

from DeepIGeoSLib.bundles import crf_key
from DeepIGeoSLib.bundles.writer import half_precision
from DeepIGeoSLib.crf import MeanField
from DeepIGeoSLib.crf.differentiable import TableCRFNet
from DeepIGeoSLib.data import LabeledCase, check_data, find_cases
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.evaluate import evaluate
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.crfnet import CRFNet
from DeepIGeoSLib.session import InteractiveSession
from DeepIGeoSLib.training.cases import TrainingCase, prepare_case
from DeepIGeoSLib.training.config import NetworkSettings, TrainingSettings
from DeepIGeoSLib.training.crf import CrfTraining, load_crf, pretrain_crf, starting_crf
from DeepIGeoSLib.training.export import draft_manifest, export_bundle
from DeepIGeoSLib.training.modules import PNetModule, RNetModule
from DeepIGeoSLib.training.sampling import PNetSamples, RNetSamples, StepSampler
from DeepIGeoSLib.training.validation import NetworksInTraining, PNetValidation, RNetValidation

Progress = Callable[[float, str], None]

logger = logging.getLogger(__name__)


def train(settings: TrainingSettings, base: Path, progress: Progress | None = None) -> Path | None:
    """Train as ``settings`` say, or go on where a run in the same folder stopped.

    Args:
        settings: the configuration.
        base: folder that its relative paths start from.
        progress: called with the share of the epochs done and a text.

    Returns:
        The folder of the bundle, if the settings describe one. The run's own folder holds
        ``best.ckpt``, ``last.ckpt``, ``validation.csv`` and the report on the data; for the task
        "crf" only ``pretrained.ckpt``.

    Raises:
        InputError: cases or checkpoints are missing or unusable.
    """
    folder = (base / settings.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if settings.task == "crf":
        pretrain_crf(settings.crf or CrfTraining(), settings.data.channels, folder, progress)
        return None
    report = check_data(settings.data, base, progress)
    report.check(report.write(folder))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    if settings.optimization.threads:
        torch.set_num_threads(settings.optimization.threads)
    pnets = [_trained("pnet", base / path, settings) for path in settings.pnet]
    training = _prepared(find_cases(settings.data, base, "train"), settings)
    held_out = find_cases(settings.data, base, "val")
    network, crf = _start(settings, base, progress)
    every = settings.validate_every
    if settings.task == "pnet":
        module: lightning.LightningModule = PNetModule(network, settings.optimization, crf)
        samples: Dataset = PNetSamples(training, settings)
        validator: lightning.Callback = PNetValidation(_prepared(held_out, settings), folder, every)
    else:
        pnet_crfs = [_trained_crf(base / path, settings) for path in settings.pnet]
        module = RNetModule(network, settings, crf)
        samples = RNetSamples(training, propose_all(pnets, training, pnet_crfs), settings)
        manifest = draft_manifest(settings)
        validator = RNetValidation(
            held_out, pnets[-1], manifest, folder, every, pnet_crf=pnet_crfs[-1]
        )
    _fit(module, samples, validator, settings, folder, progress)
    return None if settings.bundle is None else write_trained_bundle(settings, base)


def write_trained_bundle(
    settings: TrainingSettings, base: Path, progress: Progress | None = None
) -> Path:
    """Measure the best networks of a run so far and write their bundle into the run's folder.

    An older bundle of that name there is replaced.

    Args:
        settings: of R-Net's training, with a ``bundle`` section.
        base: folder that relative paths start from.
        progress: called with the share of the cases measured and a text.

    Returns:
        The bundle's folder.

    Raises:
        InputError: the settings describe no bundle, or a checkpoint is missing.
    """
    if settings.task != "rnet" or settings.bundle is None:
        raise InputError("Only a configuration of the task rnet with a bundle section makes one.")
    folder = (base / settings.output).resolve()
    networks = {
        "pnet": _trained("pnet", base / settings.pnet[-1], settings),
        "rnet": _trained("rnet", folder / "best.ckpt", settings),
    }
    crfs = {}
    if settings.crf is not None:
        crfs["pnet"] = _trained_crf(base / settings.pnet[-1], settings)
        crfs["rnet"] = _trained_crf(folder / "best.ckpt", settings)
    for network in [*networks.values(), *crfs.values()]:  # measure what the bundle will hold
        network.load_state_dict(half_precision(network))
    session = InteractiveSession(NetworksInTraining(draft_manifest(settings), networks, crfs))
    cases = find_cases(settings.data, base, "val")
    results = evaluate(session, cases, progress=progress)
    target = folder / settings.bundle.name
    shutil.rmtree(target, ignore_errors=True)
    networks.update({crf_key(role): crf for role, crf in crfs.items()})
    return export_bundle(target, settings, networks, results)


def load_checkpoint(
    role: str, path: Path, settings: NetworkSettings, channels: int = 1
) -> nn.Module:
    """Return the network of a training checkpoint, for images of so many channels.

    Raises:
        InputError: the file is missing, or does not hold the weights of that network.
    """
    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.")
    network = _network(role, settings, channels)
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
    pnets: Sequence[nn.Module],
    cases: Sequence[TrainingCase],
    crfs: Sequence[CRFNet | None] | None = None,
) -> list[list[np.ndarray]]:
    """Return for each case the probability of each P-Net and its CRF, as bytes (255 = 1)."""
    engines = [TorchEngine(pnet) for pnet in pnets]
    fields = [None if crf is None else MeanField(crf) for crf in crfs or [None] * len(pnets)]

    def proposal(case: TrainingCase, engine: TorchEngine, field: MeanField | None) -> np.ndarray:
        probability = engine.foreground_probability(case.image)
        if field is not None:
            probability = field.foreground_probability(probability, case.image, case.spacing)
        return np.round(255 * probability).astype(np.uint8)

    return [
        [proposal(case, *steps) for steps in zip(engines, fields, strict=True)] for case in cases
    ]


def _prepared(files: Sequence[LabeledCase], settings: TrainingSettings) -> list[TrainingCase]:
    return [prepare_case(entry, settings.normalization, settings.grid) for entry in files]


def _trained(role: str, path: Path, settings: TrainingSettings) -> nn.Module:
    return load_checkpoint(role, path, settings.network, settings.data.channels)


def _trained_crf(path: Path, settings: TrainingSettings) -> CRFNet | None:
    """Return the CRF-Net for use that was trained with a network; None where none is trained."""
    if settings.crf is None:
        return None
    return load_crf(path, settings.crf.model, settings.data.channels).plain()


def _start(
    settings: TrainingSettings, base: Path, progress: Progress | None
) -> tuple[nn.Module, TableCRFNet | None]:
    """Return the network and the CRF-Net as they are before the first step."""
    channels = settings.data.channels
    if settings.crf is None:
        return _network(settings.task, settings.network, channels), None
    crf = starting_crf(settings.crf, channels, base, progress)
    if settings.crf.network is None:
        return _network(settings.task, settings.network, channels), crf
    return _trained(settings.task, base / settings.crf.network, settings).train(), crf


def _network(role: str, settings: NetworkSettings, channels: int) -> nn.Module:
    return build_network(
        role,
        preset=settings.preset,
        dimension=settings.dimension,
        image_channels=channels,
        features=settings.features,
    )


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
        step, total = trainer.global_step, self._settings.optimization.steps
        if step in self._settings.snapshots:
            trainer.save_checkpoint(self._folder / f"step-{step}.ckpt", weights_only=True)
        if self._progress is not None:
            loss = float(trainer.callback_metrics["train/loss"])
            self._progress(step / total, f"Step {step} of {total}, loss {loss:.3f}")


def _fit(
    module: lightning.LightningModule,
    samples: Dataset,
    validator: lightning.Callback,
    settings: TrainingSettings,
    folder: Path,
    progress: Progress | None,
) -> None:
    """Run the steps that are left."""
    optimization = settings.optimization
    checkpoint = ModelCheckpoint(
        dirpath=folder,
        filename="last",
        every_n_train_steps=settings.checkpoint_every,
        enable_version_counter=False,
    )
    # R-Net steps its optimizer itself, and clips there.
    clip = optimization.gradient_clip if module.automatic_optimization else None
    trainer = lightning.Trainer(
        max_steps=optimization.steps,
        precision=optimization.precision,
        gradient_clip_val=clip,
        logger=CSVLogger(folder, name="", version=""),
        callbacks=[validator, _Steps(settings, folder, progress), checkpoint],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=min(20, optimization.steps),
    )
    batch_size = optimization.batch_size
    loader = DataLoader(
        samples,
        batch_size=batch_size,
        sampler=StepSampler(
            optimization.steps * batch_size, lambda: trainer.global_step * batch_size
        ),
        num_workers=settings.workers,
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
        warnings.filterwarnings("ignore", ".*exists and is not empty.*")  # it holds the data report
        try:
            trainer.fit(module, loader, ckpt_path=str(last) if last.is_file() else None)
        except SystemExit as stop:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt from stop
