"""The target's surface: closed, where the segment is, and computed beside the work."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import numpy as np
import pytest

GRIDS = ["aligned", "left-handed", "all flipped", "sagittal", "oblique and left-handed"]


@pytest.fixture
def ball():
    k, j, i = np.ogrid[:10, :28, :32]
    return ((k - 5) / 3) ** 2 + ((j - 14) / 8) ** 2 + ((i - 16) / 9) ** 2 <= 1


@pytest.fixture
def target(volume_node, segmentation_node, ball):
    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    writeMaskToSegment(ball, volume_node, segmentation_node, "tumor")
    return segmentation_node


def models(name="vtkMRMLModelNode"):
    import slicer

    return slicer.util.getNodesByClass(name)


class Waiting:
    """An executor that runs what it got when it is told to."""

    def __init__(self):
        self.jobs = []

    def submit(self, work, *arguments):
        future = Future()
        self.jobs.append((future, work, arguments))
        return future

    def run(self):
        future, work, arguments = self.jobs.pop(0)
        future.set_result(work(*arguments))


@pytest.mark.parametrize("volume_node", GRIDS, indirect=True)
def test_the_surface_is_closed_faces_outwards_and_lies_where_the_segment_does(
    volume_node, target, ball
):
    import vtk

    from DeepIGeoSLib.scene.computation import InlineExecutor
    from DeepIGeoSLib.scene.places import worldPosition
    from DeepIGeoSLib.scene.segment_volume import segmentMilliliters
    from DeepIGeoSLib.scene.surface import TargetSurface

    TargetSurface(InlineExecutor()).follow(target, "tumor")
    (model,) = models()
    surface = model.GetPolyData()
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(surface)
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.Update()
    assert edges.GetOutput().GetNumberOfCells() == 0
    properties = vtk.vtkMassProperties()
    properties.SetInputData(surface)
    assert properties.GetVolume() / 1000 == pytest.approx(
        segmentMilliliters(target, "tumor"), rel=0.1
    )
    center = np.array(worldPosition(volume_node, tuple(np.argwhere(ball).mean(axis=0))))
    bounds = np.array(surface.GetBounds()).reshape(3, 2)
    np.testing.assert_allclose(bounds.mean(axis=1), center, atol=0.5)
    normals = surface.GetPointData().GetNormals()
    outwards = [
        np.dot(normals.GetTuple(n), np.array(surface.GetPoint(n)) - center)
        for n in range(surface.GetNumberOfPoints())
    ]
    assert np.mean(np.array(outwards) > 0) > 0.99


def test_a_segment_at_the_border_is_closed_too(running_slicer):
    import vtk

    from DeepIGeoSLib.scene.surface import closedSurface

    surface = closedSurface(np.ones((4, 5, 6), bool), np.diag([1, 1, 3, 1.0]))
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(surface)
    edges.FeatureEdgesOff()
    edges.Update()
    assert surface.GetNumberOfCells() > 0
    assert edges.GetOutput().GetNumberOfCells() == 0


def test_nothing_is_shown_before_it_is_computed_and_nothing_old_ever(
    volume_node, target, ball, monkeypatch
):
    from DeepIGeoSLib.scene.nodes import writeMaskToSegment
    from DeepIGeoSLib.scene.surface import TargetSurface

    executor = Waiting()
    surface = TargetSurface(executor)
    surface.follow(target, "tumor")
    assert models() == []
    smaller = ball.copy()
    smaller[:, :, 16:] = False
    writeMaskToSegment(smaller, volume_node, target, "tumor")
    surface.poll()
    assert len(executor.jobs) == 1  # one at a time
    executor.run()
    surface.poll()
    assert models() == []  # that was the larger one
    executor.run()
    surface.poll()
    (model,) = models()
    assert model.GetPolyData().GetBounds()[1] < 11 + 17
    surface.poll()
    assert executor.jobs == []


def test_the_model_follows_target_color_and_wish_and_is_not_saved(
    volume_node, target, tmp_path, scene
):
    import slicer

    from DeepIGeoSLib.scene.computation import InlineExecutor
    from DeepIGeoSLib.scene.surface import TargetSurface

    surface = TargetSurface(InlineExecutor())
    surface.follow(target, "tumor")
    (model,) = models()
    assert model.GetDisplayNode().GetVisibility()
    target.GetSegmentation().GetSegment("tumor").SetColor(0.2, 0.4, 0.6)
    surface.poll()
    np.testing.assert_allclose(model.GetDisplayNode().GetColor(), (0.2, 0.4, 0.6))
    surface.follow(target, "other")
    assert [node.GetName() for node in models()] == ["other"]
    surface.follow(None, "")
    assert not model.GetDisplayNode().GetVisibility()
    surface.follow(target, "other")
    assert model.GetDisplayNode().GetVisibility()
    surface.follow(target, "background")  # an empty one
    assert not model.GetDisplayNode().GetVisibility()
    surface.follow(target, "other")
    target.GetSegmentation().RemoveSegment("other")
    surface.poll()
    assert not model.GetDisplayNode().GetVisibility()
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    scene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert models() == []
    assert models("vtkMRMLSegmentationNode")


def test_python_runs_on_while_the_surface_is_computed(running_slicer, monkeypatch):
    import vtk

    from DeepIGeoSLib.scene.surface import closedSurface

    steps, steps_meanwhile, done = [0], [], threading.Event()

    class Watched(vtk.vtkPolyDataNormals):
        """The last filter, whose update runs all of them."""

        def Update(self):
            before = steps[0]
            super().Update()
            steps_meanwhile.append(steps[0] - before)

    def walk():
        while not done.wait(0.001):
            steps[0] += 1

    monkeypatch.setattr(vtk, "vtkPolyDataNormals", Watched)

    k, j, i = np.ogrid[:160, :160, :160]
    large = (k - 80) ** 2 + (j - 80) ** 2 + (i - 80) ** 2 < 75**2
    walker = threading.Thread(target=walk)
    walker.start()
    closedSurface(large, np.eye(4))
    done.set()
    walker.join()
    # With the lock held there is one step at most, at either end.
    assert steps_meanwhile[0] > 5
