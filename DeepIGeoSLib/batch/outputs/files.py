"""Writing the files of a case beside their places, and moving them there together."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from DeepIGeoSLib.batch.answer import CaseAnswer, meaning_of_objects
from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.journal import KEPT
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.outputs.derivatives import lookup_text, sidecar_text
from DeepIGeoSLib.batch.outputs.paths import (
    LABELS,
    LOOKUP,
    OBJECTS,
    PROBABILITY,
    SIDECAR,
    UNCERTAINTY,
    kind_of_map,
    output_paths,
)
from DeepIGeoSLib.dicom import SegmentationMeaning
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.instances.table import rows_of, write_table
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.interaction.target_files import write_masks
from DeepIGeoSLib.volume import Volume

# Where files are before they are moved to their places; on the same disk.
_UNFINISHED = "unfinished"


def write_case(
    case: BatchCase,
    order: WorkOrder,
    *,
    volume: Volume,
    answer: CaseAnswer,
    meaning: SegmentationMeaning,
) -> dict[str, str]:
    """Write the files of a case; return their paths below the output folder, by kind.

    They are complete, read back and on the disk before the first is moved; the labelmap comes
    last, so where it is, the others are.

    Raises:
        InputError: a file can't be written, because the disk is full, for example.
    """
    output, paths = order.output, output_paths(case, order)
    made = _writers(case, order, volume=volume, answer=answer, meaning=meaning)
    unfinished = output / KEPT / _UNFINISHED / uuid.uuid4().hex
    try:
        unfinished.mkdir(parents=True)
        names = {kind: f"{n}{_ending(paths[kind])}" for n, kind in enumerate(paths)}
        for kind, name in names.items():
            made[kind](unfinished / name)
        for kind in sorted(paths, key=lambda kind: kind == LABELS):
            _move(unfinished / names[kind], output / paths[kind])
    except OSError as error:
        raise InputError(
            f"The results of {case.name} can't be written to {output}: {error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return paths


def _writers(
    case: BatchCase,
    order: WorkOrder,
    *,
    volume: Volume,
    answer: CaseAnswer,
    meaning: SegmentationMeaning,
) -> dict[str, Callable[[Path], None]]:
    """Return what writes each kind of file."""
    made: dict[str, Callable[[Path], None]] = {
        LABELS: lambda path: _write_labels(path, order, volume, answer=answer, meaning=meaning),
        SIDECAR: lambda path: _write_text(path, sidecar_text(case, order)),
        LOOKUP: lambda path: _write_text(path, lookup_text(answer, order, volume.spacing)),
    }
    if answer.objects is not None:
        rows = rows_of(answer.objects, volume.spacing)
        made[OBJECTS] = lambda path: write_table(path, rows)
    for target in answer.targets:
        name = target.name if order.targets else ""
        for kind in (PROBABILITY, UNCERTAINTY):
            if target.segmentation is not None:
                write = partial(_write_map, volume, target.segmentation, kind)
                made[kind_of_map(kind, name)] = write
    return made


def _write_labels(
    path: Path,
    order: WorkOrder,
    volume: Volume,
    *,
    answer: CaseAnswer,
    meaning: SegmentationMeaning,
) -> None:
    if answer.objects is not None:
        meaning = meaning_of_objects(meaning, answer.objects)
        volume.write_numbers(path, answer.numbers, meaning=meaning)
    elif order.targets:
        masks = [target.mask for target in answer.targets]
        write_masks(volume, path, masks, targets=order.targets, meaning=meaning)
    else:
        volume.write_labels(path, answer.numbers, meaning=meaning)


def _write_map(volume: Volume, segmentation: Segmentation, kind: str, path: Path) -> None:
    maps = {PROBABILITY: "probability", UNCERTAINTY: "uncertainty"}
    volume.write_map(path, getattr(segmentation, maps[kind]))


def _write_text(path: Path, text: str) -> None:
    with written_in_one_step(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_unfinished(output: Path) -> None:
    """Remove what a run left that was ended while it wrote; no run is going on."""
    shutil.rmtree(output / KEPT / _UNFINISHED, ignore_errors=True)


def _ending(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    return next(e for e in (".seg.nrrd", ".nii.gz", name[name.rindex(".") :]) if name.endswith(e))


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    if os.name == "posix":  # a name is on the disk when its folder is
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
