"""A head with two lesions far apart, and a user who paints strokes in it."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np

SHAPE = (12, 60, 360)
FIRST = (slice(3, 9), slice(20, 34), slice(20, 34))
SECOND = (slice(3, 9), slice(20, 34), slice(320, 334))  # no stroke in the first one reaches it
IN_FIRST = ((5, 26, 24), (5, 26, 30))
IN_SECOND = ((5, 26, 324), (5, 26, 330))
ELSEWHERE = ((5, 45, 100), (5, 45, 104))


def two_lesions(name: str = "flair", matrix: np.ndarray | None = None) -> Any:
    """Add the head to the scene."""
    import slicer

    voxels = np.zeros(SHAPE, np.int16)
    inner = (slice(1, -1), slice(2, -2), slice(2, -2))
    voxels[inner] = np.random.default_rng(7).normal(100, 4, voxels[inner].shape)
    voxels[FIRST], voxels[SECOND] = 160, 170
    spacing = np.diag([1, 1, 3, 1.0])
    return slicer.util.addVolumeFromArray(
        voxels, ijkToRAS=spacing if matrix is None else matrix, name=name
    )


class WhenTold(Executor):
    """A worker that answers when it is told to, not before."""

    def __init__(self) -> None:
        self.waiting: list[tuple] = []

    def submit(self, work, /, *arguments, **keywords) -> Future:
        future: Future = Future()
        self.waiting.append((future, work, arguments, keywords))
        return future

    def go_on(self) -> None:
        while self.waiting:
            future, work, arguments, keywords = self.waiting.pop(0)
            try:
                future.set_result(work(*arguments, **keywords))
            except Exception as error:
                future.set_exception(error)


class User:
    """Somebody at a workbench without any model; lesions are grown from strokes."""

    def __init__(self, volume_node: Any) -> None:
        from DeepIGeoSLib.scene import SegmentationLogic, Workbench

        self.volume_node = volume_node
        self.worker = WhenTold()
        self.bench = Workbench(SegmentationLogic("geodesic", executor=self.worker))
        self.bench.choose(volume_node, None, "")

    @property
    def place(self) -> tuple[Any, Any, str]:
        return (self.volume_node, self.bench.segmentationNode, self.bench.segmentId)

    def paint(self, stroke, foreground: bool = True, radius: float = 1.0) -> None:
        """Paint from voxel to voxel (k, j, i); nothing is answered yet."""
        from DeepIGeoSLib.scene.places import worldPosition

        points = [worldPosition(self.volume_node, voxel) for voxel in stroke]
        self.bench.addStroke(points, radius, foreground)

    def settle(self) -> None:
        """Let the worker answer, and the timer tick, until nothing is left to do."""
        self.bench.poll()
        while self.bench.busy or self.worker.waiting:
            self.worker.go_on()
            self.bench.poll()

    def stroke(self, stroke, foreground: bool = True, radius: float = 1.0) -> None:
        """Paint, and wait for the answer."""
        self.paint(stroke, foreground, radius)
        self.settle()

    def mask(self, segment_id: str | None = None) -> np.ndarray:
        """What the target holds."""
        from DeepIGeoSLib.scene.nodes import maskFromSegment

        place = self.place
        return maskFromSegment(*place[:2], segment_id or place[2])

    def strokes(self) -> tuple[np.ndarray, np.ndarray]:
        """What is painted."""
        return self.bench.seeds.read(self.volume_node)

    def edit(self, box, value: bool) -> np.ndarray:
        """Change the target by hand; return what it holds then."""
        from DeepIGeoSLib.scene.nodes import writeMaskToSegment

        edited = self.mask()
        edited[box] = value
        writeMaskToSegment(edited, *self.place)
        return edited

    def undo(self) -> None:
        self.bench.undo()
        self.settle()

    def redo(self) -> None:
        self.bench.redo()
        self.settle()

    def save_and_load(self, path) -> None:
        """Save the scene, clear it, load it, and work on the same target again."""
        import slicer

        names = [node.GetName() for node in self.place[:2]]
        segment_id = self.bench.segmentId
        slicer.util.saveScene(str(path))
        self.bench.close()
        slicer.mrmlScene.Clear(0)
        slicer.util.loadScene(str(path))
        self.volume_node = slicer.util.getNode(names[0])
        self.bench.choose(self.volume_node, slicer.util.getNode(names[1]), segment_id)
