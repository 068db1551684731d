"""What is made of a session: files to save and to download."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.formats.reading import ending_of
from DeepIGeoSLib.scene.nodes import maskFromSegment
from DeepIGeoSLib.web.dicom_meaning import session_meaning
from DeepIGeoSLib.web.session import WebSession
from DeepIGeoSLib.web.uploads import IMAGE_ENDINGS

_DICOM_ENDINGS = (".dcm", ".ima")

# Ending of each kind of result, and what the page calls it.
KINDS = {
    ".seg.nrrd": "Slicer segmentation (.seg.nrrd)",
    ".nii.gz": "Labels (NIfTI)",
    ".dcm": "DICOM SEG",
    ".mrb": "Scene for Slicer (.mrb)",
    ".json": "What you did (JSON)",
}


def result_name(session: WebSession, ending: str) -> str:
    """Return the file name for a result of the opened case."""
    title = session.case.title if session.case else "result"
    known = ending_of(Path(title), [*IMAGE_ENDINGS, *_DICOM_ENDINGS]) or ""
    stem = re.sub(r"[^\w.+-]+", "-", title[: len(title) - len(known)]).strip("-.") or "result"
    return f"{stem}{'-interactions' if ending == '.json' else ''}{ending}"


def write_result(session: WebSession, path: Path) -> None:
    """Write a result, whole or not at all; the ending chooses what, see ``KINDS``.

    Raises:
        InputError: nothing is segmented yet, or it can't be written.
    """
    if session.case is None:
        raise InputError("No image is open, so there is nothing to save.")
    ending = next((ending for ending in KINDS if path.name.endswith(ending)), None)
    if ending is None:
        raise InputError(f"{path.name} can't be saved: known endings are {', '.join(KINDS)}.")
    writer: Callable[[WebSession, Path], Any] = {
        ".seg.nrrd": write_segmentation,
        ".nii.gz": _write_labels,
        ".dcm": _write_dicom,
        ".mrb": _write_scene,
        ".json": _write_recording,
    }[ending]
    writer(session, path)


def write_segmentation(session: WebSession, path: Path) -> None:
    """Write the targets as a Slicer segmentation, with names, colors and rounds.

    Raises:
        InputError: nothing is segmented yet, or it can't be written.
    """
    save_node(_segmentation(session), path)


def save_node(node: Any, path: Path) -> None:
    """Write a node in one step."""
    with written_in_one_step(path) as temporary:
        try:
            slicer.util.saveNode(node, str(temporary))
        except RuntimeError as error:
            raise InputError(f"{path} can't be written.") from error


def _write_labels(session: WebSession, path: Path) -> None:
    session.opened.volume.write_labels(path, _labels(session))


def _write_dicom(session: WebSession, path: Path) -> None:
    """Write the targets as a DICOM segmentation of the series, with the names of the list."""
    labels = _labels(session)
    session.opened.volume.write_labels(path, labels, meaning=session_meaning(session))


def _labels(session: WebSession) -> np.ndarray:
    """Return the targets as labels 1, 2, ...; where two overlap, the later one counts."""
    node = _segmentation(session)
    labels = np.zeros(session.opened.volume.shape, dtype=np.uint8)
    for label, segment_id in enumerate(node.GetSegmentation().GetSegmentIDs(), 1):
        labels[maskFromSegment(session.bench.volumeNode, node, segment_id)] = label
    return labels


def _write_scene(_session: WebSession, path: Path) -> None:
    with written_in_one_step(path) as temporary:
        try:
            slicer.util.saveScene(str(temporary))
        except RuntimeError as error:
            raise InputError(f"{path} can't be written.") from error


def _write_recording(session: WebSession, path: Path) -> None:
    with written_in_one_step(path) as temporary:
        temporary.write_text(session.recorded.text(), encoding="utf-8")


def _segmentation(session: WebSession) -> Any:
    node = session.bench.segmentationNode
    if node is None:
        raise InputError("Nothing is segmented yet, so there is nothing to save.")
    return node
