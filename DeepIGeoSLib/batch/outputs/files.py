"""Writing the files of a case beside their places, and moving them there together."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.journal import KEPT
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.outputs.derivatives import sidecar_text
from DeepIGeoSLib.batch.outputs.paths import (
    LABELS,
    PROBABILITY,
    SIDECAR,
    UNCERTAINTY,
    output_paths,
)
from DeepIGeoSLib.dicom import SegmentationMeaning
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.volume import Volume

# Where files are before they are moved to their places; on the same disk.
_UNFINISHED = "unfinished"


def write_case(
    case: BatchCase,
    order: WorkOrder,
    *,
    volume: Volume,
    segmentation: Segmentation,
    meaning: SegmentationMeaning,
) -> dict[str, str]:
    """Write the files of a case; return their paths below the output folder, by kind.

    They are complete, read back and on the disk before the first is moved; the labelmap comes
    last, so where it is, the others are.

    Raises:
        InputError: a file can't be written, because the disk is full, for example.
    """
    output, paths = order.output, output_paths(case, order)
    made = {
        LABELS: lambda path: volume.write_labels(path, segmentation.labels, meaning=meaning),
        PROBABILITY: lambda path: volume.write_map(path, segmentation.probability),
        UNCERTAINTY: lambda path: volume.write_map(path, segmentation.uncertainty),
        SIDECAR: lambda path: _write_text(path, sidecar_text(case, order)),
    }
    unfinished = output / KEPT / _UNFINISHED / uuid.uuid4().hex
    try:
        unfinished.mkdir(parents=True)
        for kind, path in paths.items():
            made[kind](unfinished / _file_name(kind, path))
        for kind in sorted(paths, key=lambda kind: kind == LABELS):
            _move(unfinished / _file_name(kind, paths[kind]), output / paths[kind])
    except OSError as error:
        raise InputError(
            f"The results of {case.name} can't be written to {output}: {error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return paths


def _write_text(path: Path, text: str) -> None:
    with written_in_one_step(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_unfinished(output: Path) -> None:
    """Remove what a run left that was ended while it wrote; no run is going on."""
    shutil.rmtree(output / KEPT / _UNFINISHED, ignore_errors=True)


def _file_name(kind: str, path: str) -> str:
    """Return a short name with the ending of a path."""
    name = path.rpartition("/")[2].lower()
    ending = next(e for e in (".seg.nrrd", ".nii.gz", name[name.rindex(".") :]) if name.endswith(e))
    return f"{kind}{ending}"


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    if os.name == "posix":  # a name is on the disk when its folder is
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
