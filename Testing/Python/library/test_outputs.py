"""No output of a command replaces an input, or another output of the same run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.commands.outputs import check_folder, check_images
from DeepIGeoSLib.errors import InputError

from .conftest import LESION, head_with_lesion


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image, seeds and a mask, and every way to name the image."""
    head = head_with_lesion()
    head.write_map(tmp_path / "image.nii.gz", head.array)
    seeds = np.zeros(head.shape, dtype=np.uint8)
    seeds[4, 12:16, 14] = 1
    seeds[4, 5, 8:28] = 2
    head.write_labels(tmp_path / "seeds.nii.gz", seeds)
    mask = np.zeros(head.shape, dtype=bool)
    mask[LESION] = True
    head.write_labels(tmp_path / "mask.nii.gz", mask)
    (tmp_path / "hard.nii.gz").hardlink_to(tmp_path / "image.nii.gz")
    (tmp_path / "soft.nii.gz").symlink_to(tmp_path / "image.nii.gz")
    (tmp_path / "sub").mkdir()
    return tmp_path


def refine(folder: Path, *outputs: str) -> int:
    arguments = ["refine", "image.nii.gz", "--seeds", "seeds.nii.gz", "--initial", "mask.nii.gz"]
    given = [str(folder / a) if a.endswith(".gz") else a for a in [*arguments, *outputs]]
    return main([*given, "--bundle", "geodesic"])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


INPUTS = ["image.nii.gz", "seeds.nii.gz", "mask.nii.gz", "hard.nii.gz", "soft.nii.gz"]


@pytest.mark.parametrize("name", [*INPUTS, "sub/../image.nii.gz", "./seeds.nii.gz"])
@pytest.mark.parametrize("option", ["-o", "--probability", "--uncertainty"])
def test_no_output_replaces_an_input(folder: Path, name: str, option: str, capsys) -> None:
    before = contents(folder)
    others = [] if option == "-o" else ["-o", "out.nii.gz"]
    assert refine(folder, option, name, *others) == 2
    error = capsys.readouterr().err
    assert f"{option} would replace the input" in error
    assert len(error.splitlines()) == 1
    assert contents(folder) == before


def test_no_output_replaces_another(folder: Path, capsys) -> None:
    before = contents(folder)
    for other in ("out.nii.gz", "sub/../out.nii.gz"):
        assert refine(folder, "-o", "out.nii.gz", "--probability", other) == 2
        assert "-o and --probability name the same file" in capsys.readouterr().err
    both = ["--probability", "p.nii.gz", "--uncertainty", "p.nii.gz"]
    assert refine(folder, "-o", "out.nii.gz", *both) == 2
    assert contents(folder) == before


def test_an_older_result_is_replaced(folder: Path) -> None:
    for _ in range(2):
        assert refine(folder, "-o", "out.nii.gz") == 0
    assert Volume.read(folder / "out.nii.gz").array.any()


def test_the_geodesic_map_replaces_nothing(folder: Path, capsys) -> None:
    before = contents(folder)
    for name in ("image", "seeds", "hard", "soft"):
        arguments = ["geodesic", f"{folder}/image.nii.gz", "--seeds", f"{folder}/seeds.nii.gz"]
        assert main([*arguments, "-o", f"{folder}/{name}.nii.gz"]) == 2
        assert "-o would replace the input" in capsys.readouterr().err
    assert contents(folder) == before


def test_the_second_file_of_an_input_is_an_input(folder: Path) -> None:
    """A header may keep its voxels in a file with any name."""
    (folder / "voxels.nrrd").write_bytes(bytes(24))
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n"
    (folder / "image.nhdr").write_text(f"{header}data file: voxels.nrrd\n\n")
    with pytest.raises(InputError, match="-o would replace the input"):
        check_images({"-o": str(folder / "voxels.nrrd")}, [folder / "image.nhdr"])


def test_outputs_are_refused_before_any_work(folder: Path, capsys) -> None:
    """The image need not even be read to see that the output can't be written."""
    (folder / "image.nii.gz").write_bytes(b"torn")
    for output, sentence in {
        "sub.gz/out.nii.gz": "does not exist",
        "out.mhd.gz": "two files",
        "out.png.gz": "the formats that keep the grid",
    }.items():
        assert refine(folder, "-o", output) == 2
        assert sentence in capsys.readouterr().err


def test_the_demonstration_replaces_no_input(folder: Path, capsys) -> None:
    for name in ("initial", "seeds", "refined"):
        image = folder / f"{name}.nii.gz"
        if not image.exists():
            shutil.copy(folder / "image.nii.gz", image)
    before = contents(folder)
    for name in ("initial", "refined"):
        arguments = ["demo", f"{folder}/{name}.nii.gz", "-o", str(folder), "--bundle", "geodesic"]
        assert main(arguments) == 2
        assert "-o would replace the input" in capsys.readouterr().err
    arguments = ["demo", f"{folder}/image.nii.gz", "--seeds", f"{folder}/seeds.nii.gz"]
    assert main([*arguments, "-o", str(folder), "--bundle", "geodesic"]) == 2
    assert contents(folder) == before


def test_an_evaluation_does_not_replace_its_list_of_cases(folder: Path, capsys) -> None:
    (folder / "cases.csv").write_text("image,label\nimage.nii.gz,mask.nii.gz\n")
    before = contents(folder)
    arguments = ["evaluate", str(folder / "cases.csv"), "-o", str(folder), "--bundle", "geodesic"]
    assert main(arguments) == 2
    assert "-o would replace the input" in capsys.readouterr().err
    assert contents(folder) == before


def test_folders_are_checked(folder: Path) -> None:
    check_folder(folder / "new", ["a"], [])
    with pytest.raises(InputError, match="is a file; a folder is expected"):
        check_folder(folder / "image.nii.gz", ["a"], [])
    with pytest.raises(InputError, match="nowhere does not exist"):
        check_folder(folder / "nowhere" / "new", ["a"], [])
