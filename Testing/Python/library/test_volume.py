"""Volumes keep their voxels and their place in the patient through every format."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from DeepIGeoSLib import InputError, Volume

ROTATION = np.linalg.qr(np.array([[1.0, 0.3, -0.2], [-0.2, 1.0, 0.4], [0.1, -0.3, 1.0]]))[0]
GEOMETRIES = {
    "identity": np.eye(3),
    "LPS": np.diag([-1.0, -1.0, 1.0]),
    "left-handed": np.diag([-1.0, 1.0, 1.0]),
    "permuted": np.eye(3)[[2, 0, 1]],
    "oblique": ROTATION,
    "oblique and left-handed": ROTATION @ np.diag([1.0, 1.0, -1.0]),
}


def matrix_of(axes: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array([0.7, 0.9, 4.5])  # i, j, k
    matrix[:3, 3] = [-31.5, 12.25, 87.0]
    return matrix


@pytest.mark.parametrize("ending", ["nii.gz", "nii", "nrrd", "mha"])
@pytest.mark.parametrize("axes", GEOMETRIES.values(), ids=GEOMETRIES.keys())
def test_labels_come_back_on_the_same_grid(tmp_path: Path, axes: np.ndarray, ending: str) -> None:
    volume = Volume(np.arange(60).reshape(3, 4, 5), ijk_to_ras=matrix_of(axes))
    labels = (volume.array % 3 == 0).astype(np.uint8)
    volume.write_labels(tmp_path / f"labels.{ending}", labels)
    again = Volume.read(tmp_path / f"labels.{ending}")
    assert np.array_equal(again.array, labels)
    np.testing.assert_allclose(again.ijk_to_ras, volume.ijk_to_ras, atol=2e-5)
    # What was read once stays exactly where it is when it is written again.
    again.write_labels(tmp_path / f"twice.{ending}", labels)
    twice = Volume.read(tmp_path / f"twice.{ending}")
    np.testing.assert_allclose(twice.ijk_to_ras, again.ijk_to_ras, atol=1e-6)


def test_spacing_follows_the_array_axes() -> None:
    volume = Volume(np.zeros((2, 3, 4)), ijk_to_ras=matrix_of(ROTATION))
    assert volume.spacing == pytest.approx((4.5, 0.9, 0.7))
    assert Volume(np.zeros((2, 3, 4)), spacing=(3, 2, 1)).spacing == (3, 2, 1)


def test_matrix_agrees_with_simpleitk(tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(np.zeros((4, 5, 6), dtype=np.float32))
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection(ROTATION.ravel().tolist())
    SimpleITK.WriteImage(image, str(tmp_path / "image.nrrd"))
    volume = Volume.read(tmp_path / "image.nrrd")
    left, posterior, superior = image.TransformIndexToPhysicalPoint((3, 2, 1))
    here = volume.ijk_to_ras @ [3, 2, 1, 1]
    np.testing.assert_allclose(here[:3], [-left, -posterior, superior], atol=1e-9)


def test_real_volumes_keep_their_grid(data: Path, tmp_path: Path) -> None:
    for name in ("TCGA-FG-6692_flair_native", "BraTS-MET-00110-000-t2f"):
        volume = Volume.read(data / "demo_volumes" / f"{name}.nii.gz")
        volume.write_labels(tmp_path / "labels.nii.gz", volume.array > 100)
        again = Volume.read(tmp_path / "labels.nii.gz")
        np.testing.assert_allclose(again.ijk_to_ras, volume.ijk_to_ras, atol=1e-6)


def test_dicom_folder(data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(data / "dicom_gbm" / "PGBM-002_FLAIRreg_dicom.zip") as archive:
        archive.extractall(tmp_path)
    folder = next(path.parent for path in tmp_path.rglob("*.dcm"))
    volume = Volume.read(folder)
    assert volume.shape == (22, 512, 512)
    assert volume.spacing == pytest.approx((6.5, 0.43, 0.43), abs=0.01)
    normal = volume.ijk_to_ras[:3, 2] / volume.spacing[0]
    assert np.degrees(np.arccos(abs(normal[2]))) == pytest.approx(15.4, abs=0.2)


def test_two_dimensional_images_stay_two_dimensional(tmp_path: Path) -> None:
    SimpleITK.WriteImage(
        SimpleITK.GetImageFromArray(np.arange(12, dtype=np.uint8).reshape(3, 4)),
        str(tmp_path / "slice.png"),
    )
    volume = Volume.read(tmp_path / "slice.png")
    assert volume.shape == (1, 3, 4)
    volume.write_labels(tmp_path / "labels.nii.gz", volume.array > 5)
    assert SimpleITK.ReadImage(str(tmp_path / "labels.nii.gz")).GetSize() == (4, 3)


BAD_FILES = {
    "missing": (None, "does not exist"),
    "corrupt": (b"this is no image", "can't be read as an image"),
    "four axes": (np.zeros((2, 3, 4, 5), dtype=np.float32), "is 4D"),
    "NaN": (np.full((2, 3, 4), np.nan, dtype=np.float32), "NaN or infinite values in 24 of 24"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_files_are_named(tmp_path: Path, content: object, sentence: str) -> None:
    path = tmp_path / "bad.nrrd"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        image = SimpleITK.GetImageFromArray(content, isVector=False)
        SimpleITK.WriteImage(image, str(path))
    with pytest.raises(InputError, match=sentence) as raised:
        Volume.read(path)
    assert "bad.nrrd" in str(raised.value)


def test_color_is_refused(tmp_path: Path) -> None:
    values = np.arange(180, dtype=np.uint8).reshape(3, 4, 5, 3)
    color = SimpleITK.GetImageFromArray(values, isVector=True)
    SimpleITK.WriteImage(color, str(tmp_path / "color.nrrd"))
    with pytest.raises(InputError, match=r"color\.nrrd has 3 components"):
        Volume.read(tmp_path / "color.nrrd")
    green = Volume.read(tmp_path / "color.nrrd", component=1)
    assert np.array_equal(green.array, values[..., 1])
    with pytest.raises(InputError, match="there is no component 3"):
        Volume.read(tmp_path / "color.nrrd", component=3)


def test_folder_without_dicom(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without DICOM files"):
        Volume.read(tmp_path)


BAD_ARGUMENTS = {
    "empty": ({"array": np.zeros((0, 3, 4))}, "empty"),
    "two axes": ({"array": np.zeros((3, 4))}, "2 axes"),
    "text": ({"array": np.full((2, 2, 2), "a")}, "real numbers"),
    "negative spacing": ({"array": np.zeros((2, 2, 2)), "spacing": (1, -1, 1)}, "spacing"),
    "singular": ({"array": np.zeros((2, 2, 2)), "ijk_to_ras": np.zeros((4, 4))}, "singular"),
    "contradiction": (
        {"array": np.zeros((2, 2, 2)), "ijk_to_ras": np.eye(4), "spacing": (2, 1, 1)},
        "its matrix says",
    ),
}


@pytest.mark.parametrize(("arguments", "word"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_arguments_are_named(arguments: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        Volume(**arguments)


def test_labels_of_another_grid_are_refused(tmp_path: Path) -> None:
    volume = Volume(np.zeros((3, 4, 5)), ijk_to_ras=matrix_of(ROTATION))
    moved = matrix_of(ROTATION)
    moved[0, 3] += 1
    Volume(np.zeros((3, 4, 5)), ijk_to_ras=moved).write_labels(
        tmp_path / "moved.nrrd", np.zeros((3, 4, 5))
    )
    with pytest.raises(InputError, match="lies elsewhere"):
        volume.read_labels(tmp_path / "moved.nrrd")
    Volume(np.zeros((3, 4, 6))).write_labels(tmp_path / "larger.nrrd", np.zeros((3, 4, 6)))
    with pytest.raises(InputError, match=r"\(3, 4, 6\)"):
        volume.read_labels(tmp_path / "larger.nrrd")


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    volume = Volume(np.zeros((3, 4, 5)))
    path = tmp_path / "labels.nii.gz"
    volume.write_labels(path, np.ones(volume.shape))
    before = path.read_bytes()
    with pytest.raises(InputError, match="from 0 to 255"):
        volume.write_labels(path, np.full(volume.shape, 300))
    with pytest.raises(InputError, match="shape"):
        volume.write_labels(path, np.zeros((1, 2, 3)))
    with pytest.raises(InputError, match=r"labels\.unknown can't be written"):
        volume.write_labels(tmp_path / "labels.unknown", np.zeros(volume.shape))
    with pytest.raises(InputError, match="does not exist"):
        volume.write_labels(tmp_path / "nowhere" / "labels.nii.gz", np.zeros(volume.shape))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["labels.nii.gz"]
