"""Boxes in boxes: slices (k, j, i) of one array as those of another."""

from __future__ import annotations

from DeepIGeoSLib.preprocessing import Box


def shared_box(first: Box, second: Box) -> Box | None:
    """Return the box that lies in both, or None."""
    shared = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return shared if all(part.start < part.stop for part in shared) else None


def relative_box(box: Box, outer: Box) -> Box:
    """Return the slices of ``box`` in the array of the box ``outer`` around it."""
    return tuple(
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(box, outer, strict=True)
    )


def absolute_box(outer: Box, inner: Box) -> Box:
    """Return the slices of the whole array for a box given in the array of the box ``outer``."""
    return tuple(
        slice(around.start + part.start, around.start + part.stop)
        for around, part in zip(outer, inner, strict=True)
    )
