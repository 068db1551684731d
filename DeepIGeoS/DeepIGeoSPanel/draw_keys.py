"""Draw has keys of its own: A and Enter close the outline, X takes its last point away."""

from __future__ import annotations

from typing import Any

_KEYS = ("A", "X")


class DrawKeys:
    """Leaves these keys to Draw while it is active."""

    def __init__(self, shortcuts: Any) -> None:
        """Take the ``Shortcuts`` that use them else."""
        self._shortcuts = shortcuts
        self._node: Any = None
        self._tag: Any = None

    def follow(self, node: Any) -> None:
        """Follow the active effect of this vtkMRMLSegmentEditorNode; None lets go."""
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
        self._node = node
        if node is not None:
            self._tag = node.AddObserver("ModifiedEvent", self._onModified)
            self._onModified()

    def _onModified(self, caller: object = None, event: object = None) -> None:
        self._shortcuts.leave(_KEYS if self._node.GetActiveEffectName() == "Draw" else ())
