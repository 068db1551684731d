"""Tables that grow with a run's steps, and go on exactly where a resumed run goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import lightning

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step


class StepTable:
    """A CSV file without a header whose rows start with a step.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, rows: Iterable[Sequence[object]]) -> None:
        """Write rows behind the others.

        Raises:
            InputError: the disk is full.
        """
        try:
            with self.path.open("a", newline="", encoding="utf-8") as stream:
                csv.writer(stream).writerows(rows)
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror}.") from error

    def cut_after(self, step: int) -> None:
        """Remove the rows after a step, and a last row that was torn by a kill."""
        if not self.path.is_file():
            return
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        rows = [row for row in csv.reader(whole.splitlines()) if row and int(row[0]) <= step]
        with (
            written_in_one_step(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            csv.writer(stream).writerows(rows)


class LossCurve(lightning.Callback):
    """Writes the training loss into ``curve.csv``: step and mean loss since the row before."""

    def __init__(self, folder: Path, every: int) -> None:
        """Take the run's folder and the number of steps between rows."""
        self._table = StepTable(folder / "curve.csv")
        self._every = every
        self._losses: list[float] = []

    def state_dict(self) -> dict:
        """Return the losses since the last row, for an exact resume."""
        return {"losses": list(self._losses)}

    def load_state_dict(self, state_dict: dict) -> None:
        """Take over what ``state_dict`` returned."""
        self._losses = list(state_dict["losses"])

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Forget what a run that was killed wrote after its last checkpoint."""
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
        """Add the batch's loss."""
        self._losses.append(float(trainer.callback_metrics["train/loss"]))
        batches = self._every * pl_module.batches_a_step
        if len(self._losses) < batches:
            return
        if trainer.is_global_zero:
            mean = sum(self._losses) / len(self._losses)
            self._table.append([(trainer.global_step, f"{mean:.6f}")])
        self._losses.clear()
