"""Where a public sample is taken from, and what is believed of it; the case that is shipped."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.samples.public_case import PublicCase, cache_folder, case_file
from DeepIGeoSLib.samples.sample import hippocampus_sample

pytest.importorskip("pooch", reason="pooch is not installed")

CONTENT = b"a volume"


@dataclass
class Site:
    """A web site that holds one file.

    Attributes:
        content: of the file.
        asked: paths that were asked for.
        address: of the site.
    """

    content: bytes = CONTENT
    asked: list[str] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    holds = Site()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            holds.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(holds.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    holds.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield holds
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def case(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PublicCase:
    """A case on the site; the user's cache is empty, and no folder of data is named."""
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.delenv("DEEPIGEOS_DATA", raising=False)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return PublicCase("case.nii.gz", f"{site.address}/case.nii.gz", sha256, 1, "CC0")


def test_a_case_is_downloaded_once(case: PublicCase, site: Site) -> None:
    for _ in range(2):
        path = case_file(case)
        assert path == cache_folder() / case.name
        assert path.read_bytes() == CONTENT
    assert site.asked == ["/case.nii.gz"]


def test_a_copy_in_the_folder_of_data_is_taken_instead(
    case: PublicCase, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "demo_volumes" / case.name
    copy.parent.mkdir()
    copy.write_bytes(CONTENT)
    monkeypatch.setenv("DEEPIGEOS_DATA", str(tmp_path))
    assert case_file(case) == copy
    assert site.asked == []
    copy.write_bytes(b"something else")
    assert case_file(case) == cache_folder() / case.name


def test_a_damaged_copy_in_the_cache_is_fetched_anew(case: PublicCase) -> None:
    case_file(case).write_bytes(b"damaged")
    assert case_file(case).read_bytes() == CONTENT


def test_another_file_is_refused_and_not_kept(case: PublicCase, site: Site) -> None:
    site.content = b"another file"
    with pytest.raises(InputError, match="not the expected file"):
        case_file(case)
    assert list(cache_folder().iterdir()) == []


def test_a_site_that_does_not_answer_is_one_sentence(case: PublicCase) -> None:
    with pytest.raises(InputError, match="could not be downloaded"):
        case_file(replace(case, url="http://127.0.0.1:9/case.nii.gz"))


def test_the_shipped_case_is_the_hippocampus_of_the_decathlon() -> None:
    sample = hippocampus_sample()
    assert sample.volume.shape == (34, 51, 35)
    np.testing.assert_allclose(sample.volume.spacing, (1, 1, 1))
    assert sample.truth.sum() == 1390 + 1383  # voxels of the anterior and the posterior part
    assert sample.bundle == "t1-hippocampus"
