"""Loading PyTorch, which takes seconds the first time: on the thread that computes."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.scene.translation import tr as _


def isTorchLoaded() -> bool:
    """Return whether PyTorch need not be loaded any more."""
    return "torch" in sys.modules


def howToRepairTorch() -> str:
    """Return what a user of Slicer does about a PyTorch that is broken or too old."""
    return _(
        "Open the module PyTorch Utils, press Uninstall PyTorch, restart Slicer, press Install "
        "PyTorch, and try again."
    )


def loadTorch() -> None:
    """Import PyTorch.

    Raises:
        InputError: it can't be loaded; the message says what to do.
    """
    loadLibraries()
    try:
        import torch  # noqa: F401
    except (ImportError, OSError, AttributeError) as error:
        raise InputError(
            _("PyTorch can't be loaded ({error}). {repair}").format(
                error=error, repair=howToRepairTorch()
            )
        ) from error


def loadLibraries() -> None:
    """Load PyTorch's shared libraries, which hold no Python, without the interpreter lock.

    ``import torch`` would load them with the lock, and everybody else stands still meanwhile. What
    fails here is left to it: it knows what to say. On Windows it lets go of the lock by itself.
    """
    suffix = {"linux": ".so", "darwin": ".dylib"}.get(sys.platform)
    found = importlib.util.find_spec("torch") if suffix and not isTorchLoaded() else None
    if found is None or found.origin is None:
        return
    # A foreign function is called without the lock; ``ctypes.CDLL(path)`` of Python 3.11 keeps it.
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    folder = Path(found.origin).parent / "lib"
    # The first one as PyTorch itself does: with names that all libraries see.
    for name, visible in (("libtorch_global_deps", os.RTLD_GLOBAL), ("libtorch", os.RTLD_LOCAL)):
        load(os.fsencode(folder / f"{name}{suffix}"), os.RTLD_NOW | visible)
