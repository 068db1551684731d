"""The protocol gives every method the same user, and only what its mistakes ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib import InteractiveSession, load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.baselines import BASELINES
from DeepIGeoSLib.evaluation.evaluate import compare, evaluate
from DeepIGeoSLib.evaluation.methods import Method, SessionMethod, with_switches
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.evaluation.protocol import play, robot_session
from DeepIGeoSLib.evaluation.rows import Row
from DeepIGeoSLib.users.robot_user import RobotUser


class Spreading(Method):
    """Spreads foreground marks by a number of voxels, and takes away background marks."""

    def __init__(self, name: str = "spreading", steps: int = 3) -> None:
        self.name = name
        self.steps = steps
        self.given: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def identity(self) -> str:
        return f"{self.name} {self.steps}"

    def set_volume(self, channels) -> None:
        self.shape = channels[0].shape
        self.given = []

    def propose(self) -> np.ndarray:
        return np.zeros(self.shape, dtype=bool)

    def refine(self, foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
        self.given.append((foreground.copy(), background.copy()))
        return ndimage.binary_dilation(foreground, iterations=self.steps) & ~background


def without_seconds(rows: tuple[Row, ...]) -> list[Row]:
    return [dataclasses.replace(row, seconds=0.0) for row in rows]


@pytest.fixture
def session(tiny_bundle: Path) -> InteractiveSession:
    return InteractiveSession(load_bundle(tiny_bundle), device="cpu")


def test_marks_add_up_and_lie_in_the_mistakes(write_case: Callable) -> None:
    channels, truth = write_case("one").load_channels()
    method = Spreading()
    before = method.set_volume(channels) or method.propose()
    rounds = list(play(method, channels, truth, user=RobotUser(), rounds=6))
    assert [played.number for played in rounds] == list(range(7))
    assert rounds[0].stroke is None
    seen = np.zeros(truth.shape, dtype=bool)
    for played, (foreground, background) in zip(rounds[1:], method.given, strict=True):
        wrong = before != truth
        assert wrong[played.stroke.mask].all()
        assert played.stroke.label == (
            "foreground" if truth[played.stroke.mask].all() else "background"
        )
        seen |= played.stroke.mask
        assert np.array_equal(foreground, seen & truth)
        assert np.array_equal(background, seen & ~truth)
        before = played.labels


def test_nobody_asks_when_nothing_is_wrong(write_case: Callable) -> None:
    channels, truth = write_case("one").load_channels()

    class Perfect(Spreading):
        def refine(self, foreground, background) -> np.ndarray:
            super().refine(foreground, background)
            return truth

    method = Perfect()
    rounds = list(play(method, channels, truth, user=RobotUser(), rounds=4))
    assert len(method.given) == 1
    assert [played.stroke is None for played in rounds] == [True, False, True, True, True]
    assert [played.seconds for played in rounds[2:]] == [0, 0, 0]
    assert all(np.array_equal(played.labels, truth) for played in rounds[1:])


def test_a_session_is_measured_round_by_round(
    write_case: Callable, session: InteractiveSession
) -> None:
    case = write_case("one")
    volume, truth = case.load()
    scores = robot_session(session, volume, truth, rounds=3)
    results = evaluate(session, [case], rounds=3)
    assert results.values("dice", "deepigeos")[0].tolist() == [score.dice for score in scores]
    session.set_volume(volume)
    assert scores[0].dice == dice(session.propose().labels > 0, truth)
    assert scores[3].dice > scores[0].dice


@pytest.mark.parametrize("mode", ["stroke", "click"])
def test_the_same_seed_gives_the_same_rows(write_case: Callable, mode: str) -> None:
    cases = [write_case("one"), write_case("other")]

    def measured(seed: int | None) -> list[Row]:
        user = RobotUser(mode, seed=seed)
        return without_seconds(compare([Spreading()], cases, user, rounds=4).rows)

    assert measured(3) == measured(3)
    assert measured(3) != measured(4)
    assert measured(None) == measured(None)
    assert measured(None) != measured(3)


def test_rows_do_not_depend_on_the_company(write_case: Callable) -> None:
    cases = [write_case("one"), write_case("other")]
    near, far = Spreading("near", 1), Spreading("far", 4)
    together = compare([near, far], cases, RobotUser(seed=1), rounds=3).rows
    alone = compare([far], cases[::-1], RobotUser(seed=1), rounds=3).rows
    expected = [row for row in without_seconds(together) if row.method == "far"]
    assert sorted(without_seconds(alone), key=repr) == sorted(expected, key=repr)


def test_a_user_with_a_seed_marks_every_case_elsewhere(write_case: Callable) -> None:
    case = write_case("one")
    twins = [case, dataclasses.replace(case, name="two"), dataclasses.replace(case, dataset="b")]
    for seed, curves in ((None, 1), (3, 3)):
        results = compare([Spreading()], twins, RobotUser("click", seed=seed), rounds=3)
        dice = results.values("dice", "spreading")
        assert len({tuple(curve) for curve in dice}) == curves


def test_clicks_are_smaller_than_strokes(write_case: Callable) -> None:
    case = write_case("one")
    rows = {
        mode: compare([Spreading()], [case], RobotUser(mode), rounds=1).rows
        for mode in ("stroke", "click")
    }
    assert rows["stroke"][1].mark_voxels == 29
    assert rows["click"][1].mark_voxels == 7


def test_every_method_is_warmed_up_once_before_it_is_timed(
    write_case: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(
        "DeepIGeoSLib.evaluation.protocol.time", SimpleNamespace(perf_counter=lambda: clock[0])
    )

    class Slow(Spreading):
        """Takes its time for the first answer ever."""

        volumes = 0

        def set_volume(self, channels) -> None:
            super().set_volume(channels)
            self.volumes += 1

        def refine(self, foreground, background) -> np.ndarray:
            if self.volumes == 1:
                clock[0] += 60
            clock[0] += 1
            assert foreground.any()
            return super().refine(foreground, background)

    slow, other = Slow("slow"), Slow("other")
    results = compare([slow, other], [write_case("one"), write_case("two")], RobotUser(), rounds=1)
    assert (slow.volumes, other.volumes) == (3, 3)
    assert results.seconds("slow")[:, 1].tolist() == [1, 1]
    assert results.seconds("other")[:, 1].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["geodesic", "random-walker", "max-flow", "grow-cut"])
def test_every_baseline_can_be_warmed_up(write_case: Callable, name: str) -> None:
    if (reason := BASELINES[name].reason_against()) is not None:
        pytest.skip(reason)
    channels, _ = write_case("one").load_channels()
    BASELINES[name].method(name).warm_up(channels)


def test_the_volume_is_read_once_for_all_methods(write_case: Callable, monkeypatch) -> None:
    case = write_case("one")
    reads = []
    load = type(case).load_channels
    monkeypatch.setattr(type(case), "load_channels", lambda self: reads.append(1) or load(self))
    compare([Spreading("a"), Spreading("b")], [case], RobotUser(), rounds=1)
    assert len(reads) == 1


def test_switches_change_the_bundle_and_nothing_else(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    plain = bundle.manifest.interactions
    assert with_switches(bundle) == bundle
    assert with_switches(bundle, maps="geodesic") == bundle
    changed = with_switches(bundle, initial="pnet", maps="euclidean", changes="any")
    expected = dataclasses.replace(plain, initial="pnet", weight=0.0, changes="any")
    assert changed.manifest.interactions == expected
    assert dataclasses.replace(changed.manifest, interactions=plain) == bundle.manifest
    assert changed.folder == bundle.folder
    assert bundle.manifest.interactions == plain


@pytest.mark.parametrize(
    "switch", [{"initial": "pnet"}, {"maps": "euclidean"}, {"changes": "any"}], ids=str
)
def test_every_switch_matters(
    write_case: Callable, session: InteractiveSession, tiny_bundle: Path, switch: dict
) -> None:
    other = InteractiveSession(with_switches(load_bundle(tiny_bundle), **switch), device="cpu")
    methods = [SessionMethod(session), SessionMethod(other, "switched")]
    assert methods[0].identity.removeprefix("deepigeos") != methods[1].identity.removeprefix(
        "switched"
    )
    results = compare(methods, [write_case("one"), write_case("other")], RobotUser(), rounds=4)
    curves = [results.values("dice", name) for name in results.methods]
    assert np.array_equal(curves[0][:, 0], curves[1][:, 0])  # the proposal has no strokes
    assert not np.array_equal(curves[0], curves[1])


def test_a_case_that_cannot_be_read_is_named(write_case: Callable) -> None:
    case = write_case("one")
    case.label.unlink()
    with pytest.raises(InputError, match=r"one-truth\.nii\.gz"):
        compare([Spreading()], [case], RobotUser(), rounds=1)


def test_what_nobody_judged_is_neither_marked_nor_measured(write_case: Callable) -> None:
    channels, truth = write_case("one").load_channels()
    ignored = np.zeros(truth.shape, dtype=bool)
    ignored[:, :, truth.shape[2] // 2 :] = True
    truth = truth & ~ignored

    class Everything(Spreading):
        def propose(self) -> np.ndarray:
            return np.ones(self.shape, dtype=bool)

        def refine(self, foreground, background) -> np.ndarray:
            super().refine(foreground, background)
            return truth | ignored

    method = Everything()
    rounds = list(play(method, channels, truth, user=RobotUser(), rounds=3, ignored=ignored))
    np.testing.assert_array_equal(rounds[0].labels, ~ignored)
    assert rounds[1].stroke.label == "background"
    assert not (rounds[1].stroke.mask & ignored).any()
    assert dice(rounds[1].labels, truth) == 1
    assert [played.stroke for played in rounds[2:]] == [None, None]
