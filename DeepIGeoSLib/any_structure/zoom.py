"""Windows that follow the object: fine around a stroke, coarser where the answer does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, prod

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, grown_box, three
from DeepIGeoSLib.grid.resampling import resample
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

Reader = Callable[[Box], np.ndarray]

# Working voxels (k, j, i) of a window in a volume, and in a single slice.
VOLUME_WINDOW, SLICE_WINDOW = (24, 80, 80), (1, 192, 192)

# Nothing was fitted to voxels that are longer than so many of their shortest edge.
_LONGEST = 10.0

# Of a window that has fewer pixels than it may have.
_MOST_SLICES = 64

# Share of a window's length and width, and slices, that a box around the target takes at most.
_BOXED, _BOXED_SLICES = 0.75, 34


@dataclass(frozen=True)
class Lattice:
    """A volume as the network walks over it: slices first, lengths in its finest pixels.

    Attributes:
        axes: the order that puts the coarsest axis, or a single slice's, first.
        shape: voxels (k, j, i) in that order.
        spacing: in pixels, the same.
    """

    axes: tuple[int, int, int]
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]

    @classmethod
    def of(
        cls, shape: Sequence[int], spacing: Sequence[float], *, longest: float = _LONGEST
    ) -> Lattice:
        """Return the lattice of a volume, shape and spacing along its own (k, j, i).

        Args:
            shape: voxels.
            spacing: mm.
            longest: how many of its shortest edge the longest edge of a voxel counts as at most.
        """
        longest *= min(spacing)
        capped = [min(step, longest) for step in spacing]
        axes = coarsest_first(capped, shape)
        turned = [float(capped[axis]) for axis in axes]
        finest = min(turned[1:])
        pixels = three(s / finest for s in turned)
        return cls(axes, three(shape[axis] for axis in axes), pixels)

    @property
    def window(self) -> tuple[int, int, int]:
        """Working voxels of a window."""
        return SLICE_WINDOW if self.shape[0] == 1 else VOLUME_WINDOW

    @property
    def reach(self) -> tuple[int, int, int]:
        """Voxels along the volume's own axes within which strokes are answered together."""
        own = [max(1, round(2 * n / s)) for n, s in zip(self.window, self.spacing, strict=True)]
        return tuple(own[axis] for axis in np.argsort(self.axes))

    def turned_box(self, box: Box) -> Box:
        """Return a box of the volume's own axes in the lattice's order."""
        return three(box[axis] for axis in self.axes)

    def own_box(self, box: Box) -> Box:
        """Return a box of the lattice in the order of the volume's own axes."""
        return tuple(box[axis] for axis in np.argsort(self.axes))

    def grid(self, around: Box, zoom: float) -> WorkingGrid:
        """Return the working grid of a window around a box of strokes.

        Its pixels are ``zoom`` times as large as the finest of the volume; slices are as thick as
        they are, or as the pixels where those are larger. The window lies inside the volume.
        """
        steps = self._steps(zoom)
        wanted = list(self.window)
        # Where the volume is smaller than the window in plane, more slices fit.
        pixels = [
            min(w, n / s) for w, n, s in zip(wanted[1:], self.shape[1:], steps[1:], strict=True)
        ]
        wanted[0] = min(_MOST_SLICES, int(prod(self.window) / prod(pixels)))
        box = []
        for part, size, count, step in zip(around, self.shape, wanted, steps, strict=True):
            length = min(size, max(part.stop - part.start, round(count * step)))
            start = (part.start + part.stop - length) // 2
            start = min(max(start, 0), size - length)
            box.append(slice(start, start + length))
        return self._working(three(box), zoom)

    def grids(self, around: Box, region: Box | None = None) -> list[WorkingGrid]:
        """Return the working grids that strokes are answered on, the finest first.

        Args:
            around: a box around the strokes.
            region: the only one that may change, along the volume's own axes; None for no limit.
        """
        if region is not None:
            return [self.grid_of(self.turned_box(region))]
        return [self.grid(around, zoom) for zoom in self.zooms(around)]

    def grid_around(self, box: Box) -> WorkingGrid:
        """Return the finest working grid that shows a box and some of what is around it."""
        slices = box[0].stop - box[0].start
        zooms = [1.0] if slices <= _BOXED_SLICES else [self.spacing[0] * slices / _BOXED_SLICES]
        for part, s, wanted in zip(box[1:], self.spacing[1:], self.window[1:], strict=True):
            zooms.append((part.stop - part.start) * s / (_BOXED * wanted))
        zoom = max(1.0, *zooms)
        beside = [ceil(step) for step in self._steps(zoom)]
        return self.grid(grown_box(box, beside, self.shape), zoom)

    def grid_of(self, box: Box) -> WorkingGrid:
        """Return the finest working grid of a box that is no larger than a window."""
        zoom = max(
            (part.stop - part.start) * s / wanted
            for part, s, wanted in zip(box[1:], self.spacing[1:], self.window[1:], strict=True)
        )
        return self._working(box, max(1.0, zoom))

    def zooms(self, around: Box) -> list[float]:
        """Return the zooms to try, the finest that holds the strokes first, the whole last."""

        def to_fit(lengths: Sequence[int], share: float) -> float:
            pairs = zip(lengths[1:], self.spacing[1:], self.window[1:], strict=True)
            return max(length * s / (share * wanted) for length, s, wanted in pairs)

        needed = to_fit([part.stop - part.start for part in around], 0.5)
        whole = to_fit(self.shape, 1.0)
        zooms = [1.0]
        while zooms[-1] < max(whole, needed):
            zooms.append(2 * zooms[-1])
        return [zoom for zoom in zooms if zoom >= needed]

    def read(self, read: Reader, grid: WorkingGrid) -> np.ndarray:
        """Return what a reader of the volume's own axes holds, on a working grid of the lattice.

        Where a working voxel is four voxels long or longer, every second one or less is read:
        averages of a few are as good there, and a large volume is not read through for each stroke.
        """
        own = self.own_box(grid.box)
        lengths = (size // count for size, count in zip(grid.box_shape, grid.shape, strict=True))
        strides = [max(1, length // 2) for length in lengths]
        strides = [strides[axis] for axis in np.argsort(self.axes)]
        values = read(own) if max(strides) == 1 else _thinned(read, own, strides)
        return resample(values.transpose(self.axes), grid.shape)

    def at_cut_faces(self, mask: np.ndarray, grid: WorkingGrid) -> int:
        """Return how many voxels of a mask on a working grid lie where the volume goes on."""
        counts = (
            np.count_nonzero(mask.take(end, axis))
            for axis, part in enumerate(grid.box)
            for end, inside in ((0, part.start > 0), (-1, part.stop < self.shape[axis]))
            if inside
        )
        return int(sum(counts))

    def _steps(self, zoom: float) -> list[float]:
        """Return how many voxels along each axis a working voxel stands for."""
        return [max(1.0, zoom / s) for s in self.spacing]

    def _working(self, box: Box, zoom: float) -> WorkingGrid:
        counts, lengths = [], []
        for part, step, s in zip(box, self._steps(zoom), self.spacing, strict=True):
            length = part.stop - part.start
            counts.append(max(1, round(length / step)))
            lengths.append(s * length / counts[-1] / zoom)
        return WorkingGrid(box, tuple(counts), tuple(lengths))


def _thinned(read: Reader, box: Box, strides: Sequence[int]) -> np.ndarray:
    """Return every so many voxels of a box, read slice by slice."""
    numbers = range(box[0].start + strides[0] // 2, box[0].stop, strides[0])
    plane = tuple(slice(stride // 2, None, stride) for stride in strides[1:])
    slices = (read((slice(number, number + 1), *box[1:])) for number in numbers)
    return np.concatenate([one[(slice(None), *plane)] for one in slices])


def coarsest_first(spacing: Sequence[float], shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the order of axes that puts slices first: a single slice's axis, or the coarsest.

    Axes that are hardly coarser (less than 1.3 times) stay where they are.
    """
    thin = [axis for axis in range(3) if shape[axis] == 1]
    first = thin[0] if thin else int(np.argmax(spacing))
    if not thin and spacing[first] < 1.3 * spacing[0]:
        first = 0
    second, third = (axis for axis in range(3) if axis != first)
    return first, second, third
