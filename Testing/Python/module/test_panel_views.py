"""What the slice views do while somebody works in the panel."""

from __future__ import annotations

import numpy as np
import pytest

STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))
OBLIQUE = np.array([[1, 0, 0, 5], [0, 0.8, -1.8, -7], [0, 0.6, 2.4, 9], [0, 0, 0, 1.0]])


@pytest.fixture
def view(desktop):
    """A coronal slice view."""
    import slicer

    made = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Green")
    made.SetOrientation("Coronal")
    return made


def to_ras(view):
    import slicer

    return slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())


def test_views_go_to_what_segment_found_and_stay_where_a_stroke_was_painted(
    volume_node, user, view, lesion
):
    view.JumpSliceByCentering(0, -300, 0)
    user.click("segmentButton")
    voxels = np.argwhere(lesion)
    k, j, i = (voxels.min(axis=0) + voxels.max(axis=0)) / 2
    np.testing.assert_allclose(to_ras(view)[:3, 3], (i, j, 3 * k))
    view.JumpSliceByOffsetting(0, 17, 0)
    before = to_ras(view)
    user.stroke(STROKE)
    np.testing.assert_array_equal(to_ras(view), before)
    view.JumpSliceByOffsetting(0, -300, 0)
    user.stroke((slice(4, 5), *STROKE[1:]))
    assert STROKE[1].start <= to_ras(view)[1, 3] < STROKE[1].stop


@pytest.mark.parametrize("wished", [True, False])
def test_views_go_to_what_undo_and_redo_changed(volume_node, user, view, wished):
    user.click("segmentButton")
    user.stroke(STROKE)
    refined = user.content()
    user.ui.goToChangesCheckBox.setChecked(wished)
    for button in ("undoButton", "redoButton"):
        view.JumpSliceByOffsetting(0, -300, 0)
        away = to_ras(view)
        before = user.content()
        user.click(button)
        rows = np.flatnonzero((user.content() != before).any(axis=(0, 2)))
        assert rows.size
        shown = to_ras(view)[1, 3]
        assert shown == (pytest.approx((rows[0] + rows[-1]) / 2) if wished else away[1, 3])
    np.testing.assert_array_equal(user.content(), refined)


def test_views_that_show_what_undo_changed_stay(volume_node, user, view):
    user.click("segmentButton")
    user.stroke(STROKE)
    view.JumpSliceByOffsetting(0, STROKE[1].start, 0)
    before = to_ras(view)
    user.click("undoButton")
    np.testing.assert_array_equal(to_ras(view), before)


def test_views_stay_where_they_are_if_the_user_wishes(volume_node, user, view):
    user.ui.goToChangesCheckBox.setChecked(False)
    before = to_ras(view)
    user.click("segmentButton")
    np.testing.assert_array_equal(to_ras(view), before)


def test_views_are_aligned_when_an_oblique_volume_is_chosen(user, view, head):
    import slicer

    from DeepIGeoSLib.scene.slice_views import isAligned

    user.ui.alignViewsCheckBox.setChecked(False)
    node = slicer.util.addVolumeFromArray(head, ijkToRAS=OBLIQUE, name="oblique")
    user.ui.sourceVolumeSelector.setCurrentNode(node)
    assert not isAligned(view, node)
    user.ui.alignViewsCheckBox.setChecked(True)
    assert isAligned(view, node)


def test_the_surface_is_shown_if_wished_and_never_delays_a_stroke(volume_node, user):
    import threading
    import time

    import slicer

    def model():
        nodes = slicer.util.getNodesByClass("vtkMRMLModelNode")
        return nodes[0] if nodes else None

    def await_model(bounds_differ_from=None):
        end = time.monotonic() + 20
        while model() is None or model().GetPolyData().GetBounds() == bounds_differ_from:
            assert time.monotonic() < end
            user.wait()

    user.click("segmentButton")
    assert model() is None
    user.ui.showSurfaceCheckBox.setChecked(True)
    await_model()
    before = model().GetPolyData().GetBounds()
    release = threading.Event()
    user.panel._aside.submit(release.wait, 20)  # a surface that takes its time
    user.stroke(STROKE)
    assert user.content()[STROKE].all()
    assert model().GetPolyData().GetBounds() == before
    release.set()
    await_model(bounds_differ_from=before)
    user.ui.showSurfaceCheckBox.setChecked(False)
    assert not model().GetDisplayNode().GetVisibility()


@pytest.fixture
def tilted(desktop, volume_node, user):
    """A view that is oblique to the volume, and the voxels that it shows at its pixels."""
    import slicer

    from DeepIGeoSLib.scene.places import worldPosition
    from DeepIGeoSLib.scene.seen_stroke import voxelsAt

    made = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Slanted")
    plane = np.eye(4)
    lean = np.radians(25)
    plane[:3, 0], plane[:3, 2] = (np.cos(lean), 0, np.sin(lean)), (-np.sin(lean), 0, np.cos(lean))
    plane[:3, 3] = worldPosition(volume_node, (5, 14, 16))
    made.GetSliceToRAS().DeepCopy(slicer.util.vtkMatrixFromArray(plane))
    made.UpdateMatrices()
    user.ui.alignViewsCheckBox.setChecked(False)
    desktop.layout.show("Slanted")

    def under(pixels):
        flat = np.column_stack(
            [np.array(pixels, float), np.zeros(len(pixels)), np.ones(len(pixels))]
        )
        return voxelsAt(volume_node, (flat @ plane.T)[:, :3])

    return under


def drag(desktop, *positions, button="Left"):
    interactor = desktop.layout.sliceWidget("Slanted").sliceView().interactor()
    interactor.SetSize(100, 100)
    for number, position in enumerate(positions):
        interactor.SetEventPosition(*position)
        interactor.InvokeEvent("MouseMoveEvent" if number else f"{button}ButtonPressEvent")
    interactor.InvokeEvent(f"{button}ButtonReleaseEvent")


# A brush of 4 mm drawn along the view, and the pixels (mm) below it, a tenth apart.
PATH = [(x, 0) for x in range(-9, 10, 3)]
BELOW = [(x / 10, y / 10) for x in range(-90, 91) for y in range(-15, 16)]


def seeds(user):
    return user.panel.workbench.seeds.read(user.panel.workbench.volumeNode)


def prepare(user, effect="Paint"):
    user.ui.autoRefineCheckBox.setChecked(False)
    user.click("missingButton", wait=False)
    user.ui.brushSpinBox.setValue(4.0)
    user.ui.seedEditor.setActiveEffectByName(effect)


def test_a_stroke_on_an_oblique_view_is_what_the_user_saw(volume_node, user, tilted, desktop):
    prepare(user)
    drag(desktop, *PATH)
    foreground, background = seeds(user)
    voxels = tilted(BELOW)
    assert foreground[tuple(voxels.T)].all()
    assert len(set(voxels[:, 0])) > 2  # through several thick slices
    assert not background.any()
    drag(desktop, *PATH[:3], button="Right")
    foreground, background = seeds(user)
    again = tilted([pixel for pixel in BELOW if pixel[0] < -4])
    assert background[tuple(again.T)].all()
    assert not (foreground & background).any()
    user.ui.seedEditor.setActiveEffectByName("Erase")
    drag(desktop, *PATH)
    foreground, background = seeds(user)
    assert not foreground[tuple(voxels.T)].any()
    assert background.any()  # Slicer's eraser leaves the other kind, too


@pytest.mark.parametrize("reason", ["aligned", "no brush", "Draw", "Shift", "module closed"])
def test_other_strokes_are_left_to_slicer(volume_node, user, tilted, desktop, reason):
    prepare(user, {"no brush": "", "Draw": "Draw"}.get(reason, "Paint"))
    if reason == "aligned":
        user.ui.alignViewsCheckBox.setChecked(True)
    elif reason == "Shift":
        desktop.layout.sliceWidget("Slanted").sliceView().interactor().SetShiftKey(1)
    elif reason == "module closed":
        user.panel.oblique.remove()
    drag(desktop, *PATH)
    assert not any(mask.any() for mask in seeds(user))


# An outline of Draw in the view, and the pixels (mm) inside it, a tenth apart.
OUTLINE = [(-9, -4), (8, -5), (9, 5), (-8, 4)]
INSIDE = [(x / 10, y / 10) for x in range(-78, 78) for y in range(-38, 39)]


def outline(desktop, points, close):
    """Click the points of an outline, and close it."""
    interactor = desktop.layout.sliceWidget("Slanted").sliceView().interactor()
    interactor.SetSize(100, 100)
    for point in points:
        interactor.SetEventPosition(*point)
        interactor.InvokeEvent("LeftButtonPressEvent")
        interactor.InvokeEvent("LeftButtonReleaseEvent")
    if close == "right click":
        interactor.InvokeEvent("RightButtonPressEvent")
        interactor.InvokeEvent("RightButtonReleaseEvent")
    elif close == "double click":
        interactor.InvokeEvent("LeftButtonDoubleClickEvent")
    elif close:
        interactor.SetKeySym(close)
        interactor.InvokeEvent("KeyPressEvent")


CLOSINGS = ("right click", "double click", "a", "Return")


@pytest.mark.parametrize("close", CLOSINGS)
def test_an_outline_on_an_oblique_view_is_filled_as_the_user_saw_it(
    volume_node, user, tilted, desktop, close
):
    prepare(user, "Draw")
    inside = tuple(tilted(INSIDE).T)
    outline(desktop, OUTLINE, close)
    user.wait()
    foreground, background = seeds(user)
    assert foreground[inside].all()
    assert len(set(inside[0])) > 2  # through several thick slices
    assert not background.any()
    distant = tilted([(x, y) for x in range(-12, 13) for y in range(-13, 13) if abs(y) > 8])
    assert not foreground[tuple(distant.T)].any()
    user.click("tooMuchButton", wait=False)
    user.ui.seedEditor.setActiveEffectByName("Draw")
    outline(desktop, OUTLINE, close)
    user.wait()
    foreground, background = seeds(user)
    assert background[inside].all()
    assert not foreground[inside].any()


def test_draw_alone_leaves_gaps_there(volume_node, user, tilted, desktop):
    prepare(user, "Draw")
    user.panel.outlines.remove()
    outline(desktop, OUTLINE, "a")
    user.wait()
    painted = seeds(user)[0][tuple(tilted(INSIDE).T)]
    assert painted.any()
    assert not painted.all()


def test_points_that_draw_has_taken_away_are_not_part_of_the_outline(
    volume_node, user, tilted, desktop
):
    prepare(user, "Draw")
    outline(desktop, [*OUTLINE, (0, 60)], "x")
    outline(desktop, [], "a")
    user.wait()
    foreground = seeds(user)[0]
    assert foreground[tuple(tilted(INSIDE).T)].all()
    assert not foreground[tuple(tilted([(0, y) for y in range(8, 13)]).T)].any()


@pytest.mark.parametrize("reason", ["not closed", "two points", "aligned", "module closed"])
def test_other_outlines_are_left_to_slicer(volume_node, user, tilted, desktop, reason, monkeypatch):
    prepare(user, "Draw")
    if reason == "aligned":
        user.ui.alignViewsCheckBox.setChecked(True)
    elif reason == "module closed":
        user.panel.exit()
    completed = []
    monkeypatch.setattr(user.panel.workbench, "completeOutline", completed.append)
    points = OUTLINE[:2] if reason == "two points" else OUTLINE
    outline(desktop, points, "" if reason == "not closed" else "a")
    user.wait()
    assert not completed
