"""What is asked for by its path lies in the opened folder, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.web.opened_folder import OpenedFolder


@pytest.fixture
def folder(tmp_path: Path) -> OpenedFolder:
    """A folder with a file, links to inside and outside, and a file outside whose name is near."""
    inside = tmp_path / "cases"
    (inside / "a").mkdir(parents=True)
    (inside / "a" / "head.nii").write_text("inside")
    (tmp_path / "cases-of-others").mkdir()
    (tmp_path / "cases-of-others" / "secret.nii").write_text("outside")
    (tmp_path / "secret.nii").write_text("outside")
    (inside / "link.nii").symlink_to(inside / "a" / "head.nii")
    (inside / "out.nii").symlink_to(tmp_path / "secret.nii")
    (inside / "out").symlink_to(tmp_path)
    (inside / "circle").symlink_to(inside / "circle")
    return OpenedFolder(inside)


@pytest.mark.parametrize("asked", ["a/head.nii", "a/../a/head.nii", "link.nii", "./a//head.nii"])
def test_files_inside_are_found_also_through_links_inside(folder: OpenedFolder, asked: str) -> None:
    assert folder.resolved(asked).read_text() == "inside"
    assert folder.resolved(str(folder.folder / asked)).read_text() == "inside"


@pytest.mark.parametrize(
    "asked",
    [
        "../secret.nii",
        "a/../../secret.nii",
        "out.nii",
        "out/secret.nii",
        "../cases-of-others/secret.nii",
        "/etc/passwd",
        "..",
        "a/../../cases-of-others",
        "missing.nii",
        "circle",
        "head\0.nii",
    ],
)
def test_what_lies_outside_or_is_no_path_is_refused_in_one_sentence(
    folder: OpenedFolder, asked: str
) -> None:
    with pytest.raises(InputError) as caught:
        folder.resolved(asked)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
