"""What a list of bundles shows of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from DeepIGeoSLib.bundles.bundle import Bundle, folder_of, list_bundles
from DeepIGeoSLib.bundles.geodesic import GEODESIC
from DeepIGeoSLib.bundles.manifest_file import read_manifest
from DeepIGeoSLib.errors import BundleError
from DeepIGeoSLib.networks import ANY_STRUCTURE
from DeepIGeoSLib.targets import Target


@dataclass(frozen=True)
class BundleSummary:
    """A line of a list.

    Attributes:
        title: name and version.
        task: what it segments.
        modality: of the image.
        license: of the weights.
        megabytes: size on disk.
        crf: whether its CRF-Nets are on unless the user says otherwise; None when it has none.
        targets: names of what it tells apart; empty for a single target.
    """

    title: str
    task: str
    modality: str
    license: str
    megabytes: float
    crf: bool | None
    targets: tuple[str, ...] = ()


def summary_of(bundle: str | Path) -> BundleSummary:
    """Return what there is to say about a bundle, without reading its weights.

    Args:
        bundle: the name of a shipped bundle, or a folder.

    Raises:
        BundleError: there is no such bundle, or its manifest is damaged.
    """
    folder = folder_of(bundle)
    manifest = read_manifest(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return BundleSummary(
        f"{manifest.name} {manifest.version}",
        manifest.task,
        manifest.modality,
        manifest.license,
        size / 1e6,
        None if manifest.crf is None else manifest.crf.enabled,
        tuple(target.name for target in manifest.targets),
    )


def bundle_for(volume: str) -> str:
    """Return the shipped bundle to begin with: one made for such a volume, else "any-structure".

    Args:
        volume: the name of the volume, as Slicer shows it; DICOM series bring their description.
    """
    for name in list_bundles():
        for word in read_manifest(folder_of(name)).fits:
            if re.search(rf"(?<![a-z]){re.escape(word.lower())}(?![a-z])", volume.lower()):
                return name
    return ANY_STRUCTURE


def targets_of(bundle: Bundle | str | Path) -> tuple[Target, ...]:
    """Return what a bundle tells apart; nothing for a single target, and for what can't be opened.

    Args:
        bundle: see ``proposes``.
    """
    if isinstance(bundle, Bundle):
        return bundle.manifest.targets
    if str(bundle) == GEODESIC:
        return ()
    try:
        return read_manifest(folder_of(bundle)).targets
    except BundleError:
        return ()


def proposes(bundle: Bundle | str | Path) -> bool:
    """Return whether a bundle segments by itself, before any stroke.

    One that can't be opened is taken for one that does: opening it will say what is wrong.

    Args:
        bundle: from ``load_bundle``, the name of a shipped one, a folder, or "geodesic".
    """
    if isinstance(bundle, Bundle):
        return bundle.has_networks and not bundle.manifest.for_any_structure
    if str(bundle) == GEODESIC:
        return False
    try:
        return not read_manifest(folder_of(bundle)).for_any_structure
    except BundleError:
        return True
