"""A thin stroke in a large volume, answered without a network."""

from __future__ import annotations

import numpy as np


def test_a_thin_stroke_finds_its_object_in_a_large_volume(scene) -> None:
    """A coarse pixel may show a little of the stroke as what was there before."""
    import slicer

    from DeepIGeoSLib.scene import SegmentationLogic, Workbench
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    array = np.zeros((150, 256, 256), np.int16)
    array[5:-5, 30:-30, 30:-30] = 100
    array[60:100, 100:160, 100:160] = 200
    node = slicer.util.addVolumeFromArray(array, ijkToRAS=np.diag([0.5, 0.5, 0.6, 1.0]))
    bench = Workbench(SegmentationLogic("geodesic"))
    bench.choose(node, None, "")
    bench.nextLesion()
    bench.addStroke([(x * 0.5, 65.0, 48.0) for x in range(105, 155, 5)], 1.5, True)
    for _ in range(4):
        bench.poll()
    found = maskFromSegment(node, bench.segmentationNode, bench.segmentId) > 0
    box = array == 200
    assert np.count_nonzero(found & box) > 0.9 * np.count_nonzero(box)
    assert not (found & ~box).any()
    bench.close()
