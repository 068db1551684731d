"""The manifest of a bundle, read from its folder and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from DeepIGeoSLib.bundles.checks import check_manifest, parse_manifest
from DeepIGeoSLib.bundles.manifest import MANIFEST_NAME, BundleManifest
from DeepIGeoSLib.bundles.migration import up_to_date
from DeepIGeoSLib.bundles.versions import check_version
from DeepIGeoSLib.errors import BundleError, InputError
from DeepIGeoSLib.networks import ANY_STRUCTURE, INSTANCES
from DeepIGeoSLib.settings import from_mapping


def read_manifest(folder: Path) -> BundleManifest:
    """Read and check the manifest of a bundle folder.

    Raises:
        BundleError: it is missing or damaged, needs another version of DeepIGeoS, or lacks a
            network.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise BundleError(f"{folder} is not a model bundle: it has no {MANIFEST_NAME}.")
    mapping = parse_manifest(path)
    if not isinstance(mapping, Mapping):
        raise BundleError(f"{path} must be a mapping, not {type(mapping).__name__}.")
    check_version(mapping, path)
    try:
        manifest = from_mapping(BundleManifest, up_to_date(mapping, path), str(path))
    except InputError as error:
        raise BundleError(str(error)) from error
    check_manifest(manifest, path)
    for role in _roles(manifest):
        if role not in manifest.weights:
            raise BundleError(f"{path} names no weights for {role!r}.")
        if role not in manifest.networks:
            raise BundleError(f"{path} names no architecture for {role!r}.")
    return manifest


def _roles(manifest: BundleManifest) -> tuple[str, ...]:
    """Return the networks that a bundle needs."""
    if manifest.for_any_structure:
        return (ANY_STRUCTURE,)
    return (INSTANCES,) if manifest.for_instances else ("pnet", "rnet")
