"""Colors of pictures: gray that is stored as color, brightness, the three channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Names of a bundle's channels that one color picture fills.
COLORS = ("red", "green", "blue")

# Parts of 65536 of red, green and blue in the brightness (ITU-R BT.601), as Pillow has them.
_PARTS = (19595, 38470, 7471)


def are_colors(channels: Sequence[str]) -> bool:
    """Whether channels are those of a color picture, in this order."""
    return tuple(channel.casefold() for channel in channels) == COLORS


def gray_component(array: np.ndarray) -> int | None:
    """Return the component that holds the gray values of a gray picture stored as color.

    Args:
        array: the last axis counts the components: gray; red, green and blue; either with opacity.

    Returns:
        The component, or None when they differ, or the picture is not opaque everywhere.
    """
    colors = array.shape[-1]
    if colors in (2, 4) and array.dtype.kind == "u":
        opaque = (array[..., -1] == np.iinfo(array.dtype).max).all()
        colors -= int(opaque)
    first = array[..., 0]
    same = all(np.array_equal(first, array[..., other]) for other in range(1, colors))
    return 0 if same else None


def brightness(array: np.ndarray) -> np.ndarray:
    """Return the gray values of a color picture, as Pillow computes them (mode "L").

    Args:
        array: real numbers; the last axis counts the components: gray, or red,
            green and blue, either with opacity, which is passed over.

    Returns:
        The same kind of numbers, without the last axis.
    """
    if array.shape[-1] < len(COLORS):
        return array[..., 0]
    colors, parts = array[..., : len(COLORS)], np.array(_PARTS)
    if array.dtype.kind == "f":
        return (colors @ parts / 2**16).astype(array.dtype)
    weighed = colors.astype(np.int64) @ parts
    return ((weighed + 2**15) >> 16).astype(array.dtype)
