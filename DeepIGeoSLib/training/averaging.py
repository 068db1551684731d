"""A running average of the weights, which is steadier than the weights of any single step."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import lightning
import torch

# The average begins by forgetting fast: after n steps it keeps (1 + n) / (10 + n) at most.
_WARM_UP = 10


class AveragedWeights(lightning.Callback):
    """Follows the weights, and the statistics of normalizations, with an exponential average."""

    def __init__(self, share: float) -> None:
        """Take the share of the average that each step keeps."""
        self._share = share
        self._steps = 0
        self._average: dict[str, torch.Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {"steps": self._steps, "average": self._average}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the average of the run before."""
        self._steps, self._average = state_dict["steps"], state_dict["average"]

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Begin with the weights as they are, unless a resumed run has an average."""
        if not self._average:
            self._average = _copied(pl_module)
        device = pl_module.device
        self._average = {name: value.to(device) for name, value in self._average.items()}

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Follow each step of the optimizer."""
        if trainer.global_step == self._steps:
            return
        self._steps = trainer.global_step
        kept = min(self._share, (1 + self._steps) / (_WARM_UP + self._steps))
        for name, value in pl_module.state_dict().items():
            if value.is_floating_point():
                self._average[name].lerp_(value, 1 - kept)
            else:
                self._average[name].copy_(value)

    @contextmanager
    def in_place(self, module: lightning.LightningModule) -> Generator[None, None, None]:
        """Put the average in the place of the module's weights, and afterwards take it away."""
        newest = _copied(module)
        module.load_state_dict(self._average)
        try:
            yield
        finally:
            module.load_state_dict(newest)


def averaged(
    trainer: lightning.Trainer, module: lightning.LightningModule
) -> AbstractContextManager[None]:
    """Return a context in which the module has the run's average, where the run keeps one."""
    for callback in trainer.callbacks:  # ty: ignore[missing-attribute]
        if isinstance(callback, AveragedWeights):
            return callback.in_place(module)
    return nullcontext()


def _copied(module: lightning.LightningModule) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
