"""The exceptions that the library raises on purpose, and how long work reports and is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

# What long work calls with the share that is done (0 to 1) and what is being done.
Progress = Callable[[float, str], None]


class DeepIGeoSError(Exception):
    """Base of the library's own exceptions."""


class InputError(DeepIGeoSError, ValueError):
    """Something the caller gave can't be used; the message names it and says what is expected."""


class BundleError(InputError):
    """A model bundle is missing, damaged, of an unknown version, or not the one it claims to be."""


class Cancelled(DeepIGeoSError):
    """The caller's ``cancel`` event was set; whatever was being computed has been discarded."""


def stop_if(cancel: threading.Event | None) -> None:
    """Raise ``Cancelled`` if the caller has asked for an end."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("The work was cancelled.")
