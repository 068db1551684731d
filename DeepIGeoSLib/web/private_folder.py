"""The folder for what belongs to this user alone: uploads and autosaves, which show patients."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from DeepIGeoSLib.errors import InputError


def private_folder() -> Path:
    """Return the folder where the system keeps the data of this user's programs; it is not made."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "deepigeos" / "web"


def make_private(folder: Path) -> Path:
    """Make a folder that other users can't read, with those above it; return it.

    Raises:
        InputError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise InputError(f"The folder {folder} can't be made: {error.strerror}.") from error
    return folder
