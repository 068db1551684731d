"""How much memory there is to work in."""

from __future__ import annotations

# What is taken to be free where psutil is missing, as it may be in Slicer's Python: a laptop's.
_ASSUMED = 4 * 1024**3


def free_memory() -> int:
    """Return the bytes of main memory that can be used without swapping."""
    try:
        import psutil
    except ImportError:
        return _ASSUMED
    return psutil.virtual_memory().available
