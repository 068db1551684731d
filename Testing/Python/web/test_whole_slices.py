"""Slices stay whole at every size of their view, until somebody zooms or moves them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")


@pytest.fixture
def view(app: Any, session: Any, head: Path) -> Any:
    """A view of 400 x 300 pixels that shows a whole axial slice."""
    from trame_slicer.views import NoScheduleRendering

    from DeepIGeoSLib.web.whole_slice_view import WholeSliceView

    asyncio.run(session.open(head))
    view = WholeSliceView(
        app.scene, app.app_logic, "Whole", scheduled_render_strategy=NoScheduleRendering()
    )
    view.set_orientation("Axial")
    view.set_background_volume_id(session.bench.volumeNode.GetID())
    view.render_window().SetSize(400, 300)
    view.fit_view_to_content()
    return view


def resize(view: Any, width: int, height: int) -> None:
    from vtkmodules.vtkCommonCore import vtkCommand

    view.render_window().SetSize(width, height)
    view.interactor().InvokeEvent(vtkCommand.WindowResizeEvent)


def slack(view: Any, volume_node: Any) -> list[float]:
    """Return how much more than the slice a view shows along its width and height, in mm."""
    bounds = [0.0] * 6
    volume_node.GetSliceBounds(bounds, view._view_node.GetSliceToRAS())
    seen = view._view_node.GetFieldOfView()
    return [seen[axis] - (bounds[2 * axis + 1] - bounds[2 * axis]) for axis in (0, 1)]


@pytest.mark.parametrize(("width", "height"), [(800, 200), (200, 800), (300, 300)])
def test_a_whole_slice_stays_whole_and_fills_the_view(
    view: Any, session: Any, width: int, height: int
) -> None:
    for size in ((width, height), (500, 400)):
        resize(view, *size)
        assert min(slack(view, session.bench.volumeNode)) == pytest.approx(0, abs=1)


def test_what_somebody_has_zoomed_or_moved_stays(view: Any, session: Any) -> None:
    node = view._view_node
    width, height, depth = node.GetFieldOfView()
    node.SetFieldOfView(width / 2, height / 2, depth)
    resize(view, 600, 500)
    assert max(slack(view, session.bench.volumeNode)) < 0
    view.fit_view_to_content()
    node.SetXYZOrigin(20, 0, 0)
    resize(view, 700, 500)
    assert node.GetXYZOrigin()[0] == 20
    view.fit_view_to_content()
    resize(view, 400, 500)
    assert min(slack(view, session.bench.volumeNode)) == pytest.approx(0, abs=1)
