"""Labels are read as they are: their values, on the image's own voxels, whatever their order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.data import LabeledCase

ORDERS = ["LPS", "RAS", "RPI", "PIR", "SLA", "AIL", "IPR"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_labels_in_another_storage_order_are_turned(
    tmp_path: Path, voxels: np.ndarray, write: Callable, order: str, ending: str
) -> None:
    image = write(tmp_path / f"image{ending}", voxels)
    truth = (voxels == 180).astype(np.uint8)
    label = write(tmp_path / f"label{ending}", truth)
    turned = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(label)), order)
    SimpleITK.WriteImage(turned, str(label))
    volume = Volume.read(image)
    assert np.array_equal(volume.read_labels(label), truth)
    _, target = LabeledCase("d", "c", image, label).load()
    assert np.array_equal(target, truth > 0)


def test_channels_in_another_order_are_turned(
    tmp_path: Path, voxels: np.ndarray, write: Callable
) -> None:
    first = write(tmp_path / "first.nrrd", voxels)
    second = write(tmp_path / "second.nrrd", voxels * 2)
    image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(second)), "AIL")
    SimpleITK.WriteImage(image, str(second))
    label = write(tmp_path / "label.nrrd", (voxels == 180).astype(np.uint8))
    case = LabeledCase("d", "c", first, label, other_channels=(second,))
    channels, _ = case.load_channels()
    assert np.array_equal(channels[1].array, voxels * 2)
    assert channels[0].same_grid(channels[1])
    assert np.array_equal(Volume.read(first).aligned(Volume.read(second)).array, voxels * 2)


@pytest.mark.parametrize("part", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(
    ("shape", "spacing"), [((4, 512, 512), 0.4), ((600, 32, 32), 0.3), ((3, 64, 64), 0.0005)]
)
def test_a_tenth_of_a_voxel_is_another_place(
    tmp_path: Path, shape: tuple[int, int, int], spacing: float, part: float
) -> None:
    volume = Volume(np.zeros(shape), spacing=(spacing,) * 3)
    moved = volume.ijk_to_ras.copy()
    moved[1, 3] += part * spacing
    labels = Volume(np.zeros(shape), ijk_to_ras=moved)
    labels.write_labels(tmp_path / "moved.nrrd", np.ones(shape))
    with pytest.raises(InputError, match="lies elsewhere"):
        volume.read_labels(tmp_path / "moved.nrrd")
    moved[1, 3] -= (part - 0.01) * spacing
    Volume(np.zeros(shape), ijk_to_ras=moved).write_labels(tmp_path / "same.nrrd", np.ones(shape))
    assert volume.read_labels(tmp_path / "same.nrrd").all()


def test_a_drift_of_the_spacing_counts_at_the_far_end(tmp_path: Path) -> None:
    """A thousandth of the spacing is nothing over ten voxels, and half a voxel over 512."""
    for count, is_same in ((10, True), (512, False)):
        volume = Volume(np.zeros((2, 2, count)), spacing=(1, 1, 1))
        other = Volume(np.zeros((2, 2, count)), spacing=(1, 1, 1.001))
        assert volume.same_grid(other) == is_same


def test_a_single_slice_has_no_thickness_to_disagree_about(tmp_path: Path) -> None:
    thick = Volume(np.zeros((1, 4, 5)), spacing=(5, 0.5, 0.5))
    flat = Volume(np.zeros((1, 4, 5)), spacing=(1, 0.5, 0.5))
    labels = np.arange(20).reshape(1, 4, 5) % 3
    flat.write_labels(tmp_path / "flat.nrrd", labels)
    assert np.array_equal(thick.read_labels(tmp_path / "flat.nrrd"), labels)


@pytest.mark.parametrize("axes", list(product([0, 1], repeat=3)))
def test_every_order_and_direction_is_undone(tmp_path: Path, axes: tuple) -> None:
    volume = Volume(np.arange(24).reshape(2, 3, 4), spacing=(3, 2, 1))
    for order in permutations(range(3)):
        array = np.flip(volume.array, np.flatnonzero(axes)).transpose(order)
        matrix = np.eye(4)
        corner = np.where(axes, np.array(volume.shape) - 1, 0)[::-1]
        matrix[:, 3] = volume.ijk_to_ras @ [*corner, 1]
        columns = volume.ijk_to_ras[:3, :3][:, ::-1] * np.where(axes, -1, 1)
        matrix[:3, :3] = columns[:, order][:, ::-1]
        stored = Volume(array, ijk_to_ras=matrix)
        assert np.array_equal(volume.aligned(stored).array, volume.array)


LARGE = {
    "uint16": (np.uint16, 40_000),
    "uint32": (np.uint32, 2**32 - 1),
    "int64": (np.int64, 2**32 + 1),
    "uint64": (np.uint64, 2**40),
    "negative": (np.int64, -(2**40)),
    "float32": (np.float32, 3e9),
}


@pytest.mark.parametrize(("kind", "value"), LARGE.values(), ids=LARGE.keys())
@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz"])
def test_large_labels_keep_their_value(
    tmp_path: Path, voxels: np.ndarray, write: Callable, ending: str, kind: type, value: float
) -> None:
    image = write(tmp_path / f"image{ending}", voxels)
    labels = np.zeros(voxels.shape, kind)
    labels[5, 2:12, 2:12] = value
    path = write(tmp_path / f"label{ending}", labels)
    assert np.unique(Volume.read(image).read_labels(path)).tolist() == sorted([0, value])
    case = LabeledCase("d", "c", image, path, target_labels=(int(value),))
    assert case.load()[1].sum() == 100


def test_labels_beyond_64_bits_and_fractions_are_refused(
    tmp_path: Path, voxels: np.ndarray, write: Callable
) -> None:
    volume = Volume.read(write(tmp_path / "image.nrrd", voxels))
    labels = np.zeros(voxels.shape, np.uint64)
    labels[0, 0, 0] = 2**63
    with pytest.raises(InputError, match="labels beyond 64 bits, such as 9223372036854775808"):
        volume.read_labels(write(tmp_path / "large.nrrd", labels))
    with pytest.raises(InputError, match="not whole numbers"):
        volume.read_labels(write(tmp_path / "half.nrrd", np.full(voxels.shape, 0.5, np.float32)))
    with pytest.raises(InputError, match=r"values beyond those of float32 in 1 voxels"):
        Volume(np.array([[[1e300, 1.0]]]))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("ending", [".png", ".tif", ".nrrd"])
def test_gray_stored_as_color_is_gray(
    tmp_path: Path, voxels: np.ndarray, ending: str, channels: int
) -> None:
    gray = voxels[5].astype(np.uint8)
    color = np.stack([gray] * channels, -1)
    color[..., 3:] = 255
    path = tmp_path / f"picture{ending}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(color, isVector=True), str(path))
    assert np.array_equal(Volume.read(path).array[0], gray)
    color[0, 0, 0] ^= 1
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(color, isVector=True), str(path))
    with pytest.raises(InputError, match=f"has {channels} components per voxel"):
        Volume.read(path)


def test_a_picture_with_holes_is_not_gray(tmp_path: Path, voxels: np.ndarray) -> None:
    color = np.stack([voxels[5].astype(np.uint8)] * 4, -1)
    color[..., 3] = 255
    color[3, 4, 3] = 0
    path = tmp_path / "picture.png"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(color, isVector=True), str(path))
    with pytest.raises(InputError, match="has 4 components"):
        Volume.read(path)


def test_a_written_segmentation_is_one_to_slicer(tmp_path: Path, running_slicer) -> None:
    import slicer

    volume = Volume(np.zeros((3, 4, 5)), spacing=(3, 1, 1))
    labels = np.zeros(volume.shape)
    labels[1, 1:3, 2:4] = 1
    labels[2, 0, 0] = 7
    volume.write_labels(tmp_path / "lesion.seg.nrrd", labels)
    assert np.array_equal(volume.read_labels(tmp_path / "lesion.seg.nrrd"), labels > 0)
    only = volume.read_labels(tmp_path / "lesion.seg.nrrd", ["Segment_7"])
    assert np.array_equal(only, labels == 7)
    node = slicer.util.loadSegmentation(str(tmp_path / "lesion.seg.nrrd"))
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(n).GetName() for n in range(2)]
    assert names == ["Segment_1", "Segment_7"]
    running_slicer.scene.RemoveNode(node)
