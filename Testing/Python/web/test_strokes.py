"""Strokes in quick succession, from two browsers, by finger and by pen, and many of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DeepIGeoSLib.volume import Volume

STROKES = 100
SETTLED = 25  # strokes after which all has been made that is made once

_HEADS = itertools.count(1)


@pytest.fixture(scope="module")
def running(serve: Any) -> Any:
    """A server that gets a head for each test."""
    return serve()


@pytest.fixture
def begin(running: Any, visit: Any, head: Path, tmp_path: Path) -> Callable[..., Any]:
    """A function that opens the page with a head that nobody has worked on, and begins anew."""

    def begin(**context: Any) -> Any:
        volume = Volume.read(head)
        array = volume.array.copy()
        array[0, 0, 0] = next(_HEADS)  # work is kept for an image with the same voxels
        name = f"head-{array[0, 0, 0]:.0f}.nii.gz"
        volume.write_map(tmp_path / name, array)
        page = visit(running, **context)
        page.upload(tmp_path / name)
        page.wait_until(lambda: page.state("case_title"), name)
        if page.state("model") != "any-structure":
            page.choose_model("any-structure")
        page.page.click("#brush-missing")
        page.wait_until(lambda: page.state("brush"), "missing")
        return page

    return begin


@pytest.fixture
def page(begin: Callable[..., Any]) -> Any:
    return begin()


def voxels_of(volume: Volume, stroke: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """Return the voxels along a stroke: a slow server gets few points, with lines between them."""
    points = np.array(stroke["points"])
    steps = np.linspace(0, len(points) - 1, 40 * len(points))
    line = [np.interp(steps, np.arange(len(points)), column) for column in points.T]
    ijk = (np.linalg.inv(volume.ijk_to_ras) @ np.vstack([*line, np.ones(len(steps))]))[:3]
    return tuple(np.rint(ijk[::-1]).astype(int))


@pytest.mark.parametrize("chosen_by", ["keys", "buttons"])
def test_two_strokes_in_quick_succession_are_both_obeyed_and_the_newest_wins_where_they_meet(
    page: Any, head: Path, tmp_path: Path, chosen_by: str
) -> None:
    def choose(key: str, button: str) -> None:
        if chosen_by == "keys":
            page.page.keyboard.press(key)
        else:
            page.page.click(button)

    volume = Volume.read(head)
    page.stroke(0, [(0.4, 0.5), (0.45, 0.5), (0.5, 0.5), (0.55, 0.5)])
    choose("x", "#brush-too-much")  # while the first one is being answered
    page.stroke(0, [(0.52, 0.48), (0.54, 0.5), (0.56, 0.52)])
    choose("v", "#brush-none")
    page.stroke(0, [(0.3, 0.48), (0.32, 0.5)])  # of no brush
    page.wait_for_answers()
    assert page.state("brush") == "none"
    missing, too_much = page.strokes()
    assert (missing["brush"], too_much["brush"]) == ("missing", "too much")
    answers = [e for e in page.recording()["events"] if e["action"] == "round"]
    assert 1 <= len(answers) <= 2
    assert answers[-1]["seconds"] > too_much["seconds"]
    labels = page.labels(volume, tmp_path)
    apart = set(zip(*voxels_of(volume, missing), strict=True)) - {
        tuple(place + step for place, step in zip(voxel, shift, strict=True))
        for voxel in zip(*voxels_of(volume, too_much), strict=True)
        for shift in np.ndindex(1, 3, 3)
        for shift in [np.subtract(shift, (0, 1, 1))]
    }
    assert apart
    assert all(labels[voxel] for voxel in apart)
    assert not labels[voxels_of(volume, too_much)].any()


def test_a_download_right_behind_a_stroke_holds_its_answer(
    page: Any, head: Path, tmp_path: Path
) -> None:
    volume = Volume.read(head)
    page.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    page.wait_for_answers()
    first = page.labels(volume, tmp_path)
    page.page.keyboard.press("x")
    page.stroke(0, [(0.48, 0.5), (0.5, 0.5)])  # too much
    page.page.click("#download")
    with page.page.expect_download() as download:
        page.page.click("[id='download-nii-gz']")
    path = tmp_path / "at-once.nii.gz"
    download.value.save_as(path)
    stroke = voxels_of(volume, page.strokes()[-1])
    labels = volume.read_labels(path)
    assert first[stroke].any()
    assert not labels[stroke].any()
    assert np.array_equal(labels, page.labels(volume, tmp_path))


def test_painting_goes_on_while_a_segmentation_is_computed(page: Any) -> None:
    page.choose_model("flair-whole-tumor")
    page.page.click("#segment:not([disabled])")
    page.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    page.wait_until(lambda: len(page.strokes()), 1)
    page.wait_for_answers()
    kinds = [made["kind"] for made in page.state("rounds")]
    assert kinds[0] == "refined"


def test_two_browsers_at_one_address_show_the_same_work(page: Any, visit: Any) -> None:
    other = visit(page.server)
    page.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    page.wait_for_rounds(1)
    other.wait_for_rounds(1)
    before = other.picture(0)
    other.page.click("#undo")
    page.wait_for_rounds(0)
    other.wait_until(lambda: other.picture(0) != before, True)
    page.page.context.close()  # one of them leaves, the other one goes on
    other.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    other.wait_for_rounds(1)


def test_a_reload_in_the_middle_of_a_stroke_drops_it_and_the_next_stroke_is_whole(
    page: Any,
) -> None:
    mouse = page.page.mouse
    page.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    page.wait_for_answers()
    mouse.move(*page.place(0, 0.4, 0.4))
    page.page.wait_for_timeout(150)
    mouse.down()
    mouse.move(*page.place(0, 0.45, 0.4), steps=3)
    page.wait_for_arrival()
    page.page.goto("about:blank")
    mouse.up()  # where no page of ours sees it
    page.open()
    for x in (0.5, 0.6):
        mouse.move(*page.place(0, x, 0.6), steps=3)  # no button is down
    page.page.keyboard.press("x")
    page.wait_until(lambda: page.state("brush"), "too much")
    page.wait_for_answers()
    assert len(page.strokes()) == page.rounds() == 1
    page.stroke(0, [(0.3, 0.5), (0.32, 0.5)])
    page.wait_until(lambda: len(page.strokes()), 2)
    last = np.array(page.strokes()[-1]["points"])
    assert np.ptp(last, axis=0).max() < 10  # mm: nothing of the one that was dropped
    page.wait_for_answers()


@pytest.mark.parametrize("pointer", ["finger", "pen"])
def test_a_finger_and_a_pen_paint_on_a_tablet(begin: Callable[..., Any], pointer: str) -> None:
    tablet = {"viewport": {"width": 1024, "height": 768}, "has_touch": True, "is_mobile": True}
    page = begin(**tablet)
    tools = page.page.context.new_cdp_session(page.page)

    def point(kind: str, x: float, y: float) -> None:
        left, top = page.place(0, x, y)
        if pointer == "finger":
            event = {"down": "touchStart", "move": "touchMove", "up": "touchEnd"}[kind]
            points = [] if kind == "up" else [{"x": left, "y": top}]
            tools.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": points})
        else:
            event = {"down": "mousePressed", "move": "mouseMoved", "up": "mouseReleased"}[kind]
            how = {"pointerType": "pen", "force": 0.5, "button": "left", "clickCount": 1}
            tools.send(
                "Input.dispatchMouseEvent",
                {"type": event, "x": left, "y": top, "buttons": int(kind != "up"), **how},
            )
        page.page.wait_for_timeout(80)

    point("down", 0.42, 0.5)
    for step in range(1, 5):
        point("move", 0.42 + 0.03 * step, 0.5)
    point("up", 0.54, 0.5)
    page.wait_for_rounds(1)
    (stroke,) = page.strokes()
    assert len(stroke["points"]) >= 2
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.page.evaluate(overflow) == 0


@pytest.mark.slow
def test_a_hundred_strokes_leave_the_server_as_large_as_it_was(page: Any) -> None:
    random = np.random.default_rng(0)
    sizes = []
    for number in range(STROKES):
        if number % 10 == 0:
            page.page.click("#brush-missing" if number % 20 == 0 else "#brush-too-much")
        x, y = random.uniform(0.4, 0.6, 2)
        page.stroke(0, [(x, y), (x + 0.03, y + 0.02)])
        page.wait_for_arrival()
        page.wait_until(lambda: page.state("busy"), False)
        sizes.append(page.server.resident())
    page.wait_for_answers()
    assert len(page.strokes()) == STROKES
    grown = np.median(sizes[-10:]) - np.median(sizes[SETTLED : SETTLED + 10])
    print(f"{grown / 1e6:.0f} MB more after {STROKES} strokes than after {SETTLED}")
    assert grown < 60e6
