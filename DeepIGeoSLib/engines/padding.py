"""Network input mirrored at its border up to sizes a network can halve, read part by part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.inputs.channels import Channels


class PaddedChannels:
    """Channels mirrored at both ends of each axis (Ronneberger et al., U-Net, MICCAI 2015).

    Attributes:
        shape: padded voxels along (k, j, i): multiples of ``multiple_of``.
    """

    def __init__(self, channels: Channels, multiple_of: Sequence[int]) -> None:
        """Take over ``channels``; ``multiple_of`` is for (k, j, i)."""
        self._channels = channels
        self._sizes = channels.shape[1:]
        self.shape = padded_shape(self._sizes, multiple_of)
        self._before = [(m - n) // 2 for n, m in zip(self._sizes, self.shape, strict=True)]

    def read(self, box: Sequence[slice]) -> np.ndarray:
        """Return a box of the padded input, which must hold some of the content."""
        content = self.content(box)
        widths = [(0, 0)]
        for part, own, before in zip(box, content, self._before, strict=True):
            start, stop = part.start - before, part.stop - before
            widths.append((own.start - start, stop - own.stop))
        values = self._channels[(slice(None), *content)]
        return np.pad(values, widths, mode="symmetric") if np.any(widths) else values

    def content(self, box: Sequence[slice]) -> tuple[slice, ...]:
        """Return the slices of the input itself that lie in a box of the padded input."""
        return tuple(
            slice(max(0, part.start - before), min(size, part.stop - before))
            for part, before, size in zip(box, self._before, self._sizes, strict=True)
        )

    def content_within(self, box: Sequence[slice]) -> tuple[slice, ...]:
        """Return where the content of a box lies in the array of that box."""
        return tuple(
            slice(own.start + before - part.start, own.stop + before - part.start)
            for own, part, before in zip(self.content(box), box, self._before, strict=True)
        )


def padded_shape(shape: Sequence[int], multiple_of: Sequence[int]) -> tuple[int, ...]:
    """Return the smallest sizes that hold ``shape`` and are multiples of ``multiple_of``."""
    return tuple(-(-size // step) * step for size, step in zip(shape, multiple_of, strict=True))
