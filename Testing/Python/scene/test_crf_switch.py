"""The logic switches the CRF of its model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError


@pytest.mark.usefixtures("running_slicer")
def test_the_switch_counts_from_the_next_step(volume_node, segmentation_node, tiny_bundle):
    from DeepIGeoSLib import load_bundle
    from DeepIGeoSLib.crf.settings import CrfSettings
    from DeepIGeoSLib.scene import SegmentationLogic

    place = (volume_node, segmentation_node, "tumor")
    plain = load_bundle(tiny_bundle)
    crf = CrfSettings(pairwise="contrast", sigma=1.0)
    smoothing = dataclasses.replace(plain, manifest=dataclasses.replace(plain.manifest, crf=crf))
    logic = SegmentationLogic(smoothing, device="cpu")
    smooth = logic.propose(*place).probability
    logic.setCrf(False)
    rough = logic.propose(*place).probability
    logic.setCrf(None)
    again = logic.propose(*place).probability
    expected = SegmentationLogic(plain, device="cpu").propose(*place).probability
    np.testing.assert_array_equal(rough, expected)
    np.testing.assert_array_equal(again, smooth)
    assert np.abs(smooth - rough).max() > 0.01
    with pytest.raises(InputError, match="The model tiny has no CRF"):
        SegmentationLogic(plain).setCrf(True)
