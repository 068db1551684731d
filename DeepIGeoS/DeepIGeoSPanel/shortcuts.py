"""Keys that work while the module is open.

Z, Y and Ctrl+Z are the Segment Editor's, E is that of SlicerNNInteractive, X swaps two colors in
paint programs. The keys of Slicer's slice views (B, F, G, R, T, V, brackets, arrows) are left to
them.
"""

from __future__ import annotations

from typing import Any

import qt
import slicer


class Shortcuts:
    """A set of keys that is there between ``install`` and ``remove``."""

    def __init__(self, actions: Any) -> None:
        """Take the actions: keys such as "X" or "Ctrl+Z", and what each one does."""
        self._actions = actions
        self._installed = {}
        self._left = ()

    def install(self) -> None:
        """Make the keys work; without a window there are none."""
        self.remove()
        window = slicer.util.mainWindow()
        if window is None:
            return
        for keys, action in self._actions.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(keys))
            shortcut.connect("activated()", action)
            self._installed[keys] = shortcut
        self.leave(self._left)

    def leave(self, keys: Any) -> None:
        """Leave these keys to others for now, and take all other ones."""
        self._left = keys
        for ours, shortcut in self._installed.items():
            shortcut.setEnabled(ours not in keys)

    def remove(self) -> None:
        """Give the keys back."""
        for shortcut in self._installed.values():
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = {}
