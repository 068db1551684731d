"""Let memory that was freed be used again, or give it back."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache

# glibc's mallopt parameters, and what they are set to, in bytes. By itself, glibc moves the first
# one up to 32 MiB, too, and the second one to twice as much.
_M_TRIM_THRESHOLD, _KEPT_AT_MOST = -1, 256 * 2**20
_M_MMAP_THRESHOLD, _RETURNED_AT_ONCE = -3, 32 * 2**20

# The same in a training: blocks of every size come from one heap that all threads share,
# of whose end so much is kept.
_M_MMAP_MAX, _NONE_BESIDE = -4, 0
_M_ARENA_MAX, _ONE_HEAP = -8, 1
_KEPT_BY_TRAININGS = 2**30

# By these somebody tells glibc what to do. Dask tells its workers, unasked, to keep nothing.
_TOLD_BY = (
    "GLIBC_TUNABLES",
    "MALLOC_ARENA_MAX",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
)
_TOLD_BY_DASK = ("MALLOC_TRIM_THRESHOLD_", "65536")


@cache
def keep_freed_memory() -> None:
    """Keep up to 256 MiB of freed memory in the process instead of returning it at once.

    A network's layers take and free blocks of some megabytes. New memory from the system is slow to
    get: without this, half of a large run's time goes into it. Only where the C library is glibc,
    as on most Linux systems, and nobody has told it otherwise in the environment; elsewhere nothing
    happens.
    """
    _tell({_M_MMAP_THRESHOLD: _RETURNED_AT_ONCE, _M_TRIM_THRESHOLD: _KEPT_AT_MOST})


def keep_more_freed_memory() -> None:
    """Keep up to 1 GiB of freed memory, whatever the size of its blocks and whoever freed it.

    For ``deepigeos train``, before it begins threads: it hardly ever waits for the system then.
    Otherwise as ``keep_freed_memory``, which does nothing after it.
    """
    keep_freed_memory()
    _tell(
        {
            _M_ARENA_MAX: _ONE_HEAP,
            _M_MMAP_MAX: _NONE_BESIDE,
            _M_TRIM_THRESHOLD: _KEPT_BY_TRAININGS,
        }
    )


def one_heap() -> dict[str, int]:
    """Return environment variables of processes whose threads compute, each with large layers.

    A thread that is not a process's first one has a heap of its own, of 64 MiB at most: what does
    not fit in there is new memory from the system each time, and returned at once. With one heap
    for all threads, of which 256 MiB stay, a batch run's processes took a seventh of the system's
    time (1.0 instead of 6.7 s of 53 s). Nothing, where somebody has told glibc otherwise.
    """
    if any(name in os.environ for name in _TOLD_BY):
        return {}
    return {
        "MALLOC_ARENA_MAX": _ONE_HEAP,
        "MALLOC_MMAP_MAX_": _NONE_BESIDE,
        "MALLOC_TRIM_THRESHOLD_": _KEPT_AT_MOST,
    }


def return_freed_memory() -> None:
    """Give the system back what was freed, also between what is in use."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _tell(parameters: dict[int, int]) -> None:
    """Set parameters of glibc, unless the environment does."""
    mallopt = _of_glibc("mallopt")
    told = [(name, os.environ[name]) for name in _TOLD_BY if name in os.environ]
    if mallopt is None or [one for one in told if one != _TOLD_BY_DASK]:
        return
    for parameter, value in parameters.items():
        mallopt(parameter, value)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """Return a function of the C library; None where there is none of that name."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
