"""What each widget of the page does, in a real browser: seen on the server, in files or pixels."""

from __future__ import annotations

import re
import socket
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest


@pytest.fixture(scope="module")
def running(serve: Any, head: Path) -> Any:
    """A server with the head opened."""
    return serve(head)


@pytest.fixture(scope="module")
def opened(running: Any, stay: Any) -> Any:
    """The page, read once by the browser; what a test leaves in it is on the server anyway."""
    page = stay(running)
    page.wait_until(lambda: page.state("case_title") != "", True)
    page.page.locator(".layout-grid-item img").first.wait_for(state="visible")
    return page


@pytest.fixture
def page(opened: Any) -> Any:
    opened.page.wait_for_timeout(700)  # the last picture of what was done before
    return opened


def changes_the_picture(page: Any, view: int, act: Any) -> None:
    """Do something, and wait until a view shows something else."""
    before = page.picture(view)
    act()
    page.wait_until(lambda: page.picture(view) != before, True)


def contrast_of(page: Any, selector: str) -> float:
    """Return the contrast of letters to what lies below them, as WCAG defines it."""
    lights = []
    for name in ("color", "backgroundColor"):
        color = page.page.locator(selector).first.evaluate(f"one => getComputedStyle(one).{name}")
        parts = np.array([int(part) for part in re.findall(r"\d+", color)[:3]]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def turn_wheel(page: Any, view: int, by: int) -> None:
    page.page.mouse.move(*page.place(view, 0.5, 0.5))
    page.page.mouse.wheel(0, by)


def drag(page: Any, button: str) -> None:
    mouse = page.page.mouse
    mouse.move(*page.place(0, 0.5, 0.5))
    mouse.down(button=button)
    mouse.move(*page.place(0, 0.55, 0.4), steps=5)
    mouse.up(button=button)


def test_wheel_buttons_and_sliders_show_other_slices_sizes_and_gray_values(page: Any) -> None:
    for view in range(3):
        changes_the_picture(page, view, lambda view=view: turn_wheel(page, view, -120))
    for title in ("Zoom in", "Zoom out", "Show the whole slice"):
        button = page.page.locator(f"button[title='{title}']").first
        if title == "Show the whole slice":
            changes_the_picture(page, 0, lambda: drag(page, "right"))
        changes_the_picture(page, 0, button.click)
    changes_the_picture(page, 0, lambda: drag(page, "middle"))
    low, high = page.state("window")
    darkest, brightest = page.state("window_min"), page.state("window_max")
    middle = ((low + high) / 2 - darkest) / (brightest - darkest)
    changes_the_picture(page, 0, lambda: page.drag_slider("window", middle, thumb=1))
    assert low < page.state("window")[1] < high


def test_opacities_change_what_lies_over_the_slices(page: Any) -> None:
    page.page.keyboard.press("x" if page.state("brush") == "too much" else "Shift")
    page.stroke(0, [(0.48, 0.5), (0.52, 0.5)])
    page.wait_for_answers()
    assert page.rounds() >= 1
    for name in ("fill", "outline", "strokes-opacity"):
        changes_the_picture(page, 0, lambda name=name: page.drag_slider(name, 0.1))
    eye = page.page.locator(".target button[title='Show or hide']").first
    changes_the_picture(page, 0, eye.click)
    changes_the_picture(page, 0, eye.click)


def test_brush_and_eraser_have_the_size_that_is_chosen(page: Any) -> None:
    page.page.click("#auto-refine")
    page.wait_until(lambda: page.state("auto_refine"), False)
    page.drag_slider("diameter", 0.5)
    diameter = page.state("diameter")
    assert 15 < diameter < 25
    page.page.click("#brush-missing")
    before = len(page.strokes())
    page.stroke(0, [(0.4, 0.4), (0.42, 0.4)])
    page.wait_until(lambda: len(page.strokes()), before + 1)
    page.page.click("#brush-eraser")
    page.stroke(0, [(0.4, 0.4), (0.42, 0.4)])
    page.wait_until(lambda: len(page.strokes()), before + 2)
    missing, eraser = page.strokes()[-2:]
    assert (missing["brush"], eraser["brush"]) == ("missing", "eraser")
    assert missing["diameter"] == eraser["diameter"] == diameter
    assert page.rounds() == 0 or not page.state("busy")  # nothing is answered until Refine
    page.page.click("#brush-missing")
    page.page.click("#auto-refine")
    page.wait_until(lambda: page.state("auto_refine"), True)
    page.wait_for_answers()


def test_keys_do_what_the_desktop_does(page: Any) -> None:
    keyboard = page.page.keyboard
    for key, brush in (("r", "eraser"), ("v", "none"), ("x", "missing"), ("x", "too much")):
        keyboard.press(key)
        page.wait_until(lambda: page.state("brush"), brush)
    keyboard.press("x")
    page.wait_until(lambda: page.state("brush"), "missing")
    page.stroke(0, [(0.55, 0.55), (0.58, 0.55)])
    page.wait_for_answers()
    count = page.rounds()
    for key, rounds in (("z", -1), ("y", 0), ("Control+z", -1), ("Control+y", 0)):
        keyboard.press(key)
        page.wait_until(page.rounds, count + rounds)
    keyboard.press("Control+Enter")
    page.wait_for_answers()
    targets = len(page.state("targets"))
    keyboard.press("a")
    page.wait_until(lambda: page.state("is_accepted"), True)
    keyboard.press("a")
    page.wait_until(lambda: page.state("is_accepted"), False)
    keyboard.press("e")
    page.wait_until(lambda: len(page.state("targets")), targets + 1)
    assert page.state("targets")[targets - 1]["locked"]
    for locked in (False, True, False):
        page.page.locator("button[title=Lock]").nth(targets - 1).click()
        page.wait_until(lambda: page.state("targets")[targets - 1]["locked"], locked)


def test_next_place_to_look_centers_all_views_there(page: Any, running: Any) -> None:
    page.stroke(0, [(0.45, 0.45), (0.5, 0.45), (0.55, 0.45)])
    page.wait_for_answers()
    turn_wheel(page, 0, -360)
    page.page.keyboard.press("n")
    page.wait_until(lambda: page.status().startswith("Uncertain place 1"), True)
    page.page.wait_for_timeout(800)
    # What lies in the middle of a view is where a stroke at its middle is drawn.
    before = len(page.strokes())
    middles = []
    for view in range(3):
        page.stroke(view, [(0.5, 0.5)])
        page.wait_until(lambda view=view: len(page.strokes()), before + view + 1)
        middles.append(page.strokes()[-1]["points"][0])
        page.wait_for_answers()
    assert np.ptp(middles, axis=0).max() < 13  # mm: the views meet there; a slice has 12


def test_uncertainty_3d_and_the_theme_are_shown_and_taken_away(page: Any) -> None:
    changes_the_picture(page, 0, lambda: page.page.click("#show-uncertainty"))
    assert page.page.locator(".legend").is_visible()
    changes_the_picture(page, 0, lambda: page.page.click("#show-uncertainty"))
    page.page.click("#show-3d")
    count = page.page.locator(".layout-grid-item img")
    page.wait_until(count.count, 4)
    page.page.click("#show-3d")
    page.wait_until(count.count, 3)
    body = "getComputedStyle(document.querySelector('.v-application')).backgroundColor"
    before = page.page.evaluate(body)
    page.page.click("#theme")
    page.wait_until(lambda: page.page.evaluate(body) != before, True)


def test_a_long_computation_is_shown_and_can_be_cancelled(page: Any) -> None:
    page.choose_model("flair-whole-tumor")
    page.page.click("#segment:not([disabled])")  # a proposal that was made ready is there at once
    page.wait_for_answers()
    before = page.rounds()
    page.page.click("#segment:not([disabled])")
    page.page.click("#cancel")
    page.wait_for_answers()
    assert page.rounds() == before
    assert page.page.locator("#cancel").count() == 0


def test_a_broken_upload_is_one_sentence_in_the_page_and_the_case_before_stays(
    page: Any, head: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(head.read_bytes()[:2000])
    before, title = page.picture(0), page.state("case_title")
    page.upload(broken)
    page.page.wait_for_selector("#problem .v-snackbar__content, .v-snackbar__content")
    said = page.page.inner_text(".v-snackbar__content").strip()
    for theme in ("light", "dark"):
        page.page.evaluate("theme => window.trame.state.set('theme', theme)", theme)
        page.page.wait_for_timeout(500)
        assert contrast_of(page, ".v-snackbar__wrapper") >= 4.5  # WCAG, of letters of this size
    assert "broken.nii.gz" in said
    assert said.endswith(".")
    assert "\n" not in said
    assert page.state("case_title") == title
    assert page.picture(0) == before
    assert not list((page.server.private / "uploads").iterdir())
    assert "broken.nii.gz" in (page.server.private / "server.log").read_text()


@pytest.mark.parametrize("by", ["button", "key"])
def test_an_upload_can_be_cancelled_and_is_no_other_page_s(
    page: Any, visit: Any, head: Path, by: str
) -> None:
    other = visit(page.server)
    other.page.route("**/upload", lambda route: None)  # as slow as can be
    other.upload(head)
    other.wait_until(lambda: other.status(), "Uploading")
    other.wait_for_arrival()
    page.wait_for_arrival()
    assert page.page.locator("#upload").is_enabled()
    assert page.page.locator("#cancel-upload").count() == 0
    if by == "button":
        other.page.click("#cancel-upload")
    else:
        other.page.keyboard.press("Escape")
    other.page.wait_for_selector("#upload:not([disabled])")
    assert other.page.locator("#cancel-upload").count() == 0
    other.wait_for_arrival()
    assert other.state("problem") == ""


def test_an_upload_that_is_broken_off_is_one_line_in_the_log_and_leaves_nothing(page: Any) -> None:
    site = urlsplit(page.server.address)
    begun = (
        f"POST /upload?{site.query} HTTP/1.1\r\nHost: {site.netloc}\r\nContent-Length: 1000\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n\r\n--X\r\n"
        'Content-Disposition: form-data; name="file"; filename="cut.nii"\r\n\r\nvoxels'
    )
    uploads, log = page.server.private / "uploads", page.server.private / "server.log"
    before = len(list(uploads.iterdir())) if uploads.exists() else 0
    with socket.create_connection((site.hostname, site.port)) as connection:
        connection.sendall(begun.encode())
        page.wait_until(lambda: uploads.exists() and len(list(uploads.iterdir())), before + 1)
    page.wait_until(lambda: "An upload was broken off" in log.read_text(), True)
    assert len(list(uploads.iterdir())) == before
    assert "Error handling request" not in log.read_text()


def test_an_upload_through_the_button_opens_the_image(
    page: Any, head: Path, tmp_path: Path
) -> None:
    other = tmp_path / "Schädel.nii.gz"
    other.write_bytes(head.read_bytes())
    with page.page.expect_file_chooser() as chooser:
        page.page.click("#upload")
    chooser.value.set_files(str(other))
    page.wait_until(lambda: page.state("case_title"), "Schädel.nii.gz")
    for name in ("download/.dcm", "download/.json"):
        said = page.get(name).text()
        assert str(page.server.private) not in said
        assert tempfile.gettempdir() not in said


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz", ".mrb", ".json"])
def test_the_menu_downloads_whole_files(page: Any, tmp_path: Path, ending: str) -> None:
    if not page.state("has_target"):
        page.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
        page.wait_for_answers()
    page.page.click("#download")
    with page.page.expect_download() as download:
        page.page.click(f"[id='download{ending.replace('.', '-')}']")
    path = tmp_path / download.value.suggested_filename
    assert path.name.endswith(ending)
    assert path.name.startswith(page.state("case_title").removesuffix(".nii.gz"))
    download.value.save_as(path)
    assert path.stat().st_size > 100


def test_the_page_fits_a_small_screen(page: Any) -> None:
    for width, height in ((1280, 720), (1024, 768)):
        page.page.set_viewport_size({"width": width, "height": height})
        page.page.wait_for_timeout(500)
        root = "document.documentElement"
        assert page.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
        assert page.page.evaluate(f"{root}.scrollHeight <= {root}.clientHeight")
        for view in range(3):
            _x, bottom = page.place(view, 1, 1)
            assert bottom <= height
        for name in ("segment", "refine", "undo", "next-place", "theme"):
            assert page.page.locator(f"#{name}").is_visible()
