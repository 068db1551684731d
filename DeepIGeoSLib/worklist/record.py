"""What is known of a case of a worklist: a small file each, so that several people can work."""

from __future__ import annotations

import getpass
import json
import socket
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import make_folder, written_in_one_step


class Status(str, Enum):
    """How far a case is."""

    NEW = "new"
    IN_WORK = "in work"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Record:
    """How far a case is, and who says so.

    Attributes:
        status: how far it is.
        by: user and computer; empty for a new case.
        since: date and time (UTC) of the last change; empty for a new case.
    """

    status: Status = Status.NEW
    by: str = ""
    since: str = ""


def record_now(status: Status) -> Record:
    """Return a record of this user, here and now."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Record(status, who(), now)


def who() -> str:
    """Return the name of the user and of the computer."""
    try:
        user = getpass.getuser()
    except (KeyError, ImportError, OSError):  # a container without names
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


def read_record(path: Path) -> Record:
    """Read a record; a case without one is new.

    Raises:
        InputError: the file can't be read, or is damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Record(Status(values["status"]), str(values["by"]), str(values["since"]))
    except FileNotFoundError:
        return Record()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}, which says how far a case of the worklist is, is damaged; delete it to have "
            "the case new again. Its segmentation stays."
        ) from error


def write_record(path: Path, record: Record) -> None:
    """Write a record in one step; folders are made.

    Raises:
        InputError: it can't be written.
    """
    make_folder(path.parent)
    with written_in_one_step(path) as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
