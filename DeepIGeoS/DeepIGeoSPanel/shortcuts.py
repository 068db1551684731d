"""Keys that work while the module is open.

T, E and Ctrl+Z are those of SlicerNNInteractive; Z, Y and the effects are the Segment Editor's.
"""

import qt
import slicer


class Shortcuts:
    """A set of keys that is there between ``install`` and ``remove``."""

    def __init__(self, actions):
        """Take the actions: keys such as "T" or "Ctrl+Z", and what each one does."""
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
