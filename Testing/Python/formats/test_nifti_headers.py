"""What NIfTI headers say of scale, units, shear and versions."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume

AFFINE = np.array([[-0.9, 0, 0, 10], [0, -0.9, 0.3, -20], [0, 0, 3, 30], [0, 0, 0, 1.0]])


@pytest.fixture
def array() -> np.ndarray:
    return np.arange(60, dtype=np.int16).reshape(5, 4, 3)  # i, j, k, as nibabel orders them


@pytest.mark.parametrize("qform_code", [0, 1])
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_a_sheared_volume_lies_where_its_sform_puts_it(
    tmp_path: Path, array: np.ndarray, qform_code: int, ending: str, capfd: pytest.CaptureFixture
) -> None:
    image = nibabel.Nifti1Image(array, AFFINE)
    image.set_sform(AFFINE, 1)
    image.set_qform(AFFINE, qform_code, strip_shears=True)
    nibabel.save(image, tmp_path / f"sheared.{ending}")
    volume = Volume.read(tmp_path / f"sheared.{ending}")
    assert np.array_equal(volume.array, array.T)
    np.testing.assert_allclose(volume.ijk_to_ras, AFFINE, atol=1e-5)
    labels = (array.T % 2).astype(np.uint8)
    for keeps in ("labels.nrrd", "labels.mha"):
        volume.write_labels(tmp_path / keeps, labels)
        assert Volume.read(tmp_path / keeps).same_grid(volume)
        assert np.array_equal(volume.read_labels(tmp_path / keeps), labels)
    with pytest.raises(InputError, match=r"labels\.nii can't be written: .*sheared.*\.nrrd and"):
        volume.write_labels(tmp_path / "labels.nii", labels)
    assert not (tmp_path / "labels.nii").exists()
    assert capfd.readouterr() == ("", "")


def test_version_2_is_named(tmp_path: Path, array: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti2Image(array, AFFINE), tmp_path / "two.nii.gz")
    with pytest.raises(InputError, match="is NIfTI-2, which is not read here; save it as NIfTI-1"):
        Volume.read(tmp_path / "two.nii.gz")


def test_pairs_are_read_by_either_name(tmp_path: Path, array: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Pair(array, np.diag([-1, -1, 3, 1.0])), tmp_path / "pair.img")
    for name in ("pair.img", "pair.hdr"):
        assert np.array_equal(Volume.read(tmp_path / name).array, array.T)
    (tmp_path / "pair.hdr").rename(tmp_path / "lost.hdr")
    with pytest.raises(InputError, match="the other half of an image, is missing"):
        Volume.read(tmp_path / "pair.img")


@pytest.mark.parametrize(("kind", "bits"), [(2, 16), (4, 8), (4, 0), (4, -16), (999, 16), (1, 1)])
def test_a_type_of_other_bits_is_refused(
    tmp_path: Path, array: np.ndarray, kind: int, bits: int
) -> None:
    path = tmp_path / "type.nii"
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-1, -1, 3, 1.0])), path)
    content = bytearray(path.read_bytes())
    content[70:74] = np.array([kind, bits], "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"gives {bits} bits a voxel of the type {kind}"):
        Volume.read(path)


def test_scaled_values_are_scaled(tmp_path: Path, array: np.ndarray) -> None:
    image = nibabel.Nifti1Image(array, np.diag([-1, -1, 3, 1.0]))
    image.header.set_slope_inter(0.5, -3)
    nibabel.save(image, tmp_path / "scaled.nii")
    stored = nibabel.load(tmp_path / "scaled.nii").get_fdata()
    np.testing.assert_allclose(Volume.read(tmp_path / "scaled.nii").array, stored.T, atol=1e-5)


def test_a_series_of_one_volume_is_a_volume(tmp_path: Path, array: np.ndarray) -> None:
    for name, values in (("one", array[..., None]), ("two", np.stack([array] * 2, -1))):
        nibabel.save(
            nibabel.Nifti1Image(values, np.diag([-1, -1, 3, 1.0])), tmp_path / f"{name}.nii"
        )
    assert Volume.read(tmp_path / "one.nii").shape == (3, 4, 5)
    with pytest.raises(InputError, match="is 4D with 2 frames"):
        Volume.read(tmp_path / "two.nii")
    assert Volume.read(tmp_path / "two.nii", frame=1).shape == (3, 4, 5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("field", ["scl_slope", "scl_inter"])
def test_a_scale_that_is_no_number_is_no_scale(
    tmp_path: Path, array: np.ndarray, field: str, value: float
) -> None:
    """The standard's own library ignores it, as Slicer does."""
    path = tmp_path / "scale.nii"
    image = nibabel.Nifti1Image(array, np.diag([-1, -1, 3, 1.0]))
    nibabel.save(image, path)
    content = bytearray(path.read_bytes())
    place = 112 if field == "scl_slope" else 116
    content[place : place + 4] = np.float32(value).tobytes()
    path.write_bytes(content)
    assert np.array_equal(Volume.read(path).array, array.T)


@pytest.mark.parametrize(
    ("sform_code", "qform_code", "place", "numbers", "told"),
    [
        (1, 0, 280, [np.inf], "sform"),
        (1, 1, 280, [0] * 12, "sform"),
        (0, 1, 256, [np.nan], "qform"),
        (0, 1, 268, [np.inf], "qform"),
        (0, 1, 80, [np.nan], "the size nan mm"),
        (0, 0, 84, [0], "the size 0.0 mm"),
    ],
)
def test_a_place_that_can_not_be_true_is_refused(
    tmp_path: Path,
    array: np.ndarray,
    sform_code: int,
    qform_code: int,
    place: int,
    numbers: list[float],
    told: str,
) -> None:
    """ITK takes another form or 1 mm instead, and says nothing."""
    image = nibabel.Nifti1Image(array, np.diag([-1, -1, 3, 1.0]))
    image.set_sform(image.affine, sform_code)
    image.set_qform(image.affine, qform_code)
    path = tmp_path / "nowhere.nii"
    nibabel.save(image, path)
    assert Volume.read(path).spacing == (3, 1, 1)
    content = bytearray(path.read_bytes())
    content[place : place + 4 * len(numbers)] = np.array(numbers, np.float32).tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"nowhere\.nii: .*{told}"):
        Volume.read(path)
