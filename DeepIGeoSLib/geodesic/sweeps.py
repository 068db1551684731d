"""Sweeps of planes with array operations: exact, without a compiler, also on a graphics processor.

A sweep goes along an axis, forth and back, and lowers every plane from the nine neighbors of each
voxel in the plane before it. Sweeps along the three axes are repeated until nothing changes, so
that the result is Dijkstra's. The scheme is that of M. Asad, R. Dorent and T. Vercauteren,
"FastGeodis: Fast Generalised Geodesic Distance Transform", Journal of Open Source Software 7(79),
2022, who stop after a number of iterations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic.problem import Problem
from DeepIGeoSLib.grid.boxes import (
    Box,
    absolute_box,
    bounding_box,
    box_of_voxels,
    grown_box,
    whole_box,
)

_MARGIN = 32
"""By how many voxels the swept box grows where something changed at its border."""


def solve(
    problem: Problem,
    voxels: np.ndarray,
    distance: np.ndarray,
    *,
    threads: int = 1,
    device: str = "numpy",
    iterations: int | None = None,
) -> None:
    """Lower ``distance`` to the fixed point, spreading the values of ``voxels``.

    Args:
        problem: image and costs.
        voxels: flat numbers of the voxels whose values spread; at least one.
        distance: float32, (k, j, i), C-contiguous; changed in place.
        threads: ignored; NumPy uses one, torch what it is set to.
        device: "numpy", or "cpu" or "cuda" with torch.
        iterations: stop after so many, exact or not; for comparisons.

    Raises:
        InputError: the device is not available.
    """
    arrays = _arrays(device)
    image = arrays.own(np.pad(problem.image * problem.weight, [(0, 0)] + [(1, 1)] * 3))
    distances = arrays.own(np.pad(distance, 1, constant_values=np.float32(np.inf)))
    box = whole_box(problem.shape)
    near = box_of_voxels(voxels, problem.shape)
    if near is not None and np.isfinite(problem.limit):
        box = grown_box(near, _MARGIN, problem.shape)
    done = 0
    while done != iterations:
        done += 1
        changed = bounding_box(_iterate(arrays, image, distances, problem.lengths, box))
        if changed is None:
            break
        changed = absolute_box(box, changed)
        # What changed at the border of the box can go on far beyond it.
        touches = any(
            (c.start == b.start > 0) or (c.stop == b.stop < size)
            for c, b, size in zip(changed, box, problem.shape, strict=True)
        )
        margin = _MARGIN if touches else 1
        box = grown_box(changed, margin, problem.shape)
    distance[...] = arrays.numbers(distances)[1:-1, 1:-1, 1:-1]


def _iterate(
    arrays: _NumPy | _Torch, image: Any, distances: Any, lengths: np.ndarray, box: Box
) -> np.ndarray:
    """Sweep a box along the three axes; return a bool array of it, where distances changed.

    Args:
        arrays: the library that computes.
        image: axes (c, k, j, i), with a margin of one voxel.
        distances: axes (k, j, i), with a margin of one voxel; changed in place.
        lengths: of a step, by (|dk|, |dj|, |di|).
        box: without the margin.
    """
    around = tuple(slice(b.start, b.stop + 2) for b in box)
    inside = tuple(slice(b.start + 1, b.stop + 1) for b in box)
    swept = arrays.turned(distances[around], (0, 1, 2))
    seen = image[(slice(None), *around)]
    axes = (0, 1, 2)
    for turn in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
        # The axis to sweep along comes first, so that the planes are contiguous.
        axes = tuple(axes[axis] for axis in turn)
        swept = arrays.turned(swept, turn)
        oriented = arrays.turned(seen, (0, *(axis + 1 for axis in axes)))
        if swept.shape[0] > 3:
            arrays.sweep(swept, oriented, lengths.transpose(axes)[1])
    swept = arrays.turned(swept, tuple(np.argsort(axes)))[1:-1, 1:-1, 1:-1]
    changed = arrays.numbers(swept < distances[inside])
    distances[inside] = swept
    return changed


def _planes(count: int) -> Iterator[tuple[int, int]]:
    """Yield the planes of a sweep forth and back, each with the one before it."""
    for k in range(2, count - 1):
        yield k, k - 1
    for k in range(count - 3, 0, -1):
        yield k, k + 1


def _moves(size: int) -> range:
    """Return the steps along an axis of this size, including its margins."""
    return range(-1, 2) if size > 3 else range(1)


class _Arrays(ABC):
    """A library of arrays. NumPy and torch share the names of what is called here."""

    library: Any

    @abstractmethod
    def root(self, array: Any) -> None:
        """Write the square root of an array to itself."""

    def difference(self, there: Any, here: Any, out: Any, square: Any) -> None:
        """Write the l2 norm over the first axis (the channels) of ``there - here`` to ``out``."""
        self.library.subtract(there[0], here[0], out=out)
        if len(there) == 1:
            self.library.abs(out, out=out)
            return
        self.library.multiply(out, out, out=out)
        for channel in range(1, len(there)):
            self.library.subtract(there[channel], here[channel], out=square)
            self.library.multiply(square, square, out=square)
            self.library.add(out, square, out=out)
        self.root(out)


class _NumPy(_Arrays):
    library = np

    def sweep(self, distances: np.ndarray, image: np.ndarray, lengths: np.ndarray) -> None:
        """Sweep along the first axis, one neighbor after the other.

        Args:
            distances: axes (k, j, i), with a margin; changed in place.
            image: axes (c, k, j, i), with a margin.
            lengths: of the steps from plane to plane, by (|dj|, |di|).
        """
        _, height, width = distances.shape
        cost, square = self.empty((2, height - 2, width - 2))
        # In two dimensions the planes are rows; there is nothing beside them.
        neighbors = list(product(_moves(height), _moves(width)))
        for k, near in _planes(distances.shape[0]):
            best = distances[k, 1:-1, 1:-1]
            here = image[:, k, 1:-1, 1:-1]
            for dj, di in neighbors:
                window = (slice(1 + dj, height - 1 + dj), slice(1 + di, width - 1 + di))
                self.difference(image[(slice(None), near, *window)], here, cost, square)
                np.add(cost, lengths[abs(dj), abs(di)], out=cost)
                np.add(cost, distances[(near, *window)], out=cost)
                np.minimum(best, cost, out=best)

    def own(self, array: np.ndarray) -> np.ndarray:
        return array

    def empty(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.empty(shape, dtype=np.float32)

    def turned(self, array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return np.array(array.transpose(axes), order="C")

    def root(self, array: Any) -> None:
        np.sqrt(array, out=array)

    def numbers(self, array: np.ndarray) -> np.ndarray:
        return array


class _Torch(_Arrays):
    def __init__(self, device: str) -> None:
        import torch

        self.library = torch
        self.device = torch.device(device)
        # Starting an operation costs more than the operation itself on an accelerator, so that it
        # gets all nine neighbors at once; on the CPU three rows of three stay in the cache.
        rows = 1 if self.device.type == "cpu" else 3
        self.parts = [slice(row, row + rows) for row in range(0, 3, rows)]

    def sweep(self, distances: Any, image: Any, lengths: np.ndarray) -> None:
        """Sweep along the first axis; the arguments are those of ``_NumPy.sweep``."""
        _, height, width = distances.shape
        rows = 3 // len(self.parts)
        cost, square = self.empty((2, rows, 3, height - 2, width - 2))
        away = [1, 0, 1]
        steps = self.own(np.ascontiguousarray(lengths[np.ix_(away, away)]))[:, :, None, None]
        for k, near in _planes(distances.shape[0]):
            best = distances[k, 1:-1, 1:-1]
            here = image[:, k, None, None, 1:-1, 1:-1]
            seen, far = self._windows(image[:, near]), self._windows(distances[near])
            for part in self.parts:
                self.difference(seen[:, part], here, cost, square)
                cost.add_(steps[part]).add_(far[part])
                self.library.minimum(best, cost.amin((0, 1)), out=best)

    @staticmethod
    def _windows(planes: Any) -> Any:
        """Return the nine shifted views of planes, axes (..., dj, di, j, i)."""
        return planes.unfold(-2, 3, 1).unfold(-2, 3, 1).movedim((-2, -1), (-4, -3))

    def own(self, array: np.ndarray) -> Any:
        from DeepIGeoSLib.tensors import to_tensor

        return to_tensor(array, self.device)

    def empty(self, shape: tuple[int, ...]) -> Any:
        return self.library.empty(shape, dtype=self.library.float32, device=self.device)

    def turned(self, tensor: Any, axes: tuple[int, ...]) -> Any:
        return tensor.permute(axes).clone(memory_format=self.library.contiguous_format)

    def root(self, array: Any) -> None:
        # With MKL the root of a float32 may be off by its last bit, that of a float64 is not after
        # rounding.
        array.copy_(array.double().sqrt_())

    def numbers(self, tensor: Any) -> np.ndarray:
        from DeepIGeoSLib.tensors import to_array

        return to_array(tensor)


def _arrays(device: str) -> _NumPy | _Torch:
    """Return the library that computes on a device."""
    if device == "numpy":
        return _NumPy()
    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise InputError(
            f"The engine 'sweeps' can't use the device {device!r}; known are numpy, cpu and cuda."
        )
    try:
        arrays = _Torch(device)
        arrays.empty((1,))
    except (ImportError, RuntimeError, AssertionError) as error:
        raise InputError(
            f"The device {device!r} is not available: {error}".splitlines()[0]
        ) from error
    return arrays
