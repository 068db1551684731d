"""The CMake files install everything that the extension needs, where it is looked for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOT_SHIPPED = {"CMakeLists.txt"}
STAND_IN = Path(__file__).parent / "slicer_stand_in"


@pytest.fixture(scope="session")
def package(root, tmp_path_factory):
    """The installed extension: build and install folder of a copy of the repository."""
    if shutil.which("cmake") is None or not (shutil.which("c++") or shutil.which("g++")):
        pytest.skip("cmake or a C++ compiler is not installed")
    copy = tmp_path_factory.mktemp("extension")
    for name in ("DeepIGeoS", "DeepIGeoSLib", "Testing"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "CMakeLists.txt", copy)
    # A file that nobody has listed by hand must be shipped too.
    (copy / "DeepIGeoSLib/new_folder").mkdir()
    (copy / "DeepIGeoSLib/new_folder/new_file.py").write_text("answer = 42\n")
    run("cmake", "-S", copy, "-B", copy / "build", f"-DSlicer_DIR={STAND_IN}")
    run("cmake", "--install", copy / "build", "--prefix", copy / "installed")
    return copy


def run(*command):
    """Run a program, and show what it said if it failed."""
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def files_under(folder):
    """All files of a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_on_disk_is_installed_beside_its_importers(package):
    modules = package / "installed/lib/Slicer/qt-scripted-modules"
    library = {f"DeepIGeoSLib/{name}" for name in files_under(package / "DeepIGeoSLib")}
    module = files_under(package / "DeepIGeoS")
    expected = {name for name in library | module if Path(name).name not in NOT_SHIPPED}
    assert files_under(modules) == expected
    assert "DeepIGeoSLib/new_folder/new_file.py" in expected


def test_the_installed_library_can_be_imported_and_finds_its_bundles(package, root):
    modules = package / "installed/lib/Slicer/qt-scripted-modules"
    code = (
        f"import sys; sys.path.insert(0, {str(modules)!r})\n"
        "import DeepIGeoSLib, DeepIGeoSLib.new_folder.new_file\n"
        f"assert DeepIGeoSLib.__file__.startswith({str(modules)!r}), DeepIGeoSLib.__file__\n"
        "for name in DeepIGeoSLib.list_bundles(): DeepIGeoSLib.load_bundle(name)\n"
        "print(len(DeepIGeoSLib.list_bundles()))\n"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    shipped = list((root / "DeepIGeoSLib/bundles").glob("*/bundle.json"))
    assert int(result.stdout) == len(shipped)


def test_the_tests_for_slicer_are_registered(package):
    registered = (package / "build/tests.txt").read_text().split("\n")
    assert "generic DeepIGeoS" in registered
    assert "generic DeepIGeoSLib" not in registered
    assert "unittest DeepIGeoS.py" in registered


def test_the_extension_depends_on_pytorch(package):
    assert (package / "build/metadata.txt").read_text() == "DeepIGeoS\nPyTorch\n"


@pytest.fixture(scope="session")
def metadata(root):
    """The extension's one-line settings, found as the Extensions Index finds them."""
    text = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    settings = dict(re.findall(r'^set\(EXTENSION_(\w+) "([^"\n]+)"\)$', text, re.MULTILINE))
    settings["PROJECT"] = re.search(r"^project\((\w+)\)$", text, re.MULTILINE).group(1)
    return settings


def test_the_metadata_is_complete(metadata):
    assert metadata["PROJECT"] == "DeepIGeoS"
    assert metadata["DEPENDS"] == "PyTorch"
    assert metadata["CATEGORY"] == "Segmentation"
    assert re.fullmatch(r".+ \(.+\)", metadata["CONTRIBUTORS"])
    assert len(metadata["DESCRIPTION"]) > 60
    assert re.fullmatch(r"https://github\.com/[\w-]+/SlicerDeepIGeoS", metadata["HOMEPAGE"])


def test_icon_and_screenshots_are_pictures_of_this_repository(metadata, root):
    repository = metadata["HOMEPAGE"].replace("github.com", "raw.githubusercontent.com")
    for url in [metadata["ICONURL"], *metadata["SCREENSHOTURLS"].split()]:
        address, branch, path = url.partition("/main/")
        assert (address, branch) == (repository, "/main/")
        assert (root / path).read_bytes().startswith(b"\x89PNG"), path


def test_the_icons_are_128_pixels_wide_and_high(root):
    for name in ("DeepIGeoS.png", "DeepIGeoS/Resources/Icons/DeepIGeoS.png"):
        header = (root / name).read_bytes()[16:24]
        assert int.from_bytes(header[:4], "big") == int.from_bytes(header[4:], "big") == 128


def test_the_repositorys_address_stands_in_the_two_files_of_the_index_only(root):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    address = re.compile(rb"github(usercontent)?\.com/[\w-]+/SlicerDeepIGeoS")
    holders = {
        name
        for name in listed.stdout.splitlines()
        if (root / name).is_file() and address.search((root / name).read_bytes())
    }
    assert holders == {"CMakeLists.txt", "Docs/extension-index/DeepIGeoS.json"}
