"""Shapes in a plane as the points of a square grid of edge 1.

A shape is gathered as intervals of rows, so that it costs what it covers: neither the number of a
path's points nor the box around it matters.
"""

from __future__ import annotations

import numpy as np

_TINY = 1e-12


def pointsBeside(path: np.ndarray, radius: float) -> np.ndarray:
    """Return the points of the grid within a distance of a path.

    Args:
        path: positions (x, y), one a row, in order.
        radius: the distance.

    Returns:
        Whole numbers (x, y), one a row, each once.
    """
    ends = np.vstack([path[1:], path[-1:]])
    part, row = _rowsBetween(
        np.ceil(np.minimum(path[:, 1], ends[:, 1]) - radius),
        np.floor(np.maximum(path[:, 1], ends[:, 1]) + radius),
    )
    start, (along, up) = path[part], (ends - path)[part].T
    up = np.where(np.abs(up) < _TINY, _TINY, up)
    height = row - start[:, 1]
    # A disk moves from start to end, and is in this row from one share of the way to another. What
    # it covers there ends where its edge is parallel to the way, or where it comes or leaves.
    comes, leaves = np.clip(np.sort([(height - radius) / up, (height + radius) / up], 0), 0, 1)
    lean = np.sign(up) * radius * along / np.hypot(along, up)
    bounds = []
    for side in (-1, 1):
        share = np.clip((height + side * lean) / up, comes, leaves)
        half = np.sqrt(np.maximum(radius**2 - (height - share * up) ** 2, 0))
        bounds.append(start[:, 0] + share * along + side * half)
    return _pointsIn(row, np.ceil(bounds[0]), np.floor(bounds[1]))


def pointsInside(outline: np.ndarray) -> np.ndarray:
    """Return the points of the grid that an outline encloses an odd number of times.

    Args:
        outline: positions (x, y), one a row, in order; the last one is joined with the first.

    Returns:
        Whole numbers (x, y), one a row, each once.
    """
    ends = np.roll(outline, -1, axis=0)
    low, high = np.minimum(outline[:, 1], ends[:, 1]), np.maximum(outline[:, 1], ends[:, 1])
    part, row = _rowsBetween(np.floor(low) + 1, np.floor(high))  # an upper end is no lower one
    start, way = outline[part], (ends - outline)[part]
    crossing = start[:, 0] + (row - start[:, 1]) * way[:, 0] / way[:, 1]
    order = np.lexsort((crossing, row))
    row, crossing = row[order], crossing[order]
    return _pointsIn(row[::2], np.ceil(crossing[::2]), np.floor(crossing[1::2]))


def pointsOn(path: np.ndarray) -> np.ndarray:
    """Return positions (x, y) along a path, at most 1 apart; not only points of the grid."""
    ends = np.vstack([path[1:], path[-1:]])
    count = np.ceil(np.linalg.norm(ends - path, axis=1)).astype(int)
    part, step = _counted(count + 1)
    share = step / np.maximum(count, 1)[part]
    return path[part] + share[:, None] * (ends - path)[part]


def _rowsBetween(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of a part, and a row of it, for all rows from ``low`` to ``high``."""
    part, step = _counted(np.maximum(high - low + 1, 0).astype(int))
    return part, low[part].astype(int) + step


def _counted(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each number as often as its count says, and how often it was there before."""
    part = np.repeat(np.arange(len(counts)), counts)
    return part, np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts)


def _pointsIn(row: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return the points of intervals, those in several of them once."""
    order = np.lexsort((first, row))
    row, first, last = row[order], first[order].astype(int), last[order].astype(int)
    # Rows are laid one behind the other, so far apart that no interval reaches the next row.
    width = (last.max(initial=0) - first.min(initial=0)) + 2
    begun = row * width + first
    ended = np.maximum.accumulate(row * width + last + 1)
    begun = np.maximum(begun, np.concatenate([begun[:1], ended[:-1]]))
    part, step = _counted(np.maximum(ended - begun, 0))
    return np.column_stack([begun[part] - row[part] * width + step, row[part]])
