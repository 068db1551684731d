"""Finding the library DeepIGeoSLib."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any


def importLibrary(name: str = "DeepIGeoSLib") -> Any:
    """Import a module of the library.

    Installed, the library lies where Slicer looks for modules. In a checkout it lies beside the
    module's folder, which Slicer does not know.
    """
    if importlib.util.find_spec("DeepIGeoSLib") is None:
        here = os.path.dirname(os.path.abspath(__file__))
        sys.path.append(os.path.dirname(os.path.dirname(here)))
    return importlib.import_module(name)
