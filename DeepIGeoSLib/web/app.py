"""The page: layout, state, and the timer that keeps both up to date."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets.html import Div, Span
from trame_server.utils.asynchronous import create_task
from trame_slicer.core import SlicerApp
from trame_slicer.segmentation import SegmentationEffectNoTool
from trame_vuetify.widgets.vuetify3 import (
    VAppBar,
    VAppBarTitle,
    VBtn,
    VFooter,
    VIcon,
    VMain,
    VNavigationDrawer,
    VProgressLinear,
    VSnackbar,
)

from DeepIGeoSLib.errors import DeepIGeoSError
from DeepIGeoSLib.scene.colors import SEED_COLORS
from DeepIGeoSLib.scene.headless import showVtkErrorsOnly
from DeepIGeoSLib.web.actions import SHORTCUTS, Actions
from DeepIGeoSLib.web.autosave import Autosave
from DeepIGeoSLib.web.brush import Brush
from DeepIGeoSLib.web.cases import Cases
from DeepIGeoSLib.web.opened_folder import OpenedFolder
from DeepIGeoSLib.web.panel import build_panel
from DeepIGeoSLib.web.session import ERASER, NO_BRUSH, TICK, TOO_MUCH, WebSession
from DeepIGeoSLib.web.shown import models, shown
from DeepIGeoSLib.web.views import Views

_log = logging.getLogger(__name__)

_AFTER_FAILURE = 5.0  # s
_SEEN = 0.3  # s after a browser has connected, in which the page is drawn and nothing else is done
_UNSEEN = 5.0  # s after the start, where no browser connects
_RESIZED = 0.5  # s after which the browser has told the new sizes of the views
_ERASER_COLOR = (0.9, 0.9, 0.9)
_PROBLEM_COLOR = "#b00020"  # below white letters also where the theme is dark: its own is too light

_ENDED = (
    "The connection to deepigeos web has ended; what you did is kept. Reload this page, or start "
    "deepigeos web again and open its new address."
)

_START = {
    "trame__title": "DeepIGeoS",
    "trame__template_error": f'<p class="ended" id="ended">{_ENDED}</p>',
    "trame__favicon": None,  # trame-slicer's lies on another server
    "shortcuts": SHORTCUTS,
    "problem": "",
    "uploading": False,
    "opening": False,
    "path_asked": "",
    "auto_refine": True,
    "fill": 0.35,
    "outline": 1.0,
    "strokes_opacity": 0.9,
    "window": [0.0, 1.0],
    "window_min": 0.0,
    "window_max": 1.0,
    "show_3d": False,
    "show_uncertainty": False,
    "theme": "dark",
    "drawer": True,
}


class WebApp:
    """One page, one scene, one user.

    Attributes:
        session: what is worked on.
        actions: what the page calls.
        views: the slices.
    """

    def __init__(
        self,
        server: Any,
        *,
        folder: OpenedFolder | None,
        cases: Cases | None,
        autosave: Autosave,
    ) -> None:
        """Build the page of a trame server.

        Args:
            server: of trame, not started yet.
            folder: what may be opened by path; nothing when None.
            cases: those of the folder, where it is gone through as a list.
            autosave: keeps the work on disk.
        """
        self._server, self._state = server, server.state
        self._autosave = autosave
        server.enable_module(
            {
                "serve": {"deepigeos": str(Path(__file__).parent / "page")},
                "scripts": ["deepigeos/order.js", "deepigeos/page.js"],
                "styles": ["deepigeos/page.css"],
            }
        )
        self._app = SlicerApp()
        showVtkErrorsOnly()
        self.session = WebSession(self._app)
        self.views = Views(server, self._app)
        self._brush = self._app.segmentation_editor.get_effect(Brush)
        self._brush.stroke = self.session.stroke
        self.actions = Actions(
            state=self._state,
            session=self.session,
            views=self.views,
            folder=folder,
            cases=cases,
            autosave=autosave,
            after_stroke=self._brush.after_stroke,
        )
        self._begin_state(folder, cases)
        self._build()
        self._follow_state()
        self._beginning: asyncio.Task | None = None
        server.controller.on_server_ready.add(lambda **_: create_task(self._keep_up()))
        server.controller.on_server_ready.add(lambda **_: self._begin_model_in(_UNSEEN))
        server.controller.on_client_connected.add(lambda **_: self._begin_model_in(_SEEN))
        for comes_or_goes in (
            server.controller.on_client_connected,
            server.controller.on_client_exited,
        ):
            comes_or_goes.add(lambda **_: self._brush.drop_stroke())

    def _begin_state(self, folder: OpenedFolder | None, cases: Cases | None) -> None:
        state, session = self._state, self.session
        state.update(_START)
        state.client_only("uploading")  # a page that is closed meanwhile can't take it back
        state.update(
            {
                "models": models(),
                "brush": session.brush,
                "diameter": session.diameter,
                "ball": session.ball,
                "has_folder": folder is not None,
                "opened_folder": "" if folder is None else f"In {folder.folder}",
            }
        )
        state.update(
            {
                "cases": [] if cases is None else cases.listed(),
                "case_name": "",
                "case_done": False,
            }
        )
        last = self._autosave.last()
        state.update({"last_title": last[1] if last else ""})
        state.update(shown(session))

    def _build(self) -> None:
        with VAppLayout(self._server) as self.layout:
            self.layout.root.theme = ("theme",)
            with VAppBar(density="compact", elevation=1):
                with VBtn(icon=True, click="drawer = !drawer", title="Show or hide the panel"):
                    VIcon("mdi-menu")
                with VAppBarTitle():
                    Span("DeepIGeoS")
                    Span("{{ case_title }}", classes="ml-4 text-medium-emphasis", id="case-title")
                with VBtn(
                    icon=True,
                    click="theme = theme === 'dark' ? 'light' : 'dark'",
                    title="Light or dark",
                    id="theme",
                ):
                    VIcon("mdi-theme-light-dark")
            with VNavigationDrawer(v_model=("drawer",), width=330, permanent=True):
                build_panel(self.actions)
            with VMain(), Div(style="height: calc(100vh - 92px); display: flex;"):
                self.views.layout.initialize_layout_grid(self.layout)
            with VFooter(app=True, classes="pa-0", border=True, height=44), Div(classes="status"):
                Span(
                    "{{ opening ? 'Reading the image' : uploading ? 'Uploading' : status }}",
                    classes="says",
                    id="status",
                )
                VProgressLinear(
                    v_if=("busy || opening || uploading",),
                    indeterminate=("progress === 0",),
                    model_value=("progress",),
                    color="primary",
                )
                VBtn(
                    "Cancel",
                    v_if=("busy",),
                    id="cancel",
                    size="small",
                    click=(self.actions.act, "['cancel']"),
                    title="Stop what runs (Esc)",
                )
                VBtn(
                    "Cancel upload",
                    v_if=("uploading",),
                    id="cancel-upload",
                    size="small",
                    click="utils.deepigeos.cancelUpload()",
                    title="Stop the upload (Esc)",
                )
            VSnackbar(
                "{{ problem }}",
                model_value=("!!problem",),
                update_modelValue="problem = $event ? problem : ''",
                id="problem",
                color=_PROBLEM_COLOR,
                timeout=12000,
                location="top",
                multi_line=True,
            )

    def _follow_state(self) -> None:
        state, session = self._state, self.session
        known = {model["value"] for model in state.models}
        self._server.trigger("key")(self.actions.key)
        self._server.trigger("arrived")(lambda: None)  # is answered behind what came before it

        @state.change("brush", "diameter", "ball", "can_paint")
        def on_brush(can_paint: bool, **_: Any) -> None:
            if not can_paint:
                self._brush.end_stroke()
            self._brush.after_stroke(self._use_brush)

        @state.change("model")
        def on_model(model: str, **_: Any) -> None:
            if model in known:  # a browser may say anything
                session.use_model(model)

        @state.change("auto_refine")
        def on_auto_refine(auto_refine: bool, **_: Any) -> None:
            if auto_refine != session.bench.autoRefine:
                session.set_auto_refine(auto_refine)

        @state.change("window")
        def on_window(window: list[float], **_: Any) -> None:
            self.actions.show_window(*window)

        @state.change("fill", "outline", "strokes_opacity")
        def on_opacity(**_: Any) -> None:
            self._show_opacity()

        @state.change("show_uncertainty")
        def on_uncertainty(show_uncertainty: bool, **_: Any) -> None:
            session.uncertainty_shown = show_uncertainty

        @state.change("show_3d")
        def on_3d(show_3d: bool, **_: Any) -> None:
            if show_3d != session.surface_shown:
                session.surface_shown = show_3d
                self.views.show_3d(show_3d)
                create_task(self._fit_views())

    def close(self) -> None:
        """Write what is not written yet, and end the threads."""
        session = self.session
        if session.case is not None and session.bench.segmentationNode is not None:
            self._autosave.write(session)
        session.stop()

    def _save(self) -> None:
        try:
            self._autosave.keep_up(self.session)
        except DeepIGeoSError as error:
            self.actions.tell(f"Your work could not be saved: {error}")

    def _use_brush(self) -> None:
        """Take the brush that is chosen in the page, and show it where something can be painted."""
        state, session, editor = self._state, self.session, self._app.segmentation_editor
        session.brush, session.diameter = state.brush, float(state.diameter)
        session.ball = bool(state.ball)
        active = state.can_paint and session.brush != NO_BRUSH
        editor.set_active_effect_type(Brush if active else SegmentationEffectNoTool)
        if active:
            kind = "background" if session.brush == TOO_MUCH else "foreground"
            color = _ERASER_COLOR if session.brush == ERASER else SEED_COLORS[kind]
            self._brush.show_as(session.diameter, session.ball, color)

    def _show_opacity(self) -> None:
        state, bench = self._state, self.session.bench
        if bench.segmentationNode is not None:
            display = bench.segmentationNode.GetDisplayNode()
            display.SetOpacity2DFill(float(state.fill))
            display.SetOpacity2DOutline(float(state.outline))
        if bench.seeds is not None:
            display = bench.seeds.segmentationNode.GetDisplayNode()
            display.SetOpacity(float(state.strokes_opacity))

    async def _fit_views(self) -> None:
        """Show whole slices in views of another size, and all of a surface that appears."""
        await asyncio.sleep(_RESIZED)
        self.views.fit()
        while self.session.surface_shown and not self.views.is_surface_there():
            await asyncio.sleep(TICK)
        self.views.reset_3d()

    def _begin_model_in(self, seconds: float) -> None:
        """Let the model begin after some seconds, whatever was said before."""
        if self._beginning is not None:
            self._beginning.cancel()
        self._beginning = create_task(self._begin_model(seconds))

    async def _begin_model(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.session.begin_model()

    async def _keep_up(self) -> None:
        """Bring results in, and show what is new, as long as the server runs."""
        while True:
            try:
                self._tick()
            except Exception:  # whatever it is, the next tick may do better
                _log.exception("The page could not be brought up to date")
                self.actions.tell("Something went wrong; the log has the details.")
                await asyncio.sleep(_AFTER_FAILURE)
            await asyncio.sleep(TICK)

    def _tick(self) -> None:
        self.session.poll()
        self._save()
        if self.session.changed:
            self.session.changed = False
            with self._state as state:
                state.update(shown(self.session))
                self._show_opacity()
