"""The journal of a batch run: what was done with each case, by which bundle, settings and version.

An SQLite database in the output folder, in WAL mode. It is locked for as long as it is open, by the
operating system, which lets go of it however the program ends: two runs never share a folder.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from DeepIGeoSLib.batch.record import CaseRecord, State, record_from_json
from DeepIGeoSLib.errors import DeepIGeoSError, InputError
from DeepIGeoSLib.files import make_folder

# After so many pages (of 4 KiB) what was written beside the database is moved into it.
_PAGES_BESIDE = 100

# What a run keeps for itself, in the output folder.
KEPT = "deepigeos-batch"

# Of the tables below; SQLite stores both numbers in the file's header.
_SCHEMA_VERSION = 1
_APPLICATION = 0x64676273  # "dgbs"

_TABLES = (
    """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    begun TEXT NOT NULL,    -- UTC
    ended TEXT,             -- UTC; nothing where the program was ended
    input TEXT NOT NULL,    -- folder or list of the cases
    version TEXT NOT NULL,  -- of DeepIGeoS
    bundle TEXT NOT NULL,   -- name and version
    bundle_hash TEXT NOT NULL,
    settings TEXT NOT NULL  -- JSON: all that results depend on
)
""",
    """
CREATE TABLE cases (
    name TEXT PRIMARY KEY,
    place INTEGER NOT NULL, -- in the order of the input
    state TEXT NOT NULL,    -- waiting, running, done or failed
    stamp TEXT NOT NULL,    -- of the files that are read, as they were
    run INTEGER REFERENCES runs (number),  -- which did it
    finished TEXT,          -- UTC
    seconds REAL,
    reason TEXT,            -- why it failed
    record TEXT             -- JSON, see CaseRecord
)
""",
)


@dataclass(frozen=True)
class Run:
    """What makes the results of two starts the results of one run.

    Attributes:
        input: folder or list of the cases.
        version: of DeepIGeoS.
        bundle: name and version.
        bundle_hash: of the manifest and of all weights, in hexadecimal digits.
        settings: all that results depend on.
        begun: date and time (UTC) of the start; None before it. It makes no other run of one.
    """

    input: str
    version: str
    bundle: str
    bundle_hash: str
    settings: Mapping[str, Any]
    begun: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class KnownCase:
    """What the journal knows of a case.

    Attributes:
        state: how far it is.
        stamp: of the files that were read for it.
        record: None for a case that was not worked on.
    """

    state: State
    stamp: str
    record: CaseRecord | None


class Journal:
    """An open journal; no other run can open it."""

    def __init__(self, output: Path) -> None:
        """Open or make the journal of an output folder, which exists.

        Raises:
            InputError: another run has it open, it is damaged, of a newer version or no journal,
                or it can't be written.
        """
        self._path = journal_path(output)
        self._number = 0
        make_folder(self._path.parent)
        self._database = _opened(self._path, output)

    def begin(self, run: Run, cases: Mapping[str, str]) -> None:
        """Note a start, and every case that is not known yet as waiting.

        Args:
            run: what is about to be done.
            cases: stamps by the names of the cases, in their order.

        Raises:
            InputError: the journal is one of another run, and the message says how they differ.
        """
        self.check(run)
        with self._writing():
            begun = self._database.execute(
                "INSERT INTO runs (begun, input, version, bundle, bundle_hash, settings) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (_now(), *_key_of(run)),
            )
            self._number = int(begun.lastrowid or 0)
            self._database.executemany(
                "INSERT INTO cases (name, place, state, stamp) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET place = excluded.place",
                [
                    (name, place, State.WAITING.value, stamp)
                    for place, (name, stamp) in enumerate(cases.items())
                ],
            )

    def check(self, run: Run) -> None:
        """Check that a run may go on with this journal.

        Raises:
            InputError: it is one of another run, and the message says how they differ.
        """
        before = self.last_run()
        if before is not None and _key_of(before) != _key_of(run):
            folder = self._path.parent.parent
            raise InputError(
                f"{folder} holds the results of another run: {_difference(before, run)}. Choose "
                "another folder, or go on as that run began."
            )

    def last_run(self) -> Run | None:
        """Return how the newest start was made; None where there was none."""
        row = self._database.execute(
            "SELECT input, version, bundle, bundle_hash, settings, begun FROM runs "
            "ORDER BY number DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        *texts, settings, begun = row
        return Run(*texts, settings=json.loads(settings), begun=begun)

    def known(self) -> dict[str, KnownCase]:
        """Return what is known of every case, by name, in the order of the input."""
        rows = self._database.execute("SELECT name, state, stamp, record FROM cases ORDER BY place")
        return {
            name: KnownCase(State(state), stamp, _record(record, self._path))
            for name, state, stamp, record in rows
        }

    def reopen(self, names: Iterable[str]) -> None:
        """Have cases that are done in work again: their files have changed, or results are gone."""
        with self._writing():
            self._database.executemany(
                "UPDATE cases SET state = 'running', record = NULL, reason = NULL "
                "WHERE name = ? AND state = 'done'",
                [(name,) for name in names],
            )

    def note(self, finished: Sequence[CaseRecord], started: Mapping[str, str]) -> None:
        """Note in one step what was finished and what is begun.

        Args:
            finished: records of cases whose files are in their places (or which failed).
            started: stamps of cases that are about to be worked on, by name.

        Raises:
            DeepIGeoSError: it can't be written, because the disk is full, for example.
        """
        with self._writing():
            self._database.executemany(
                "UPDATE cases SET state = 'running', stamp = ?, run = ? WHERE name = ?",
                [(stamp, self._number, name) for name, stamp in started.items()],
            )
            self._database.executemany(
                "UPDATE cases SET state = ?, finished = ?, seconds = ?, reason = ?, record = ?, "
                "run = ? WHERE name = ?",
                [
                    (
                        record.state.value,
                        _now(),
                        record.seconds,
                        record.reason,
                        record.to_json(),
                        self._number,
                        record.name,
                    )
                    for record in finished
                ],
            )

    def end(self) -> None:
        """Note that the run came to its end."""
        with self._writing():
            self._database.execute(
                "UPDATE runs SET ended = ? WHERE number = ?", (_now(), self._number)
            )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Generator[None, None, None]:
        try:
            with self._database:
                yield
        except sqlite3.Error as error:
            full = "full" in str(error)
            reason = "there is no room left on its disk" if full else str(error)
            raise DeepIGeoSError(
                f"The journal {self._path} can't be written: {reason}. What it says so far holds, "
                "and the same command goes on from there."
            ) from error


def journal_path(output: Path) -> Path:
    """Return where the journal of an output folder lies."""
    return output / KEPT / "journal.sqlite"


def read_records(output: str | Path) -> list[CaseRecord]:
    """Return the records of a run, in the order of its input; cases not worked on are left out.

    Args:
        output: the folder of the run's results.

    Raises:
        InputError: there is no journal, a run has it open now, or it is damaged.
    """
    path = journal_path(Path(output))
    if not path.is_file():
        raise InputError(f"{output} holds no results of a batch run: {path} is missing.")
    with Journal(Path(output)) as journal:
        return [known.record for known in journal.known().values() if known.record is not None]


def read_run(output: str | Path) -> Run | None:
    """Return how the results of a folder were made; None where no run has begun.

    Raises:
        InputError: as ``read_records``.
    """
    path = journal_path(Path(output))
    if not path.is_file():
        raise InputError(f"{output} holds no results of a batch run: {path} is missing.")
    with Journal(Path(output)) as journal:
        return journal.last_run()


def _opened(path: Path, output: Path) -> sqlite3.Connection:
    existed = path.is_file() and path.stat().st_size > 0
    database = None
    try:
        # Autocommit is off by default: "with database" is a transaction. Threads: one at a time.
        database = sqlite3.connect(path, timeout=0.2, check_same_thread=False)
        # With this, WAL needs no memory that processes share, so it works on network folders too.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BESIDE}")
        # A commit may be lost with the power, but never half of one; its case is then done again.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN IMMEDIATE")  # takes the lock
        _check_or_make_tables(database, path, existed)
        database.commit()
        return database
    except (sqlite3.Error, InputError) as error:
        if database is not None:
            database.close()
        if isinstance(error, InputError):
            raise
        if "locked" in str(error):
            raise InputError(
                f"Another batch run is writing into {output}; wait for its end, or choose another "
                "folder."
            ) from error
        reason = str(error) if _is_writable(path) else "this user may not write to it"
        raise InputError(
            f"{path} can't be used as the journal of a batch run: {reason}."
        ) from error


def _is_writable(path: Path) -> bool:
    """Whether a file and what SQLite puts beside it can be written, by their permissions."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def _check_or_make_tables(database: sqlite3.Connection, path: Path, existed: bool) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        for statement in _TABLES:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    elif application != _APPLICATION:
        raise InputError(f"{path} is no journal of a batch run; choose another folder.")
    elif version != _SCHEMA_VERSION:
        raise InputError(
            f"{path} was written by another version of DeepIGeoS (its tables have the version "
            f"{version}, known is {_SCHEMA_VERSION}); choose another folder."
        )


def _key_of(run: Run) -> tuple[str, ...]:
    settings = json.dumps(dict(run.settings), sort_keys=True)
    return (run.input, run.version, run.bundle, run.bundle_hash, settings)


def _difference(before: Run, now: Run) -> str:
    """Return in words what was otherwise before."""
    if before.input != now.input:
        return f"its cases came from {before.input}, not from {now.input}"
    if before.bundle != now.bundle:
        return f"it used the bundle {before.bundle}, not {now.bundle}"
    if before.bundle_hash != now.bundle_hash:
        return f"the bundle {now.bundle} has changed since then (its files have another hash)"
    if before.version != now.version:
        return f"DeepIGeoS {before.version} made them, not {now.version}"
    old, new = before.settings, now.settings
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return " and ".join(f"{key} was {old.get(key)!r}, not {new.get(key)!r}" for key in keys)


def _record(text: str | None, path: Path) -> CaseRecord | None:
    if text is None:
        return None
    try:
        return record_from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
