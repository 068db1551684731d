"""What a configuration says about everything around the learning itself."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class FineTuningSettings:
    """How the networks of a bundle learn new cases; only used with ``--from``.

    Attributes:
        frozen: share of the steps in which only the late layers learn; the others stay as they are.
        old_layers: factor of the early layers' learning rate in the steps after that.
    """

    frozen: float = 0.1
    old_layers: float = 0.5
