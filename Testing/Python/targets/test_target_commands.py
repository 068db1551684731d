"""Several targets on the command line: labelmaps, segments with names and colors, corrections."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from DeepIGeoSLib import Volume
from DeepIGeoSLib.cli import main

from .conftest import BESIDE, NESTED


@pytest.fixture
def image(head: Volume, tmp_path: Path) -> Path:
    path = tmp_path / "head.nii.gz"
    head.write_map(path, head.array)
    return path


def segmented(image: Path, bundle: Path, output: Path, *options: object) -> int:
    arguments = ["segment", image, "-o", output, "--bundle", bundle, "--device", "cpu", *options]
    return main([str(argument) for argument in arguments])


def test_a_labelmap_holds_every_target_and_a_table_their_names(
    bundle_of, image: Path, rim: np.ndarray, core: np.ndarray, capsys: pytest.CaptureFixture
) -> None:
    output, table = image.parent / "out.nii.gz", image.parent / "out.ctbl"
    assert segmented(image, bundle_of(BESIDE), output, "--color-table", table) == 0
    labels = Volume.read(image).read_labels(output)
    np.testing.assert_array_equal(labels, rim + 2 * core)
    assert table.read_text().splitlines()[1:] == [
        "0 background 0 0 0 0",
        "1 rim 200 10 20 255",
        "2 core 191 0 255 255",
    ]
    told = capsys.readouterr().out
    assert f"1  rim: {rim.sum()} voxels" in told
    assert f"2  core: {core.sum()} voxels, {core.sum() * 0.003:.1f} ml" in told


def test_a_segmentation_names_and_colors_its_segments(
    bundle_of, image: Path, rim: np.ndarray, core: np.ndarray, capsys: pytest.CaptureFixture
) -> None:
    output = image.parent / "out.seg.nrrd"
    assert segmented(image, bundle_of(BESIDE), output, "--json") == 0
    told = json.loads(capsys.readouterr().out)["targets"]
    assert [(row["name"], row["label"]) for row in told] == [("rim", 1), ("core", 2)]
    volume = Volume.read(image)
    np.testing.assert_array_equal(volume.read_labels(output, ["rim"]) > 0, rim)
    np.testing.assert_array_equal(volume.read_labels(output, ["core"]) > 0, core)
    header = SimpleITK.ReadImage(str(output))
    assert header.GetMetaData("Segment0_Color") == "0.784314 0.039216 0.078431"
    assert header.GetNumberOfComponentsPerPixel() == 1


def test_segments_in_each_other_lie_in_layers(
    bundle_of, image: Path, rim: np.ndarray, core: np.ndarray
) -> None:
    bundle, volume = bundle_of(NESTED), Volume.read(image)
    segments, labels = image.parent / "out.seg.nrrd", image.parent / "out.nrrd"
    assert segmented(image, bundle, segments) == 0
    np.testing.assert_array_equal(volume.read_labels(segments, ["whole"]) > 0, rim | core)
    np.testing.assert_array_equal(volume.read_labels(segments, ["core"]) > 0, core)
    assert segmented(image, bundle, labels) == 0
    np.testing.assert_array_equal(volume.read_labels(labels), rim + 2 * core)


def test_slicer_reads_names_colors_and_layers(
    running_slicer, bundle_of, image: Path, rim: np.ndarray, core: np.ndarray
) -> None:
    output = image.parent / "out.seg.nrrd"
    assert segmented(image, bundle_of(NESTED), output) == 0
    import slicer

    running_slicer.scene.Clear(0)
    node = slicer.util.loadSegmentation(str(output))
    segmentation = node.GetSegmentation()
    found = [segmentation.GetSegment(name) for name in segmentation.GetSegmentIDs()]
    assert [segment.GetName() for segment in found] == ["whole", "core"]
    assert found[0].GetColor() == pytest.approx((240 / 255, 228 / 255, 66 / 255), abs=1e-3)
    for number, mask in enumerate((rim | core, core)):
        identifier = segmentation.GetSegmentIDs()[number]
        voxels = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, identifier)
        assert (voxels == found[number].GetLabelValue()).sum() == mask.sum()
    running_slicer.scene.Clear(0)


def test_one_target_alone_is_written_as_ever(
    bundle_of, image: Path, core: np.ndarray, capsys: pytest.CaptureFixture
) -> None:
    output, probability = image.parent / "core.nii.gz", image.parent / "p.nii.gz"
    bundle = bundle_of(BESIDE)
    assert segmented(image, bundle, output, "--target", "core", "--probability", probability) == 0
    np.testing.assert_array_equal(Volume.read(image).read_labels(output), core)
    assert np.array_equal(Volume.read(probability).array >= 0.5, core)
    assert f"{core.sum()} voxels" in capsys.readouterr().out
    assert segmented(image, bundle, output, "--target", "liver") == 2
    assert "has no target 'liver'; it has rim, core." in capsys.readouterr().err
    assert segmented(image, bundle, output, "--probability", probability) == 2
    assert "name it by --target: rim, core." in capsys.readouterr().err


def test_scribbles_correct_one_target_of_a_file(
    bundle_of, head: Volume, image: Path, rim: np.ndarray, core: np.ndarray
) -> None:
    folder, bundle, volume = image.parent, bundle_of(BESIDE), Volume.read(image)
    marked = np.zeros(head.shape, dtype=np.uint8)
    marked[4, 14:17, 10:12] = 1
    volume.write_labels(folder / "seeds.nii.gz", marked)
    for name in ("first.seg.nrrd", "first.nii.gz"):
        first, second = folder / name, folder / f"second-{name}"
        assert segmented(image, bundle, first) == 0
        arguments = ["refine", image, "--seeds", folder / "seeds.nii.gz", "--initial", first]
        arguments += ["--target", "core", "--bundle", bundle, "-o", second, "--device", "cpu"]
        assert main([str(argument) for argument in arguments]) == 0
        if name.endswith(".seg.nrrd"):
            found = [volume.read_labels(second, [part]) > 0 for part in ("rim", "core")]
        else:
            labels = volume.read_labels(second)
            found = [labels == 1, labels == 2]
        np.testing.assert_array_equal(found[1], core | (marked > 0))
        np.testing.assert_array_equal(found[0], rim & (marked == 0))


def test_what_is_to_be_corrected_must_be_named(
    bundle_of, image: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["refine", image, "--click", "4,14,10", "--bundle", bundle_of(BESIDE)]
    arguments += ["-o", image.parent / "out.nii.gz"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "by --target: rim, core." in capsys.readouterr().err


def test_a_color_table_replaces_nothing(
    bundle_of, image: Path, capsys: pytest.CaptureFixture
) -> None:
    output = image.parent / "out.nii.gz"
    assert segmented(image, bundle_of(BESIDE), output, "--color-table", image) == 2
    assert "--color-table would replace" in capsys.readouterr().err
    assert not output.exists()


def test_a_bundle_tells_its_targets(bundle_of, capsys: pytest.CaptureFixture) -> None:
    assert main(["bundles", str(bundle_of(BESIDE))]) == 0
    assert "target     2: core" in capsys.readouterr().out
