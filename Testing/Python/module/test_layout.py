"""The panel in a small window: how wide and how high it is, and what moves in it."""

from __future__ import annotations

import pytest

WIDTH, HEIGHT = 420, 700
STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))
LONG = "T2 FLAIR tra dark-fluid fs 3 mm p2 after contrast, follow-up 2 of the second examination"
ORDER_OF_WORK = (
    "inputsSection",
    "segmentButton",
    "missingButton",
    "seedEditor",
    "refineButton",
    "undoButton",
    "acceptButton",
    "cancelButton",
    "volumeLabel",
    "statusLabel",
)


class Window:
    """A window of 420 x 700 pixels with nothing but the panel."""

    def __init__(self, user):
        from PySide6 import QtWidgets

        self._user = user
        self._panel = user.ui.inputsSection.parentWidget()
        self._window = QtWidgets.QScrollArea()
        self._window.setWidgetResizable(True)
        self._window.setFrameShape(QtWidgets.QFrame.NoFrame)
        self._window.setWidget(self._panel)
        self._window.resize(WIDTH, HEIGHT)
        self._window.show()
        self.settle()

    def settle(self):
        from PySide6 import QtWidgets

        QtWidgets.QApplication.processEvents()

    @property
    def smallestWidth(self):
        from PySide6 import QtWidgets

        self.settle()
        return QtWidgets.QWidget.minimumSizeHint(self._panel).width()

    def places(self):
        """Return top and bottom of each widget of the order of work, in pixels of the window."""
        from PySide6 import QtCore

        self.settle()
        found = {}
        for name in ORDER_OF_WORK:
            widget = getattr(self._user.ui, name)
            top = widget.mapTo(self._panel, QtCore.QPoint(0, 0)).y()
            found[name] = (top, top + widget.height)
        return found


@pytest.fixture
def window(volume_node, user):
    volume_node.SetName(LONG)
    user.widget.onParametersChanged()
    window = Window(user)
    yield window
    window._window.takeWidget()


def unfold(user, *names):
    for name in names:
        getattr(user.ui, name).setCollapsed(False)


def test_the_panel_is_never_wider_than_420_pixels(window, user):
    from PySide6 import QtWidgets

    assert window.smallestWidth <= WIDTH
    user.click("segmentButton")
    bench = user.panel.workbench
    bench.segmentationNode.GetSegmentation().GetSegment(bench.segmentId).SetName(LONG)
    bench.segmentationNode.SetName(LONG)
    user.ui.bundleSelector.addItem(LONG, LONG)
    user.ui.bundleSelector.setCurrentIndex(user.ui.bundleSelector.count - 1)
    user.stroke(STROKE)
    unfold(user, "inputsSection", "roundsSection", "optionsSection", "learnSection")
    assert user.ui.seedEditor.activeEffect() == "Paint"
    assert LONG in user.ui.sourceVolumeSelector.currentText
    assert window.smallestWidth <= WIDTH
    for name, widget in vars(user.ui).items():
        if isinstance(widget, QtWidgets.QPushButton) and widget.isVisibleTo(window._panel):
            assert widget.width >= widget.minimumSizeHint().width(), name


def test_the_order_of_work_fits_into_700_pixels(window, user):
    def lowest():
        return max(bottom for _top, bottom in window.places().values())

    assert lowest() <= HEIGHT
    unfold(user, "inputsSection")
    assert lowest() <= HEIGHT
    user.click("segmentButton")
    user.stroke(STROKE)
    unfold(user, "roundsSection", "optionsSection")
    places = window.places()
    tops = [top for top, _bottom in places.values()]
    assert tops == sorted(tops)
    assert lowest() <= HEIGHT


def test_nothing_moves_while_a_user_works(window, user):
    before = window.places()
    user.click("segmentButton")
    assert window.places() == before
    user.click("missingButton", wait=False)
    assert user.ui.seedEditor.activeEffect() == "Paint"
    assert window.places() == before
    user.stroke(STROKE)
    user.click("undoButton")
    assert window.places() == before
    user.click("acceptButton")
    assert window.places() == before


def test_a_table_without_rounds_takes_no_room(window, user):
    assert not user.ui.roundsSection.isVisibleTo(window._panel)
    user.click("segmentButton")
    assert user.ui.roundsSection.isVisibleTo(window._panel)
    user.click("undoButton")
    assert not user.ui.roundsSection.isVisibleTo(window._panel)


def test_the_inputs_fold_once_and_tell_what_is_chosen(user, head, desktop):
    import slicer

    section = user.ui.inputsSection
    assert not section.collapsed
    assert section.text == "Inputs"
    for name in ("flair", "t1"):
        node = slicer.util.addVolumeFromArray(head, name=name)
        user.ui.sourceVolumeSelector.setCurrentNode(node)
    assert section.collapsed
    assert section.text == "t1: New segment, tiny 1.0.0"
    section.setCollapsed(False)
    assert section.text == "Inputs"
    user.ui.sourceVolumeSelector.setCurrentNode(slicer.util.getNode("flair"))
    user.click("segmentButton")
    assert not section.collapsed  # the user's own choice
    slicer.mrmlScene.Clear(0)
    assert section.text == "Inputs"
    assert not section.collapsed


def test_the_volume_of_the_target_is_in_sight(volume_node, user, lesion):
    assert user.ui.volumeLabel.text == ""
    user.click("segmentButton")
    assert user.ui.volumeLabel.text == f"Target: {lesion.sum() * 3 / 1000:.2f} ml"
    user.click("undoButton")
    assert user.ui.volumeLabel.text == "Target: 0.00 ml"


def test_the_brush_is_that_of_the_editor(volume_node, user):
    node = user.ui.seedEditor.mrmlSegmentEditorNode()
    user.click("missingButton")
    assert not user.ui.seedEditor._options.isVisibleTo(user.ui.seedEditor)
    told = []
    tag = node.AddObserver(node.EffectParameterModified, lambda *_: told.append("changed"))
    user.ui.brushSpinBox.setValue(7.5)
    user.ui.sphereCheckBox.click()
    node.RemoveObserver(tag)
    assert told == ["changed", "changed"]
    assert float(node.GetAttribute("BrushAbsoluteDiameter")) == 7.5
    assert node.GetAttribute("BrushDiameterIsRelative") == "0"
    assert node.GetAttribute("BrushSphere") == "1"
    node.SetAttribute("BrushAbsoluteDiameter", "9.6")  # as the mouse wheel does
    node.InvokeCustomModifiedEvent(node.EffectParameterModified)
    assert user.ui.brushSpinBox.value == 9.6
