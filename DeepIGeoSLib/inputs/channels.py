"""What a network's input is read from."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Channels(Protocol):
    """What an engine reads its input from: an array, or what makes the parts asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, k, j, i)."""

    def __getitem__(self, part: tuple[slice, ...], /) -> np.ndarray:
        """Return a part as float32; slices (channel, k, j, i)."""
