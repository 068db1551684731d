"""Writing files: whole or not at all, and never in the place of another that is still needed."""

from __future__ import annotations

import os
import shutil
import stat
import unicodedata
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from DeepIGeoSLib.errors import InputError

_LONGEST_SHOWN = 300


@contextmanager
def written_in_one_step(path: str | Path) -> Generator[Path, None, None]:
    """Yield a temporary path beside ``path``; on success it is renamed to ``path``.

    The temporary name keeps the ending, in lower case, from which writers choose their format. When
    the body raises, the temporary file is removed and whatever stood at ``path`` is untouched. A
    symbolic link stays one: what it points to is replaced.

    Raises:
        InputError: as ``check_output_file``, or writing has failed.
    """
    check_output_file(path)
    target = Path(os.path.realpath(path))
    temporary = target.parent / f".{uuid.uuid4().hex}{_ending(target.name)}"
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())  # a full disk or a quota may show only now
        os.replace(temporary, target)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_output_file(path: str | Path) -> None:
    """Check that a file can be written, as far as that can be known before.

    Raises:
        InputError: the folder is missing or can't be written to, the name can't be one (it is too
            long, say), or something stands there that may not be replaced.
    """
    path = Path(path)
    folder = path.absolute().parent
    if not os.path.isdir(folder):
        raise InputError(
            f"The folder {shortened(folder)} does not exist, so {shortened(path.name)} can't be "
            "written."
        )
    try:
        is_link = path.is_symlink()
        there = path.stat()
    except FileNotFoundError:
        there = None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{shortened(path)} can't be written: {reason}.") from error
    if there is None:
        folder = Path(os.path.realpath(path)).parent if is_link else folder
        if not folder.is_dir():
            raise InputError(f"{path} is a link into the folder {folder}, which does not exist.")
    elif stat.S_ISDIR(there.st_mode):
        raise InputError(f"{path} is a folder; a file name is expected.")
    elif not stat.S_ISREG(there.st_mode):
        raise InputError(f"{path} is no ordinary file, so it is not replaced by one.")
    elif not os.access(path, os.W_OK):
        raise InputError(f"{path} exists and is write-protected.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"The folder {folder} can't be written to.")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        InputError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} can't be made: {error.strerror}.") from error


def check_path_is_text(path: str | Path) -> None:
    """Check that a path can be given to ITK, which ends the program at one that is no text.

    Raises:
        InputError: it holds bytes that are no UTF-8, or this terminal's language can't spell it.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{shortened(path)} is no text in UTF-8, as names of image files have to be; rename "
            "the file or the folder."
        ) from error


def same_file(first: str | Path, second: str | Path) -> bool:
    """Whether two paths name one file, which need not exist yet.

    They may differ by links of both kinds, by ``..``, and by capitals where the file system takes
    no notice of them.
    """
    try:
        if os.path.samefile(first, second):
            return True
    except (OSError, ValueError):
        pass  # one of them does not exist
    a, b = (Path(os.path.realpath(path)) for path in (first, second))
    if a == b:
        return True
    return _folded(a) == _folded(b) and _ignores_case(a.parent)


def _folded(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


def _ignores_case(folder: Path) -> bool:
    """Whether a folder is found by its name in other capitals."""
    other = folder.with_name(folder.name.swapcase()) if folder.name else folder
    if other == folder:
        return folder.parent != folder and _ignores_case(folder.parent)
    try:
        return os.path.samefile(folder, other)
    except OSError:
        return False


def _ending(name: str) -> str:
    """Return the ending of a name in lower case; with what belongs to it before .gz and .nrrd."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    is_double = suffixes[-1:] == [".gz"] or suffixes[-2:] == [".seg", ".nrrd"]
    return "".join(suffixes[-2:] if is_double else suffixes[-1:])


def as_text(path: str | Path) -> str:
    """Return a path as text that every file can hold: bytes that are no UTF-8 are spelled out."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def shortened(path: str | Path) -> str:
    """Return a path for a message; one that is too long to be read is cut in the middle."""
    text = as_text(path)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:60]}...{text[-40:]}"
