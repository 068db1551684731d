"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from DeepIGeoSLib.errors import InputError


@contextmanager
def written_in_one_step(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is renamed to ``path``.

    The temporary name keeps the ending, from which writers choose their format. When the body
    raises, the temporary file is removed and whatever stood at ``path`` is untouched.

    Raises:
        InputError: the folder is missing or can't be written to.
    """
    path = Path(path)
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist, so {path.name} can't be written.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"The folder {folder} can't be written to.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; a file name is expected.")
    temporary = folder / f".{uuid.uuid4().hex[:12]}-{path.name}"
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
