"""A slice view that goes on showing the whole slice when it gets another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from trame_slicer.views import SliceView

_RESIZED = "WindowResizeEvent"

# trame-slicer's own answer to another size comes with the priority 0.
_BEFORE, _BEHIND = 1.0, -1.0


class WholeSliceView(SliceView):
    """Fits the slice again at each new size, until somebody zooms or moves it.

    The browser tells sizes when the page is there, when its window changes, and when a tablet is
    turned; trame-slicer keeps the height of what is shown, so the slice would be cut.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._fitted: np.ndarray | None = None
        self._is_whole = False
        self.interactor().AddObserver(_RESIZED, self._look, _BEFORE)
        self.interactor().AddObserver(_RESIZED, self._keep, _BEHIND)

    def fit_view_to_content(self) -> None:
        """Show the whole slice, now and at each new size."""
        super().fit_view_to_content()
        self._fitted = self._seen()

    def _look(self, *_: Any) -> None:
        fitted = self._fitted
        self._is_whole = fitted is not None and np.allclose(fitted, self._seen(), 1e-3, 1e-3)

    def _keep(self, *_: Any) -> None:
        if self._is_whole:
            self.fit_view_to_content()

    def _seen(self) -> np.ndarray:
        """Return width, height and middle of what is shown, in mm in the slice's plane."""
        node = self._view_node
        matrix = node.GetSliceToRAS()
        right, up, middle = (
            np.array([matrix.GetElement(row, column) for row in range(3)]) for column in (0, 1, 3)
        )
        middle = [middle @ right, middle @ up]
        return np.concatenate([node.GetFieldOfView()[:2], middle, node.GetXYZOrigin()[:2]])
