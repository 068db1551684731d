"""What one optimizer step does, for Lightning."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch

from DeepIGeoSLib.crf.differentiable import TableCRFNet
from DeepIGeoSLib.inputs.distance_channels import distance_maps
from DeepIGeoSLib.interaction.requested_changes import Request, connected_changes
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.targets import Target
from DeepIGeoSLib.tensors import to_array, to_tensor
from DeepIGeoSLib.training.borders import loss_of_borders
from DeepIGeoSLib.training.crf import scribble_classes
from DeepIGeoSLib.training.losses import dice_of_targets, make_loss, near_strokes
from DeepIGeoSLib.training.processes import of_all_processes
from DeepIGeoSLib.training.run_settings import FineTuningSettings
from DeepIGeoSLib.training.sampling import add_marks, impose
from DeepIGeoSLib.training.settings import OptimizationSettings, TrainingSettings

_WARM_UP = 0.02


class NetworkModule(lightning.LightningModule):
    """A network in training, with a CRF-Net behind it if there is one.

    Attributes:
        network: the network.
        crf: its CRF-Net.
        settings: the configuration.
        batches_a_step: batches whose gradients make one step of the optimizer.
        fine_tuning: how the layers learn that know something already; None for new networks.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        settings: TrainingSettings,
        *,
        crf: TableCRFNet | None = None,
        fine_tuning: FineTuningSettings | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.crf = crf
        self.settings = settings
        self.batches_a_step = settings.optimization.accumulate
        self.fine_tuning = fine_tuning
        self._targets = self.targets_of(settings)
        self._loss = make_loss(settings.optimization.loss, self._targets)

    def targets_of(self, settings: TrainingSettings) -> tuple[Target, ...]:
        """Return what the network tells apart; nothing for a single target."""
        return ()

    def loss(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        spacing: torch.Tensor,
        *weight: torch.Tensor,
    ) -> torch.Tensor:
        """Return the loss of the crops of all processes.

        Args:
            logits: (B, classes, k, j, i).
            target: class numbers, (B, 1, k, j, i).
            spacing: mm, (B, 3).
            weight: how much each voxel counts in the cross-entropy, (B, k, j, i), if not the same.
        """
        loss = self._loss(*of_all_processes(self, logits, target, *weight))
        borders = self.settings.optimization.borders
        if borders is not None:
            loss = loss + loss_of_borders(logits, target, spacing, settings=borders)
        return loss

    def configure_optimizers(self) -> dict:
        return make_optimizer(self, self.settings.optimization, self.fine_tuning)


class PNetModule(NetworkModule):
    """Trains P-Net on crops."""

    def targets_of(self, settings: TrainingSettings) -> tuple[Target, ...]:
        """See ``NetworkModule``."""
        return settings.data.network_targets

    def training_step(
        self, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor], index: int
    ) -> torch.Tensor:
        image, target, spacing = batch
        logits = self.network.logits_of_volumes(image)
        if self.crf is not None:
            logits = self.crf(logits, image, spacing)
        loss = self.loss(logits, target, spacing)
        self.log("train/loss", loss, prog_bar=True)
        if self._targets:
            values = dice_of_targets(logits.detach(), target, self._targets)
            for one, value in zip(self._targets, values, strict=True):
                if value.isfinite():
                    self.log(f"train/dice {one.name}", value)
        return loss


class RNetModule(NetworkModule):
    """Trains R-Net over several rounds of strokes, each starting from the result of the last.

    The published method trains on the first round only and stalls after it; here a step of the
    optimizer sees a whole short session.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.automatic_optimization = False

    def training_step(self, batch: dict[str, torch.Tensor], index: int) -> None:
        optimizer: Any = self.optimizers()
        if index % self.batches_a_step == 0:
            optimizer.zero_grad()
        # All processes take part in the same number of rounds.
        chance = self.trainer.strategy.broadcast(int(batch["seed"][0]))
        rounds = 1 + chance % self.settings.simulation.completed().rounds
        for number in range(rounds):
            inputs = torch.cat([batch["image"], batch["initial"][:, None], batch["maps"]], dim=1)
            logits = self.network.logits_of_volumes(inputs)
            if self.crf is not None:
                scribbles = scribble_classes(batch["foreground"], batch["background"])
                logits = self.crf(logits, batch["image"], batch["spacing"], scribbles)
            loss = self.loss(logits, batch["target"], batch["spacing"], *self._weight(batch))
            self.manual_backward(loss / (rounds * self.batches_a_step))
            if number + 1 < rounds:
                self._next_round(batch, logits.detach().softmax(dim=1)[:, 1], number)
        self.log("train/loss", loss)
        if (index + 1) % self.batches_a_step:
            return
        self.clip_gradients(optimizer, gradient_clip_val=self.settings.optimization.gradient_clip)
        optimizer.step()
        self.lr_schedulers().step()

    def _weight(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Return how much each voxel counts; nothing where all count the same."""
        more = self.settings.optimization.near_strokes
        return (1 + more * near_strokes(batch["maps"], batch["asked"]),) if more else ()

    def _next_round(
        self, batch: dict[str, torch.Tensor], probability: torch.Tensor, number: int
    ) -> None:
        """Let the simulated user answer the result: new strokes, maps and initial segmentation."""
        for sample, result in enumerate(probability):
            random = np.random.default_rng([int(batch["seed"][sample]), number])
            state = self._granted(batch, sample, to_array(result))
            seeds = {name: to_array(batch[name][sample]) for name in ("foreground", "background")}
            impose(state, seeds)
            given = add_marks(
                seeds,
                state >= 0.5,
                to_array(batch["target"][sample, 0]),
                random=random,
                preset=self.settings.simulation.preset,
            )
            impose(state, seeds)
            maps = distance_maps(
                to_array(batch["image"][sample]),
                seeds["foreground"],
                seeds["background"],
                spacing=batch["spacing"][sample].tolist(),
                settings=self.settings.interactions,
            )
            batch["initial"][sample] = to_tensor(state, self.device)
            batch["maps"][sample] = to_tensor(maps, self.device)
            batch["asked"][sample] = torch.tensor(["foreground" in given, "background" in given])
            for name, mask in seeds.items():
                batch[name][sample] = to_tensor(mask, self.device)

    def _granted(
        self, batch: dict[str, torch.Tensor], sample: int, answer: np.ndarray
    ) -> np.ndarray:
        """Return what users would get: the changes that the newest strokes ask for."""
        adds, removes = batch["asked"][sample].tolist()
        if self.settings.interactions.changes == "any" or not (adds or removes):
            return answer
        before, maps = (to_array(batch[name][sample]) for name in ("initial", "maps"))
        if self.settings.interactions.changes == "connected":
            strokes = {name: to_array(batch[name][sample]) for name in ("foreground", "background")}
            answer = connected_changes(before, answer, **strokes)
        return Request(adds, removes, erases=False).granted(before, answer, maps)


def make_optimizer(
    module: NetworkModule,
    settings: OptimizationSettings,
    fine_tuning: FineTuningSettings | None = None,
) -> dict:
    """Return Lightning's optimizer and schedule entries."""
    options: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    parameters: Any = module.parameters()
    if fine_tuning is not None:
        parameters = _groups(module, settings.learning_rate, fine_tuning)
    if settings.optimizer == "sgd":
        optimizer = torch.optim.SGD(parameters, momentum=0.99, **options)
    elif settings.optimizer == "adam":
        optimizer = torch.optim.Adam(parameters, **options)
    else:
        optimizer = torch.optim.AdamW(parameters, **options)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_factor(settings.schedule, step / settings.steps)
    )
    return {
        "optimizer": optimizer,
        "lr_scheduler": {"scheduler": schedule, "interval": "step"},
    }


def _groups(
    module: NetworkModule, rate: float, fine_tuning: FineTuningSettings
) -> list[dict[str, Any]]:
    """Return the late layers, and each stage of the early ones with a rate of its own."""
    stages = [
        [p for layer in stage for p in layer.parameters()]
        for stage in module.network.early_stages()
    ]
    if fine_tuning.stage_factor == 1:
        stages = [[p for stage in stages for p in stage]]
    known = {id(p) for stage in stages for p in stage}
    groups: list[dict[str, Any]] = [
        {"params": [p for p in module.parameters() if id(p) not in known]}
    ]
    for behind, stage in enumerate(reversed(stages)):
        factor = fine_tuning.old_layers * fine_tuning.stage_factor**behind
        groups.append({"params": stage, "lr": rate * factor})
    return groups


def rate_factor(schedule: str, done: float) -> float:
    """Return the learning rate's factor when the share ``done`` of the steps is behind."""
    done = min(done, 1.0)
    if schedule == "constant":
        return 1.0
    if schedule == "halving":
        return 0.5 ** int(done * 10)
    if schedule == "poly":
        return (1 - done) ** 0.9
    if done < _WARM_UP:
        return max(done / _WARM_UP, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP)))
