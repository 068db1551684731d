"""Names and sidecars of BIDS derivatives."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.formats import bids


@pytest.mark.parametrize(
    ("image", "label", "mask"),
    [
        (
            "sub-01/anat/sub-01_FLAIR.nii.gz",
            "whole tumor",
            "sub-01/anat/sub-01_label-wholeTumor_desc-deepigeosFLAIR_mask.nii.gz",
        ),
        (
            "sub-a/ses-2/anat/sub-a_ses-2_acq-hi_run-1_T1w.nii",
            "Hippocampus",
            "sub-a/ses-2/anat/"
            "sub-a_ses-2_acq-hi_run-1_label-hippocampus_desc-deepigeosT1w_mask.nii.gz",
        ),
        ("sub-1_T2w.nii.gz", "???", "sub-1_label-target_desc-deepigeosT2w_mask.nii.gz"),
    ],
)
def test_a_mask_keeps_the_entities_of_its_image(image, label, mask):
    assert bids.mask_path(PurePosixPath(image), label) == PurePosixPath(mask)


@pytest.mark.parametrize(
    "name", ["head.nii.gz", "sub-01.nii.gz", "sub-01_T1w.nrrd", "sub-_T1w.nii"]
)
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match="no name of BIDS"):
        bids.mask_path(PurePosixPath(name), "tumor")


def test_the_sidecar_names_source_and_model():
    image = PurePosixPath("sub-01/anat/sub-01_FLAIR.nii.gz")
    mask = bids.mask_path(image, "tumor")
    assert bids.sidecar_path(mask).name == "sub-01_label-tumor_desc-deepigeosFLAIR_mask.json"
    said = bids.mask_sidecar(image, "Tumor", bundle="tiny 1.0", weights={"pnet": "ab"})
    assert said["Sources"] == ["bids:raw:sub-01/anat/sub-01_FLAIR.nii.gz"]
    assert said["ModelWeights"] == {"pnet": "ab"}
    described = bids.dataset_description("study", "../study", "0.1", bundle="tiny 1.0")
    assert described["DatasetType"] == "derivative"
    assert described["DatasetLinks"] == {"raw": "../study"}
    assert described["GeneratedBy"][0]["Version"] == "0.1"
    json.dumps([said, described])
