"""What watches over a run: numbers that are no numbers, Ctrl-C, and chance."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.training.checkpoints import LAST, read_checkpoint


class DivergedError(InputError):
    """The loss or the weights are no finite numbers any more."""


class FiniteNumbers(lightning.Callback):
    """Stops a run that diverged before its weights can replace a good checkpoint."""

    def __init__(self, folder: Path) -> None:
        """Take the run's folder."""
        self._folder = folder

    def on_before_optimizer_step(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        """Refuse a step along a gradient that is no direction."""
        if not _finite([p.grad for p in pl_module.parameters() if p.grad is not None]):
            self._stop(trainer, "gradient")

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Look at the weights before anyone saves them."""
        if not np.isfinite(float(trainer.callback_metrics["train/loss"])):
            self._stop(trainer, "loss")
        if not _finite(list(pl_module.parameters())):
            self._stop(trainer, "weights")

    def _stop(self, trainer: lightning.Trainer, what: str) -> None:
        last = self._folder / LAST
        kept = "no checkpoint was written before"
        if last.is_file():
            step = read_checkpoint(last)["global_step"]
            kept = f"the last good weights, of step {step}, are in {last}"
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        raise DivergedError(
            f"Training stopped at step {trainer.global_step}: the {what} became infinite or NaN at "
            f"the learning rate {rate:.3g}; {kept}. Lower optimization.learning_rate and give the "
            "command again."
        )


class CleanStop(lightning.Callback):
    """Ends a run after Ctrl-C at the next step, with a checkpoint; a second Ctrl-C ends it at once.

    Attributes:
        asked: whether Ctrl-C was pressed.
    """

    def __init__(self, folder: Path) -> None:
        """Take the run's folder."""
        self._folder = folder
        self._handler: Any = None
        self.asked = False

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Listen to Ctrl-C."""
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True
        self._unlisten()

    def _unlisten(self) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            self._handler = None

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Save and end, when asked to, where a step is complete."""
        if (batch_idx + 1) % pl_module.batches_a_step:
            return
        if trainer.world_size > 1:  # all processes must end at the same step
            self.asked = trainer.strategy.reduce_boolean_decision(self.asked, all=False)
        if self.asked and trainer.global_step < trainer.max_steps:
            trainer.save_checkpoint(self._folder / LAST)
            trainer.should_stop = True

    def teardown(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str
    ) -> None:
        """Leave Ctrl-C as it was."""
        self._unlisten()


class RepeatableChance(lightning.Callback):
    """Makes dropout depend on the seed and the batch's number alone, as the samples do."""

    def __init__(self, seed: int) -> None:
        """Take the run's seed."""
        self._seed = seed

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Start torch's random numbers anew."""
        part = (trainer.global_step, batch_idx % pl_module.batches_a_step, trainer.global_rank)
        sequence = np.random.SeedSequence([self._seed, *part])
        torch.manual_seed(int(sequence.generate_state(1)[0]))


class CurrentRates(lightning.Callback):
    """Lets a resumed run learn at the rate that the configuration says now.

    A checkpoint holds the rates it was written with, and whoever lowers the rate after a run
    diverged would go on with the old one.
    """

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Put the configuration's rates and weight decay in the place of the saved ones."""
        configured: Any = pl_module.configure_optimizers()
        wanted = configured["optimizer"].param_groups
        for group, new in zip(trainer.optimizers[0].param_groups, wanted, strict=True):
            if group["initial_lr"] != new["initial_lr"]:
                group["lr"] *= new["initial_lr"] / group["initial_lr"]
            group["initial_lr"], group["weight_decay"] = new["initial_lr"], new["weight_decay"]
        for entry in trainer.lr_scheduler_configs:
            entry.scheduler.base_lrs = [group["initial_lr"] for group in wanted]


def _finite(tensors: list[torch.Tensor]) -> bool:
    if not tensors:
        return True
    norms = [torch.linalg.vector_norm(tensor.detach().float()) for tensor in tensors]
    return bool(torch.isfinite(torch.stack(norms)).all())
