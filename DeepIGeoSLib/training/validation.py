"""What users would get from the weights of the moment, measured on whole validation cases."""

from __future__ import annotations

import copy
import csv
import dataclasses
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
from torch import nn

from DeepIGeoSLib.bundles import BundleManifest
from DeepIGeoSLib.crf import MeanField
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.evaluation.protocol import robot_session
from DeepIGeoSLib.networks.crfnet import CRFNet
from DeepIGeoSLib.session import InteractiveSession
from DeepIGeoSLib.training.cases import TrainingCase

logger = logging.getLogger(__name__)

ROUNDS = 5


class Validation(lightning.Callback, ABC):
    """Measures every so many steps, and keeps the best weights.

    Writes ``validation.csv`` (step, data set, measure, mean) and ``best.ckpt`` in the run's folder.
    """

    def __init__(self, folder: Path, every: int) -> None:
        """Take the run's folder and the number of steps between measurements."""
        self.folder = folder
        self.every = every
        self.best = -1.0  # below every Dice: the first measurement is the best so far

    @abstractmethod
    def scores(
        self, network: nn.Module, crf: CRFNet | None = None
    ) -> dict[str, dict[str, list[float]]]:
        """Return the Dice of each case, by data set and measure, with the CRF if there is one."""

    def state_dict(self) -> dict:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict) -> None:
        self.best = state_dict["best"]

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        if trainer.global_step % self.every:
            return
        # A copy, so that evaluation mode and float32 layout stay out of the training.
        crf = None if pl_module.crf is None else pl_module.crf.plain()
        scores = self.scores(copy.deepcopy(pl_module.network).eval(), crf)
        self._report(trainer, scores)
        mean = np.mean(
            [v for kinds in scores.values() for values in kinds.values() for v in values]
        )
        if mean > self.best:
            self.best = float(mean)
            trainer.save_checkpoint(self.folder / "best.ckpt", weights_only=True)

    def _report(
        self, trainer: lightning.Trainer, scores: dict[str, dict[str, list[float]]]
    ) -> None:
        """Log mean scores by name and append them to ``validation.csv``."""
        rows = [
            (dataset, measure, float(np.mean(values)))
            for dataset, kinds in scores.items()
            for measure, values in kinds.items()
        ]
        text = ", ".join(f"{dataset} {measure} {mean:.4f}" for dataset, measure, mean in rows)
        logger.info("step %d: %s", trainer.global_step, text)
        for dataset, measure, mean in rows:
            trainer.lightning_module.log(f"val/{dataset}/{measure}", mean)
        with (self.folder / "validation.csv").open("a", newline="", encoding="utf-8") as stream:
            for dataset, measure, mean in rows:
                csv.writer(stream).writerow([trainer.global_step, dataset, measure, f"{mean:.5f}"])


class PNetValidation(Validation):
    """The Dice of P-Net on whole cases (on their working grid)."""

    def __init__(self, cases: Sequence[TrainingCase], folder: Path, every: int) -> None:
        """Take prepared validation cases; the rest as ``Validation``."""
        super().__init__(folder, every)
        self.cases = cases

    def scores(
        self, network: nn.Module, crf: CRFNet | None = None
    ) -> dict[str, dict[str, list[float]]]:
        engine = TorchEngine(network)
        field = None if crf is None else MeanField(crf)
        scores: dict[str, dict[str, list[float]]] = {}
        for case in self.cases:
            probability = engine.foreground_probability(case.image)
            if field is not None:
                probability = field.foreground_probability(probability, case.image, case.spacing)
            measured = dice(probability >= 0.5, case.target)
            scores.setdefault(case.dataset, {}).setdefault("dice", []).append(measured)
        return scores


@dataclass(frozen=True)
class NetworksInTraining:
    """Stands in for a bundle: the same manifest, networks and CRF-Nets from memory."""

    manifest: BundleManifest
    networks: dict[str, nn.Module]
    crfs: dict[str, CRFNet] = dataclasses.field(default_factory=dict)

    def network(self, role: str) -> nn.Module:
        return self.networks[role]

    def crf(self, role: str) -> CRFNet:
        return self.crfs[role]


class RNetValidation(Validation):
    """The robot user's Dice after each round, through the session that users run."""

    def __init__(
        self,
        cases: Sequence[LabeledCase],
        pnet: nn.Module,
        manifest: BundleManifest,
        folder: Path,
        every: int,
        pnet_crf: CRFNet | None = None,
    ) -> None:
        """Take the validation cases, P-Net (and its CRF) and the manifest; see ``Validation``."""
        super().__init__(folder, every)
        self.cases = [(entry.dataset, *entry.load_channels()) for entry in cases]
        self.pnet = pnet
        self.pnet_crf = pnet_crf
        self.manifest = manifest

    def scores(
        self, network: nn.Module, crf: CRFNet | None = None
    ) -> dict[str, dict[str, list[float]]]:
        networks, crfs = {"pnet": self.pnet, "rnet": network}, {}
        if crf is not None and self.pnet_crf is not None:
            crfs = {"pnet": self.pnet_crf, "rnet": crf}
        bundle = NetworksInTraining(self.manifest, networks, crfs)
        session = InteractiveSession(bundle)
        scores: dict[str, dict[str, list[float]]] = {}
        for dataset, channels, truth in self.cases:
            kinds = scores.setdefault(dataset, {})
            for score in robot_session(session, channels, truth, ROUNDS):
                kinds.setdefault(f"dice after {score.round}", []).append(score.dice)
        return scores
