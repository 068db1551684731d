"""The protocol "any structure from nothing": no proposal, whatever the method."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.evaluation.evaluate import compare
from DeepIGeoSLib.evaluation.methods import SessionMethod
from DeepIGeoSLib.evaluation.protocol import play
from DeepIGeoSLib.evaluation.rows import read_rows
from DeepIGeoSLib.users.robot_user import RobotUser


@pytest.fixture
def session(tiny_bundle: Path, monkeypatch) -> InteractiveSession:
    """A session that must not be asked for a proposal."""

    def no_proposal(*_) -> None:
        raise AssertionError("P-Net ran")

    monkeypatch.setattr("DeepIGeoSLib.interaction.rounds.propose", no_proposal)
    return InteractiveSession(load_bundle(tiny_bundle), device="cpu")


def test_a_session_begins_with_an_empty_mask(
    session: InteractiveSession, write_case: Callable
) -> None:
    channels, truth = write_case("one").load_channels()
    rounds = list(
        play(
            SessionMethod(session),
            channels,
            truth,
            user=RobotUser("disk"),
            rounds=3,
            from_empty=True,
        )
    )
    assert not rounds[0].labels.any()
    assert rounds[0].seconds == 0
    assert rounds[1].stroke.label == "foreground"
    assert rounds[1].labels[rounds[1].stroke.mask].all()
    assert rounds[0].effect is None
    assert rounds[1].effect.fixed > 0
    # Later rounds go on from the answer before, not from the empty mask again.
    session.undo()
    assert np.array_equal(session.current.labels > 0, rounds[2].labels)


def test_the_next_case_begins_empty_too(session: InteractiveSession, write_case: Callable) -> None:
    cases = [write_case(name) for name in ("one", "two")]
    results = compare([SessionMethod(session)], cases, RobotUser("disk"), rounds=2, from_empty=True)
    assert results.from_empty
    assert results.values("dice", "deepigeos")[:, 0].tolist() == [0, 0]
    effects = [(row.fixed, row.collateral) for row in results.rows if row.mark]
    assert all(0 < fixed <= 1 and collateral >= 0 for fixed, collateral in effects)


@pytest.fixture
def listed(write_case: Callable, tmp_path: Path) -> Path:
    """A list of two kinds."""
    lines = ["image,mask,kind"]
    for name, kind in (("one", "round"), ("two", "round"), ("six", "square")):
        case = write_case(name)
        lines.append(f"{case.image.name},{case.label.name},{kind}")
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines))
    return path


def test_the_command(listed: Path, tiny_bundle: Path, tmp_path: Path, capsys) -> None:
    report = tmp_path / "report"
    given = ["evaluate", "--from-empty", listed, "--bundle", tiny_bundle, "--rounds", 2]
    assert main([*map(str, given), "-o", str(report), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"deepigeos", "no-model", "geodesic", "random-walker", "max-flow"} <= set(
        result["methods"]
    )
    assert list(result["mean_dice"]) == ["round", "square", "all"]
    for kinds in zip(*result["mean_dice"].values(), strict=True):
        assert kinds[2] == pytest.approx((kinds[0] + kinds[1]) / 2)
    assert result["protocol"]["mode"] == "disk"
    assert result["protocol"]["from_empty"] is True
    rows = read_rows(report / "cases.csv")
    assert all(row.fixed is not None for row in rows if row.mark)
    assert "mean over kinds" in (report / "table.md").read_text()


def test_any_cases_can_begin_empty(
    write_case: Callable, tiny_bundle: Path, tmp_path: Path, capsys
) -> None:
    case = write_case("one")
    (tmp_path / "mine.csv").write_text(f"image,label\n{case.image.name},{case.label.name}\n")
    own = ["--from-empty", "--methods", "deepigeos", "--rounds", "1", "--json"]
    bundle = ["--bundle", str(tiny_bundle)]
    assert main(["evaluate", str(tmp_path / "mine.csv"), *own, *bundle]) == 0
    listed = json.loads(capsys.readouterr().out)
    single = ["--image", str(case.image), "--truth", str(case.label)]
    assert main(["evaluate", *single, *own, *bundle]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert listed["mean_dice"]["all"] == alone["mean_dice"]["all"]
    assert listed["mean_dice"]["all"][0] == 0


def test_the_folder_of_the_data(
    listed: Path, tiny_bundle: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    given = ["evaluate", "--from-empty", "--bundle", str(tiny_bundle)]
    monkeypatch.delenv("DEEPIGEOS_DATA", raising=False)
    assert main(given) == 2
    assert "environment variable DEEPIGEOS_DATA" in capsys.readouterr().err
    monkeypatch.setenv("DEEPIGEOS_DATA", str(tmp_path))
    assert main(given) == 2
    assert "any_structure has neither volumes/cases.csv" in capsys.readouterr().err
    both = ["evaluate", "--from-empty", str(listed), "--image", "a.nii.gz"]
    assert main([*both, "--bundle", str(tiny_bundle)]) == 2
    assert "Give either --from-empty ROOT" in capsys.readouterr().err
