"""A cohort from Slicer: nodes and files by the logic, files by the script, headless too."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def logic(module, tiny_bundle):
    return module.DeepIGeoSLogic(str(tiny_bundle))


@pytest.fixture
def cohort(head, tmp_path):
    """Two heads, and one that is constant."""
    from DeepIGeoSLib import Volume

    folder = tmp_path / "cohort"
    (folder / "ward").mkdir(parents=True)
    for name, voxels in (("a", head), ("ward/b", head[:, :, ::-1]), ("c", head * 0)):
        array = voxels.astype(np.float32)
        volume = Volume(array, ijk_to_ras=np.diag([1, 1, 3, 1.0]))
        volume.write_map(folder / f"{name}.nii.gz", array)
    return folder


def test_nodes_are_segmented_and_told_of_like_files(logic, head, lesion):
    import slicer

    from DeepIGeoSLib.scene.nodes import maskFromSegment

    for name, voxels in (("good", head), ("constant", head * 0)):
        slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([1, 1, 3, 1.0]), name=name)
    good, constant = logic.batch()
    (made,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert good.outputs["segmentation"] == made.GetID()
    (segment_id,) = made.GetSegmentation().GetSegmentIDs()
    mask = maskFromSegment(slicer.util.getNode("good"), made, segment_id)
    np.testing.assert_array_equal(mask, lesion)
    assert good.milliliters == pytest.approx(lesion.sum() * 3 / 1000)
    assert good.lesions == 1
    assert good.state.value == "done"
    assert constant.state.value == "failed"
    assert "constant" in constant.reason


def test_a_node_that_fails_for_whatever_reason_leaves_the_others(logic, head, monkeypatch):
    import slicer

    for name in ("large", "good"):
        slicer.util.addVolumeFromArray(head, ijkToRAS=np.diag([1, 1, 3, 1.0]), name=name)
    propose = logic.propose

    def propose_small(node, *place, **options):
        if node.GetName() == "large":
            raise MemoryError
        return propose(node, *place, **options)

    monkeypatch.setattr(logic, "propose", propose_small)
    large, good = logic.batch()
    assert (large.state.value, large.reason) == ("failed", "There was not enough memory.")
    assert good.state.value == "done"
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 1


def test_nodes_unlike_the_training_data_are_flagged_like_files(module, tiny_bundle, head, tmp_path):
    import slicer

    from DeepIGeoSLib.bundles import load_bundle
    from DeepIGeoSLib.bundles.intensities import KnownIntensities, signature_of

    bundle = shutil.copytree(tiny_bundle, tmp_path / "tiny")
    settings = load_bundle(bundle).manifest.normalization
    known = KnownIntensities.of([signature_of(head, settings)])
    (bundle / "intensities.json").write_text(json.dumps(dataclasses.asdict(known)))
    for name, voxels in (("like", head), ("unlike", np.where(head > 0, 200 - head, head))):
        slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([1, 1, 3, 1.0]), name=name)
    like, unlike = module.DeepIGeoSLogic(str(bundle)).batch()
    assert "intensities unlike the training data" not in like.flags
    assert "intensities unlike the training data" in unlike.flags


def test_several_targets_are_segments_of_one_node(module, bundle_of, head):
    import slicer

    from DeepIGeoSLib.scene.nodes import maskFromSegment
    from DeepIGeoSLib.targets import Target

    bundle = bundle_of((Target("whole", (1, 2)), Target("core", (2,))))
    slicer.util.addVolumeFromArray(head, ijkToRAS=np.diag([1, 1, 3, 1.0]), name="good")
    (record,) = module.DeepIGeoSLogic(str(bundle)).batch()
    (made,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    segmentation, volume = made.GetSegmentation(), slicer.util.getNode("good")
    assert record.outputs["segmentation"] == made.GetID()
    ids = {segmentation.GetSegment(i).GetName(): i for i in segmentation.GetSegmentIDs()}
    assert sorted(ids) == ["core", "whole"]
    for target in record.targets:
        mask = maskFromSegment(volume, made, ids[target.name])
        assert mask.any()
        assert target.milliliters == pytest.approx(mask.sum() * 3 / 1000)


def test_objects_are_segments_of_one_node(module, cells_bundle, head):
    import slicer

    slicer.util.addVolumeFromArray(head, ijkToRAS=np.diag([1, 1, 3, 1.0]), name="good")
    (record,) = module.DeepIGeoSLogic(str(cells_bundle)).batch()
    (made,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert record.reason == ""
    assert record.lesions == made.GetSegmentation().GetNumberOfSegments()


def test_an_empty_scene_is_one_sentence(logic, module):
    from DeepIGeoSLib import InputError

    with pytest.raises(InputError, match="no volume"):
        logic.batch()
    with pytest.raises(InputError, match="does not segment by itself"):
        module.DeepIGeoSLogic("geodesic").batch([object()])


def test_files_are_segmented_in_this_process_and_gone_on_with(logic, cohort, lesion, tmp_path):
    from DeepIGeoSLib import Volume

    results = tmp_path / "results"
    records = {record.name: record for record in logic.batch(cohort, results)}
    assert {name: record.state.value for name, record in records.items()} == {
        "a": "done",
        "c": "failed",
        "ward/b": "done",
    }
    stored = Volume.read(cohort / "a.nii.gz").read_labels(results / "a.seg.nrrd")
    np.testing.assert_array_equal(stored > 0, lesion)
    written = (results / "a.seg.nrrd").stat().st_mtime_ns
    logic.batch(cohort, results)
    assert (results / "a.seg.nrrd").stat().st_mtime_ns == written


@pytest.fixture
def script(root):
    specification = importlib.util.spec_from_file_location(
        "batch_in_slicer", root / "Scripts/batch_in_slicer.py"
    )
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


def test_the_script_inside_slicer(module, script, cohort, tiny_bundle, tmp_path, capsys):
    assert script.main([]) == 2
    assert "--python-script" in capsys.readouterr().out
    given = [str(cohort), str(tmp_path / "results"), str(tiny_bundle)]
    assert script.main(given) == 1
    said = capsys.readouterr()
    assert "c: " in said.err
    assert "2 cases done, 1 failed" in said.out
    assert (tmp_path / "results/ward/b.seg.nrrd").is_file()
    assert script.main([str(tmp_path / "nowhere"), *given[1:]]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_full_disk_ends_the_script_in_a_sentence(module, script, monkeypatch, capsys):
    from DeepIGeoSLib.errors import DeepIGeoSError

    def full(*_: str) -> None:
        raise DeepIGeoSError("There is no room left in results.")

    monkeypatch.setattr(script, "segment", full)
    assert script.main(["cohort", "results"]) == 1
    assert capsys.readouterr().err == "Stopped: There is no room left in results.\n"


def test_the_script_without_the_application(root, cohort, tiny_bundle, tmp_path):
    (cohort / "c.nii.gz").unlink()
    ended = subprocess.run(
        [
            *(sys.executable, str(root / "Scripts/batch_in_slicer.py")),
            *(str(cohort), str(tmp_path / "results"), str(tiny_bundle)),
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "2 cases done, 0 failed" in ended.stdout
    assert (tmp_path / "results/a.seg.nrrd").is_file()
