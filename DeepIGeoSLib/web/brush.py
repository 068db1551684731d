"""The brush in the slice views: hands over each stroke as a line, when the button is released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trame_slicer.segmentation.abstract_segmentation_effect_brush import (
    AbstractSegmentationEffectBrush,
)
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode
from trame_slicer.segmentation.segment_modifier import ModificationMode
from trame_slicer.segmentation.segmentation_paint_pipeline import SegmentationPaintPipeline2D

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.scene.slice_views import viewNormal

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Drawn:
    """What was drawn with a button held down.

    Attributes:
        points: RAS positions (mm, world), in order.
        normal: of the view's plane, in the world.
    """

    points: list[Point]
    normal: Point


class _Pipeline(SegmentationPaintPipeline2D):
    """Follows the mouse or pen in one slice view."""

    def __init__(self) -> None:
        super().__init__()
        self._line: list[Point] = []

    def IsActive(self) -> bool:
        return self._isActive  # nothing is painted here, so no segment need be chosen

    def OnPaintInteractionStopped(self) -> None:
        line, self._line = self._line, []
        self.widget.clear()
        if line:
            normal = viewNormal(self._view.get_view_node())
            self._effect.stroke(Drawn(line, three(float(part) for part in normal)))
        self._effect.end_stroke()

    def drop(self) -> None:
        """Let go of a line whose button was not released; nobody gets it."""
        self._line = []
        self._LeftButtonRelease(None)

    def _LeftButtonPress(self, event_data: Any) -> bool:
        self._effect.begin_stroke()
        return super()._LeftButtonPress(event_data)

    def _PaintAtEventLocation(self, event_data: Any) -> bool:
        position = three(float(part) for part in event_data.GetWorldPosition())
        if self.widget.is_painting() and self._line[-1:] != [position]:
            self._line.append(position)
        return super()._PaintAtEventLocation(event_data)


class Brush(AbstractSegmentationEffectBrush):
    """A round brush of the slice views that paints nothing itself.

    Attributes:
        stroke: is called with each stroke (a ``Drawn``).
    """

    def __init__(self) -> None:
        """Make a brush whose strokes nobody gets yet."""
        super().__init__(ModificationMode.Add)
        self.stroke: Callable[[Drawn], object] = lambda drawn: None
        self._drawing = False
        self._waiting: list[Callable[[], object]] = []

    def after_stroke(self, act: Callable[[], object]) -> None:
        """Do something: at once, or, where a stroke is being drawn, right behind it.

        A key may be pressed while the button is down. What is done before or after a stroke, the
        page sends before or after it (``page/order.js``).
        """
        if self._drawing:
            self._waiting.append(act)
        else:
            act()

    def begin_stroke(self) -> None:
        """Note that the button is down."""
        self._drawing = True

    def end_stroke(self) -> None:
        """Note that nothing is drawn any more, and do what waited for it."""
        self._drawing = False
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()

    def drop_stroke(self) -> None:
        """Forget a stroke that is being drawn: of a page that has gone, nobody sees its end."""
        for reference in self._pipelines:
            pipeline = reference()
            if pipeline is not None and pipeline.widget is not None:
                pipeline.drop()
        self.end_stroke()

    def paint_glyph_at_world_coordinates(self, polydata: Any, paint_coordinates_world: Any) -> None:
        """Paint nothing; see ``stroke``."""

    def show_as(self, diameter: float, ball: bool, color: tuple[float, float, float]) -> None:
        """Let the brush look like what it does.

        Args:
            diameter: mm.
            ball: whether it reaches into the slices beside the shown one.
            color: red, green, blue in [0, 1].
        """
        self.set_brush_diameter(diameter, BrushDiameterMode.Absolute)
        self.set_use_sphere_brush(ball)
        self._refresh_model_nodes()
        parameters = self._get_paint_parameters()
        for node in (parameters.brush_model_node, parameters.paint_feedback_model_node):
            node.GetDisplayNode().SetColor(*color)
            node.GetDisplayNode().SetVisibility3D(False)

    def _create_pipeline(self, view_node: Any, _parameter: Any) -> Any:
        return _Pipeline() if view_node.IsA("vtkMRMLSliceNode") else None
