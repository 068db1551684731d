"""Slicer's Python interpreter, for processes of their own."""

from __future__ import annotations

import os
import shutil

import slicer


def pythonSlicer() -> str | None:
    """Return the path of PythonSlicer, or None where it can't be found.

    ``sys.executable`` names Slicer itself, or nothing.
    """
    folder = os.path.join(slicer.app.slicerHome, "bin")
    return shutil.which("PythonSlicer", path=folder) or shutil.which("PythonSlicer")
