"""Strokes that were saved by Slicer are seeds, chosen by the names of their segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.interaction.seed_files import read_seeds

SHAPE = (6, 16, 18)


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    array = np.random.default_rng(0).normal(100, 3, SHAPE)
    array[2:5, 4:9, 6:12] = 180
    made = Volume(array, spacing=(3, 1, 1))
    made.write_map(tmp_path / "image.nrrd", made.array)
    return Volume.read(tmp_path / "image.nrrd")


@pytest.fixture
def inside() -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[3, 5, 7:11] = True
    return mask


@pytest.fixture
def outside() -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[3, 12, 2:16] = True
    return mask


def save(path: Path, volume: Volume, layers: list[np.ndarray], segments: list[tuple]) -> Path:
    """Write a segmentation; each segment is (name, layer, label)."""
    several = len(layers) > 1
    stacked = np.stack(layers, -1) if several else layers[0]
    image = SimpleITK.GetImageFromArray(stacked.astype(np.uint8), isVector=several)
    image.CopyInformation(SimpleITK.ReadImage(volume.name))
    for number, (name, layer, label) in enumerate(segments):
        values = {"ID": f"id{number}", "Name": name, "Layer": layer, "LabelValue": label}
        for key, value in values.items():
            image.SetMetaData(f"Segment{number}_{key}", str(value))
    SimpleITK.WriteImage(image, str(path), True)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("foreground", "background"),
        ("Foreground", "BACKGROUND"),
        ("lesion foreground", "lesion background"),
    ],
)
@pytest.mark.parametrize("background_first", [False, True])
def test_segments_are_known_by_their_names(
    tmp_path: Path, volume, inside, outside, names: tuple, background_first: bool
) -> None:
    segments = [(names[0], 0, 1), (names[1], 0, 2)]
    if background_first:
        segments = [(names[1], 0, 2), (names[0], 0, 1)]
    path = save(tmp_path / "s.seg.nrrd", volume, [inside + 2 * outside], segments)
    foreground, background = read_seeds(volume, path)
    assert np.array_equal(foreground, inside)
    assert np.array_equal(background, outside)


def test_segments_may_have_any_name(tmp_path: Path, volume, inside, outside) -> None:
    segments = [("ja", 0, 1), ("nein", 1, 1)]
    path = save(tmp_path / "s.seg.nrrd", volume, [inside, outside], segments)
    with pytest.raises(InputError, match="segmentation with the segments ja, nein; name the"):
        read_seeds(volume, path)
    foreground, background = read_seeds(volume, path, foreground="ja", background="nein")
    assert np.array_equal(foreground, inside)
    assert np.array_equal(background, outside)
    foreground, background = read_seeds(volume, path, foreground="ja")
    assert np.array_equal(foreground, inside)
    assert not background.any()


def test_a_voxel_in_both_layers_is_named(tmp_path: Path, volume, inside) -> None:
    segments = [("foreground", 0, 1), ("background", 1, 1)]
    path = save(tmp_path / "s.seg.nrrd", volume, [inside, inside], segments)
    with pytest.raises(InputError, match="segmentation in which 4 voxels are in both"):
        read_seeds(volume, path)


def test_a_labelmap_has_no_segments(tmp_path: Path, volume, inside) -> None:
    volume.write_labels(tmp_path / "seeds.nrrd", inside)
    assert np.array_equal(read_seeds(volume, tmp_path / "seeds.nrrd")[0], inside)
    with pytest.raises(InputError, match="is a labelmap and has no segments"):
        read_seeds(volume, tmp_path / "seeds.nrrd", foreground="foreground")
    volume.write_labels(tmp_path / "three.nrrd", inside * 3)
    with pytest.raises(InputError, match=r"three\.nrrd holds the labels \[3\]"):
        read_seeds(volume, tmp_path / "three.nrrd")


def test_a_segmentation_is_seeds_mask_and_truth(tmp_path: Path, volume, inside, outside) -> None:
    seeds = save(
        tmp_path / "seeds.seg.nrrd",
        volume,
        [inside, outside],
        [("foreground", 0, 1), ("background", 1, 1)],
    )
    lesion = volume.array == 180
    mask = save(tmp_path / "m.seg.nrrd", volume, [lesion, ~lesion], [("L", 0, 1), ("rest", 1, 1)])
    image, out = str(tmp_path / "image.nrrd"), str(tmp_path / "out.seg.nrrd")
    common = ["--bundle", "geodesic"]
    arguments = ["refine", image, "--seeds", str(seeds), "--initial", str(mask)]
    assert main([*arguments, "--initial-segment", "L", "-o", out, *common]) == 0
    assert np.array_equal(volume.read_labels(out), lesion)
    distance = str(tmp_path / "d.nrrd")
    arguments = ["geodesic", image, "--seeds", str(seeds), "--segment", "background"]
    assert main([*arguments, "-o", distance]) == 0
    assert np.array_equal(Volume.read(distance).array == 0, outside)
    arguments = ["evaluate", "--image", image, "--truth", str(mask), "--truth-segment", "L"]
    assert main([*arguments, "--rounds", "1", *common]) == 0
