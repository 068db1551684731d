"""The robot user may begin with a box or an outline."""

from __future__ import annotations

import json

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.evaluation.methods import SessionMethod
from DeepIGeoSLib.evaluation.protocol import play
from DeepIGeoSLib.users.robot_user import RobotUser, robot_box, robot_outline


def disks():
    truth = np.zeros((6, 40, 40), dtype=bool)
    rows, columns = np.ogrid[:40, :40]
    for k, radius in enumerate((0, 3, 6, 9, 5, 0)):
        truth[k] = (rows - 20) ** 2 + (columns - 18) ** 2 <= radius**2 if radius else False
    return truth


def test_a_box_is_a_tenth_larger_on_each_side():
    assert robot_box(disks()) == (slice(0, 6), slice(9, 32), slice(7, 30))
    assert robot_box(np.zeros((2, 2, 2), dtype=bool)) is None


def test_an_outline_is_the_area_in_the_largest_slice_of_what_is_missing():
    truth = disks()

    stroke = robot_outline(np.zeros_like(truth), truth)

    assert stroke.label == "foreground"
    assert np.flatnonzero(stroke.mask.any(axis=(1, 2))).tolist() == [3]
    assert not (stroke.mask & ~truth).any()
    assert stroke.mask.sum() > 0.95 * truth[3].sum()
    assert robot_outline(truth, truth) is None


@pytest.mark.parametrize("first", ["box", "outline"])
def test_the_first_mark_is_what_was_asked_for_and_strokes_follow(write_case, first):
    channels, truth = write_case("one").load_channels()
    method = SessionMethod(InteractiveSession(load_bundle("geodesic")))

    rounds = list(
        play(
            method, channels, truth, user=RobotUser("disk", first=first), rounds=2, from_empty=True
        )
    )

    if first == "box":
        assert rounds[1].box == robot_box(truth)
        assert rounds[1].stroke is None
        assert rounds[1].labels.any()
        outside = rounds[1].labels.copy()
        outside[rounds[1].box] = False
        assert not outside.any()
    else:
        assert np.array_equal(rounds[1].stroke.mask, robot_outline(rounds[0].labels, truth).mask)
    assert rounds[2].stroke is not None


def test_the_report_says_how_the_user_begins(write_case, tmp_path, capsys):
    image, truth = write_case("one").files()[:2]
    words = ["evaluate", "--image", str(image), "--truth", str(truth), "--from-empty"]
    words += ["--methods", "no-model", "--rounds", "2", "--json"]

    assert main([*words, "--begin", "box"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["protocol"]["first"] == "box"
    assert "a box around the target" in result["report"]

    words[words.index("no-model")] = "no-model,geodesic"
    assert main([*words, "--begin", "box"]) == 2
    assert "geodesic can't take the box" in capsys.readouterr().err
