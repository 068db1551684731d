"""One version everywhere; the check before a release finds what is left to do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = {
    "changelog": "CHANGELOG.md",
    "citation": "CITATION.cff",
    "package": "DeepIGeoSLib/__init__.py",
    "format": "DeepIGeoSLib/bundles/migration.py",
    "entry": "Docs/extension-index/DeepIGeoS.json",
    "script": "Scripts/check_release.py",
}
VERSIONS = ("CITATION.cff", "__version__", "no section of a release")


@pytest.fixture
def ready(tmp_path: Path) -> dict[str, Path]:
    """The files that count, as they must be on the day of a release."""
    files = {name: tmp_path / path for name, path in FILES.items()}
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / FILES[name], path)
    changed(files["entry"], "/OWNER/", "/some-lab/")
    text = files["format"].read_text(encoding="utf-8")
    files["format"].write_text(re.sub('(?<=^FORMAT_SINCE = ").*(?=")', "0.1.0", text, flags=re.M))
    text = files["changelog"].read_text(encoding="utf-8")
    begin, _, rest = text.partition("## [Unreleased]\n")
    _, _, released = rest.partition("\n## [")
    files["changelog"].write_text(f"{begin}## [Unreleased]\n\n## [{released}", encoding="utf-8")
    return files


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new), encoding="utf-8")


def said(script: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_package_citation_and_changelog_name_one_release() -> None:
    _, sentences = said(ROOT / FILES["script"])
    assert not any(words in sentences for words in VERSIONS), sentences


def test_a_release_is_ready_when_all_is_done(ready: dict[str, Path]) -> None:
    assert said(ready["script"]) == (0, "Ready.\n")


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("citation", "version: 0", "version: 7", "CITATION.cff cites 7"),
        ("citation", 'date-released: "2', 'date-released: "1', "CITATION.cff dates it 1"),
        ("package", '__version__ = "0', '__version__ = "8', "__version__ is 8"),
        ("format", 'SINCE = "0', 'SINCE = "9', "need DeepIGeoS 9.1.0, but this becomes 0"),
        ("entry", "/some-lab/", "/OWNER/", "owner is not set"),
        ("changelog", "## [Unreleased]\n", "## [Unreleased]\n\n- New.\n", "under [Unreleased]"),
        ("changelog", "## [Unreleased]\n", "", "no section [Unreleased]"),
        ("changelog", "] - 2", "] from 2", "no section of a release"),
    ],
)
def test_what_is_left_is_said(
    ready: dict[str, Path], name: str, old: str, new: str, sentence: str
) -> None:
    changed(ready[name], old, new)
    code, sentences = said(ready["script"])
    assert code == 1
    assert sentence in sentences
