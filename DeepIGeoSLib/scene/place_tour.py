"""The uncertain places of a target, one after the other."""

from __future__ import annotations

from typing import Any

from DeepIGeoSLib.scene.places import jumpTo
from DeepIGeoSLib.scene.translation import tr as _


class PlaceTour:
    """Leads the slice views from place to place, and begins again after the last one."""

    def __init__(self) -> None:
        """Begin without knowing any place."""
        self._places: list[tuple[int, int, int]] | None = None
        self._shown = 0

    @property
    def isKnown(self) -> bool:
        """Whether places were looked for since ``forget``; there may be none."""
        return self._places is not None

    def begin(self, places: list[tuple[int, int, int]]) -> None:
        """Take voxels (k, j, i), the most uncertain one first."""
        self._places, self._shown = places, 0

    def forget(self) -> None:
        """Know no place any more: the target is another one by now."""
        self._places = None

    def showNext(self, volumeNode: Any) -> str:
        """Show the next place in the slice views; return one sentence about it."""
        if not self._places:
            return _("There is no uncertain place: look through the slices yourself.")
        number = self._shown % len(self._places)
        self._shown += 1
        jumpTo(volumeNode, self._places[number])
        return _("Uncertain place {number} of {count}: paint here if it is wrong.").format(
            number=number + 1, count=len(self._places)
        )
