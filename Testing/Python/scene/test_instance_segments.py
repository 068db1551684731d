"""Objects that were found: each a segment of its own, and each refined by strokes."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.instances import Instance, Instances

STROKE_IN_RIM = (slice(5, 6), slice(16, 18), slice(12, 17))
SHAPE = (10, 28, 32)


def content(volume_node, segmentation_node, segment_id):
    """What a segment holds."""
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    return maskFromSegment(volume_node, segmentation_node, segment_id)


def objects(*boxes, kind="cell"):
    """Objects that fill boxes."""
    return Instances(
        SHAPE,
        tuple(
            Instance(kind, 0.9, box, np.ones([p.stop - p.start for p in box], dtype=bool))
            for box in boxes
        ),
    )


@pytest.mark.parametrize("volume_node", ["aligned", "oblique and left-handed"], indirect=True)
def test_touching_objects_become_segments_side_by_side(volume_node, segmentation_node, other_mask):
    from DeepIGeoSLib.scene.instance_segments import addInstances

    boxes = [
        (slice(1, 4), slice(2, 8), slice(2, 8)),
        (slice(1, 4), slice(2, 8), slice(8, 12)),
        (slice(5, 6), slice(20, 25), slice(2, 12)),
    ]
    place = (volume_node, segmentation_node)
    added = addInstances(objects(*boxes), *place)
    more = addInstances(objects(boxes[2], kind=""), *place)
    segmentation = segmentation_node.GetSegmentation()
    names = [segmentation.GetSegment(i).GetName() for i in [*added, *more]]
    assert names == ["cell 1", "cell 2", "cell 3", "Object 1"]
    for segment_id, box in zip(added[:2], boxes, strict=False):
        wanted = np.zeros(SHAPE, dtype=bool)
        wanted[box] = True
        np.testing.assert_array_equal(content(*place, segment_id), wanted)
    np.testing.assert_array_equal(content(*place, "other"), other_mask)
    colors = {segmentation.GetSegment(i).GetColor() for i in added}
    assert len(colors) == 3
    assert addInstances(objects(), *place) == []


def test_an_object_is_found_and_refined_by_strokes(
    logic, volume_node, segmentation_node, editor, lesion, other_mask
):
    place = (volume_node, segmentation_node)
    (found,) = logic.findInstances(*place)
    np.testing.assert_array_equal(content(*place, found), lesion)
    editor.paint("foreground", STROKE_IN_RIM)
    refined = logic.refine(*place, found, "foreground", None)
    np.testing.assert_array_equal(content(*place, found), refined.labels)
    assert content(*place, found)[STROKE_IN_RIM].all()
    logic.undo(*place, found)
    np.testing.assert_array_equal(content(*place, found), lesion)
    np.testing.assert_array_equal(content(*place, "other"), other_mask)
    assert not content(*place, "tumor").any()


def test_nothing_is_written_when_the_volume_changed_or_there_is_no_segmentation(
    logic, volume_node, segmentation_node
):
    import slicer

    before = segmentation_node.GetSegmentation().GetNumberOfSegments()
    computation = logic.startInstances(volume_node, segmentation_node)
    slicer.util.arrayFromVolume(volume_node)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(volume_node)
    with pytest.raises(InputError, match="changed during the computation"):
        computation.finish()
    assert segmentation_node.GetSegmentation().GetNumberOfSegments() == before
    with pytest.raises(InputError, match="No segmentation was given"):
        logic.findInstances(volume_node, None)
