"""Slicer's segmentation files (.seg.nrrd), read and written without Slicer.

Such a file holds the smallest box around its segments, on the lattice of the image that they were
drawn on, and one or more layers of labels: segments that overlap lie in different layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.reading import StoredImage
from DeepIGeoSLib.settings.mapping import nearest_name

SEGMENTATION_ENDINGS = (".seg.nrrd", ".seg.nhdr")


@dataclass(frozen=True)
class Segment:
    """One segment of a file.

    Attributes:
        identifier: Slicer's segment ID.
        name: what the user reads.
        layer: which layer it lies in.
        label: its value there.
    """

    identifier: str
    name: str
    layer: int
    label: int


def is_segmentation(path: Path, stored: StoredImage) -> bool:
    """Whether an image that was read is a segmentation, as its name or its header says."""
    return path.name.lower().endswith(SEGMENTATION_ENDINGS) or "Segment0_ID" in stored.header


def segments_mask(stored: StoredImage, names: Sequence[str], where: str) -> np.ndarray:
    """Return which voxels of a segmentation lie in the segments.

    Args:
        stored: the file as it was read; each component is a layer.
        names: of the segments (names, or IDs); all segments when empty.
        where: how to name the file.

    Returns:
        bool, axes (k, j, i), the file's own box.

    Raises:
        InputError: it has no such segment, or lacks its layer.
    """
    layers = np.moveaxis(stored.array[0], -1, 0)
    inside = np.zeros(layers.shape[1:], dtype=bool)
    for segment in chosen_segments(segments_of(stored.header, len(layers)), names, where):
        if not 0 <= segment.layer < len(layers):
            raise InputError(f"{where}: the layer of the segment {segment.name!r} is missing.")
        inside |= layers[segment.layer] == segment.label
    return inside


def header_of(labels: np.ndarray) -> dict[str, str]:
    """Return the header that makes a segment of each label above 0.

    Args:
        labels: axes (k, j, i), the only layer.
    """
    k, j, i = labels.shape
    header = {
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    for number, label in enumerate(np.unique(labels[labels > 0]).tolist()):
        segment = {
            "ID": f"Segment_{label}",
            "Name": f"Segment_{label}",
            "LabelValue": str(label),
            "Layer": "0",
            "Extent": f"0 {i - 1} 0 {j - 1} 0 {k - 1}",
        }
        header.update({f"Segment{number}_{key}": text for key, text in segment.items()})
    return header


def segments_of(header: dict[str, str], layers: int) -> list[Segment]:
    """Return the segments that a file's header describes.

    Files of Slicer before 4.11 name no layer and no label: each segment is a layer of its own.
    """
    segments: list[Segment] = []
    while f"Segment{len(segments)}_ID" in header:
        key = f"Segment{len(segments)}_"
        own_layer = len(segments) if layers > 1 else 0
        segments.append(
            Segment(
                identifier=header[key + "ID"],
                name=header.get(key + "Name", header[key + "ID"]),
                layer=_number(header.get(key + "Layer", own_layer)),
                label=_number(header.get(key + "LabelValue", 1)),
            )
        )
    return segments


def _number(text: str | int) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"The segmentation's header has {text!r} for a number.") from error


def chosen_segments(segments: Sequence[Segment], names: Sequence[str], where: str) -> list[Segment]:
    """Return the segments with the given names or IDs; all of them when no name is given.

    Raises:
        InputError: there are no segments, or not this one, or two of this name.
    """
    if not segments:
        raise InputError(f"{where} holds no segments.")
    if not names:
        return list(segments)
    chosen = []
    for name in names:
        fitting = [s for s in segments if s.name == name] or [
            s for s in segments if s.identifier == name
        ]
        if len(fitting) > 1:
            raise InputError(f"{where} holds {len(fitting)} segments named {name!r}.")
        if not fitting:
            known = [segment.name for segment in segments]
            close = nearest_name(name, known)
            meant = f"did you mean {close!r}?" if close else f"there are {', '.join(known)}."
            raise InputError(f"{where} has no segment {name!r}; {meant}")
        chosen += fitting
    return chosen
