"""How many threads the engines use."""

from __future__ import annotations

import multiprocessing
import os

from DeepIGeoSLib.errors import InputError

_MOST = 16
"""More threads than this fight for the memory rather than help."""

_chosen: int | None = None


def thread_count() -> int:
    """Return how many threads a distance map is computed with.

    That is what ``set_thread_count`` said, else the environment variable DEEPIGEOS_THREADS, else
    the number of processors that this process may use (at most 16), but one in worker processes
    (of a data loader, say), which share the processors already.
    """
    if _chosen is not None:
        return _chosen
    if number := os.environ.get("DEEPIGEOS_THREADS"):
        if not number.isdecimal() or int(number) == 0:
            raise InputError(f"DEEPIGEOS_THREADS must be a positive integer, but is {number!r}.")
        return int(number)
    if multiprocessing.parent_process() is not None:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _MOST)
    return min(os.cpu_count() or 1, _MOST)


def set_thread_count(number: int | None) -> None:
    """Say how many threads to use from now on, or None for what the machine has.

    The distances do not depend on it.

    Raises:
        InputError: the number is not a positive integer.
    """
    global _chosen
    if number is not None and (type(number) is not int or number < 1):
        raise InputError(f"The number of threads must be a positive integer, but is {number!r}.")
    _chosen = number
