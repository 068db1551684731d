"""What the server does before its page is seen, and behind it: nothing that would be in its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")

PATIENCE = 60.0  # s


def in_a_loop(name: str, folder: Path, act: Callable[[Any, Any], Any]) -> None:
    """Build the page of a server that is not started, and do something with both."""
    from trame.app import get_server

    from DeepIGeoSLib.web.app import WebApp
    from DeepIGeoSLib.web.autosave import Autosave

    async def run() -> None:
        server = get_server(name, client_type="vue3")
        app = WebApp(server, folder=None, cases=None, autosave=Autosave(folder))
        try:
            await act(server, app)
        finally:
            app.close()

    asyncio.run(run())


def test_nothing_is_drawn_anew_while_the_views_are_built(
    published: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trame_slicer.views import AbstractView

    drawn: list[Any] = []
    monkeypatch.setattr(AbstractView, "render", lambda view: drawn.append(view))

    async def act(_server: Any, app: Any) -> None:
        app.views.show_3d(True)
        views = app._app.view_manager.get_views()
        assert len(views) == 4
        assert not [view for view in views if view in drawn]  # others may be left of other tests

    in_a_loop("undrawn", tmp_path, act)


def test_slices_are_drawn_with_one_sample_a_pixel_the_surface_with_several(
    published: None, tmp_path: Path
) -> None:
    async def act(_server: Any, app: Any) -> None:
        app.views.show_3d(True)
        manager = app._app.view_manager
        slices = [view.render_window().GetMultiSamples() for view in manager.get_slice_views()]
        (surface,) = manager.get_threed_views()
        assert slices == [0, 0, 0]
        assert surface.render_window().GetMultiSamples() > 1

    in_a_loop("samples", tmp_path, act)


@pytest.mark.parametrize("seen", [True, False])
def test_the_model_begins_behind_the_page_also_where_nobody_looks(
    published: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    from DeepIGeoSLib.web import app as page

    never = 10 * PATIENCE
    monkeypatch.setattr(page, "_SEEN", 0.0 if seen else never)
    monkeypatch.setattr(page, "_UNSEEN", never if seen else 0.0)
    monkeypatch.setenv("TRAME_ARGS", "--server")  # or it reads pytest's arguments
    begun: list[bool] = []

    async def act(server: Any, app: Any) -> None:
        app.session.begin_model = lambda: begun.append(True)
        quiet = {"open_browser": False, "show_connection_info": False, "timeout": 0}
        server.start(exec_mode="task", host="127.0.0.1", port=0, **quiet)
        await server.ready
        if seen:
            await asyncio.sleep(0.2)
            assert not begun
            server.controller.on_client_connected()
        until = time.monotonic() + PATIENCE
        while not begun and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await server.stop()
        assert begun == [True]

    in_a_loop(f"seen-{seen}", tmp_path, act)
