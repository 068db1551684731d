"""What users would get from the weights of the moment, measured on whole validation cases."""

from __future__ import annotations

import copy
import dataclasses
import logging
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch

from DeepIGeoSLib.bundles import BundleManifest
from DeepIGeoSLib.crf import MeanField
from DeepIGeoSLib.crf.crfnet import CRFNet
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.errors import BundleError
from DeepIGeoSLib.evaluation.methods import SessionMethod
from DeepIGeoSLib.evaluation.metrics import dice, iou
from DeepIGeoSLib.evaluation.partition import (
    LeastErrors,
    errors_by_threshold,
    partition_errors,
)
from DeepIGeoSLib.evaluation.protocol import play
from DeepIGeoSLib.evaluation.surfaces import surface_distances
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.targets import Target, label_numbers
from DeepIGeoSLib.tensors import to_tensor
from DeepIGeoSLib.training.averaging import averaged
from DeepIGeoSLib.training.cases import TrainingCase
from DeepIGeoSLib.training.checkpoints import BEST
from DeepIGeoSLib.training.curve import StepTable
from DeepIGeoSLib.training.losses import make_loss
from DeepIGeoSLib.training.pictures import outlined
from DeepIGeoSLib.training.starting import proposed
from DeepIGeoSLib.training.whole_statistics import WholeStatistics
from DeepIGeoSLib.users.robot_user import RobotUser
from DeepIGeoSLib.volume import Volume

if TYPE_CHECKING:
    from DeepIGeoSLib.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

ROUNDS = 5

_LESS_IS_BETTER = ("assd", "pixel", "rand")


@dataclass(frozen=True)
class CaseResult:
    """What was measured on one validation case.

    Attributes:
        dataset: of the case.
        name: of the case.
        measures: by name; those that weights can be chosen by start with the word of ``best_by``,
            and of several targets they say which one.
        image: first channel, axes (k, j, i).
        truth: the number of the target of each voxel, 0 where there is none; the same shape.
        labels: the prediction; the same.
    """

    dataset: str
    name: str
    measures: dict[str, float]
    image: np.ndarray
    truth: np.ndarray
    labels: np.ndarray


class Validation(lightning.Callback, ABC):
    """Measures every so many steps, and keeps the best weights.

    Writes ``validation.csv`` (step, data set, measure, mean) and ``best.ckpt`` in the run's folder,
    and predictions where they are asked for; tells the run's loggers.
    """

    def __init__(self, folder: Path, settings: TrainingSettings) -> None:
        """Take the run's folder and the configuration."""
        self.folder = folder
        self.settings = settings
        self.best: float | None = None
        self._measured_at = 0
        self._table = StepTable(folder / "validation.csv")

    @abstractmethod
    def results(self, network: SegmentationNetwork, crf: CRFNet | None) -> Iterator[CaseResult]:
        """Yield the result of each case, with the CRF if there is one."""

    def pooled(self) -> dict[tuple[str, str], float]:
        """Return what can be measured on all cases of a data set together only, by name.

        It is asked for when all ``results`` were yielded; nothing by default.
        """
        return {}

    @abstractmethod
    def save_prediction(self, number: int, result: CaseResult, folder: Path) -> None:
        """Write the prediction of case ``number`` as NIfTI, on the grid of the case's image."""

    def as_used(self, network: SegmentationNetwork) -> AbstractContextManager[None]:
        """Return a context in which the network is as it is measured, kept and used."""
        return nullcontext()

    def state_dict(self) -> dict:
        return {"best": self.best, "by": self.settings.best_by}

    def load_state_dict(self, state_dict: dict) -> None:
        if state_dict.get("by", "dice") == self.settings.best_by:
            self.best = state_dict["best"]

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._measured_at = trainer.global_step
        if trainer.is_global_zero:
            self._table.cut_after(trainer.global_step)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        step = trainer.global_step
        due = step % self.settings.validate_every == 0 or step == trainer.max_steps
        if not due or step == self._measured_at:
            return
        self._measured_at = step
        network: Any = pl_module.network
        with averaged(trainer, pl_module), self.as_used(network):
            score: Any = None
            if trainer.is_global_zero:
                # A copy, so that evaluation mode and float32 layout stay out of the training.
                crf = None if pl_module.crf is None else pl_module.crf.plain()
                score = self._measure(trainer, copy.deepcopy(network).eval(), crf)
            score = trainer.strategy.broadcast(score)
            if self.best is None or score > self.best:
                self.best = score
                trainer.save_checkpoint(self.folder / BEST, weights_only=True)

    def _measure(
        self, trainer: lightning.Trainer, network: SegmentationNetwork, crf: CRFNet | None
    ) -> float:
        """Measure, report, and return the score by which the best weights are chosen."""
        values: dict[tuple[str, str], list[float]] = defaultdict(list)
        scores: list[float] = []
        for number, result in enumerate(self.results(network, crf)):
            for measure, value in result.measures.items():
                values[result.dataset, measure].append(value)
                if measure.split()[0] == self.settings.best_by:
                    scores.append(value)
            if number < self.settings.logging.pictures:
                _show(trainer, result)
            if self.settings.logging.predictions:
                self.save_prediction(number, result, self.folder / "predictions")
        means = {key: _mean(found) for key, found in values.items()}
        for (name, measure), value in self.pooled().items():
            means[name, measure] = value
            if measure == self.settings.best_by:
                scores.append(value)
        self._report(trainer, means)
        mean = float(np.mean(scores))
        return -mean if self.settings.best_by in _LESS_IS_BETTER else mean

    def _report(self, trainer: lightning.Trainer, means: dict[tuple[str, str], float]) -> None:
        """Log mean values by name and append them to ``validation.csv``."""
        step = trainer.global_step
        text = ", ".join(f"{name} {measure} {mean:.4f}" for (name, measure), mean in means.items())
        logger.info("step %d: %s", step, text)
        self._table.append(
            (step, name, measure, f"{mean:.5f}") for (name, measure), mean in means.items()
        )
        for log in trainer.loggers:
            log.log_metrics(
                {f"val/{name}/{measure}": mean for (name, measure), mean in means.items()}, step
            )


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the finite values: a missed target has no distance; see its Dice."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("inf")


def _show(trainer: lightning.Trainer, result: CaseResult) -> None:
    """Show a picture of the result in every logger that can."""
    from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

    name = f"val/{result.dataset}/{result.name}"
    for log in trainer.loggers:
        picture = outlined(result.image, result.truth, result.labels)
        if isinstance(log, TensorBoardLogger):
            log.experiment.add_image(name, picture, trainer.global_step, dataformats="HWC")
        elif isinstance(log, WandbLogger):
            log.log_image(name, [picture])


def _write_prediction(volume: Volume, labels: np.ndarray, case: LabeledCase, folder: Path) -> None:
    path = folder / case.dataset / f"{case.name.replace('/', '_')}.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    volume.write_labels(path, labels)


class PNetValidation(Validation):
    """P-Net on whole cases (on their working grid).

    Where no label counts, nothing is taken for found. Where borders between objects count, it also
    measures how the objects are divided.
    """

    def __init__(
        self,
        cases: Sequence[TrainingCase],
        folder: Path,
        settings: TrainingSettings,
        *,
        statistics: WholeStatistics | None = None,
    ) -> None:
        """Take prepared validation cases; the rest as ``Validation``.

        Args:
            cases: to measure on.
            folder: of the run.
            settings: the configuration.
            statistics: what normalizations are to know when the network is measured and kept; what
                they learned from crops when None.
        """
        super().__init__(folder, settings)
        self.cases = cases
        self._statistics = statistics
        self._targets = settings.data.network_targets
        self._loss = make_loss(settings.optimization.loss, self._targets)
        self._by_threshold: dict[str, list[np.ndarray]] = defaultdict(list)
        self._overlaps: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)

    def as_used(self, network: SegmentationNetwork) -> AbstractContextManager[None]:
        if self._statistics is None:
            return super().as_used(network)
        return self._statistics.in_place(network)

    def pooled(self) -> dict[tuple[str, str], float]:
        """Return the IoU of all voxels of a data set together, as PASCAL VOC measures it.

        And how objects are divided at the best threshold, where borders count.
        """
        measures = {}
        for key, overlaps in self._overlaps.items():
            shared, covered = np.sum(overlaps, axis=0)
            measures[key] = float(shared / covered) if covered else 1.0
        for dataset, errors in self._by_threshold.items():
            least = LeastErrors.of(errors)
            measures[dataset, "least pixel error"] = least.pixel
            measures[dataset, "threshold of least pixel error"] = least.pixel_threshold
            measures[dataset, "least rand error"] = least.rand
            measures[dataset, "threshold of least rand error"] = least.rand_threshold
        return measures

    def results(self, network: SegmentationNetwork, crf: CRFNet | None) -> Iterator[CaseResult]:
        engine = TorchEngine(network)
        field = None if crf is None else MeanField(crf)
        self._by_threshold.clear()
        self._overlaps.clear()
        for case in self.cases:
            answers = proposed(case, engine, field)
            found = [answer >= 0.5 for answer in answers]
            if case.ignored is not None:
                answers = np.where(case.ignored, 0, answers)
            judged = [answer >= 0.5 for answer in answers]
            truths = [case.mask_of(target) for target in case.targets]
            measures = {}
            for target, labels, truth in zip(case.targets, judged, truths, strict=True):
                distances = surface_distances(labels, truth, case.spacing)
                measures[_named("dice", target)] = dice(labels, truth)
                measures[_named("iou", target)] = iou(labels, truth)
                measures[_named("assd", target)] = distances.average()
                overlap = np.array([np.sum(labels & truth), np.sum(labels | truth)])
                self._overlaps[case.dataset, _named("pooled iou", target)].append(overlap)
            if self.settings.optimization.borders is not None:
                measures |= partition_errors(np.any(judged, axis=0), case.target)
                errors = errors_by_threshold(np.max(answers, axis=0), case.target)
                self._by_threshold[case.dataset].append(errors)
            measures["loss"] = self._loss_of(engine, field, case)
            yield CaseResult(
                case.dataset,
                case.source.name,
                measures,
                case.image[0],
                label_numbers(truths, case.targets),
                label_numbers(found, case.targets),
            )

    def save_prediction(self, number: int, result: CaseResult, folder: Path) -> None:
        case = self.cases[number]
        volume = case.source.load_channels()[0][0]
        masks = [
            case.to_volume((result.labels == value).astype(np.float32)) >= 0.5
            for value in range(1, len(case.targets) + 1)
        ]
        labels = np.zeros(masks[0].shape, dtype=np.uint8)
        for value, mask in enumerate(masks, 1):
            labels[mask] = value
        _write_prediction(volume, labels, case.source, folder)

    def _loss_of(self, engine: TorchEngine, field: MeanField | None, case: TrainingCase) -> float:
        """Return the training loss; the logarithms of probabilities are logits."""
        answers = engine.probabilities(case.image)
        if field is not None:
            answers = field.foreground_probability(answers[0], case.image, case.spacing)[np.newaxis]
        classes = np.clip([1 - answers.sum(axis=0), *answers], 1e-6, 1 - 1e-6)
        logits = to_tensor(np.log(classes)[np.newaxis])
        with torch.inference_mode():
            return float(self._loss(logits, to_tensor(case.classes[np.newaxis, np.newaxis])))


def _named(measure: str, target: Target) -> str:
    """Return a measure's name; one of several targets is named behind it."""
    return f"{measure} {target.name}".rstrip()


@dataclass(frozen=True)
class NetworksInTraining:
    """Stands in for a bundle: the same manifest, networks and CRF-Nets from memory."""

    has_networks = True

    manifest: BundleManifest
    networks: dict[str, SegmentationNetwork]
    crfs: dict[str, CRFNet] = dataclasses.field(default_factory=dict)

    def network(self, role: str) -> SegmentationNetwork:
        return self.networks[role]

    def crf(self, role: str) -> CRFNet:
        return self.crfs[role]

    def quantized(self, role: str) -> tuple[bytes, bytes]:
        raise BundleError(f"The {role} in training has no 8-bit version.")


class RNetValidation(Validation):
    """What the robot user gets after each round, through the session that users run."""

    def __init__(
        self,
        cases: Sequence[LabeledCase],
        pnet: SegmentationNetwork,
        manifest: BundleManifest,
        *,
        folder: Path,
        settings: TrainingSettings,
        pnet_crf: CRFNet | None = None,
    ) -> None:
        """Take the validation cases, P-Net (and its CRF) and the manifest; see ``Validation``."""
        super().__init__(folder, settings)
        self.cases = [
            (case, part, *part.load_channels()) for case in cases for part in case.for_each_target()
        ]
        self.pnet = pnet
        self.pnet_crf = pnet_crf
        self.manifest = manifest

    def results(self, network: SegmentationNetwork, crf: CRFNet | None) -> Iterator[CaseResult]:
        networks, crfs = {"pnet": self.pnet, "rnet": network}, {}
        if crf is not None and self.pnet_crf is not None:
            crfs = {"pnet": self.pnet_crf, "rnet": crf}
        bundle = NetworksInTraining(self.manifest, networks, crfs)
        method = SessionMethod(InteractiveSession(bundle, engine="torch"))
        for case, part, channels, truth in self.cases:
            method.choose_target(part.target)
            target, measures = Target(part.target), {}
            rounds = play(
                method,
                channels,
                truth,
                user=RobotUser("stroke"),
                rounds=ROUNDS,
                ignored=part.read_ignored(channels[0]),
            )
            for played in rounds:
                after = f"after {played.number}"
                measures[_named(f"dice {after}", target)] = dice(played.labels, truth)
            distances = surface_distances(played.labels, truth, channels[0].spacing)
            measures[_named(f"iou after {ROUNDS}", target)] = iou(played.labels, truth)
            measures[_named(f"assd after {ROUNDS}", target)] = distances.average()
            name = f"{case.name} {part.target}".rstrip()
            yield CaseResult(
                case.dataset,
                name,
                measures,
                channels[0].array,
                truth.astype(np.uint8),
                played.labels.astype(np.uint8),
            )

    def save_prediction(self, number: int, result: CaseResult, folder: Path) -> None:
        case, part, channels, _ = self.cases[number]
        named = dataclasses.replace(part, dataset=case.dataset, name=result.name)
        _write_prediction(channels[0], result.labels, named, folder)
