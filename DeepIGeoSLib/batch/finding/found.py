"""What was found of a cohort."""

from __future__ import annotations

from dataclasses import dataclass, field

from DeepIGeoSLib.batch.case import BatchCase


@dataclass(frozen=True)
class Problem:
    """Why a case can't be worked on.

    Attributes:
        case: its name.
        text: one sentence.
    """

    case: str
    text: str

    def __str__(self) -> str:
        return f"{self.case}: {self.text}"


@dataclass(frozen=True)
class Found:
    """The cases of a cohort.

    Attributes:
        layout: what the input is: "folder", "list", "BIDS".
        cases: in order.
        problems: why others are no cases.
        remarks: what was chosen and what was left out, for who looks before the work starts.
    """

    layout: str
    cases: list[BatchCase]
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
