"""What a batch run writes for DICOM series and BIDS data sets, and its report."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from cohorts import a_head, files_of

from DeepIGeoSLib import Volume
from DeepIGeoSLib.batch import FindingRules, Workers, WorkSettings, run_batch
from DeepIGeoSLib.batch.finding import find_cases
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.targets import Target
from DeepIGeoSLib.worklist import Worklist

ALONE = Workers(count=0)


@pytest.fixture
def gbm(data: Path, tmp_path: Path) -> Path:
    """Five neighboring slices of a real oblique FLAIR series, in study/flair."""
    folder = tmp_path / "study" / "flair"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(data / "dicom_gbm" / "PGBM-002_FLAIRreg_dicom.zip") as archive:
        files = [archive.read(name) for name in archive.namelist() if name.endswith(".dcm")]
    headers = [pydicom.dcmread(BytesIO(file), stop_before_pixels=True) for file in files]
    axis = np.cross(*np.reshape(headers[0].ImageOrientationPatient, (2, 3)).astype(float))
    places = [float(np.dot(header.ImagePositionPatient, axis)) for header in headers]
    for place, number in enumerate(np.argsort(places)[10:15]):
        (folder / f"{place}.dcm").write_bytes(files[number])
    return folder.parent


def test_a_dicom_series_becomes_a_dicom_segmentation_on_its_voxels(
    gbm: Path, tiny_bundle: Path, tmp_path: Path
):
    highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed")
    for format in (".dcm", ".nii.gz"):
        run_batch(
            gbm,
            tmp_path / f"out{format}",
            bundle=tiny_bundle,
            settings=WorkSettings(format=format),
            workers=ALONE,
            report=False,
        )
    volume = Volume.read(gbm / "flair")
    path = tmp_path / "out.dcm" / "flair.dcm"
    np.testing.assert_array_equal(
        volume.read_labels(path), volume.read_labels(tmp_path / "out.nii.gz" / "flair.nii.gz")
    )
    assert volume.read_labels(path).any()
    written = highdicom.seg.segread(path)
    assert written.get_segment_description(1).algorithm_type.value == "AUTOMATIC"


def test_each_of_several_targets_is_a_segment_of_its_own(
    gbm: Path, bundle_of: Callable[..., Path], tmp_path: Path
):
    highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed")
    bundle = bundle_of((Target("whole", (1, 2)), Target("core", (2,))))
    for format in (".dcm", ".seg.nrrd"):
        settings = WorkSettings(format=format)
        out = tmp_path / f"out{format}"
        run_batch(gbm, out, bundle=bundle, settings=settings, workers=ALONE, report=False)
    volume = Volume.read(gbm / "flair")
    path = tmp_path / "out.dcm" / "flair.dcm"
    whole, core = (volume.read_labels(path, [name]) > 0 for name in ("whole", "core"))
    assert whole[core].all()  # they overlap: a segment holds all of its target
    assert core.any()
    for name, mask in (("whole", whole), ("core", core)):
        other = volume.read_labels(tmp_path / "out.seg.nrrd" / "flair.seg.nrrd", [name])
        np.testing.assert_array_equal(mask, other > 0)
    written = highdicom.seg.segread(path)
    labels = [written.get_segment_description(n).segment_label for n in (1, 2)]
    assert labels == ["whole", "core"]


def test_rules_choose_the_series_and_what_was_chosen_is_told(gbm: Path):
    found = find_cases(gbm, FindingRules(modality="mr"), ("image",))
    assert [case.name for case in found.cases] == ["flair"]
    assert found.cases[0].series[0] is not None
    assert found.remarks[0].startswith("flair: chosen MR ")
    with pytest.raises(InputError, match="holds no case; flair: left out MR"):
        find_cases(gbm, FindingRules(modality="CT"), ("image",))
    with pytest.raises(InputError, match="holds no case"):
        find_cases(gbm, FindingRules(description="*nothing like it*"), ("image",))


def test_a_damaged_or_missing_slice_is_said_before_any_work(
    gbm: Path, tiny_bundle: Path, tmp_path: Path
):
    slices = sorted((gbm / "flair").glob("*.dcm"))
    content = slices[2].read_bytes()
    slices[2].write_bytes(content[:200])
    with pytest.raises(InputError, match=r"nothing was begun.*is damaged"):
        run_batch(gbm, tmp_path / "out", bundle=tiny_bundle, workers=ALONE)
    slices[2].unlink()
    with pytest.raises(InputError, match=r"nothing was begun"):
        run_batch(gbm, tmp_path / "out", bundle=tiny_bundle, workers=ALONE)
    assert not (tmp_path / "out").exists()


def test_dicom_segmentations_need_dicom_images(tiny_bundle: Path, tmp_path: Path):
    volume, _ = a_head(0)
    (tmp_path / "images").mkdir()
    volume.write_map(tmp_path / "images" / "a.nii.gz", volume.array)
    with pytest.raises(InputError, match=r"is no DICOM; use \.nii\.gz"):
        run_batch(
            tmp_path / "images",
            tmp_path / "out",
            bundle=tiny_bundle,
            settings=WorkSettings(format=".dcm"),
            workers=ALONE,
        )


def bids_data_set(folder: Path, volume: Volume) -> Path:
    """Write a BIDS data set of one FLAIR volume; return its folder."""
    (folder / "sub-01" / "anat").mkdir(parents=True)
    volume.write_map(folder / "sub-01" / "anat" / "sub-01_FLAIR.nii.gz", volume.array)
    (folder / "dataset_description.json").write_text('{"Name": "Heads", "BIDSVersion": "1.10.0"}')
    return folder


def test_a_bids_data_set_gets_derivatives_with_sidecars(tiny_bundle: Path, tmp_path: Path):
    volume, lesion = a_head(0)
    data_set = bids_data_set(tmp_path / "study", volume)
    out = tmp_path / "derivatives"
    (record,) = run_batch(data_set, out, bundle=tiny_bundle, workers=ALONE).records
    labels, sidecar = out / record.outputs["labels"], out / record.outputs["sidecar"]
    assert record.outputs["labels"].startswith("sub-01/anat/sub-01_label-brightThings_desc-")
    assert labels.name.endswith("_mask.nii.gz")
    np.testing.assert_array_equal(volume.read_labels(labels), lesion)
    said = json.loads(sidecar.read_text())
    assert said["Sources"] == ["bids:raw:sub-01/anat/sub-01_FLAIR.nii.gz"]
    assert said["ModelBundle"] == "tiny 1.0.0"
    description = json.loads((out / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert {"report.html", "report.csv", "report.md", ".bidsignore"} <= set(files_of(out))


def test_derivatives_may_lie_where_a_bids_data_set_keeps_them(tiny_bundle: Path, tmp_path: Path):
    volume, _ = a_head(0)
    study = bids_data_set(tmp_path / "study", volume)
    out = study / "derivatives" / "deepigeos"
    for _ in range(2):  # the second start takes no result for an image
        result = run_batch(study, out, bundle=tiny_bundle, workers=ALONE)
        assert [record.name for record in result.records] == ["sub-01/anat/sub-01_FLAIR"]
    (case,) = Worklist(study, out).cases
    assert case.start == out / result.records[0].outputs["labels"]
    with pytest.raises(InputError, match="be taken for images the next time"):
        run_batch(study, study / "results", bundle=tiny_bundle, workers=ALONE)
