"""What an evaluation has found: its rounds with their numbers, and the report on them."""

from __future__ import annotations

from dataclasses import dataclass

from DeepIGeoSLib.evaluation import markdown
from DeepIGeoSLib.evaluation.measured_rounds import MeasuredRounds


@dataclass(frozen=True)
class EvaluationResults(MeasuredRounds):
    """Every measured round, how it came about, and what it says in words.

    The attributes are those of ``MeasuredRounds``.
    """

    def table(self) -> str:
        """Return the mean Dice curves as a Markdown table."""
        return markdown.dice_table(self)

    def report(self) -> str:
        """Return every table as Markdown."""
        return markdown.report(self)
