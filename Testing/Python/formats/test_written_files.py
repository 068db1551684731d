"""What is written keeps voxels and grid, appears whole or not at all, and destroys nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.files import check_output_file, same_file, written_in_one_step

TURN = np.linalg.qr(np.array([[1.0, 0.3, -0.2], [-0.2, 1.0, 0.4], [0.1, -0.3, 1.0]]))[0]


def oblique() -> Volume:
    matrix = np.eye(4)
    matrix[:3, :3] = TURN * [0.7, 0.9, 4.5]
    matrix[:3, 3] = [-31.5, 12.25, 87.0]
    return Volume(np.arange(60).reshape(3, 4, 5), ijk_to_ras=matrix, name="oblique")


@pytest.mark.parametrize("ending", [".NII.GZ", ".Nii", ".NRRD", ".MHA", ".Nrrd"])
def test_capitals_in_an_ending_are_an_ending(tmp_path: Path, ending: str) -> None:
    volume = oblique()
    path = tmp_path / f"OUT{ending}"
    volume.write_labels(path, volume.array > 5)
    assert [p.name for p in tmp_path.iterdir()] == [f"OUT{ending}"]
    assert np.array_equal(volume.read_labels(path), volume.array > 5)


@pytest.mark.parametrize(
    ("ending", "instead"),
    [
        (".mhd", ".mha"),
        (".MHD", ".mha"),
        (".nhdr", ".nrrd"),
        (".seg.nhdr", ".nrrd"),
        (".hdr", ".nii.gz"),
        (".img.gz", ".nii.gz"),
    ],
)
def test_two_files_that_can_be_parted_are_refused(
    tmp_path: Path, ending: str, instead: str
) -> None:
    with pytest.raises(InputError, match=rf"two files, which can be parted; use \{instead}"):
        oblique().write_labels(tmp_path / f"out{ending}", np.zeros((3, 4, 5)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg", ".bmp", ".vtk", ".gipl", ".xyz", ""])
def test_formats_that_lose_the_grid_are_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(InputError, match=r"out.* can't be written: .*\.nrrd"):
        oblique().write_labels(tmp_path / f"out{ending}", np.zeros((3, 4, 5)))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_a_picture_is_kept(tmp_path: Path) -> None:
    picture = SimpleITK.GetImageFromArray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    SimpleITK.WriteImage(picture, str(tmp_path / "picture.png"))
    volume = Volume.read(tmp_path / "picture.png")
    volume.write_labels(tmp_path / "labels.png", volume.array > 5)
    assert np.array_equal(volume.read_labels(tmp_path / "labels.png"), volume.array > 5)
    picture.SetSpacing((0.3, 0.4))
    picture.SetOrigin((5, 6))
    SimpleITK.WriteImage(picture, str(tmp_path / "placed.nrrd"))
    with pytest.raises(InputError, match="does not keep the place"):
        Volume.read(tmp_path / "placed.nrrd").write_labels(
            tmp_path / "placed.png", volume.array > 5
        )


@pytest.mark.parametrize("spacing", [0.0005, 0.01, 1.0, 100.0])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_grids_of_any_scale_come_back(tmp_path: Path, spacing: float, ending: str) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = TURN * spacing
    matrix[:3, 3] = [100 * spacing, -37.5 * spacing, 12 * spacing]
    volume = Volume(np.arange(60).reshape(3, 4, 5), ijk_to_ras=matrix)
    volume.write_labels(tmp_path / f"labels{ending}", volume.array > 5)
    again = Volume.read(tmp_path / f"labels{ending}")
    assert volume.same_grid(again)
    np.testing.assert_allclose(again.ijk_to_ras, matrix, atol=1e-3 * spacing)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes")
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, ending: str, capfd: pytest.CaptureFixture
) -> None:
    import resource

    volume = Volume(np.random.default_rng(0).normal(size=(20, 48, 48)))
    noise = volume.array > 0
    path = tmp_path / f"out{ending}"
    volume.write_labels(path, np.zeros(volume.shape))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limits[1]))
        with pytest.raises(InputError, match="can't be written"):
            volume.write_labels(path, noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert capfd.readouterr() == ("", "")


def test_what_was_read_back_otherwise_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that loses a voxel without a word is found out."""
    write = SimpleITK.WriteImage

    def lossy(image: SimpleITK.Image, *arguments: object, **options: object) -> None:
        image[0, 0, 0] = 1 - image[0, 0, 0]
        write(image, *arguments, **options)

    monkeypatch.setattr(SimpleITK, "WriteImage", lossy)
    with pytest.raises(InputError, match="other voxels were read back than written"):
        oblique().write_labels(tmp_path / "out.nrrd", np.zeros((3, 4, 5)))
    assert list(tmp_path.iterdir()) == []


def test_a_result_does_not_replace_the_image_it_belongs_to(tmp_path: Path) -> None:
    oblique().write_map(tmp_path / "image.nrrd", oblique().array)
    (tmp_path / "hard.nrrd").hardlink_to(tmp_path / "image.nrrd")
    (tmp_path / "soft.nrrd").symlink_to(tmp_path / "image.nrrd")
    (tmp_path / "folder").mkdir()
    before = (tmp_path / "image.nrrd").read_bytes()
    volume = Volume.read(tmp_path / "image.nrrd")
    for name in ("image.nrrd", "hard.nrrd", "soft.nrrd", "folder/../image.nrrd"):
        with pytest.raises(InputError, match="is the image itself"):
            volume.write_labels(tmp_path / name, np.zeros(volume.shape))
        assert (tmp_path / "image.nrrd").read_bytes() == before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "link.nrrd").symlink_to(tmp_path / "results" / "real.nrrd")
    volume = oblique()
    for labels in (volume.array > 5, volume.array > 9):
        volume.write_labels(tmp_path / "link.nrrd", labels)
        assert (tmp_path / "link.nrrd").is_symlink()
        assert np.array_equal(volume.read_labels(tmp_path / "results" / "real.nrrd"), labels)


@pytest.mark.skipif(sys.platform == "win32", reason="other modes")
def test_who_may_read_the_old_file_may_read_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o640)
    with written_in_one_step(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


LONGEST = 255 - len(".nii.gz")


def test_the_longest_name_works_and_a_longer_one_gets_a_sentence(tmp_path: Path) -> None:
    volume = oblique()
    volume.write_labels(tmp_path / ("x" * LONGEST + ".nii.gz"), volume.array > 5)
    with pytest.raises(InputError, match="can't be written: File name too long") as raised:
        volume.write_labels(tmp_path / ("x" * (LONGEST + 1) + ".nii.gz"), volume.array > 5)
    assert len(str(raised.value)) < 400
    with pytest.raises(InputError, match="does not exist"):
        Volume.read(tmp_path / ("x" * 5000))


def test_names_that_are_none_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be written: embedded null"):
        check_output_file(tmp_path / "a\0b.nrrd")
    with pytest.raises(InputError, match="does not exist"):
        Volume.read(tmp_path / "a\0b.nrrd")


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.skipif(os.name == "nt", reason="names are always text there")
def test_names_of_bytes_that_are_no_text_get_a_sentence(tmp_path: Path) -> None:
    """ITK would end the whole program."""
    volume = Volume(np.zeros((2, 3, 4)))
    labels = np.zeros((2, 3, 4), np.uint8)
    volume.write_labels(tmp_path / "text.nrrd", labels)
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.nrrd")
    (tmp_path / "text.nrrd").rename(name)
    with pytest.raises(InputError, match="is no text in UTF-8"):
        Volume.read(name)
    with pytest.raises(InputError, match="is no text in UTF-8"):
        volume.write_labels(name, labels)


def test_only_ordinary_files_are_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nrrd")
    with pytest.raises(InputError, match="is no ordinary file"):
        check_output_file(tmp_path / "pipe.nrrd")
    with pytest.raises(InputError, match="is no ordinary file"):
        check_output_file("/dev/null")
    (tmp_path / "folder.nrrd").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        check_output_file(tmp_path / "folder.nrrd")


def test_capitals_tell_files_apart_only_where_the_file_system_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "out.nrrd", tmp_path / "OUT.nrrd"
    first.write_text("")
    assert same_file(first, second) == second.exists()
    monkeypatch.setattr("DeepIGeoSLib.files._ignores_case", lambda _folder: True)
    assert same_file(first, second)
    assert same_file(tmp_path / "Gr\u00f6\u00dfe.nrrd", tmp_path / "GRO\u0308SSE.NRRD")
    assert not same_file(first, tmp_path / "out2.nrrd")


def test_a_process_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    code = (
        "import os, sys; from DeepIGeoSLib.files import written_in_one_step\n"
        "with written_in_one_step(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.read_text() == "old"
