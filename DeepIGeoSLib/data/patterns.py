"""Path patterns with ``{case}``, and paths that must not leave their folder."""

from __future__ import annotations

import glob
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from DeepIGeoSLib.errors import InputError

CASE = "{case}"


def confined(folder: Path, relative: str) -> Path:
    """Return a path below ``folder``.

    Raises:
        InputError: ``relative`` is absolute or climbs out by "..".
    """
    parts = PurePosixPath(relative.replace("\\", "/"))
    absolute = parts.is_absolute() or PureWindowsPath(relative).drive
    if absolute or ".." in parts.parts or not relative:
        raise InputError(f"{relative!r} is no path below {folder}.")
    return folder / parts


def check_pattern(pattern: str, key: str) -> None:
    """Check that a path pattern says where the case's name stands.

    Raises:
        InputError: it does not, or it is absolute.
    """
    if CASE not in pattern:
        raise InputError(f"{key} is {pattern!r}; {CASE} must stand for the case's name in it.")
    if Path(pattern).is_absolute():
        raise InputError(f"{key} is {pattern!r}; a path from the data set's folder is expected.")


def path_of(folder: Path, pattern: str, case: str) -> Path:
    """Return where the pattern puts a case's file.

    The pattern comes from the configuration and may go anywhere; a case's name may not.

    Raises:
        InputError: the name is absolute or climbs out by "..".
    """
    confined(folder, case)
    return folder / pattern.replace(CASE, case)


def paths_by_case(folder: Path, pattern: str) -> dict[str, Path]:
    """Return every file that fits the pattern, by the case's name, in order of the names."""
    literal = pattern.split(CASE)
    shape = "(?P<case>[^/]+)" + re.escape(literal[1])
    shape += "".join("(?P=case)" + re.escape(text) for text in literal[2:])
    expression = re.compile(re.escape(literal[0]) + shape)
    found = {}
    for path in folder.glob("*".join(glob.escape(text) for text in literal)):
        match = expression.fullmatch(path.relative_to(folder).as_posix())
        if match and not match["case"].startswith("."):  # "._x" is what macOS leaves beside "x"
            found[match["case"]] = path
    return dict(sorted(found.items()))
