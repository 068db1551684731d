"""A case of a cohort: what is read for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from DeepIGeoSLib.errors import InputError

# What may go with the images of a case, by the attributes of ``BatchCase``.
OTHERS = ("seeds", "initial", "truth")


@dataclass(frozen=True, kw_only=True)
class BatchCase:
    """What belongs to a case.

    Attributes:
        name: path of its results below the output folder, with "/" between folders, without ending.
        images: files or DICOM folders, one for each channel of the bundle.
        series: UID of the DICOM series of each image; None where it is not DICOM, or the only one.
        seeds: strokes that the automatic segmentation is corrected by, see ``read_seeds``.
        initial: a segmentation that is corrected instead of the automatic one.
        truth: the true segmentation, to measure against.
        bids: path of the first image below a BIDS data set; None outside of one.
    """

    name: str
    images: tuple[Path, ...]
    series: tuple[str | None, ...] = ()
    seeds: Path | None = None
    initial: Path | None = None
    truth: Path | None = None
    bids: str | None = None

    def files(self) -> tuple[Path, ...]:
        """Return every file and folder that is read."""
        others = (self.seeds, self.initial, self.truth)
        return (*self.images, *(path for path in others if path is not None))

    def stamp(self) -> str:
        """Return a text that changes when what is read changes (names, sizes, times of change).

        Raises:
            InputError: a file is missing.
        """
        stamps = [[list(self.series)]]
        for path in self.files():
            try:
                status = path.stat()
            except OSError as error:
                raise InputError(f"{path} does not exist or can't be read.") from error
            size = 0 if path.is_dir() else status.st_size
            stamps.append([str(path.resolve()), size, status.st_mtime_ns])
        return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()
