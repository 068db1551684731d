"""Thumbnails of results: a slice with outlines, and the target closer."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.planes import Plane, planes
from DeepIGeoSLib.volume import Volume

if TYPE_CHECKING:
    from PIL import Image

# Outlines of the targets; the truth is a line of dots. Okabe and Ito's colors, on gray.
_TARGETS = ((240, 228, 66), (86, 180, 233), (230, 159, 0), (204, 121, 167), (0, 158, 115))
_TRUTH = (255, 255, 255)
_RIM = (0, 0, 0)  # around each outline, which would be lost on what is bright
_DOT = 3  # pixels on, pixels off

_HEIGHT = 180  # pixels
_WIDEST = 1.6  # times as wide as high
_GAP = 4
_AROUND = 12.0  # mm that the closer view shows beside the target
_LEAST = 40.0  # mm of its height
_WINDOW = (0.5, 99.7)  # percentiles of the gray values


def thumbnail(volume: Volume, labels: np.ndarray, truth: np.ndarray | None = None) -> bytes:
    """Return a JPEG picture of a result: the slice with most of the target, and the target closer.

    It lies as radiologists look at it: head or front up, the patient's left at the right. Pictures
    lie as they are, without the letters of directions.

    Args:
        volume: the image.
        labels: whole numbers, axes (k, j, i); each label above 0 gets an outline.
        truth: the same; one dotted outline around all of it. None where it is not known.

    Raises:
        InputError: Pillow is missing.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError(
            "Thumbnails need the package pillow (pip install deepigeos[report])."
        ) from error
    plane = planes(volume.ijk_to_ras)[0]
    shown = [labels > 0, *([] if truth is None else [truth > 0])]
    index = _slice_to_show(shown, plane.axes[0])
    window = np.percentile(volume.array, _WINDOW)
    layers = [
        plane.of(array, index) for array in (volume.array, labels, truth) if array is not None
    ]
    size = np.array(layers[0].shape) * plane.pixel
    frames = [((0.0, size[0]), (0.0, size[1]))]
    close = _closer(layers[1:], plane, size)
    if close is not None:
        frames.append(close)
    tiles = [_tile(layers, plane, frame, window) for frame in frames]
    width = sum(tile.shape[1] for tile in tiles) + _GAP * (len(tiles) - 1)
    sheet = np.zeros((_HEIGHT, width, 3), dtype=np.uint8)
    left = 0
    for tile in tiles:
        sheet[:, left : left + tile.shape[1]] = tile
        left += tile.shape[1] + _GAP
    picture = Image.fromarray(sheet)
    if not volume.is_picture:
        _letter(picture, plane, tiles[0].shape[1])
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=82, optimize=True, subsampling=0)
    return stream.getvalue()


def _slice_to_show(masks: Sequence[np.ndarray], axis: int) -> int:
    """Return the slice with most of the first mask, else of the next one, else the middle one."""
    others = tuple(other for other in range(3) if other != axis)
    for mask in masks:
        counts = np.count_nonzero(mask, axis=others)
        if counts.any():
            return int(counts.argmax())
    return masks[0].shape[axis] // 2


def _closer(
    layers: Sequence[np.ndarray], plane: Plane, size: np.ndarray
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return a square around what is marked in a slice, in mm; None where it is all of it."""
    marked = np.any([layer > 0 for layer in layers], axis=0)
    if not marked.any():
        return None
    ends = []
    for axis in (0, 1):
        found = np.flatnonzero(marked.any(axis=1 - axis))
        ends.append((found[0] * plane.pixel[axis], (found[-1] + 1) * plane.pixel[axis]))
    side = max(*(high - low + 2 * _AROUND for low, high in ends), _LEAST)
    if side > 0.7 * size.min():
        return None
    frame = []
    for (low, high), whole in zip(ends, size, strict=True):
        start = min(max((low + high - side) / 2, 0.0), whole - side)
        frame.append((start, start + side))
    return frame[0], frame[1]


def _tile(
    layers: Sequence[np.ndarray],
    plane: Plane,
    frame: tuple[tuple[float, float], tuple[float, float]],
    window: np.ndarray,
) -> np.ndarray:
    """Return a part of a slice as uint8 (row, column, color)."""
    (top, bottom), (left, right) = frame
    width = int(np.clip(_HEIGHT * (right - left) / (bottom - top), 1, _WIDEST * _HEIGHT))
    rows = (top + (np.arange(_HEIGHT) + 0.5) * (bottom - top) / _HEIGHT) / plane.pixel[0] - 0.5
    columns = (left + (np.arange(width) + 0.5) * (right - left) / width) / plane.pixel[1] - 0.5
    places = np.meshgrid(rows, columns, indexing="ij")
    gray = ndimage.map_coordinates(layers[0].astype(np.float32), places, order=1, mode="nearest")
    low, high = window
    shade = np.clip(255 * (gray - low) / max(high - low, 1e-12), 0, 255).astype(np.uint8)
    tile = np.repeat(shade[..., np.newaxis], 3, axis=2)
    dots = np.add.outer(np.arange(_HEIGHT), np.arange(width)) // _DOT % 2 == 0
    marked = layers[1]
    areas = [_area(marked == label, places) for label in np.unique(marked[marked > 0])]
    for area in areas:
        tile[ndimage.binary_dilation(area) & ~area] = _RIM
    for truth in layers[2:]:
        tile[_outline(_area(truth > 0, places)) & dots] = _TRUTH
    for number, area in enumerate(areas):
        tile[_outline(area)] = _TARGETS[number % len(_TARGETS)]
    return tile


def _area(mask: np.ndarray, places: Sequence[np.ndarray]) -> np.ndarray:
    """Return the pixels of a mask, bool."""
    return ndimage.map_coordinates(mask.astype(np.float32), places, order=1) >= 0.5


def _outline(area: np.ndarray) -> np.ndarray:
    """Return the outermost pixels of an area, bool."""
    return area & ~ndimage.binary_erosion(area)


def _letter(picture: Image.Image, plane: Plane, width: int) -> None:
    """Write the patient's directions at the left and upper edge of the whole slice."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    left, _, top, _ = plane.letters
    for place, letter in (((4, _HEIGHT // 2 - 8), left), ((width // 2 - 5, 2), top)):
        draw.text(place, letter, fill=(255, 255, 255), font_size=15, stroke_width=1, stroke_fill=0)
