"""What a worker is told besides the case: the bundle, the settings, and where results go."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from DeepIGeoSLib.batch.settings import WorkSettings
from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.bundles.meaning import meaning_of


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """What is the same for all cases of a run.

    Attributes:
        output: folder of the results, absolute.
        bundle: name of a shipped bundle, or an absolute path.
        bundle_hash: what ``hash_of`` says of it.
        version: of DeepIGeoS.
        model: name and version of the bundle.
        target: what is segmented, in words.
        settings: how cases are worked on.
    """

    output: Path
    bundle: str
    bundle_hash: str
    version: str
    model: str
    target: str
    settings: WorkSettings


def work_order(bundle: str | Path, output: Path, settings: WorkSettings) -> WorkOrder:
    """Return the order of a run.

    Args:
        bundle: name of a shipped bundle, or a folder.
        output: folder of the results.
        settings: how cases are worked on.

    Raises:
        BundleError: there is no such bundle, or it is damaged.
    """
    from DeepIGeoSLib import __version__

    opened = load_bundle(bundle)
    shipped = str(bundle) == opened.manifest.name and not isinstance(bundle, Path)
    return WorkOrder(
        output=output.absolute(),
        bundle=str(bundle) if shipped else str(opened.folder.absolute()),
        bundle_hash=hash_of(opened),
        version=__version__,
        model=f"{opened.manifest.name} {opened.manifest.version}",
        target=meaning_of(opened, automatic=True).of(1).label,
        settings=settings,
    )


def hash_of(bundle: Bundle) -> str:
    """Return a hash over all that a bundle says of itself, and so over the hashes of its weights.

    ``load_bundle`` has compared those with the files.
    """
    return hashlib.sha256(
        json.dumps(asdict(bundle.manifest), sort_keys=True, default=str).encode()
    ).hexdigest()
