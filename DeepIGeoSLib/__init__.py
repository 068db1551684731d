"""DeepIGeoS: interactive segmentation with geodesic distance maps and two networks.

The names below are the public interface. They are resolved on first use, so that importing the
package stays fast and needs neither torch nor SimpleITK nor Slicer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle, list_bundles, load_bundle
    from DeepIGeoSLib.errors import BundleError, Cancelled, DeepIGeoSError, InputError
    from DeepIGeoSLib.geodesic import geodesic_distance
    from DeepIGeoSLib.interaction.segmentation import Segmentation
    from DeepIGeoSLib.interaction.session import InteractiveSession
    from DeepIGeoSLib.volume import Volume

__version__ = "0.1.0"

_HOME_OF_NAME = {
    "Bundle": "bundles",
    "BundleError": "errors",
    "Cancelled": "errors",
    "DeepIGeoSError": "errors",
    "InputError": "errors",
    "InteractiveSession": "interaction.session",
    "Segmentation": "interaction.segmentation",
    "Volume": "volume",
    "geodesic_distance": "geodesic",
    "list_bundles": "bundles",
    "load_bundle": "bundles",
}

__all__ = [
    "Bundle",
    "BundleError",
    "Cancelled",
    "DeepIGeoSError",
    "InputError",
    "InteractiveSession",
    "Segmentation",
    "Volume",
    "__version__",
    "geodesic_distance",
    "list_bundles",
    "load_bundle",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF_NAME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
