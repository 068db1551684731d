"""The views: three slices, and on request the surface in 3D."""

from __future__ import annotations

from typing import Any

from trame.widgets.html import Div
from trame_slicer.app.logic.slice_view_logic import connect_slice_view_slider_to_state
from trame_slicer.app.ui.slider import Slider
from trame_slicer.core import LayoutManager
from trame_slicer.rca_view import RemoteViewFactory
from trame_slicer.views import (
    Layout,
    LayoutDirection,
    NoScheduleRendering,
    ThreeDView,
    ViewLayoutDefinition,
    ViewType,
)
from trame_vuetify.widgets.vuetify3 import VBtn, VIcon

from DeepIGeoSLib.scene.slice_views import alignViews
from DeepIGeoSLib.scene.surface import surfaceNode
from DeepIGeoSLib.web.whole_slice_view import WholeSliceView

_OVER = 0.5  # opacity of what is laid over the slices
_UNTOUCHED = 10.0  # pictures a second of a view that the mouse is not in

SLICES, WITH_3D = "slices", "slices and 3D"


class Views:
    """Slice views and the 3D view of a page.

    The 3D view is made when it is first asked for: it takes seconds to start.
    """

    def __init__(self, server: Any, app: Any) -> None:
        """Take the trame server and the ``SlicerApp``."""
        self._app = app
        for make, kind, controls in (
            (_slice_view, ViewType.SLICE_VIEW, _slice_controls),
            (_surface_view, ViewType.THREE_D_VIEW, _surface_controls),
        ):
            app.view_manager.register_factory(
                RemoteViewFactory(
                    server, make, kind, populate_view_ui_f=controls, blur_fps=_UNTOUCHED
                )
            )
        self.layout = LayoutManager(app.scene, app.view_manager, server)
        axial = ViewLayoutDefinition.axial_view()
        coronal = ViewLayoutDefinition.coronal_view()
        sagittal = ViewLayoutDefinition.sagittal_view()
        surface = ViewLayoutDefinition.threed_view()
        right = Layout(LayoutDirection.Vertical, [coronal, sagittal])
        self.layout.register_layout(
            SLICES, Layout(LayoutDirection.Horizontal, [axial, right], ["3", "2"])
        )
        left = Layout(LayoutDirection.Vertical, [axial, surface])
        self.layout.register_layout(
            WITH_3D, Layout(LayoutDirection.Horizontal, [left, right]), lazy_initialization=True
        )
        self.layout.set_layout(SLICES)

    def show_3d(self, shown: bool) -> None:
        """Show the 3D view beside the slices, or the slices alone."""
        self.layout.set_layout(WITH_3D if shown else SLICES)

    def show_volume(self, volume_node: Any) -> None:
        """Show a volume in the slice views, along its own planes and whole."""
        self._app.display_manager.show_volume_in_slice_background(volume_node)
        for view in self._app.view_manager.get_slice_views():
            view.set_foreground_opacity(_OVER)
        self.fit()
        alignViews(volume_node)
        self.fit()

    def fit(self) -> None:
        """Show whole slices."""
        for view in self._app.view_manager.get_slice_views():
            view.fit_view_to_content()

    def is_surface_there(self) -> bool:
        """Return whether a surface is computed and shown in 3D."""
        node = surfaceNode()
        return node is not None and bool(node.GetDisplayNode().GetVisibility())

    def reset_3d(self) -> None:
        """Look at all of the surface."""
        for view in self._app.view_manager.get_threed_views():
            view.reset_view()


def _slice_view(**place: Any) -> WholeSliceView:
    """Make a slice view with one sample a pixel; eight take a processor most of its time."""
    view = WholeSliceView(scheduled_render_strategy=NoScheduleRendering(), **place)
    view.render_window().SetMultiSamples(0)
    return view


def _surface_view(**place: Any) -> ThreeDView:
    """Make a 3D view; like a slice view it draws nothing before it is in the page."""
    return ThreeDView(scheduled_render_strategy=NoScheduleRendering(), **place)


def _slice_controls(server: Any, view_id: str, view: Any) -> None:
    """Fill a slice view: its name, buttons for fingers, and the slider of the slices."""
    with Div(classes="view-title"):
        Div(view.get_orientation() or view_id)
    with Div(classes="view-buttons"):
        for icon, title, act in (
            ("mdi-plus", "Zoom in", view.zoom_in),
            ("mdi-minus", "Zoom out", view.zoom_out),
            ("mdi-fit-to-page-outline", "Show the whole slice", view.fit_view_to_content),
        ):
            _button(icon, title, act)
    with Div(classes="view-slider"):
        Slider(
            typed_state=connect_slice_view_slider_to_state(server, view),
            theme="dark",
            density="compact",
        )


def _surface_controls(_server: Any, _view_id: str, view: Any) -> None:
    with Div(classes="view-title"):
        Div("3D")
    with Div(classes="view-buttons"):
        _button("mdi-fit-to-page-outline", "Show all of the surface", view.reset_view)


def _button(icon: str, title: str, act: Any) -> None:
    with VBtn(size="x-small", variant="text", icon=True, click=act, title=title):
        VIcon(icon, color="white", size="small")
