"""The checks that the Extensions Index runs on a submission, as far as they need no network."""

from __future__ import annotations

import json
import re
import subprocess

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


def test_there_is_a_license_file(root):
    assert LICENSE_NAMES & {path.name for path in root.iterdir()}


def test_the_readme_has_what_reviewers_ask_for(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    assert "![" in text
    for heading in ("## Citation", "## License", "## In 3D Slicer"):
        assert heading in text
    assert "| DeepIGeoS |" in text
    assert "Docs/tutorial.md" in text


def test_pictures_that_documents_show_are_there(root):
    for document in [root / "README.md", *(root / "Docs").glob("*.md")]:
        text = document.read_text(encoding="utf-8")
        for path in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text):
            if not path.startswith("http"):
                assert (document.parent / path).is_file(), f"{document.name}: {path}"


def test_a_clone_with_its_history_is_smaller_than_100_mb(root):
    counted = subprocess.run(
        ["git", "count-objects", "-v"], cwd=root, capture_output=True, text=True, check=False
    )
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False
    )
    if counted.returncode or listed.returncode:
        pytest.skip("not a git checkout")
    numbers = dict(line.split(": ") for line in counted.stdout.splitlines())
    history = (int(numbers["size"]) + int(numbers["size-pack"])) * 1024
    files = [root / name for name in listed.stdout.split("\0") if name]
    checkout = sum(path.stat().st_size for path in files if path.is_file())
    assert (history + checkout) / 1e6 < 100


def test_nothing_runs_or_is_fetched_when_the_module_is_imported(root):
    for path in (root / "DeepIGeoS").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for forbidden in ("urllib", "requests", "subprocess.Popen(", "os.system", "eval(", "exec("):
            assert forbidden not in text, f"{path.name} has {forbidden}"
        assert "pip_install(" not in text or path.name == "first_use.py"
