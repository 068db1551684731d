"""The thumbnails of a run, kept beside its journal: drawn while a case is at hand, or later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from DeepIGeoSLib.batch.journal import KEPT
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.report.thumbnail import thumbnail
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.files import make_folder, written_in_one_step
from DeepIGeoSLib.formats.pictures import is_picture
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS
from DeepIGeoSLib.volume import Volume

_FOLDER = "thumbnails"


def keep_thumbnail(
    output: Path, name: str, volume: Volume, *, labels: np.ndarray, truth: np.ndarray | None = None
) -> None:
    """Draw a case that is at hand, for the report to come.

    Args:
        output: the folder of the results.
        name: of the case.
        volume: its first channel.
        labels: the result, axes (k, j, i).
        truth: None where it is not known.

    Raises:
        InputError: it can't be written, or Pillow is missing.
    """
    path = _path(output, name)
    make_folder(path.parent)
    with written_in_one_step(path) as temporary:
        temporary.write_bytes(thumbnail(volume, labels, truth))


def thumbnails_of(
    output: Path, records: Iterable[CaseRecord], progress: Progress | None = None
) -> dict[str, bytes]:
    """Return the thumbnails of cases by name; those that were not kept are drawn from the files.

    A case whose files are gone or unreadable has none.
    """
    done = [record for record in records if record.state is State.DONE]
    found = {}
    for number, record in enumerate(done):
        if progress is not None:
            progress(number / len(done), f"Drawing {record.name}")
        picture = _kept(output, record) or _drawn(output, record)
        if picture is not None:
            found[record.name] = picture
    return found


def _kept(output: Path, record: CaseRecord) -> bytes | None:
    """Return the thumbnail that was kept, unless the result is newer."""
    kept, labels = _path(output, record.name), output / record.outputs.get("labels", "")
    try:
        if labels.is_file() and labels.stat().st_mtime > kept.stat().st_mtime + 60:
            return None
        return kept.read_bytes()
    except OSError:
        return None


def _drawn(output: Path, record: CaseRecord) -> bytes | None:
    labels = output / record.outputs.get("labels", "")
    if not record.images or not labels.is_file():
        return None
    try:
        image = Path(record.images[0])
        component = "brightness" if is_picture(image) else None
        volume = Volume.read(image, series=record.series, component=component)
        truth = None if record.truth is None else volume.read_labels(record.truth)
        return thumbnail(volume, _numbers(volume, labels, record), truth)
    except InputError:
        return None


def _numbers(volume: Volume, path: Path, record: CaseRecord) -> np.ndarray:
    """Return the labels of a result; several segments of a segmentation have one each."""
    if len(record.targets) < 2 or not path.name.lower().endswith((*SEGMENTATION_ENDINGS, ".dcm")):
        return volume.read_labels(path)
    numbers = np.zeros(volume.shape, dtype=np.uint8)
    for target in sorted(record.targets, key=lambda one: -one.milliliters):
        numbers[volume.read_labels(path, [target.name]) > 0] = target.label
    return numbers


def _path(output: Path, name: str) -> Path:
    return output / KEPT / _FOLDER / f"{name}.jpg"
