"""Many volumes without a window: the documented lines and the script."""

from __future__ import annotations

import importlib.util
import re

import numpy as np
import pytest


@pytest.fixture
def script(root):
    specification = importlib.util.spec_from_file_location(
        "segment_in_slicer", root / "Scripts/segment_in_slicer.py"
    )
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


def test_the_documented_lines_segment_every_volume(module, tiny_bundle, head, root, lesion):
    import slicer

    from DeepIGeoSLib.scene.nodes import maskFromSegment

    for name in ("first", "second"):
        slicer.util.addVolumeFromArray(head, ijkToRAS=np.diag([1, 1, 3, 1.0]), name=name)
    text = (root / "Docs/tutorial.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert lines.count("\n") <= 5
    exec(lines.replace('"flair-whole-tumor"', repr(str(tiny_bundle))), {"slicer": slicer})
    made = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert [node.GetName() for node in made] == ["first segmentation", "second segmentation"]
    for node, name in zip(made, ("first", "second"), strict=True):
        (segment_id,) = node.GetSegmentation().GetSegmentIDs()
        mask = maskFromSegment(slicer.util.getNode(name), node, segment_id)
        np.testing.assert_array_equal(mask, lesion)


def test_the_script_segments_a_folder_and_names_what_failed(
    module, script, tiny_bundle, head, lesion, tmp_path, capsys
):
    import SimpleITK

    (tmp_path / "images").mkdir()
    for name, voxels in (("a.nii.gz", head), ("b.nrrd", head * 0)):
        image = SimpleITK.GetImageFromArray(voxels)
        image.SetSpacing((1, 1, 3))
        SimpleITK.WriteImage(image, str(tmp_path / "images" / name))
    (tmp_path / "images/readme.txt").write_text("no image")
    arguments = [str(tmp_path / "images"), str(tmp_path / "results"), str(tiny_bundle)]
    assert script.main(arguments) == 1
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["a.seg.nrrd"]
    assert "b.nrrd: " in capsys.readouterr().err
    written = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "results/a.seg.nrrd")))
    assert np.count_nonzero(written) == lesion.sum()


def test_without_arguments_the_script_says_how_it_is_used(module, script, capsys):
    assert script.main([]) == 2
    assert "--python-script" in capsys.readouterr().out


def test_images_of_one_name_are_named_before_any_work(module, script, tmp_path, capsys):
    images, results = tmp_path / "images", tmp_path / "results"
    images.mkdir()
    for name in ("a.nii.gz", "a.nrrd", "A.MHA", "b.nii", "c.seg.nrrd", "c.nrrd"):
        (images / name).write_bytes(b"")
    assert script.main([str(images), str(results)]) == 2
    error = capsys.readouterr().err
    assert "A.MHA and a.nii.gz and a.nrrd." in error
    assert "b.nii" not in error
    assert not results.exists()


def test_a_segmentation_that_is_there_is_left_alone(module, script, tiny_bundle, tmp_path, capsys):
    """It may have been corrected by hand; and a run that was stopped goes on behind it."""
    (tmp_path / "a.nii.gz").write_bytes(b"")
    (tmp_path / "a.seg.nrrd").write_bytes(b"corrected by hand")
    assert script.main([str(tmp_path), str(tmp_path), str(tiny_bundle)]) == 0
    assert (tmp_path / "a.seg.nrrd").read_bytes() == b"corrected by hand"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nii.gz", "a.seg.nrrd"]


def test_a_torn_image_is_not_segmented(module, script, tiny_bundle, head, tmp_path, capsys):
    import SimpleITK

    images, results = tmp_path / "images", tmp_path / "results"
    images.mkdir()
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(head), str(tmp_path / "whole.nii"))
    content = (tmp_path / "whole.nii").read_bytes()
    (images / "TORN.NII").write_bytes(content[: len(content) // 2])
    assert script.main([str(images), str(results), str(tiny_bundle)]) == 1
    assert "TORN.NII is not whole" in capsys.readouterr().err
    assert list(results.iterdir()) == []
