"""Strokes on a working grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Strokes:
    """Strokes on a working grid: bool arrays, axes (k, j, i).

    Attributes:
        foreground: all foreground strokes.
        background: all background strokes.
        new_foreground: those of this round.
        new_background: the same.
    """

    foreground: np.ndarray
    background: np.ndarray
    new_foreground: np.ndarray
    new_background: np.ndarray

    @property
    def new(self) -> np.ndarray:
        """Where strokes of this round are."""
        return self.new_foreground | self.new_background
