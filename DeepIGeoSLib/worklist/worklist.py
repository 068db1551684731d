"""Worklist: the cases of a folder, one after the other, whatever happens in between."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import make_folder, written_in_one_step
from DeepIGeoSLib.formats.reading import read_image
from DeepIGeoSLib.worklist.attention import read_attention
from DeepIGeoSLib.worklist.found_cases import RECORDS, WorkCase, found_cases
from DeepIGeoSLib.worklist.record import (
    Record,
    Status,
    read_record,
    record_now,
    who,
    write_record,
)


class Worklist:
    """Cases to be looked at, the one that needs it most first.

    Every step is on disk when it returns, in a file of its own that appears whole or not at all:
    after a crash the list goes on where it was, and several people may share a folder.

    Attributes:
        images: the folder of the images.
        results: the folder of the segmentations.
        cases: those that need most attention first, then by name.
        attention: how much a case needs a look, by name; from the report of a batch run. Empty
            where there is none.
    """

    def __init__(self, images: str | Path, results: str | Path | None = None) -> None:
        """Find the cases.

        Args:
            images: folder with images and DICOM series, also in folders inside.
            results: folder of their segmentations, such as the output of ``deepigeos batch``;
                beside the images when None.

        Raises:
            InputError: a folder is missing or can't be used, there is no image, two images have
                one name, or the table of a batch run is damaged.
        """
        self.images = Path(images)
        self.results = self.images if results is None else Path(results)
        if not os.path.isdir(self.results):
            raise InputError(f"The folder {self.results} does not exist.")
        self.attention = read_attention(self.results)
        found = found_cases(self.images, self.results)
        self.cases = sorted(found, key=lambda case: (-self.attention.get(case.name, 0), case.name))
        self._places = {case.name: place for place, case in enumerate(self.cases)}

    def case(self, name: str) -> WorkCase:
        """Return a case by its name.

        Raises:
            InputError: there is none of this name.
        """
        if name not in self._places:
            raise InputError(f"The worklist of {self.images} has no case {name!r}.")
        return self.cases[self._places[name]]

    def record(self, name: str) -> Record:
        """Return how far a case is, as it stands on disk now.

        Raises:
            InputError: there is no such case, or what is stored of it is damaged.
        """
        return read_record(self._record_file(name))

    def counts(self) -> dict[Status, int]:
        """Return how many cases are new, in work and accepted.

        Raises:
            InputError: what is stored of a case is damaged.
        """
        counted = Counter(self.record(case.name).status for case in self.cases)
        return {status: counted[status] for status in Status}

    def first(self) -> WorkCase | None:
        """Return the open case that needs most attention; None when all are accepted."""
        return next((case for case in self.cases if self._is_open(case)), None)

    def following(self, name: str, step: int = 1) -> WorkCase | None:
        """Return the next open case behind one, or in front of it; accepted ones are passed over.

        Args:
            name: of the case to start from.
            step: 1 for the next one, -1 for the one before.

        Returns:
            None when there is no open case on that side.
        """
        self.case(name)
        start = self._places[name]
        side = self.cases[start + 1 :] if step > 0 else reversed(self.cases[:start])
        return next((case for case in side if self._is_open(case)), None)

    def segmentation_of(self, name: str) -> Path | None:
        """Return the segmentation to show: the worklist's own, or one that was there before."""
        case = self.case(name)
        return case.result if case.result.is_file() else case.start

    def begin(self, name: str) -> Record:
        """Take up a case: from now on it is in work, by this user. An accepted one is left so.

        Returns:
            What was known of the case before, such as who else has it in work.
        """
        before = self.record(name)
        if before.status is not Status.ACCEPTED:
            write_record(self._record_file(name), record_now(Status.IN_WORK))
        return before

    def save(self, name: str, write: Callable[[Path], object], *, accept: bool = False) -> Path:
        """Store the segmentation of a case, then how far the case is.

        Args:
            name: of the case, which this user has in work.
            write: writes a .seg.nrrd file to the path that it is given; what it wrote is read back
                before it takes its place.
            accept: whether the case is done; otherwise it stays in work.

        Returns:
            The file.

        Raises:
            InputError: the case is accepted, somebody else has taken it up meanwhile, its folder is
                gone, or the file can't be written; what was stored before is as it was.
        """
        case, known = self.case(name), self.record(name)
        if known.status is Status.ACCEPTED:
            raise InputError(f"The case {name!r} is accepted; reopen it to change it.")
        if known.by not in ("", who()):
            raise InputError(
                f"{known.by} took up the case {name!r} at {known.since}, so it was not replaced; "
                "take it up again to go on from what is stored."
            )
        # Not made anew where a drive is gone, or the cases were moved: nobody would find it.
        place = case.result.parent if self.results == self.images else self.results
        if not place.is_dir():
            raise InputError(f"The folder {place} is not there any more; nothing was stored.")
        make_folder(case.result.parent)
        with written_in_one_step(case.result) as temporary:
            write(temporary)
            read_image(temporary)
        status = Status.ACCEPTED if accept else Status.IN_WORK
        write_record(self._record_file(name), record_now(status))
        return case.result

    def reopen(self, name: str) -> None:
        """Put a case back in work."""
        self.case(name)
        write_record(self._record_file(name), record_now(Status.IN_WORK))

    def _is_open(self, case: WorkCase) -> bool:
        return self.record(case.name).status is not Status.ACCEPTED

    def _record_file(self, name: str) -> Path:
        return self.results / RECORDS / f"{self.case(name).name}.json"
