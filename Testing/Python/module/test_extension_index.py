"""The checks that the Extensions Index runs on a submission, as far as they need no network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

REQUIRED = {"$schema", "category", "scm_url"}
ALLOWED = REQUIRED | {
    "build_dependencies",
    "build_subdirectory",
    "enabled",
    "scm_revision",
    "scm_type",
    "tier",
}
LICENSE_NAMES = {"LICENSE", "LICENCE", "LICENSE.txt", "License.txt", "COPYING"}


@pytest.fixture(scope="module")
def entry_file(root):
    (found,) = (root / "Docs/extension-index").glob("*.json")
    return found


@pytest.fixture(scope="module")
def entry(entry_file):
    return json.loads(entry_file.read_text(encoding="utf-8"))


def test_the_entry_follows_the_schema(entry):
    assert set(entry) >= REQUIRED
    assert set(entry) <= ALLOWED
    assert entry["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.1.json#")
    assert entry["category"] == "Segmentation"
    assert entry["build_dependencies"] == ["PyTorch"]
    assert entry["tier"] in (1, 3, 5)


def test_the_entry_is_a_text_file_with_plain_line_ends(entry_file):
    content = entry_file.read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"}\n")


def test_names_and_addresses_agree(entry, entry_file, root):
    cmake = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    project = re.search(r"^project\((\w+)\)$", cmake, re.MULTILINE).group(1)
    assert entry_file.stem == project
    assert not project.startswith("Slicer")
    homepage = re.search(r'^set\(EXTENSION_HOMEPAGE "([^"]+)"\)$', cmake, re.MULTILINE).group(1)
    repository = entry["scm_url"].removesuffix(".git")
    assert repository == homepage
    assert repository.startswith("https://")
    assert repository.rpartition("/")[2].startswith("Slicer")
    depends = re.search(r'^set\(EXTENSION_DEPENDS "([^"]+)"\)$', cmake, re.MULTILINE).group(1)
    assert depends.split() == entry["build_dependencies"]


def owners(folder):
    """Return every owner of the repository that a file under a folder names, by file."""
    address = re.compile(r"github(?:usercontent)?\.com/([\w-]+)/SlicerDeepIGeoS")
    named = {
        name: set(address.findall((folder / name).read_text(encoding="utf-8")))
        for name in ("CMakeLists.txt", "Docs/extension-index/DeepIGeoS.json")
    }
    assert all(named.values()), named
    return set().union(*named.values())


@pytest.fixture
def copy(root, tmp_path):
    """The files that name the owner, and the script that sets it, in another place."""
    for name in ("Scripts/set_repository_owner.py", "CMakeLists.txt", "Docs/extension-index"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (root / name).is_dir() else shutil.copy)(root / name, place)
    return tmp_path


def set_owner(folder, *names):
    return subprocess.run(
        [sys.executable, str(folder / "Scripts/set_repository_owner.py"), *names],
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_step_sets_the_owner_everywhere(copy):
    before = (copy / "CMakeLists.txt").read_bytes()
    for name in ("some-lab", "Other9"):  # also when it was set already
        assert set_owner(copy, name).returncode == 0
        assert owners(copy) == {name}
    (old,) = set(re.findall(rb"github\.com/([\w-]+)/SlicerDeepIGeoS", before))
    after = (copy / "CMakeLists.txt").read_bytes()
    assert after.replace(b"/Other9/", b"/" + old + b"/") == before


@pytest.mark.parametrize("names", [(), ("a", "b"), ("a/b",), ("-a",), ("a--b",), ("a b",)])
def test_what_is_no_owner_is_refused_and_nothing_is_changed(copy, names):
    before = owners(copy)
    refused = set_owner(copy, *names)
    assert refused.returncode == 1
    assert "Give one name" in refused.stderr
    assert owners(copy) == before


def test_one_owner_is_named_everywhere(root):
    assert len(owners(root)) == 1
