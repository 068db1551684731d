"""The scene and slicer.util in plain Python."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import SimpleITK


def run_python(code: str) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )


def test_a_second_start_returns_the_same_scene(running_slicer):
    from DeepIGeoSLib.scene import startSlicer

    assert startSlicer() is running_slicer


def test_nodes_made_by_slicer_util_are_in_the_scene(scene):
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros((2, 3, 4)), name="zeros")
    assert slicer.util.getNode("zeros") is node
    assert node.GetScene() is scene is slicer.mrmlScene


def test_a_nifti_file_is_loaded_with_its_geometry(scene, tmp_path):
    import slicer

    from DeepIGeoSLib import Volume
    from DeepIGeoSLib.scene.nodes import volumeFromNode

    image = SimpleITK.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    image.SetSpacing((0.9, 1.1, 5))
    image.SetOrigin((10, -20, 30))
    image.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    path = tmp_path / "sagittal.nii.gz"
    SimpleITK.WriteImage(image, str(path))

    from_scene = volumeFromNode(slicer.util.loadVolume(str(path)))
    from_file = Volume.read(path)
    np.testing.assert_array_equal(from_scene.array, from_file.array)
    np.testing.assert_allclose(from_scene.ijk_to_ras, from_file.ijk_to_ras, atol=1e-5)


def test_a_volume_is_named_after_its_file_unless_told_otherwise(scene, tmp_path):
    import slicer

    path = tmp_path / "case.one.nrrd"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((2, 3, 4))), str(path))
    assert slicer.util.loadVolume(str(path)).GetName() == "case"
    assert slicer.util.loadVolume(str(path), {"name": "mine"}).GetName() == "mine"


def test_a_labelmap_file_becomes_a_labelmap_node(scene, tmp_path):
    import slicer

    path = tmp_path / "labels.nrrd"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((2, 3, 4), np.uint8)), str(path))
    node = slicer.util.loadLabelVolume(str(path))
    assert node.IsA("vtkMRMLLabelMapVolumeNode")


@pytest.mark.parametrize("name", ["missing.nrrd", "missing.seg.nrrd", "missing.mrb"])
def test_a_missing_file_raises_and_adds_nothing(scene, tmp_path, name):
    import slicer

    before = scene.GetNumberOfNodes()
    with pytest.raises(RuntimeError, match=name):
        slicer.util.loadNodeFromFile(str(tmp_path / name))
    assert scene.GetNumberOfNodes() == before


def test_a_corrupt_file_raises_and_its_reason_is_kept(running_slicer, scene, tmp_path, capfd):
    import slicer

    path = tmp_path / "corrupt.nrrd"
    path.write_bytes(b"this is no image")
    with pytest.raises(RuntimeError, match=r"corrupt\.nrrd"):
        slicer.util.loadVolume(str(path))
    assert "corrupt.nrrd" in running_slicer.messages()
    assert capfd.readouterr().err == ""


def test_a_whole_session_prints_nothing_and_exits_cleanly(running_slicer):
    result = run_python(
        """
        from DeepIGeoSLib.scene import startSlicer
        startSlicer()
        import numpy, slicer
        volume = slicer.util.addVolumeFromArray(numpy.zeros((3, 4, 5)))
        slicer.modules.volumes.logic().CreateAndAddLabelVolume(volume, "labels")
        """
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_it_refuses_to_start_inside_a_running_slicer(running_slicer):
    result = run_python(
        """
        import slicer
        slicer.app = object()
        from DeepIGeoSLib.errors import DeepIGeoSError
        from DeepIGeoSLib.scene import startSlicer
        try:
            startSlicer()
        except DeepIGeoSError as error:
            print(error)
        """
    )
    assert "running in this process already" in result.stdout, result.stderr


def test_without_slicer_core_the_error_says_what_to_install():
    result = run_python(
        """
        import sys
        sys.modules["slicer"] = None
        from DeepIGeoSLib.errors import DeepIGeoSError
        from DeepIGeoSLib.scene import startSlicer
        try:
            startSlicer()
        except DeepIGeoSError as error:
            print(error)
        """
    )
    assert "install slicer-core" in result.stdout, result.stderr
