"""What users would get from the weights of the moment, measured on whole validation cases."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import lightning
import numpy as np
import torch

from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.training.cases import TrainingCase

logger = logging.getLogger(__name__)


class PNetValidation(lightning.Callback):
    """Every so many epochs: Dice of P-Net on whole cases; the best weights are kept.

    Writes ``validation.csv`` (step, data set, mean Dice) and ``best.ckpt`` in the run's folder.
    """

    def __init__(self, cases: Sequence[TrainingCase], folder: Path, every: int) -> None:
        """Take prepared validation cases, the run's folder and the epochs between."""
        self.cases = cases
        self.folder = folder
        self.every = every
        self.best = 0.0

    def state_dict(self) -> dict:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict) -> None:
        self.best = state_dict["best"]

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if (trainer.current_epoch + 1) % self.every == 0:
            self.measure(trainer, pl_module)

    def measure(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Validate now."""
        scores = self.scores(module.network)
        module.network.train()
        report(trainer, scores, self.folder)
        mean = float(np.mean([value for values in scores.values() for value in values]))
        if mean > self.best:
            self.best = mean
            trainer.save_checkpoint(self.folder / "best.ckpt", weights_only=True)

    def scores(self, network: torch.nn.Module) -> dict[str, list[float]]:
        """Return the Dice of each case, by data set."""
        engine = TorchEngine(network, str(next(network.parameters()).device))
        scores: dict[str, list[float]] = {}
        for case in self.cases:
            probability = engine.foreground_probability(case.image[np.newaxis])
            scores.setdefault(case.dataset, []).append(dice(probability >= 0.5, case.target))
        return scores


def report(trainer: lightning.Trainer, scores: dict[str, list[float]], folder: Path) -> None:
    """Log mean scores by name and append them to ``validation.csv``."""
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    logger.info(
        "step %d: %s",
        trainer.global_step,
        ", ".join(f"{name} {value:.4f}" for name, value in means.items()),
    )
    for name, value in means.items():
        trainer.lightning_module.log(f"val/{name}", value)
    with (folder / "validation.csv").open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        for name, value in means.items():
            writer.writerow([trainer.global_step, name, f"{value:.5f}"])
