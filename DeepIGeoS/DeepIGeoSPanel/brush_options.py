"""The size of the brush, in one line: the editor's own options are wider than the panel."""

from __future__ import annotations

from typing import Any

import qt
import slicer

_DIAMETER, _RELATIVE, _SPHERE = "BrushAbsoluteDiameter", "BrushDiameterIsRelative", "BrushSphere"
_DEFAULT = 5.0  # mm


class BrushOptions:
    """A spin box and a check box for what Paint and Erase share, kept in the editor's node.

    The values are the effects' own common parameters, which Slicer's cursor, its mouse wheel and
    its keys read and write too.
    """

    def __init__(
        self, editorWidget: Any, spinBox: qt.QDoubleSpinBox, sphereCheckBox: qt.QCheckBox
    ) -> None:
        """Take the editor's options away, and connect what replaces them."""
        self._spinBox, self._sphere = spinBox, sphereCheckBox
        self._node: Any = None
        self._tag: Any = None
        self._aside = qt.QWidget(editorWidget)
        self._aside.hide()
        options = slicer.util.findChild(editorWidget, "OptionsGroupBox")
        options.setParent(self._aside)  # the editor shows it anew whenever a brush is activated
        spinBox.connect("valueChanged(double)", self._onDiameter)
        sphereCheckBox.connect("clicked(bool)", self._onSphere)

    def follow(self, node: slicer.vtkMRMLNode | None) -> None:
        """Show and change the options of this vtkMRMLSegmentEditorNode; None lets go."""
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
        self._node = node
        if node is None:
            return
        if node.GetAttribute(_RELATIVE) != "0":
            # Relative to the screen is Slicer's default; millimeters are what a lesion has.
            node.SetAttribute(_RELATIVE, "0")
            node.SetAttribute(_DIAMETER, str(_DEFAULT))
        self._tag = node.AddObserver(node.EffectParameterModified, self._show)
        self._show()

    @property
    def diameter(self) -> float:
        """Of the brush in mm."""
        return self._spinBox.value

    def _show(self, caller: object = None, event: object = None) -> None:
        self._spinBox.blockSignals(True)
        self._spinBox.setValue(float(self._node.GetAttribute(_DIAMETER) or _DEFAULT))
        self._spinBox.blockSignals(False)
        self._sphere.setChecked(self._node.GetAttribute(_SPHERE) == "1")

    def _onDiameter(self, value: float) -> None:
        self._set(_DIAMETER, str(value))

    def _onSphere(self, checked: bool) -> None:
        self._set(_SPHERE, str(int(checked)))

    def _set(self, name: str, value: str) -> None:
        """Set a common parameter as effects do: as an attribute, told by an event of its own."""
        node = self._node
        if node is None or node.GetAttribute(name) == value:
            return
        before = node.GetDisableModifiedEvent()
        node.SetDisableModifiedEvent(True)
        node.SetAttribute(name, value)
        node.SetDisableModifiedEvent(before)
        node.InvokeCustomModifiedEvent(node.EffectParameterModified)
