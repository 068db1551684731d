"""What a batch run is told: how cases are worked on, and by how many processes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from DeepIGeoSLib.engines import ENGINES
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.metrics import TOLERANCE

# How labels can be written, by the ending of the file.
FORMATS = (".nii.gz", ".nii", ".nrrd", ".mha", ".seg.nrrd", ".dcm", ".png")

# The ending that goes with the image.
AUTO = "auto"

# What of a worker's memory its network may use for intermediate results. The rest is for volumes,
# results and Python itself.
_FOR_NETWORKS = 0.5


@dataclass(frozen=True, kw_only=True)
class WorkSettings:
    """How cases are worked on: everything that results depend on, besides the bundle.

    Attributes:
        device: "auto", "cpu", "cuda", ...
        engine: "torch", "openvino" or "openvino-int8".
        crf: whether the bundle's CRF-Nets follow its networks; as the bundle recommends when None.
        memory_gb: what a worker may use; half of it is for networks, which compute volumes that
            need more in overlapping tiles.
        threads: processor threads that a worker computes with. One, and a worker for each core,
            is the fastest for a cohort. Sums are rounded otherwise with another number.
        target: the one of a bundle's several targets that is segmented, and that strokes are about;
            all of them when empty.
        instances: whether objects are found and numbered, instead of targets; where the bundle has
            a network for objects when None.
        score: least score (0 to 1) of an object; the bundle's when None.
        format: ending of the labelmaps: .dcm, a DICOM segmentation, for images that are DICOM; .png
            for pictures; "auto", .png of a picture and .nii.gz of a volume.
        probability: whether probabilities are written, too.
        uncertainty: whether uncertainties are written, too.
        tolerance: of the surface Dice, in mm.
    """

    device: str = "auto"
    engine: str = "torch"
    crf: bool | None = None
    memory_gb: float = 4.0
    threads: int = 1
    target: str = ""
    instances: bool | None = None
    score: float | None = None
    format: str = AUTO
    probability: bool = False
    uncertainty: bool = False
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: one can't be used.
        """
        if self.format not in (AUTO, *FORMATS):
            raise InputError(
                f"The format is {self.format!r}; one of {', '.join((AUTO, *FORMATS))} is known."
            )
        if self.engine not in ENGINES:
            raise InputError(f"There is no engine {self.engine!r}; choose one of {list(ENGINES)}.")
        if self.threads < 1:
            raise InputError(f"{self.threads} threads are asked for; at least 1 is expected.")
        if self.score is not None and not 0 <= self.score <= 1:
            raise InputError(f"The score is {self.score:g}; a number from 0 to 1 is expected.")
        for name, value in (("memory", self.memory_gb), ("tolerance", self.tolerance)):
            if not 0 < value < math.inf:
                raise InputError(f"The {name} is {value:g}; a positive number is expected.")

    @property
    def network_bytes(self) -> int:
        """What a network may use for its intermediate results."""
        return int(self.memory_gb * 1e9 * _FOR_NETWORKS)

    def mapping(self) -> dict[str, Any]:
        """Return all values by their names, for the journal."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Workers:
    """What works on the cases; results don't depend on it.

    Attributes:
        count: processes on this computer: one for each core, as far as the memory goes, when None;
            0 for none but this one.
        scheduler: address of a Dask scheduler to use instead, such as "tcp://10.0.0.1:8786".
        dashboard: whether Dask's page on what the processes do is served (on this computer, port
            8787 or the next free one).
    """

    count: int | None = None
    scheduler: str | None = None
    dashboard: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: one can't be used.
        """
        if self.count is not None and self.count < 0:
            raise InputError(f"{self.count} workers are asked for; 0 or more is expected.")
        if self.scheduler is not None and self.count is not None:
            raise InputError(
                "Give the number of workers or a scheduler, which has workers of its own."
            )
        if self.dashboard and (self.scheduler is not None or self.count == 0):
            raise InputError(
                "The dashboard shows processes that are begun here; a scheduler has one of its "
                "own, and without processes there is none."
            )
        if self.scheduler is not None and "://" not in self.scheduler:
            raise InputError(
                f"The scheduler's address is {self.scheduler!r}; one like tcp://10.0.0.1:8786 is "
                "expected."
            )
