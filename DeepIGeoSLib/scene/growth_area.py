"""Where the target may grow, which must not change while an answer is computed for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.scene.places import EditableArea, editableVoxels
from DeepIGeoSLib.scene.target import Target
from DeepIGeoSLib.scene.translation import tr as _


class GrowthArea:
    """Remembers which voxels a computation may take, from its begin to its end."""

    def __init__(self) -> None:
        """Begin without limits."""
        self._begunWith: np.ndarray | None = None

    def begin(self, target: Target, limits: tuple[Any, ...]) -> np.ndarray | None:
        """Return which voxels the computation that begins now may take.

        Args:
            target: what is computed.
            limits: what ``EditableArea`` holds.

        Returns:
            Bool, axes (k, j, i); None when all are.
        """
        self._begunWith = editableVoxels(target.place, EditableArea(*limits))
        return self._begunWith

    def check(self, target: Target, limits: tuple[Any, ...]) -> None:
        """Refuse a result whose masks are others by now: options or segments changed meanwhile.

        Raises:
            InputError: they are.
        """
        before, now = self._begunWith, editableVoxels(target.place, EditableArea(*limits))
        known = before is not None and now is not None
        if not np.array_equal(before, now) if known else before is not now:
            raise InputError(
                _(
                    "The area where the segment may grow changed during the computation; nothing "
                    "was written. Please try again."
                )
            )
