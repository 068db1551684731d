"""Which DICOM series of a folder is meant, by rules that are told before any work."""

from __future__ import annotations

import fnmatch
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from DeepIGeoSLib.batch.finding.rules import FindingRules
from DeepIGeoSLib.dicom.headers import damage_named, image_headers
from DeepIGeoSLib.dicom.placement import placed
from DeepIGeoSLib.dicom.slices import slices_of
from DeepIGeoSLib.dicom.stacks import Stack, chosen_volume, stacks_of
from DeepIGeoSLib.errors import InputError

_SCOUT = "LOCALIZER"


@dataclass(frozen=True)
class SeriesChoice:
    """The series of a folder that is meant.

    Attributes:
        uid: None where none is.
        problem: why none is, where that is no matter of the rules.
        remarks: what was chosen and what was left out.
    """

    uid: str | None = None
    problem: str | None = None
    remarks: list[str] = field(default_factory=list)


def chosen_series(folder: Path, rules: FindingRules) -> SeriesChoice:
    """Choose the series of a folder of DICOM files.

    Scouts are never meant, unless nothing else is there. Of what is left, modality and description
    must fit where the rules name them. More than one that fits is a problem: the rules have to say
    more.
    """
    try:
        stacks = _stacks(folder)
    except InputError as error:
        return SeriesChoice(problem=str(error))
    images = [stack for stack in stacks if not _is_scout(stack)] or stacks
    fitting = [stack for stack in images if _fits(stack, rules)]
    left_out = [stack for stack in stacks if stack not in fitting]
    remarks = [f"left out {stack}" for stack in left_out]
    if not fitting:
        if rules.modality is None and rules.description is None:
            return SeriesChoice(problem=f"{folder} holds no series of images.")
        return SeriesChoice(remarks=remarks)
    if len(fitting) > 1:
        listed = "; ".join(str(stack) for stack in fitting)
        return SeriesChoice(
            problem=f"{len(fitting)} DICOM series or sets of slices fit; say more by --modality or "
            f"--description: {listed}."
        )
    try:
        placed(chosen_volume(fitting[0], None, str(folder)), str(folder))
    except InputError as error:
        return SeriesChoice(problem=str(error))
    return SeriesChoice(uid=fitting[0].uid, remarks=[f"chosen {fitting[0]}", *remarks])


def _stacks(folder: Path) -> list[Stack]:
    with warnings.catch_warnings():
        # pydicom warns of all that it tolerates.
        warnings.simplefilter("ignore", UserWarning)
        slices = []
        for path, header in image_headers(folder):
            with damage_named(path):
                slices += slices_of(path, header)
        return stacks_of(slices)


def _is_scout(stack: Stack) -> bool:
    return _SCOUT in (stack.slices[0].header.get("ImageType") or ())


def _fits(stack: Stack, rules: FindingRules) -> bool:
    modality = str(stack.slices[0].header.get("Modality") or "")
    if rules.modality is not None and modality.casefold() != rules.modality.casefold():
        return False
    if rules.description is None:
        return True
    return fnmatch.fnmatchcase(stack.description.casefold(), rules.description.casefold())
