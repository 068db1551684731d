"""The journal of a batch run: what it keeps, and whom it lets in."""

from __future__ import annotations

import dataclasses
import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from DeepIGeoSLib.batch import CaseRecord, State, TargetRecord, read_records
from DeepIGeoSLib.batch.journal import KEPT, Journal, Run, journal_path, read_run
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.metrics import Measurement

RUN = Run("images", "1.0.0", "tiny 1.0.0", "ab" * 32, {"crf": None, "engine": "torch"})


def a_record(name: str = "a/case") -> CaseRecord:
    measured = Measurement(0.5, 0.3, math.inf, math.inf, 0.0, 1.5, math.inf)
    target = TargetRecord(name="tumor", label=1, milliliters=12.25, lesions=3, measured=measured)
    return CaseRecord(
        name=name,
        state=State.DONE,
        images=("a/case.nii.gz",),
        truth="truth.nii.gz",
        outputs={"labels": "a/case.nii.gz"},
        shape=(3, 4, 5),
        spacing=(3.0, 1.0, 1.0),
        targets=(target,),
        flags=("touches the border",),
        seconds=1.5,
    )


def test_a_record_is_read_as_it_was_written(tmp_path: Path):
    with Journal(tmp_path) as journal:
        journal.begin(RUN, {"b": "1", "a/case": "2"})
        journal.note([a_record()], started={"b": "3"})
    assert read_records(tmp_path) == [a_record()]
    assert read_run(tmp_path) == RUN


def test_every_case_is_known_from_the_beginning_in_the_order_of_the_input(tmp_path: Path):
    with Journal(tmp_path) as journal:
        journal.begin(RUN, {"z": "1", "a": "2", "m": "3"})
        journal.note([], started={"a": "4"})
    with Journal(tmp_path) as journal:
        known = journal.known()
    assert {name: case.state.value for name, case in known.items()} == {
        "z": "waiting",
        "a": "running",
        "m": "waiting",
    }
    assert list(known) == ["z", "a", "m"]
    assert known["a"].stamp == "4"


def test_a_case_that_is_reopened_is_not_done(tmp_path: Path):
    with Journal(tmp_path) as journal:
        journal.begin(RUN, {"a/case": "2"})
        journal.note([a_record()], started={})
        journal.reopen(["a/case"])
        assert journal.known()["a/case"].state is State.RUNNING
        assert journal.known()["a/case"].record is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"input": "others"}, "its cases came from images, not from others"),
        ({"bundle": "big 2.0.0"}, "it used the bundle tiny 1.0.0, not big 2.0.0"),
        ({"bundle_hash": "cd" * 32}, "has changed since then"),
        ({"version": "2.0.0"}, "DeepIGeoS 1.0.0 made them, not 2.0.0"),
        ({"settings": {"crf": True, "engine": "torch"}}, "crf was None, not True"),
    ],
)
def test_another_run_is_refused_and_told_what_differs(tmp_path: Path, changed: dict, said: str):
    with Journal(tmp_path) as journal:
        journal.begin(RUN, {"a": "1"})
    with Journal(tmp_path) as journal, pytest.raises(InputError, match=said):
        journal.begin(dataclasses.replace(RUN, **changed), {"a": "1"})
    assert read_run(tmp_path) == RUN


def test_a_second_run_in_the_same_program_is_refused(tmp_path: Path):
    with Journal(tmp_path), pytest.raises(InputError, match="Another batch run is writing"):
        Journal(tmp_path)
    Journal(tmp_path).close()


def test_a_second_run_in_another_program_is_refused_until_the_first_is_killed(tmp_path: Path):
    program = (
        "import sys, time; from pathlib import Path\n"
        "from DeepIGeoSLib.batch.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); print('open', flush=True); time.sleep(60)\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(InputError, match="Another batch run is writing"):
            Journal(tmp_path)
    finally:
        first.kill()
        first.communicate()
    Journal(tmp_path).close()


def test_what_was_noted_survives_a_kill(tmp_path: Path):
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_batch_journal import RUN, a_record\n"
        "from DeepIGeoSLib.batch.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.begin(RUN, {'a/case': '1', 'b': '1'})\n"
        "journal.note([a_record()], started={'b': '1'}); os._exit(9)\n"
    )
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", program, str(tmp_path), here], check=False)
    with Journal(tmp_path) as journal:
        known = journal.known()
    assert known["a/case"].record == a_record()
    assert known["b"].state is State.RUNNING


def test_a_journal_that_may_not_be_written_says_so(tmp_path: Path, monkeypatch):
    folder = tmp_path / KEPT
    folder.mkdir()
    (folder / "journal.sqlite").mkdir()  # SQLite opens none of it, whoever asks
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != folder)
    with pytest.raises(InputError, match="journal of a batch run: this user may not write to it"):
        Journal(tmp_path)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path):
    path = journal_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"a text that somebody wrote, longer than a header of SQLite is" * 20)
    before = path.read_bytes()
    with pytest.raises(InputError, match="can't be used as the journal"):
        Journal(tmp_path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused(tmp_path: Path):
    path = journal_path(tmp_path)
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE patients (name TEXT)")
    database.close()
    with pytest.raises(InputError, match="is no journal of a batch run"):
        Journal(tmp_path)


def test_a_folder_without_a_run_says_so(tmp_path: Path):
    with pytest.raises(InputError, match="holds no results of a batch run"):
        read_records(tmp_path)
