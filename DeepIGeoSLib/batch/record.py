"""What is known of a case after it was worked on: the row of every table and report."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from DeepIGeoSLib.errors import DeepIGeoSError
from DeepIGeoSLib.evaluation.metrics import Measurement


class State(str, Enum):
    """How far a case is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class TargetRecord:
    """One target of a case.

    Attributes:
        name: what it is, such as "whole tumor".
        label: its value in the labelmap; 0 for objects, which have numbers of their own.
        milliliters: its volume.
        lesions: connected parts (voxels that touch at a corner hang together), or objects.
        shared_milliliters: what of the volume belongs to another target in it, too.
        uncertain_milliliters: volume whose probability lies between 0.25 and 0.75; 0 for objects.
        measured: against the truth; None where none is given.
    """

    name: str
    label: int
    milliliters: float
    lesions: int
    shared_milliliters: float = 0.0
    uncertain_milliliters: float = 0.0
    measured: Measurement | None = None


@dataclass(frozen=True, kw_only=True)
class CaseRecord:
    """A case that was worked on.

    Attributes:
        name: of the case: the path of its results below the output folder, without ending.
        state: done or failed.
        images: files or DICOM folders, one for each channel.
        series: DICOM series that was read; None for other files.
        truth: file of the true segmentation; None where none is given.
        outputs: what was written, by kind ("labels", "probability", ...): paths below the output
            folder.
        shape: voxels along (k, j, i); (0, 0, 0) where the image could not be read.
        spacing: mm along (k, j, i).
        targets: in the order of their labels.
        flags: why somebody should look, see ``batch.quality``.
        seconds: from reading to writing.
        reason: why it failed, one sentence; empty when it is done.
        disk_full: whether it failed because there was no room to write.
    """

    name: str
    state: State
    images: tuple[str, ...]
    series: str | None = None
    truth: str | None = None
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    shape: tuple[int, int, int] = (0, 0, 0)
    spacing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    targets: tuple[TargetRecord, ...] = ()
    flags: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    disk_full: bool = False

    @property
    def milliliters(self) -> float:
        """Volume of all targets together; what belongs to two of them counts once."""
        return sum(target.milliliters - target.shared_milliliters for target in self.targets)

    @property
    def lesions(self) -> int:
        """Connected parts of all targets together."""
        return sum(target.lesions for target in self.targets)

    def mapping(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**dataclasses.asdict(self), "state": self.state.value}

    def to_json(self) -> str:
        """Return a line of JSON, in which infinite numbers stay what they are."""
        return json.dumps(self.mapping())


def reason_of(error: Exception) -> str:
    """Return why a case failed, in one line."""
    if isinstance(error, DeepIGeoSError):
        reason = str(error)
    elif isinstance(error, MemoryError):
        reason = "There was not enough memory."
    else:
        reason = f"{type(error).__name__}: {error}"
    return " ".join(reason.split())


def record_from_json(text: str) -> CaseRecord:
    """Return the record that ``CaseRecord.to_json`` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    values: dict[str, Any] = json.loads(text)
    fields: dict[str, Any] = {
        **values,
        "state": State(values["state"]),
        "images": tuple(values["images"]),
        "shape": tuple(values["shape"]),
        "spacing": tuple(values["spacing"]),
        "flags": tuple(values["flags"]),
        "targets": tuple(_target(target) for target in values["targets"]),
    }
    return CaseRecord(**fields)


def _target(values: dict[str, Any]) -> TargetRecord:
    fields: dict[str, Any] = dict(values)
    if values["measured"] is not None:
        fields["measured"] = Measurement(**values["measured"])
    return TargetRecord(**fields)
