"""What a configuration says about everything around the learning itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class LoggingSettings:
    """What a run leaves behind beside its checkpoints; ``curve.csv`` is always written.

    Attributes:
        tensorboard: write curves and pictures for TensorBoard.
        wandb: project of Weights & Biases to log to as well; null for none. It needs the package
            wandb and an account, or the environment variable WANDB_MODE=offline.
        pictures: validation cases shown as pictures, with the outlines of truth and prediction.
        predictions: keep the newest prediction of every validation case as NIfTI, in the folder
            ``predictions``.
    """

    tensorboard: bool = True
    wandb: str | None = None
    pictures: int = 4
    predictions: bool = False


@dataclass(frozen=True)
class HardwareSettings:
    """Where a run computes.

    Attributes:
        accelerator: "auto" takes a graphics processor if there is one.
        devices: processes that train together, one for each graphics processor.
        nodes: machines, each with so many devices; the command is started on each of them.
    """

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    nodes: int = 1

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.devices * self.nodes


# As ``StartSettings.weights``: those that a package brings for the encoder.
IMAGENET = "imagenet"


@dataclass(frozen=True)
class StartSettings:
    """The weights that a new network begins with; without them it begins at random.

    Attributes:
        weights: "imagenet" (of the encoder efficientnet-lite0, from a Python package), a bundle (a
            folder, or a shipped one's name), or a file of named tensors: .safetensors, or a
            checkpoint that holds plain tensors only. Relative to the configuration file.
        rename: how names of the given tensors begin, and how they are to begin instead.
        partial: take what fits and leave the rest of the encoder at random; else weights that do
            not fill the encoder are refused.
    """

    weights: str
    rename: dict[str, str] = field(default_factory=dict)
    partial: bool = False


@dataclass(frozen=True)
class FineTuningSettings:
    """How layers learn that know something: with ``--from`` a bundle, or with ``start``.

    Attributes:
        frozen: share of the steps in which only the late layers learn; the others stay as they are.
        old_layers: factor of the early layers' learning rate in the steps after that.
        stage_factor: each stage of the early layers has this factor of the rate of the stage behind
            it, so that the first ones change least.
        frozen_stages: so many stages, from the input on, never learn.
    """

    frozen: float = 0.1
    old_layers: float = 0.5
    stage_factor: float = 1.0
    frozen_stages: int = 0
