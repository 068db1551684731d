"""Uploads: limited, checked for what they are, and nothing kept of what is refused."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")

from aiohttp import FormData, web  # noqa: E402
from aiohttp.test_utils import TestClient, TestServer  # noqa: E402

from DeepIGeoSLib.errors import InputError  # noqa: E402
from DeepIGeoSLib.web.uploads import received, remove_others  # noqa: E402

LIMIT = 200_000


def send(folder: Path, files: list[tuple[str, bytes]], limit: int = LIMIT) -> tuple[int, str]:
    """Upload files; return the status, and the kept path or the sentence."""

    async def run() -> tuple[int, str]:
        async def handle(request: web.Request) -> web.Response:
            try:
                path, _title = await received(request, folder, limit)
            except InputError as error:
                return web.Response(status=400, text=str(error))
            return web.Response(text=str(path))

        app = web.Application()
        app.router.add_post("/upload", handle)
        form = FormData()
        for name, content in files:
            form.add_field("file", content, filename=name)
        form.add_field("other", "no file")
        async with TestClient(TestServer(app)) as client:
            response = await client.post("/upload", data=form)
            return response.status, await response.text()

    return asyncio.run(run())


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing, or is not there."""
    return not folder.exists() or not any(folder.iterdir())


def test_an_image_is_kept_where_only_this_user_reads_it(tmp_path: Path, head: Path) -> None:
    status, kept = send(tmp_path / "uploads", [(head.name, head.read_bytes())])
    assert status == 200
    assert Path(kept).read_bytes() == head.read_bytes()
    assert Path(kept).parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"hello", "no image"),
        ("page.html", b"<script>alert(1)</script>", "no image"),
        ("head.nii", b"x" * 600, "head.nii"),
        ("head.nii.gz", gzip.compress(b"short"), "head.nii.gz"),
        ("head.nii.gz", b"not gzip at all", "head.nii.gz"),
        ("head.nrrd", b"NRRD0004\ntype: float\n", "head.nrrd"),
        ("head.dcm", b"\0" * 128 + b"DICX", "head.dcm"),
        ("head.nii.gz", b"", "head.nii.gz"),
    ],
)
def test_what_is_no_whole_image_is_refused_and_removed(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    status, text = send(tmp_path / "uploads", [(name, content)])
    assert status == 400
    assert said in text
    assert str(tmp_path) not in text
    assert "\n" not in text
    assert is_empty(tmp_path / "uploads")


def test_a_cut_image_is_refused(tmp_path: Path, head: Path) -> None:
    status, text = send(tmp_path / "uploads", [(head.name, head.read_bytes()[:-100])])
    assert status == 400
    assert head.name in text
    assert is_empty(tmp_path / "uploads")


def test_more_than_the_limit_is_refused_while_it_comes_in(tmp_path: Path) -> None:
    files = [("a.nii", b"a" * (LIMIT // 2)), ("b.nii", b"b" * (LIMIT // 2 + 1))]
    status, text = send(tmp_path / "uploads", files)
    assert status == 400
    assert "larger than" in text
    assert is_empty(tmp_path / "uploads")


@pytest.mark.parametrize(
    "name", ["../../evil.nii.gz", "/etc/evil.nii.gz", "..\\evil.nii.gz", ".nii.gz"]
)
def test_names_lead_nowhere_else(tmp_path: Path, head: Path, name: str) -> None:
    folder = tmp_path / "deep" / "uploads"
    status, kept = send(folder, [(name, head.read_bytes())])
    if status == 200:
        assert Path(kept).resolve().is_relative_to(folder.resolve())
    outside: list[Any] = [p for p in tmp_path.rglob("*") if not p.is_relative_to(folder)]
    assert outside == [tmp_path / "deep"]


def test_several_images_at_once_are_refused(tmp_path: Path, head: Path) -> None:
    content = head.read_bytes()
    files = [("a.nii.gz", content), ("b.nii.gz", content)]
    status, text = send(tmp_path / "uploads", files, limit=3 * len(content))
    assert status == 400
    assert "one DICOM series" in text


def test_an_upload_replaces_the_one_before(tmp_path: Path, head: Path) -> None:
    first = Path(send(tmp_path / "uploads", [(head.name, head.read_bytes())])[1])
    second = Path(send(tmp_path / "uploads", [(head.name, head.read_bytes())])[1])
    remove_others(tmp_path / "uploads", second)
    assert second.is_file()
    assert not first.exists()
