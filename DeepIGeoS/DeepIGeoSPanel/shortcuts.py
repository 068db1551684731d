"""Keys that work while the module is open.

Z, Y and Ctrl+Z are the Segment Editor's, E is that of SlicerNNInteractive, X swaps two colors in
paint programs. The keys of Slicer's slice views (B, F, G, R, T, V, brackets, arrows) are left to
them.
"""

import qt
import slicer


class Shortcuts:
    """A set of keys that is there between ``install`` and ``remove``."""

    def __init__(self, actions):
        """Take the actions: keys such as "X" or "Ctrl+Z", and what each one does."""
        self._actions = actions
        self._installed = []

    def install(self):
        """Make the keys work; without a window there are none."""
        self.remove()
        window = slicer.util.mainWindow()
        if window is None:
            return
        for keys, action in self._actions.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(keys))
            shortcut.connect("activated()", action)
            self._installed.append(shortcut)

    def remove(self):
        """Give the keys back."""
        for shortcut in self._installed:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = []
