"""Compiling with numba once per machine."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

from numba import njit

_logger = logging.getLogger(__name__)


@functools.cache
def _sources() -> str:
    """Return a mark that changes whenever a source of this package changes."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def compiled_once(function: FunctionType) -> Callable:
    """Compile a function that Python calls; it releases the GIL, its machine code is kept on disk.

    numba keeps the code next to the source, or in the user's cache folder where that can't be
    written to, or in the folder named by NUMBA_CACHE_DIR; where none works it compiles in every
    process. It would not notice changes of what ``function`` calls in other files, so the name of
    what is kept contains a mark of all sources.
    """
    function.__qualname__ = f"{function.__qualname__}_{_sources()}"
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError as error:
        _logger.warning("Compiled code can't be kept for the next start: %s", error)
        return njit(nogil=True)(function)
