"""Measure in a real browser how long the page and strokes take.

It starts ``deepigeos web`` and Chromium, which Playwright drives with the mouse; both run on this
computer, as they do for somebody who works alone.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError, Progress

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_SHOWN = "[...document.querySelectorAll('.layout-grid-item img')].filter(i => i.width > 1).length"
_ANSWERED = """count => new Promise(done => (function look() {
  const rounds = window.trame.state.get('rounds');
  if (rounds.length && rounds[0].number >= count && !window.trame.state.get('busy')) done();
  else setTimeout(look, 10);
})())"""
_PATIENCE = 120_000  # ms
_PAUSE = 500  # ms that a user looks at an answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("image", metavar="IMAGE", help="the volume to work on")
    parser.add_argument("--model", help="bundle (default: the one that fits the image's name)")
    parser.add_argument("--strokes", type=int, default=12, help="(default: %(default)s)")


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    if arguments.strokes < 1:
        raise InputError(f"--strokes is {arguments.strokes}; at least 1 is expected.")
    with tempfile.TemporaryDirectory() as private, _browser() as browser:
        began = time.perf_counter()
        with _server(Path(arguments.image), private) as address:
            ready = time.perf_counter() - began
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(_PATIENCE)
            began = time.perf_counter()
            page.goto(address)
            page.wait_for_function(f"{_SHOWN} >= 3 && window.trame.state.get('has_volume')")
            shown = time.perf_counter() - began
            if arguments.model:
                page.evaluate("name => window.trame.state.set('model', name)", arguments.model)
            page.wait_for_timeout(3000)  # what the first stroke loads meanwhile
            strokes = _strokes(page, arguments.strokes, progress)
    measured = {"ready": ready, "shown": shown, "strokes": strokes}
    return {**measured, "summary": _table(measured)}


def _strokes(page: Any, count: int, progress: Progress | None) -> list[float]:
    """Draw strokes in the axial view; return the seconds from each one's end to its answer."""
    random, seconds = np.random.default_rng(0), []
    box = page.locator(".layout-grid-item img").first.bounding_box()
    for number in range(count):
        if progress is not None:
            progress(number / count, f"Stroke {number + 1} of {count}")
        page.click("#brush-too-much" if number % 4 == 3 else "#brush-missing")
        place = random.uniform(0.42, 0.58, 2)
        for step in range(4):
            x, y = place[0] + 0.01 * step, place[1] + 0.003 * step
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
            if step == 0:
                page.mouse.down()
            page.wait_for_timeout(60)
        began = time.perf_counter()
        page.mouse.up()
        page.evaluate(_ANSWERED, number + 1)
        seconds.append(time.perf_counter() - began)
        page.wait_for_timeout(_PAUSE)
    return seconds


@contextmanager
def _server(image: Path, private: str) -> Generator[str, None, None]:
    """Run ``deepigeos web``; yield the address of its page."""
    command = [sys.executable, "-m", "DeepIGeoSLib", "web", str(image), "--no-browser"]
    process = subprocess.Popen(
        [*command, "--private", private], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if "ready" not in line:
            raise InputError(f"The server did not start: {process.communicate()[1].strip()}")
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _browser() -> Generator[Any, None, None]:
    """Run Chromium.

    Raises:
        InputError: it or Playwright is not installed.
    """
    chromium = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if chromium is None:
        raise InputError("Chromium is not installed (Debian: apt-get install chromium).")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError("Playwright is missing: pip install playwright.") from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield browser
        browser.close()


def _table(measured: dict[str, Any]) -> str:
    strokes = measured["strokes"]
    rows = (
        ("program started, until the page can be opened", measured["ready"]),
        ("page opened, until all slices are shown", measured["shown"]),
        ("first stroke, from its end to the new mask", strokes[0]),
        (f"{len(strokes)} strokes, median", float(np.median(strokes))),
        ("slowest stroke", max(strokes)),
    )
    lines = [f"| {what} | {seconds:.2f} |" for what, seconds in rows]
    return "\n".join(["| | seconds |", "|---|---|", *lines])
