"""A file that is not whole, or damaged, is refused wherever it is read."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.formats.layout import Layout
from DeepIGeoSLib.formats.reading import check_image, files_of
from DeepIGeoSLib.formats.whole import check_whole

# Ending of the header, ending of the file with the voxels, whether they are compressed.
FILES = {
    "nii": (".nii", ".nii", False),
    "nii.gz": (".nii.gz", ".nii.gz", True),
    "hdr and img": (".hdr", ".img", False),
    "raw nrrd": (".nrrd", ".nrrd", False),
    "gzip nrrd": (".nrrd", ".nrrd", True),
    "nhdr": (".nhdr", ".raw", False),
    "packed nhdr": (".nhdr", ".raw.gz", True),
    "raw mha": (".mha", ".mha", False),
    "zlib mha": (".mha", ".mha", True),
    "mhd": (".mhd", ".raw", False),
    "packed mhd": (".mhd", ".zraw", True),
}


def cut_to_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_its_last_byte(content: bytes) -> bytes:
    return content[:-1]


def with_more_behind(content: bytes) -> bytes:
    return content + b"more"


@pytest.mark.parametrize("damage", [cut_to_half, without_its_last_byte, with_more_behind])
@pytest.mark.parametrize(("header", "data", "compressed"), FILES.values(), ids=FILES.keys())
def test_files_that_are_not_whole_are_refused(
    tmp_path: Path,
    voxels: np.ndarray,
    write: Callable,
    header: str,
    data: str,
    compressed: bool,
    damage: Callable,
) -> None:
    path = write(tmp_path / f"image{header}", voxels, compressed=compressed)
    assert np.array_equal(Volume.read(path).array, voxels)
    file = tmp_path / f"image{data}"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InputError, match=r"image\.\w+"):
        Volume.read(path)


@pytest.mark.parametrize("name", [name for name, (*_, packed) in FILES.items() if packed])
def test_flipped_bits_are_noticed_by_the_checksum(
    tmp_path: Path, voxels: np.ndarray, write: Callable, name: str
) -> None:
    header, data, _ = FILES[name]
    path = write(tmp_path / f"image{header}", voxels, compressed=True)
    file = tmp_path / f"image{data}"
    whole = file.read_bytes()
    for place in range(len(whole) - 4, len(whole) - 400, -37):
        content = bytearray(whole)
        content[place] ^= 0x10
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"image\.\w+"):
            Volume.read(path)


def test_every_entry_point_refuses_them(
    tmp_path: Path, voxels: np.ndarray, write: Callable, capsys: pytest.CaptureFixture
) -> None:
    image = write(tmp_path / "image.nii.gz", voxels)
    label = write(tmp_path / "label.nii.gz", (voxels == 180).astype(np.uint8))
    torn = tmp_path / "torn.nii.gz"
    torn.write_bytes(label.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"torn\.nii\.gz"):
        Volume.read(image).read_labels(torn)
    with pytest.raises(InputError, match=r"torn\.nii\.gz"):
        LabeledCase("d", "c", torn, label).load()
    with pytest.raises(InputError, match=r"torn\.nii\.gz"):
        LabeledCase("d", "c", image, torn).load()
    out = str(tmp_path / "out.nii.gz")
    for arguments in (
        ["refine", str(torn), "--seeds", str(label)],
        ["refine", str(image), "--seeds", str(torn)],
        ["refine", str(image), "--seeds", str(label), "--initial", str(torn)],
    ):
        assert main([*arguments, "-o", out, "--bundle", "geodesic"]) == 2
        assert "torn.nii.gz" in capsys.readouterr().err
    assert not Path(out).exists()


def test_gzip_may_have_parts_and_zeros_behind(
    tmp_path: Path, voxels: np.ndarray, write: Callable
) -> None:
    """Both are valid: tapes pad by zeros, and some programs pack in parts."""
    content = write(tmp_path / "image.nii", voxels).read_bytes()
    parts = gzip.compress(content[:5000]) + gzip.compress(content[5000:]) + bytes(100_000)
    (tmp_path / "parts.nii.gz").write_bytes(parts)
    assert np.array_equal(Volume.read(tmp_path / "parts.nii.gz").array, voxels)


def test_unpacking_ends_where_the_promise_ends(tmp_path: Path) -> None:
    """A bomb of 10 GB is refused after a few chunks."""
    path = tmp_path / "bomb.gz"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    part = packer.compress(bytes(2**20)) + packer.flush()
    path.write_bytes(part * 10_000)
    with pytest.raises(InputError, match="more than the 1000 bytes"):
        check_whole(path, Layout(path, 0, "gzip", 1000))


@pytest.mark.parametrize("encoding", ["ascii", "hex"])
def test_text_encodings_are_counted(tmp_path: Path, encoding: str) -> None:
    numbers = np.arange(24, dtype=np.uint8)
    text = " ".join(map(str, numbers)) if encoding == "ascii" else numbers.tobytes().hex()
    header = f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: {encoding}\n\n"
    path = tmp_path / "text.nrrd"
    path.write_text(header + text + "\n")
    assert np.array_equal(Volume.read(path).array.ravel(), numbers)
    path.write_text(header + text[:-3] + "\n")
    with pytest.raises(InputError, match="is not whole"):
        Volume.read(path)


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg", ".bmp"])
def test_pictures_without_their_end_are_refused(
    tmp_path: Path, voxels: np.ndarray, write: Callable, ending: str
) -> None:
    from PIL import Image

    path = tmp_path / f"picture{ending}"
    Image.fromarray(voxels[5].astype(np.uint8)).save(path)
    assert Volume.read(path).shape == (1, 20, 22)
    path.write_bytes(cut_to_half(path.read_bytes()))
    with pytest.raises(InputError, match="picture"):
        Volume.read(path)


def test_formats_whose_wholeness_nobody_checks_are_refused(
    tmp_path: Path, voxels: np.ndarray, write: Callable
) -> None:
    for ending in (".vtk", ".gipl"):
        path = write(tmp_path / f"image{ending}", voxels)
        with pytest.raises(InputError, match=r"ends in none of .*\.nrrd"):
            Volume.read(path)


NOT_FINITE = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha", ".tif"])
def test_one_value_that_is_no_number_is_one_too_many(
    tmp_path: Path, write: Callable, ending: str, value: float
) -> None:
    array = np.ones((3, 4, 5), dtype=np.float32)
    path = write(tmp_path / f"image{ending}", array)
    array[1, 2, 3] = value
    bad = write(tmp_path / f"bad{ending}", array)
    with pytest.raises(InputError, match="NaN or infinite values in 1 of 60 voxels"):
        Volume.read(bad)
    with pytest.raises(InputError, match="NaN or infinite values in 1 of 60 voxels"):
        Volume.read(path).read_labels(bad)
    with pytest.raises(InputError, match="NaN or infinite values in 1 of 60 voxels"):
        Volume(np.ones((3, 4, 5))).write_map(tmp_path / "map.nrrd", array)
    assert not (tmp_path / "map.nrrd").exists()


HOSTILE = {
    "absolute": "data file: /etc/passwd",
    "climbing": "data file: ../secret.raw",
    "backslashes": "data file: ..\\secret.raw",
    "drive": "data file: C:\\secret.raw",
    "list": "data file: LIST",
    "pattern": "data file: slice%03d.raw 1 2 1",
    "old spelling": "datafile: /etc/passwd",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("ending", [".nrrd", ".nhdr"])
def test_a_header_does_not_decide_what_else_is_read(tmp_path: Path, line: str, ending: str) -> None:
    (tmp_path / "secret.raw").write_bytes(bytes(24))
    folder = tmp_path / "image"
    folder.mkdir()
    header = f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n{line}\n\n"
    path = folder / f"image{ending}"
    path.write_text(header)
    with pytest.raises(InputError, match=r"outside of its folder|several files"):
        Volume.read(path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.raw", "LIST", "s%03d.raw 1 2 1"])
def test_a_metaimage_does_not_either(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.raw").write_bytes(bytes(24))
    (tmp_path / "image").mkdir()
    path = tmp_path / "image" / "image.mhd"
    path.write_text(
        f"NDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementDataFile = {name}\n"
    )
    with pytest.raises(InputError, match=r"outside of its folder|several files"):
        Volume.read(path)


METAIMAGE = (
    b"NDims = %s\nElementSpacing = %s\nDimSize = 4 3 2\nElementType = MET_UCHAR\n"
    b"ElementDataFile = LOCAL\n"
)
HEADERS = {
    "too large": (".nrrd", b"NRRD0004\ntype: uchar\nsizes: 90000 90000 90000\nencoding: raw\n\n"),
    "no size": (".nrrd", b"NRRD0004\ntype: uchar\nsizes: 0 3 2\nencoding: raw\n\n"),
    "negative": (".nrrd", b"NRRD0004\ntype: uchar\nsizes: -4 -3 2\nencoding: raw\n\n"),
    "no type": (".nrrd", b"NRRD0004\ntype: block\nsizes: 4 3 2\nencoding: raw\n\n"),
    "no end": (".nrrd", b"NRRD0004\ntype: uchar\nsizes: 4 3 2"),
    "text for a number": (".nrrd", b"NRRD0004\ntype: uchar\nsizes: a b c\nencoding: raw\n\n"),
    "binary": (".nrrd", bytes(range(256)) * 4),
    "empty": (".nrrd", b""),
    "empty nii": (".nii", b""),
    "zeros": (".nii", bytes(400)),
    "empty gz": (".nii.gz", b""),
    "gz of nothing": (".nii.gz", gzip.compress(b"")),
    "half a gz header": (".nii.gz", gzip.compress(b"x" * 600)[:12]),
    "empty mha": (".mha", b""),
    "mha without data": (".mha", b"NDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\n"),
    "mha of two axes and three sizes": (".mha", METAIMAGE % (b"2", b"1 1") + bytes(24)),
    "mha without axes": (".mha", METAIMAGE % (b"", b"1 1 1") + bytes(24)),
    "mha of negative spacing": (".mha", METAIMAGE % (b"3", b"1 -1 1") + bytes(24)),
    "mha of infinite spacing": (".mha", METAIMAGE % (b"3", b"1 inf 1") + bytes(24)),
    "nrrd that lacks a direction": (
        ".nrrd",
        b"NRRD0005\ntype: uchar\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 3 2\n"
        b"space directions: (1,0,0) (0,2,0) none\nencoding: raw\n\n" + bytes(24),
    ),
}


@pytest.mark.parametrize(("ending", "content"), HEADERS.values(), ids=HEADERS.keys())
def test_hostile_headers_get_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture, ending: str, content: bytes
) -> None:
    path = tmp_path / f"hostile{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="hostile") as raised:
        Volume.read(path)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes with names")
@pytest.mark.parametrize(
    "name", ["pipe.nrrd", "pipe.nii.gz", "pipe.png", "endless.mha", "images.nii"]
)
def test_only_ordinary_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("pipe"):
        os.mkfifo(path)
    elif name.startswith("endless"):
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(InputError, match=rf"{name} is no ordinary file"):
        check_image(path)
    assert files_of(path) == [path]


def test_a_scene_outside_of_slicer_does_not_load_them(
    tmp_path: Path, voxels: np.ndarray, write: Callable, running_slicer: object
) -> None:
    """Slicer's own readers fill what is missing with zeros."""
    import slicer

    path = write(tmp_path / "image.nii", voxels)
    node = slicer.util.loadVolume(str(path))
    assert np.array_equal(slicer.util.arrayFromVolume(node), voxels)
    slicer.mrmlScene.RemoveNode(node)
    path.write_bytes(cut_to_half(path.read_bytes()))
    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(path))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be read")
def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, voxels: np.ndarray, write: Callable
) -> None:
    path = write(tmp_path / "image.nrrd", voxels)
    path.chmod(0)
    with pytest.raises(InputError, match=r"image\.nrrd can't be read: Permission denied"):
        Volume.read(path)
