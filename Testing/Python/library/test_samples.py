"""Where a public sample is looked for before it is downloaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from DeepIGeoSLib.samples import PublicCase, local_copy

CONTENT = b"a volume"
CASE = PublicCase("case.nii.gz", "https://x", hashlib.sha256(CONTENT).hexdigest(), 1, "CC0")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data that holds the case; the cache is empty, and nothing is said of either."""
    folder = tmp_path / "data"
    (folder / "demo_volumes").mkdir(parents=True)
    (folder / "demo_volumes" / CASE.name).write_bytes(CONTENT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DEEPIGEOS_DATA", raising=False)
    return folder


def test_only_named_folders_are_looked_in(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_copy(CASE) is None
    monkeypatch.setenv("DEEPIGEOS_DATA", str(data))
    assert local_copy(CASE) == data / "demo_volumes" / CASE.name


def test_a_copy_that_is_another_file_is_none(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPIGEOS_DATA", str(data))
    (data / "demo_volumes" / CASE.name).write_bytes(b"something else")
    assert local_copy(CASE) is None


def test_a_copy_in_the_cache_is_found(data: Path, tmp_path: Path) -> None:
    cached = tmp_path / "cache" / "deepigeos" / CASE.name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    assert local_copy(CASE) == cached
