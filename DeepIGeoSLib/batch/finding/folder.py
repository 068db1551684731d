"""Cases of a folder: by patterns, or every image and DICOM series in it; else every picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.finding.found import Found, Problem
from DeepIGeoSLib.batch.finding.rules import FindingRules
from DeepIGeoSLib.batch.finding.series import chosen_series
from DeepIGeoSLib.data.patterns import path_of, paths_by_case
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.worklist.found_cases import found_cases


def of_folder(folder: Path, rules: FindingRules, channels: Sequence[str]) -> Found:
    """Return the cases of a folder and of the folders in it.

    Raises:
        InputError: nothing is found, or the bundle's channels are not told apart by patterns.
    """
    if rules.images:
        return _by_patterns(folder, rules, channels)
    if len(channels) > 1:
        raise InputError(
            f"The bundle needs the channels {', '.join(channels)}; say by a pattern for each "
            "(--images) which files they are, such as {case}_t1.nii.gz."
        )
    cases, problems, remarks = [], [], []
    all_found = found_cases(folder, folder, or_pictures=True)
    others = _others(folder, rules, [found.name for found in all_found])
    for found in all_found:
        if os.path.realpath(found.image) in others:
            continue
        if not found.image.is_dir():
            cases.append(BatchCase(name=found.name, images=(found.image,)))
            continue
        choice = chosen_series(found.image, rules)
        remarks += [f"{found.name}: {text}" for text in choice.remarks]
        if choice.uid is not None:
            name, images = found.name, (found.image,)
            cases.append(BatchCase(name=name, images=images, series=(choice.uid,)))
        elif choice.problem is not None:
            problems.append(Problem(found.name, choice.problem))
    return Found("folder", cases, problems, remarks)


def _others(folder: Path, rules: FindingRules, names: Sequence[str]) -> set[str]:
    """Return the files that rules name as something else than images.

    Those of the names, which may have folders in them, and all that fit where no folder has to be
    told from the name: of an image that is missing, too.
    """
    patterns = [p for p in (rules.seeds, rules.initial, rules.truth) if p is not None]
    named = [path_of(folder, pattern, name) for pattern in patterns for name in names]
    for pattern in patterns:
        if not Path(pattern).is_absolute():
            named += paths_by_case(folder, pattern).values()
    return {os.path.realpath(path) for path in named}  # unlike pathlib's, it bears links in circles


def _by_patterns(folder: Path, rules: FindingRules, channels: Sequence[str]) -> Found:
    if len(rules.images) != len(channels):
        raise InputError(
            f"The bundle needs {len(channels)} channels ({', '.join(channels)}), but "
            f"{len(rules.images)} patterns of images are given."
        )
    first = paths_by_case(folder, rules.images[0])
    others = _others(folder, rules, [*first])
    names = [name for name, path in first.items() if os.path.realpath(path) not in others]
    if not names:
        raise InputError(f"{folder} has no file like {rules.images[0]}.")
    cases, problems = [], []
    for name in names:
        images = tuple(path_of(folder, pattern, name) for pattern in rules.images)
        missing = [path for path in images if not os.path.exists(path)]
        if missing:
            problems.append(Problem(name, f"{missing[0]} is missing or can't be read."))
        else:
            cases.append(BatchCase(name=name, images=images))
    return Found("folder", cases, problems)
