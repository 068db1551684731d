"""Milliliters of segments, against what the grid spans."""

from __future__ import annotations

import numpy as np
import pytest

SHEARED = np.array([[0.9, 0.3, 0, 5], [0, 1.1, 0.4, -7], [0.1, 0, 3, 9], [0, 0, 0, 1.0]])
GRIDS = ["aligned", "as NIfTI in LPS", "left-handed", "all flipped", "sagittal", "oblique"]


@pytest.mark.parametrize("volume_node", GRIDS, indirect=True)
def test_milliliters_are_voxels_times_the_volume_of_one(volume_node, segmentation_node):
    from DeepIGeoSLib.scene.nodes import maskFromSegment
    from DeepIGeoSLib.scene.segment_volume import segmentMilliliters

    for segment_id in ("tumor", "other"):  # tumor is empty
        count = maskFromSegment(volume_node, segmentation_node, segment_id).sum()
        expected = count * np.prod(volume_node.GetSpacing()) / 1000
        assert segmentMilliliters(segmentation_node, segment_id) == pytest.approx(expected)


def test_a_sheared_voxel_counts_as_what_it_spans(scene):
    import slicer

    from DeepIGeoSLib.scene.segment_volume import segmentMilliliters

    grid = slicer.vtkOrientedImageData()
    grid.SetExtent(0, 4, 0, 4, 0, 4)
    grid.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(SHEARED))
    grid.AllocateScalars(3, 1)  # unsigned char
    grid.GetPointData().GetScalars().Fill(1)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.GetSegmentation().AddEmptySegment("all")
    node.AddSegmentFromBinaryLabelmapRepresentation(grid, "whole", [1.0, 0, 0], "whole")
    volume = abs(np.linalg.det(SHEARED[:3, :3]))
    assert segmentMilliliters(node, "whole") == pytest.approx(125 * volume / 1000)
    assert volume < np.prod(np.linalg.norm(SHEARED[:3, :3], axis=0)) * 0.99
    assert segmentMilliliters(node, "all") == 0
    assert segmentMilliliters(node, "none") == 0


def test_the_meter_follows_changes_and_counts_once_otherwise(
    volume_node, segmentation_node, monkeypatch
):
    from DeepIGeoSLib.scene import segment_volume
    from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment

    count = segment_volume.segmentMilliliters
    counted = []

    def counting(*place):
        counted.append(place)
        return count(*place)

    monkeypatch.setattr(segment_volume, "segmentMilliliters", counting)
    meter = segment_volume.VolumeMeter()
    before = [meter.milliliters(segmentation_node, "other") for _ in range(3)]
    assert before[0] > 0
    assert len(set(before)) == len(counted) == 1
    mask = maskFromSegment(volume_node, segmentation_node, "other")
    mask[:, :, 10:] = False
    writeMaskToSegment(mask, volume_node, segmentation_node, "other")
    assert meter.milliliters(segmentation_node, "other") < before[0]
    assert meter.milliliters(segmentation_node, "tumor") == count(segmentation_node, "tumor")
