"""Cases of a BIDS data set (Brain Imaging Data Structure 1.10)."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.finding.found import Found, Problem
from DeepIGeoSLib.batch.finding.rules import FindingRules
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.bids import DERIVATIVES, is_data_set

_ENDINGS = (".nii.gz", ".nii")

# sub-01_ses-1_acq-thick_FLAIR: entities, then what kind of image it is.
_IMAGE = re.compile(
    r"(?P<entities>sub-[0-9A-Za-z]+(_[a-z]+-[0-9A-Za-z+]+)*)_(?P<suffix>[A-Za-z0-9]+)"
)

# Folders of a data set that hold no images of the scanner.
_NOT_RAW = {DERIVATIVES, "sourcedata", "code", "stimuli"}


def is_bids(folder: Path) -> bool:
    """Whether a folder is a BIDS data set."""
    return is_data_set(folder) and any(folder.glob("sub-*"))


def of_bids(folder: Path, rules: FindingRules, channels: Sequence[str]) -> Found:
    """Return the cases of a BIDS data set: images of the wanted suffix, other channels beside them.

    Raises:
        InputError: there is no image, or more than one suffix to choose from.
    """
    images, problems = _images(folder)
    suffixes = _suffixes(rules, channels, images, folder)
    beside = {
        suffix: {(path.parent, entities): path for path, entities in images[suffix].items()}
        for suffix in suffixes
    }
    cases = []
    for path, entities in sorted(images[suffixes[0]].items()):
        name = path.relative_to(folder).as_posix()
        stem = name[: -len(next(e for e in _ENDINGS if name.endswith(e)))]
        own = {suffix: beside[suffix].get((path.parent, entities)) for suffix in suffixes[1:]}
        missing = [suffix for suffix, other in own.items() if other is None]
        if missing:
            problems.append(Problem(stem, f"There is no {entities}_{missing[0]} image beside it."))
            continue
        others = tuple(other for other in own.values() if other is not None)
        cases.append(BatchCase(name=stem, images=(path, *others), bids=name))
    left_out = {suffix: len(images[suffix]) for suffix in sorted(images) if suffix not in suffixes}
    remarks = [f"Chosen: {', '.join(suffixes)}."]
    if left_out:
        listed = ", ".join(f"{count} {suffix}" for suffix, count in left_out.items())
        remarks.append(f"Left out: {listed}.")
    return Found("BIDS", cases, problems, remarks)


def _images(folder: Path) -> tuple[dict[str, dict[Path, str]], list[Problem]]:
    """Return the images by their suffix, with their entities; and what can't be read."""
    found: dict[str, dict[Path, str]] = defaultdict(dict)
    unreadable: list[OSError] = []
    for path in _files_of_subjects(folder, unreadable.append):
        ending = next((e for e in _ENDINGS if path.name.endswith(e)), None)
        match = ending and _IMAGE.fullmatch(path.name.removesuffix(ending))
        if match and not _NOT_RAW & set(path.relative_to(folder).parts):
            found[match["suffix"]][path] = match["entities"]
    problems = [
        Problem(
            Path(error.filename).relative_to(folder).as_posix(),
            f"The folder {error.filename} can't be read: {error.strerror}.",
        )
        for error in unreadable
    ]
    if not found:
        reason = f"; {problems[0].text}" if problems else "."
        raise InputError(f"The BIDS data set {folder} holds no image{reason}")
    return found, problems


def _files_of_subjects(folder: Path, on_unreadable: Callable[[OSError], object]) -> Iterator[Path]:
    """Yield the files of all subjects; ``on_unreadable`` is called for folders that can't be."""
    for subject in sorted(folder.glob("sub-*")):
        for here, _, files in os.walk(subject, onerror=on_unreadable):
            yield from (Path(here) / name for name in files if name.startswith("sub-"))


def _suffixes(
    rules: FindingRules,
    channels: Sequence[str],
    images: dict[str, dict[Path, str]],
    folder: Path,
) -> list[str]:
    """Return the suffix of each channel: as the rules say, or the channel's own name."""
    known = ", ".join(f"{len(paths)} {suffix}" for suffix, paths in sorted(images.items()))
    wanted = list(rules.suffix) or _by_channels(images, channels)
    if len(wanted) != len(channels):
        raise InputError(
            f"The BIDS data set {folder} holds {known}; say by --suffix which one is meant for "
            f"each channel of the bundle ({', '.join(channels)})."
        )
    for suffix in wanted:
        if suffix not in images:
            raise InputError(f"The BIDS data set {folder} has no {suffix} image; it has {known}.")
    return wanted


def _by_channels(images: dict[str, dict[Path, str]], channels: Sequence[str]) -> list[str]:
    """Return the suffixes that channels are called by (T1 is T1w); the only one there is."""
    if len(images) == 1 and len(channels) == 1:
        return list(images)
    spelled = {spelling: suffix for suffix in images for spelling in (suffix, suffix[:-1])}
    fitting = [spelled.get(channel) for channel in channels]
    return [suffix for suffix in fitting if suffix is not None]
