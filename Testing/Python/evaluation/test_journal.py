"""An evaluation that was stopped goes on, and what was measured in another way is not reused."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.evaluate import compare
from DeepIGeoSLib.evaluation.journal import Journal, key_of
from DeepIGeoSLib.users.robot_user import RobotUser

from .conftest import make_row
from .test_protocol import Spreading

ROWS = [make_row("own", "A", "a1", 0, 0.0), make_row("own", "A", "a1", 1, 1 / 3)]


def never() -> list:
    raise AssertionError("this was measured before")


def test_rows_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "unfinished.jsonl"
    assert Journal(path).rows_of("a", lambda: ROWS) == ROWS
    again = Journal(path)
    assert again.rows_of("a", never) == ROWS  # to the last digit, and infinity, too
    again.rows_of("b", lambda: ROWS[:1])
    assert Journal(path).rows_of("b", never) == ROWS[:1]
    again.remove()
    assert not path.exists()


@pytest.mark.parametrize("lost", [1, 40, 200])
def test_a_line_cut_off_by_a_kill_is_measured_again(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "unfinished.jsonl"
    journal = Journal(path)
    journal.rows_of("a", lambda: ROWS)
    journal.rows_of("b", lambda: ROWS)
    path.write_bytes(path.read_bytes()[:-lost])
    again = Journal(path)
    assert again.rows_of("a", never) == ROWS
    calls = []
    again.rows_of("b", lambda: calls.append(1) or ROWS)
    assert calls == [1]
    assert Journal(path).rows_of("b", never) == ROWS


def test_a_damaged_journal_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "unfinished.jsonl"
    path.write_text("{}\n")
    with pytest.raises(InputError, match="damaged; delete it"):
        Journal(path)
    assert path.read_text() == "{}\n"


def test_a_failure_leaves_no_row(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "unfinished.jsonl")
    with pytest.raises(AssertionError):
        journal.rows_of("a", never)
    assert (tmp_path / "unfinished.jsonl").read_text() == ""


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch) -> None:
    journal = Journal(tmp_path / "unfinished.jsonl")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"unfinished\.jsonl can't be written: No space left"):
        journal.rows_of("a", lambda: ROWS)


def test_a_key_stands_for_files_as_they_are_and_for_everything_else(tmp_path: Path) -> None:
    file = tmp_path / "image.nii.gz"
    file.write_bytes(b"one")
    key = key_of([file], "method", 3)
    assert key_of([file], "method", 3) == key
    assert key_of([file], "method", 4) != key
    assert key_of([], "method", 3) != key
    file.write_bytes(b"other")
    assert key_of([file], "method", 3) != key
    with pytest.raises(InputError, match="nothing"):
        key_of([tmp_path / "nothing"])


class Counting(Spreading):
    """Counts its cases, and is stopped at one of them."""

    def __init__(self, stop_at: int | None = None, **options) -> None:
        super().__init__(**options)
        self.cases, self.stop_at = 0, stop_at

    def warm_up(self, channels, from_empty=False) -> None:
        """Nothing to load."""

    def set_volume(self, channels) -> None:
        self.cases += 1
        if self.cases == self.stop_at:
            raise KeyboardInterrupt
        super().set_volume(channels)


def test_only_the_rest_is_measured(write_case: Callable, tmp_path: Path) -> None:
    cases = [write_case(name) for name in ("one", "other", "third")]
    path = tmp_path / "unfinished.jsonl"
    user = RobotUser(seed=5)
    with pytest.raises(KeyboardInterrupt):
        compare([Counting(stop_at=3)], cases, user, rounds=2, journal=Journal(path))
    rest = Counting()
    resumed = compare([rest], cases, user, rounds=2, journal=Journal(path))
    assert rest.cases == 1
    whole = compare([Counting()], cases, user, rounds=2)
    assert [(row.case, row.round, row.measured) for row in resumed.rows] == [
        (row.case, row.round, row.measured) for row in whole.rows
    ]


def test_another_evaluation_starts_anew(write_case: Callable, tmp_path: Path) -> None:
    cases = [write_case("one"), write_case("other")]

    def measured(steps: int = 3, seed: int = 1, rounds: int = 2, tolerance: float = 2.0) -> int:
        method = Counting(steps=steps)
        journal = Journal(tmp_path / "unfinished.jsonl")
        compare(
            [method],
            cases,
            RobotUser(seed=seed),
            rounds=rounds,
            tolerance=tolerance,
            journal=journal,
        )
        return method.cases

    assert measured() == 2
    assert measured() == 0
    assert (
        measured(seed=2) == measured(rounds=1) == measured(tolerance=1.0) == measured(steps=2) == 2
    )
    write_case("another")
    cases[0].label.write_bytes((tmp_path / "another-truth.nii.gz").read_bytes())
    assert measured() == 1
