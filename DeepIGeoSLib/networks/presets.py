"""What older bundles and configurations called presets, as architectures and their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from DeepIGeoSLib.errors import InputError

_ARCHITECTURES = {"recommended": "multi-scale", "paper": "dilated"}


def network_of_preset(network: Mapping[str, Any]) -> dict[str, Any]:
    """Return "preset" and "features" of a network as "architecture" and "options".

    Args:
        network: with one of the keys "preset" ("recommended" when it is missing) and "features"
            (four numbers for "recommended", a list of one for "paper", or none); other keys stay.

    Raises:
        InputError: there was no such preset, or it took other features.
    """
    kept = {key: network[key] for key in network if key not in ("preset", "features")}
    preset, features = network.get("preset", "recommended"), network.get("features")
    if preset not in list(_ARCHITECTURES):  # not the keys themselves: it may have no hash
        raise InputError(f"preset is {preset!r}, expected one of {list(_ARCHITECTURES)}.")
    kept["architecture"] = _ARCHITECTURES[preset]
    if features is not None:
        count = 1 if preset == "paper" else 4
        if not isinstance(features, list) or len(features) != count:
            raise InputError(
                f"features is {features!r}, expected {count} number(s) for the preset {preset}."
            )
        kept["options"] = {"features": features[0] if preset == "paper" else features}
    return kept
