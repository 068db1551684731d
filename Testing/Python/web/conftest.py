"""A real server, a real browser, and a head to segment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

# Only to give up waiting: a computer with much else to do is slow.
PATIENCE = 240

# Looks at a page, a fifth of a second apart, that must all find nothing computed. Behind each the
# server has answered, and two ticks of its timer lie between two.
_QUIET = 4


@dataclass
class Server:
    """A running ``deepigeos web``."""

    process: subprocess.Popen
    address: str
    private: Path
    killed: bool = False

    @property
    def site(self) -> str:
        return self.address.split("/?")[0]

    def kill(self) -> None:
        """End it as a crash or a power cut would."""
        self.killed = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def check_alive(self) -> None:
        """Tell what it wrote before it ended, where nobody has ended it."""
        log = (self.private / "server.log").read_text()[-5000:]
        assert self.killed or self.process.poll() is None, f"{self.process.returncode}: {log}"

    def resident(self) -> int:
        """Return the bytes of memory that it holds."""
        import psutil

        return psutil.Process(self.process.pid).memory_info().rss


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """A function that starts ``deepigeos web``; what it started is stopped afterwards."""
    pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")
    started: list[Server] = []

    def start(*arguments: Any, private: Path | None = None) -> Server:
        private = private or tmp_path_factory.mktemp("private")
        log = (private / "server.log").open("a")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("DISPLAY", None)  # a server has none
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "DeepIGeoSLib", "web", *map(str, arguments)),
                *("--no-browser", "--private", str(private)),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        line = process.stdout.readline()
        assert "ready" in line, (private / "server.log").read_text()[-3000:]
        started.append(Server(process, line.split()[-1], private))
        return started[-1]

    yield start
    try:
        for server in started:
            server.check_alive()
    finally:
        for server in started:
            server.process.terminate()
            server.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@dataclass
class Page:
    """The page of a server as a user has it, and which computers it asked for something."""

    page: Any
    server: Server
    hosts: set[str] = field(default_factory=set)

    def open(self) -> Page:
        self.page.goto(self.server.address)
        self.page.wait_for_selector("#segment")
        count = "document.querySelectorAll('.layout-grid-item img').length"
        self.page.wait_for_function(f"{count} >= 3")
        return self

    def status(self) -> str:
        return self.page.inner_text("#status")

    def wait_for_status(self, text: str) -> None:
        self.page.wait_for_function(
            "text => document.querySelector('#status').innerText.includes(text)", arg=text
        )

    def wait_for_rounds(self, count: int) -> None:
        self.page.wait_for_function(
            "count => document.querySelectorAll('#rounds tbody tr').length === count", arg=count
        )

    def wait_until(self, reads: Callable[[], Any], wanted: Any) -> None:
        """Wait until something reads as wanted; the last reading is what the test shows."""
        until = time.monotonic() + PATIENCE
        while (found := reads()) != wanted and time.monotonic() < until:
            self.server.check_alive()
            self.page.wait_for_timeout(200)
        assert found == wanted

    def state(self, name: str) -> Any:
        """Return a value that the page shows."""
        return self.page.evaluate("name => window.trame.state.get(name)", name)

    def rounds(self) -> int:
        return len(self.state("rounds"))

    def wait_for_arrival(self) -> None:
        """Wait until all that was done in the page has reached the server.

        A key that does nothing is answered behind all that was done before it.
        """
        self.page.evaluate("() => window.trame.trigger('key', ['does nothing'])")

    def wait_for_answers(self) -> None:
        """Wait until all has arrived, nothing is computed, and nothing begins any more."""
        quiet = 0
        until = time.monotonic() + PATIENCE
        while quiet < _QUIET and time.monotonic() < until:
            self.page.wait_for_timeout(200)
            self.wait_for_arrival()
            quiet = 0 if self.state("busy") or self.state("opening") else quiet + 1
        assert quiet == _QUIET

    def choose_model(self, name: str) -> None:
        """Choose a model in its menu, as a user does."""
        self.page.locator(".v-select:has(#model)").click()
        entry = self.page.locator(".v-overlay .v-list-item-title").get_by_text(name, exact=True)
        entry.click()
        self.wait_until(lambda: self.state("model"), name)

    def drag_slider(self, name: str, share: float, thumb: int = 0) -> None:
        """Pull the thumb of a slider to a share of its track."""
        slider = self.page.locator(f"#{name}")
        slider.scroll_into_view_if_needed()
        thumbs, track = slider.locator(".v-slider-thumb"), slider.locator(".v-slider-track")
        box, rail = thumbs.nth(thumb).bounding_box(), track.bounding_box()
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse.down()
        mouse.move(rail["x"] + share * rail["width"], box["y"] + box["height"] / 2, steps=5)
        mouse.up()

    def picture(self, view: int) -> bytes:
        """Return what a view shows, as it came from the server."""
        return self.page.locator(".layout-grid-item img").nth(view).get_attribute("src").encode()

    def place(self, view: int, x: float, y: float) -> tuple[float, float]:
        """Return the page's pixel at shares of a view's size."""
        image = self.page.locator(".layout-grid-item img").nth(view)
        image.wait_for(state="visible")
        box = image.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def upload(self, *paths: Path) -> None:
        self.page.set_input_files("#files", [str(path) for path in paths])

    def stroke(self, view: int, points: list[tuple[float, float]]) -> None:
        """Draw with the left button, as a hand does; points are shares of the view's size."""
        places = [self.place(view, x, y) for x, y in points]
        mouse = self.page.mouse
        mouse.move(*places[0])
        self.page.wait_for_timeout(150)
        mouse.down()
        for place in places[1:]:
            self.page.wait_for_timeout(60)
            mouse.move(*place, steps=3)
        self.page.wait_for_timeout(60)
        mouse.up()

    def get(self, path: str) -> Any:
        return self.page.request.get(f"{self.server.site}/{path}")

    def labels(self, volume: Any, folder: Path) -> np.ndarray:
        """Return the labels that Download gives, on a volume's grid."""
        answer = self.get("download/.nii.gz")
        assert answer.ok, answer.text()
        path = folder / "downloaded.nii.gz"
        path.write_bytes(answer.body())
        return volume.read_labels(path)

    def recording(self) -> dict[str, Any]:
        return json.loads(self.get("download/.json").text())

    def strokes(self) -> list[dict[str, Any]]:
        return [event for event in self.recording()["events"] if event["action"] == "stroke"]


def visits(chromium: Any) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a server's page in a browser of its own.

    Afterwards every address that the pages asked for is checked: there is no computer but ours.
    """
    opened: list[Page] = []

    def visit(server: Server, **context: Any) -> Page:
        size = {"width": 1280, "height": 720}
        page = chromium.new_context(**{"viewport": size, **context}).new_page()
        page.set_default_timeout(PATIENCE * 1000)
        opened.append(Page(page, server))
        hosts = opened[-1].hosts
        for event in ("request", "websocket"):
            page.on(event, lambda asked: hosts.add(urlsplit(asked.url).netloc))
        return opened[-1].open()

    yield visit
    for page in opened:
        page.page.context.close()
        assert page.hosts - {""} == {urlsplit(page.server.address).netloc}


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Page]]:
    """``visits`` that end with the test."""
    yield from visits(chromium)


@pytest.fixture(scope="module")
def stay(chromium: Any) -> Iterator[Callable[..., Page]]:
    """``visits`` that end with the file."""
    yield from visits(chromium)


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a head with a lesion that is computed; its name holds nobody's name."""
    from DeepIGeoSLib.samples.phantom import head_phantom

    volume, _lesion = head_phantom((12, 64, 56), (12.0, 3.0, 3.0), 3)
    path = tmp_path_factory.mktemp("heads") / "head.nii.gz"
    volume.write_map(path, volume.array)
    return path


@pytest.fixture(scope="module")
def published() -> Iterator[None]:
    """What a session publishes in ``slicer`` is taken back after the tests of a file."""
    import slicer

    names = ("mrmlScene", "modules", "app")
    before = {name: getattr(slicer, name) for name in names if hasattr(slicer, name)}
    yield
    for name in names:
        if hasattr(slicer, name):
            delattr(slicer, name)
    for name, value in before.items():
        setattr(slicer, name, value)


@pytest.fixture(scope="module")
def app(published: None) -> Any:
    """A ``SlicerApp`` with one slice view."""
    from trame_slicer.core import SlicerApp
    from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition

    from DeepIGeoSLib.scene.headless import showVtkErrorsOnly

    app = SlicerApp()
    showVtkErrorsOnly()
    app.view_manager.register_factory(DirectViewFactory(do_render_offscreen=True))
    view = app.view_manager.create_view(ViewLayoutDefinition.axial_view())
    view.update_size(300, 300)
    return app


@pytest.fixture
def session(app: Any, tiny_bundle: Path) -> Iterator[Any]:
    """A session with a model whose answers are known."""
    from DeepIGeoSLib.web.session import WebSession

    session = WebSession(app)
    session.use_model(str(tiny_bundle))
    yield session
    session.close_case()
    session.stop()
