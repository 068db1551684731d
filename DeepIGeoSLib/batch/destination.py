"""Where results go: a folder that can be used, and places that nothing else has."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.finding.bids import is_bids
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.outputs import output_paths
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import check_path_is_text
from DeepIGeoSLib.formats.bids import DERIVATIVES


def check_folders(source: Path, output: Path) -> None:
    """Check that results can be written, and that they don't lie among the images.

    The folder derivatives of a BIDS data set need not be there; that of any other folder must.

    Raises:
        InputError: the folder is a file, lies inside the input, or there is none to make it in; or
            a name is no text, which neither the journal nor ITK could hold.
    """
    for folder in (source, output):
        check_path_is_text(folder.absolute())
    if os.path.lexists(output) and not output.is_dir():
        raise InputError(f"{output} is a file; a folder is expected.")
    inside = source.is_dir() and output.resolve().is_relative_to(source.resolve())
    for_derivatives = inside and _is_for_derivatives(source, output)
    parent = output.absolute().parent
    there = parent.parent if for_derivatives and parent.name == DERIVATIVES else parent
    if not output.is_dir() and not there.is_dir():
        raise InputError(f"The folder {there} does not exist.")
    place = existing_folder(output)
    if not os.access(place, os.W_OK):
        raise InputError(f"The folder {place} can't be written to.")
    if inside and not for_derivatives:
        raise InputError(
            f"The results would lie in the input, {source}, and be taken for images the next time; "
            "choose a folder outside of it."
        )


def _is_for_derivatives(source: Path, output: Path) -> bool:
    """Whether a folder is one in which a BIDS data set keeps what was made of its images."""
    parts = output.resolve().relative_to(source.resolve()).parts
    return is_bids(source) and len(parts) > 1 and parts[0] == DERIVATIVES


def existing_folder(output: Path) -> Path:
    """Return a folder, or the next one above it that there is."""
    return next(place for place in (output, *output.absolute().parents) if place.is_dir())


def check_outputs_free(cases: Sequence[BatchCase], order: WorkOrder) -> None:
    """Check that no file stands where a result goes, and no result takes the place of an input.

    Args:
        cases: that no run has begun with yet.
        order: of the run.

    Raises:
        InputError: there is such a file.
    """
    inputs = {os.path.realpath(path) for case in cases for path in case.files()}
    for case in cases:
        for path in _places(case, order):
            target = order.output / path
            if os.path.realpath(target) in inputs:
                raise InputError(f"{target} is an input; it is not replaced by a result.")
            if os.path.lexists(target):
                raise InputError(
                    f"{target} is there already, and no batch run has written it; nothing is "
                    "replaced. Choose another folder."
                )


def check_outputs_apart(cases: Sequence[BatchCase], order: WorkOrder) -> None:
    """Check that no two cases write the same file, where capitals may not count.

    Their names differ; but "a" with its probability and "a_probability" would share one.

    Args:
        cases: all of the run.
        order: of the run.

    Raises:
        InputError: two do.
    """
    owners: dict[str, str] = {}
    for case in cases:
        for path in _places(case, order):
            owner = owners.setdefault(unicodedata.normalize("NFC", path).casefold(), case.name)
            if owner != case.name:
                raise InputError(
                    f"The cases {owner} and {case.name} would both write {order.output / path}; "
                    "give one of them another name."
                )


def _places(case: BatchCase, order: WorkOrder) -> Collection[str]:
    try:
        return output_paths(case, order).values()
    except InputError:  # a problem of this case alone, of which the plan tells
        return ()
