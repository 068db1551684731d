"""Let memory that was freed be used again, or give it back."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

# glibc's mallopt parameters, and what they are set to, in bytes. By itself, glibc moves the first
# one up to 32 MiB, too, and the second one to twice as much.
_M_TRIM_THRESHOLD, _KEPT_AT_MOST = -1, 256 * 2**20
_M_MMAP_THRESHOLD, _RETURNED_AT_ONCE = -3, 32 * 2**20


@cache
def keep_freed_memory() -> None:
    """Keep up to 256 MiB of freed memory in the process instead of returning it at once.

    A network's layers take and free blocks of some megabytes. New memory from the system is slow to
    get: without this, half of a large run's time goes into it. Only where the C library is glibc,
    as on most Linux systems; elsewhere nothing happens.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _RETURNED_AT_ONCE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_AT_MOST)


def return_freed_memory() -> None:
    """Give the system back what was freed, also between what is in use."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """Return a function of the C library; None where there is none of that name."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
