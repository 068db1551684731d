"""Where the newest answer is unsure, laid over the slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.scene import Workbench
from DeepIGeoSLib.scene.computation import Computation
from DeepIGeoSLib.scene.nodes import ijkToRasOf
from DeepIGeoSLib.web.css_color import css

# Bits of entropy below which nothing is shown, and the map of colors: the brighter, the less sure.
_SURE = 0.1
_COLORS = "vtkMRMLColorTableNodeMagenta"
_LEGEND = 5  # colors of it


class UncertaintyOverlay:
    """Keeps the map up to date while it is wished; nothing here waits."""

    def __init__(self, show: Callable[[Any], None]) -> None:
        """Begin without a map; ``show`` lays a volume node over the slices, or none (None)."""
        self._show = show
        self._node: Any = None
        self._shown: tuple[Any, ...] | None = None
        self._running: tuple[tuple[Any, ...], Computation] | None = None

    def follow(self, bench: Workbench, wished: bool) -> None:
        """Show the target as it is now, or nothing; a timer calls this."""
        state = self._state(bench) if wished else None
        if self._running is not None:
            if not self._running[1].done:
                return
            (computed, running), self._running = self._running, None
            values = running.finish()
            if computed == state and values is not None:
                self._lay(bench.volumeNode, values)
                self._shown = state
        if state == self._shown:
            return
        if state is None:
            self.forget()
        elif not bench.busy and bench.rounds and not bench.isAccepted:
            try:
                self._running = (state, bench.logic.startUncertainty(*bench.target.place))
            except InputError:
                self._shown = state  # the workbench says what is wrong with the target

    def forget(self) -> None:
        """Show nothing."""
        if self._node is not None:
            self._show(None)
            slicer.mrmlScene.RemoveNode(self._node)
        self._node = self._shown = None

    def _state(self, bench: Workbench) -> tuple[Any, ...]:
        count = len(bench.rounds)
        last = bench.rounds[-1] if count else None
        return (bench.segmentationNode, bench.segmentId, count, last)

    def _lay(self, volume_node: Any, values: np.ndarray) -> None:
        if self._node is None:
            self._node = slicer.util.addVolumeFromArray(
                values, ijkToRAS=ijkToRasOf(volume_node), name="Uncertainty"
            )
            self._node.SetSaveWithScene(False)
            self._node.CreateDefaultDisplayNodes()
            display = self._node.GetDisplayNode()
            display.SetAutoWindowLevel(False)
            display.SetWindowLevelMinMax(0.0, 1.0)
            display.SetAndObserveColorNodeID(_COLORS)
            display.SetLowerThreshold(_SURE)
            display.SetApplyThreshold(True)
        else:
            slicer.util.updateVolumeFromArray(self._node, values)
        self._show(self._node)


def legend() -> str:
    """Return the colors, from rather sure to unsure, as CSS writes a gradient."""
    table = slicer.mrmlScene.GetNodeByID(_COLORS)
    last = table.GetNumberOfColors() - 1
    colors = []
    for share in np.linspace(_SURE, 1, _LEGEND):
        rgba = [0.0] * 4
        table.GetColor(round(share * last), rgba)
        colors.append(css(three(rgba[:3])))
    return f"linear-gradient(90deg, {', '.join(colors)})"
