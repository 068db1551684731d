"""Slicer's segmentation files (.seg.nrrd), read without Slicer.

Such a file holds the smallest box around its segments, on the lattice of the image that they were
drawn on, and one or more layers of labels: segments that overlap lie in different layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.settings.mapping import nearest_name
from DeepIGeoSLib.volume import Volume, read_layers

# Voxels of two grids may lie so far apart (in voxels) and still count as the same.
_TOLERANCE = 0.1


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


def is_segmentation(path: Path) -> bool:
    """Whether a file's name says that it is a Slicer segmentation."""
    return path.name.lower().endswith((".seg.nrrd", ".seg.nhdr"))


def read_segments(path: Path, volume: Volume, names: Sequence[str] = ()) -> np.ndarray:
    """Read which voxels of a volume lie in the segments.

    Args:
        path: a .seg.nrrd file.
        volume: whose grid is wanted; the file's lattice must be the same, its box may differ.
        names: of the segments (names, or IDs); all segments when empty.

    Returns:
        int32, axes (k, j, i), the volume's shape: 1 in the segments.

    Raises:
        InputError: the file can't be read, has no such segment, lies on another lattice, or holds
            voxels of the segments outside of the volume.
    """
    layers, matrix, header = read_layers(path)
    segments = segments_of(header, len(layers))
    inside = np.zeros(layers.shape[1:], dtype=bool)
    for segment in chosen_segments(segments, names, str(path)):
        if not 0 <= segment.layer < len(layers):
            raise InputError(f"{path}: the layer of the segment {segment.name!r} is missing.")
        inside |= layers[segment.layer] == segment.label
    return _pasted(inside, matrix, volume, path).astype(np.int32)


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


def _pasted(inside: np.ndarray, matrix: np.ndarray, volume: Volume, path: Path) -> np.ndarray:
    """Bring a box of the volume's lattice into the volume's box."""
    to_volume = np.linalg.inv(volume.ijk_to_ras) @ matrix
    offset = np.round(to_volume[:3, 3])
    drift = np.abs(to_volume[:3, :3] - np.eye(3)).max() * max(inside.shape)
    if max(drift, np.abs(to_volume[:3, 3] - offset).max()) > _TOLERANCE:
        raise InputError(
            f"{path} lies on another lattice than {volume.name}; in Slicer, set the volume as the "
            "segmentation's source geometry (Segment Editor) and save it again."
        )
    places = np.argwhere(inside) + offset[::-1].astype(int)
    within = np.all((places >= 0) & (places < volume.shape), axis=1)
    if not within.all():
        raise InputError(
            f"{path} has {np.count_nonzero(~within)} voxels of the segments outside of "
            f"{volume.name}."
        )
    result = np.zeros(volume.shape, dtype=bool)
    result[tuple(places.T)] = True
    return result
