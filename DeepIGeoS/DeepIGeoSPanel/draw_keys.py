"""Draw has keys of its own: A and Enter close the outline, X takes its last point away."""

_KEYS = ("A", "X")


class DrawKeys:
    """Leaves these keys to Draw while it is active."""

    def __init__(self, shortcuts):
        """Take the ``Shortcuts`` that use them else."""
        self._shortcuts = shortcuts
        self._node, self._tag = None, None

    def follow(self, node):
        """Follow the active effect of this vtkMRMLSegmentEditorNode; None lets go."""
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
        self._node = node
        if node is not None:
            self._tag = node.AddObserver("ModifiedEvent", self._onModified)
            self._onModified()

    def _onModified(self, caller=None, event=None):
        self._shortcuts.leave(_KEYS if self._node.GetActiveEffectName() == "Draw" else ())
