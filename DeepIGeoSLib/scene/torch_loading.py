"""Loading PyTorch, which takes seconds the first time: on the thread that computes."""

from __future__ import annotations

import sys

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
    try:
        import torch  # noqa: F401
    except (ImportError, OSError, AttributeError) as error:
        raise InputError(
            _("PyTorch can't be loaded ({error}). {repair}").format(
                error=error, repair=howToRepairTorch()
            )
        ) from error
