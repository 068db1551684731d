"""What one optimizer step does in the training for any structure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import lightning
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from DeepIGeoSLib.any_structure.channels import CHANNELS
from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.tensors import to_array, to_tensor
from DeepIGeoSLib.training.any_structure.samples import add_stroke, pointed_at, training_channels
from DeepIGeoSLib.training.any_structure.settings import AnyStructureSettings
from DeepIGeoSLib.training.modules import rate_factor

_STROKES = ("foreground", "background", "new_foreground", "new_background")

_NEWEST = CHANNELS.index("newest strokes")

# How much more a voxel counts under the newest strokes than far away from them, and in the mistake
# that they mark.
_NEAR, _POINTED_AT = 3.0, 3.0

# How often a round begins again from nothing, with all strokes so far.
_AGAIN = 0.1

# Steps over which the Dice that is reported is averaged.
_RECENT = 200


class AnyStructureModule(lightning.LightningModule):
    """Trains the network over several rounds of strokes, each from the result of the last.

    Attributes:
        network: the network.
        averaged: its weights, averaged over the steps; these are what users get.
        batches_a_step: batches whose gradients make one step of the optimizer.
    """

    batches_a_step = 1
    fine_tuning = None
    crf = None

    def __init__(self, network: nn.Module, settings: AnyStructureSettings) -> None:
        super().__init__()
        self.network = network
        self.averaged = AveragedModel(
            network, avg_fn=_running_mean(settings.average), use_buffers=True
        )
        self.settings = settings
        self.automatic_optimization = False
        self._recent = [deque(maxlen=_RECENT) for _ in range(settings.rounds)]

    def training_step(self, batch: dict[str, torch.Tensor], index: int) -> None:
        """Play a short session on each sample and step along the gradient of all its rounds."""
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        rounds = 1 + int(batch["seed"][0]) % self.settings.rounds
        total = 0.0
        for number in range(rounds):
            logits = answers(self.network, batch["channels"])
            weight = (
                1 + _NEAR * batch["channels"][:, _NEWEST].abs() + _POINTED_AT * batch["pointed_at"]
            )
            loss = stroke_loss(logits, batch["target"], weight)
            self.manual_backward(loss / rounds)
            total += float(loss.detach()) / rounds
            probability = logits.detach().softmax(dim=1)[:, 1]
            self._recent[number].append(self._next_round(batch, probability, number))
        self.log("train/loss", total)
        self.clip_gradients(optimizer, gradient_clip_val=self.settings.optimization.gradient_clip)
        optimizer.step()
        self.averaged.update_parameters(self.network)
        self.lr_schedulers().step()

    def _next_round(
        self, batch: dict[str, torch.Tensor], probability: torch.Tensor, number: int
    ) -> float:
        """Take the answer over as a user would get it, and let the user answer it.

        Returns:
            The mean Dice of what the users got.
        """
        dice = []
        for sample, result in enumerate(probability):
            random = np.random.default_rng([int(batch["seed"][sample]), number])
            strokes = Strokes(*(to_array(batch[name][sample]) for name in _STROKES))
            boxed = to_array(batch["boxed"][sample]) if number == 0 else None
            mask = merged(to_array(batch["mask"][sample]), to_array(result), strokes, boxed=boxed)
            target = to_array(batch["target"][sample])
            dice.append(overlap(mask >= 0.5, target))
            new = {name: np.zeros(mask.shape, dtype=bool) for name in ("foreground", "background")}
            add_stroke(new, mask >= 0.5, target, random=random)
            foreground = strokes.foreground & ~new["background"] | new["foreground"]
            background = strokes.background & ~new["foreground"] | new["background"]
            if random.random() < _AGAIN and foreground.any():
                mask = np.zeros_like(mask)
                new = {"foreground": foreground, "background": background}
            mask[foreground], mask[background] = 1, 0
            strokes = Strokes(foreground, background, new["foreground"], new["background"])
            image, spacing = to_array(batch["image"][sample]), batch["spacing"][sample].tolist()
            batch["mask"][sample] = to_tensor(mask, self.device)
            channels = training_channels(image, mask, strokes, spacing=spacing, random=random)
            batch["channels"][sample] = to_tensor(channels, self.device)
            marked = pointed_at(mask, target, strokes)
            batch["pointed_at"][sample] = to_tensor(marked, self.device)
            for name, value in zip(_STROKES, vars(strokes).values(), strict=True):
                batch[name][sample] = to_tensor(value.copy(), self.device)
        return float(np.mean(dice))

    def recent_dice(self) -> list[float]:
        """Return the mean Dice after each number of rounds, over the last steps."""
        return [float(np.mean(values)) for values in self._recent if values]

    def configure_optimizers(self) -> dict:
        """Return Lightning's optimizer and schedule entries."""
        values = self.settings.optimization
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=values.learning_rate, weight_decay=values.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(values.schedule, step / values.steps)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def _running_mean(kept: float) -> Callable[..., torch.Tensor]:
    """Return the rule of an exponential average that forgets its first steps quickly."""

    def average(mean: torch.Tensor, value: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        if not mean.is_floating_point():
            return value
        share = min(kept, float((1 + count) / (10 + count)))
        return mean + (value - mean) * (1 - share)

    return average


def answers(network: nn.Module, channels: torch.Tensor) -> torch.Tensor:
    """Return float32 logits (B, 2, k, j, i); slices are repeated up to what the network needs."""
    depth = channels.shape[2]
    if depth == 1:
        channels = channels.expand(-1, -1, network.multiple_of[0], -1, -1)
    channels = channels.contiguous(memory_format=torch.channels_last_3d)
    return network(channels).float()[:, :, :depth]


def stroke_loss(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return weighted cross-entropy plus the Dice loss.

    Args:
        logits: (B, 2, k, j, i).
        target: (B, k, j, i) bool.
        weight: (B, k, j, i), how much a voxel counts in the cross-entropy.
    """
    entropy = functional.cross_entropy(logits, target.long(), reduction="none")
    entropy = (entropy * weight).sum() / weight.sum()
    probability = logits.softmax(dim=1)[:, 1].flatten(1)
    truth = target.flatten(1).float()
    both = 2 * (probability * truth).sum(1)
    dice = (both + 1) / (probability.sum(1) + truth.sum(1) + 1)
    return entropy + (1 - dice).mean()


def overlap(labels: np.ndarray, target: np.ndarray) -> float:
    """Return the Dice of two masks, 1 when both are empty."""
    total = np.count_nonzero(labels) + np.count_nonzero(target)
    return 2 * np.count_nonzero(labels & target) / total if total else 1.0
