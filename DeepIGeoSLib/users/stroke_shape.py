"""What strokes look like: numbers by which simulated ones are compared with those of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# To the right, down, and both diagonals: each pair of neighbors once.
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class StrokeShape:
    """The shape of one connected stroke in a slice.

    Attributes:
        length: pixels, of the longest of all shortest ways through the stroke.
        width: pixels, on average: area over length.
        tortuosity: length over the straight distance between its ends; 1 is straight.
        depth: mean distance of its pixels from the region's border, as a share of the distance of
            the region's deepest pixel.
    """

    length: float
    width: float
    tortuosity: float
    depth: float


def stroke_shape(stroke: np.ndarray, region: np.ndarray) -> StrokeShape:
    """Measure a connected stroke.

    Args:
        stroke: bool, axes (row, column), connected along rows, columns or diagonals, not empty.
        region: where it was to be painted: bool, the same shape; it holds a part of the stroke.
    """
    first, last, length = ends_of(stroke)
    straight = float(np.linalg.norm(first - last)) + 1
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    return StrokeShape(
        length=length,
        width=np.count_nonzero(stroke) / length,
        tortuosity=length / straight,
        depth=float(depth[stroke & region].mean() / depth.max()),
    )


def ends_of(stroke: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the two ends of a connected stroke, pixels (row, column), and its length in pixels.

    The ends are those of the longest of all shortest ways through the stroke.
    """
    # Here, because it loads linear algebra, and all who paint import this file.
    from scipy.sparse.csgraph import dijkstra

    points = np.argwhere(stroke)
    ways = _ways(stroke, points)
    first = int(dijkstra(ways, directed=False, indices=0).argmax())
    distances = dijkstra(ways, directed=False, indices=first)
    last = int(distances.argmax())
    # From the outer border of the first pixel to that of the last.
    return points[first], points[last], float(distances[last]) + 1


def strokes_in(scribbles: np.ndarray) -> list[np.ndarray]:
    """Return the connected strokes of a slice (bool, axes (row, column)), each as a mask."""
    numbered, count = ndimage.label(scribbles, np.ones((3, 3)))
    return [numbered == number for number in range(1, count + 1)]


def _ways(stroke: np.ndarray, points: np.ndarray) -> csr_matrix:
    """Return the graph of the steps from pixel to pixel inside the stroke."""
    from scipy.sparse import coo_matrix

    numbers = np.full(np.add(stroke.shape, 2), -1)
    numbers[tuple(points.T + 1)] = np.arange(len(points))
    rows, columns, lengths = [], [], []
    for step in _STEPS:
        neighbor = numbers[tuple((points + step).T + 1)]
        there = neighbor >= 0
        rows.append(np.flatnonzero(there))
        columns.append(neighbor[there])
        lengths.append(np.full(int(there.sum()), np.hypot(*step)))
    entries = (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns)))
    return coo_matrix(entries, shape=(len(points), len(points))).tocsr()
