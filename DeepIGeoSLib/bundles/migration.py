"""Manifests of older formats, brought up to the newest one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from DeepIGeoSLib.errors import BundleError, InputError
from DeepIGeoSLib.networks import ROLES
from DeepIGeoSLib.networks.presets import network_of_preset

# 1: one "preset", "dimension" and "features" for all networks. 2: "networks" by role, each with an
# architecture and its options; "needs". 3: "targets", what P-Net tells apart.
FORMAT_VERSION = 3

# The first version of DeepIGeoS that reads this format; 0.1.0 reads format 1 alone.
FORMAT_SINCE = "0.2.0"


def up_to_date(manifest: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return what a manifest says in the newest format; it is not checked otherwise.

    Args:
        manifest: as the file says it, of any format version from 1 on.
        path: of the file, for errors.

    Raises:
        BundleError: it can't be true in its own format.
    """
    current = dict(manifest)
    while current["format_version"] < FORMAT_VERSION:
        current = _STEPS[current["format_version"]](current, path)
    return current


def _networks_by_role(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a manifest of format 1 in format 2."""
    keys = ("preset", "dimension", "features")
    for key in keys[:2]:
        if key not in manifest:
            raise BundleError(f"{path} lacks the key {key!r}.")
    try:
        network = network_of_preset({key: manifest.pop(key) for key in keys if key in manifest})
    except InputError as error:
        raise BundleError(f"{path}: {error}") from error
    weights = manifest.get("weights")
    roles = [role for role in ROLES if isinstance(weights, dict) and role in weights]
    return {
        **manifest,
        "format_version": 2,
        "networks": {role: dict(network) for role in roles},
    }


def _one_target(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a manifest of format 2 in format 3: its networks know one target."""
    return {**manifest, "format_version": 3, "targets": []}


_STEPS: dict[int, Callable[[dict[str, Any], Path], dict[str, Any]]] = {
    1: _networks_by_role,
    2: _one_target,
}
