"""The folder that the user opened: nothing outside of it is read or listed."""

from __future__ import annotations

from pathlib import Path

from DeepIGeoSLib.errors import InputError


class OpenedFolder:
    """A folder whose files may be asked for by their path in it."""

    def __init__(self, folder: Path) -> None:
        """Take the folder.

        Raises:
            InputError: it does not exist.
        """
        self.folder = folder.resolve()
        if not self.folder.is_dir():
            raise InputError(f"The folder {folder} does not exist.")

    def resolved(self, asked: str) -> Path:
        """Return the file or folder that a path names.

        Args:
            asked: relative to the opened folder, or absolute.

        Raises:
            InputError: it lies outside, also by ``..`` or through a link; or it does not exist.
        """
        try:
            path = (self.folder / asked).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a NUL; links in a circle
            raise InputError(f"{asked!r} is no path.") from error
        if not path.is_relative_to(self.folder):
            raise InputError(f"{asked} lies outside of the opened folder {self.folder}.")
        if not path.exists():
            raise InputError(f"{asked} does not exist in {self.folder}.")
        return path
