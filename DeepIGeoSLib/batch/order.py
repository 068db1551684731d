"""What a worker is told besides the case: the bundle, the settings, and where results go."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from DeepIGeoSLib.batch.settings import WorkSettings
from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.bundles.meaning import meaning_of
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import INSTANCES
from DeepIGeoSLib.targets import Target, target_named


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """What is the same for all cases of a run.

    Attributes:
        output: folder of the results, absolute.
        bundle: name of a shipped bundle, or an absolute path.
        bundle_hash: what ``hash_of`` says of it.
        version: of DeepIGeoS.
        model: name and version of the bundle.
        task: what is segmented or found, as records name a single target.
        title: the same, as files name it.
        known_targets: all that the bundle tells apart; nothing for a single target.
        targets: those that are segmented; nothing where it is a single one.
        objects: whether objects are found and numbered.
        kinds: of objects, by their names; nothing for a single one.
        channels: names of the image channels that the bundle needs.
        settings: how cases are worked on.
        thumbnails: whether a picture of each case is kept for the report.
    """

    output: Path
    bundle: str
    bundle_hash: str
    version: str
    model: str
    task: str
    title: str
    settings: WorkSettings
    known_targets: tuple[Target, ...] = ()
    targets: tuple[Target, ...] = ()
    objects: bool = False
    kinds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("image",)
    thumbnails: bool = False


def work_order(bundle: str | Path, output: Path, settings: WorkSettings) -> WorkOrder:
    """Return the order of a run.

    Args:
        bundle: name of a shipped bundle, or a folder.
        output: folder of the results.
        settings: how cases are worked on.

    Raises:
        BundleError: there is no such bundle, or it is damaged.
        InputError: the settings ask for what the bundle does not do.
    """
    from DeepIGeoSLib import __version__

    opened = load_bundle(bundle)
    manifest = opened.manifest
    objects = manifest.for_instances if settings.instances is None else settings.instances
    _check(opened, settings, objects)
    known = manifest.targets if len(manifest.targets) > 1 else ()
    meaning = meaning_of(opened, automatic=True, target=settings.target)
    shipped = str(bundle) == opened.manifest.name and not isinstance(bundle, Path)
    return WorkOrder(
        output=output.absolute(),
        bundle=str(bundle) if shipped else str(opened.folder.absolute()),
        bundle_hash=hash_of(opened),
        version=__version__,
        model=f"{opened.manifest.name} {opened.manifest.version}",
        task=settings.target or manifest.task,
        title=meaning.of(1).label,
        settings=settings,
        known_targets=known,
        targets=() if settings.target or objects else known,
        objects=objects,
        kinds=_kinds(opened),
        channels=tuple(manifest.channels),
    )


def _check(bundle: Bundle, settings: WorkSettings, objects: bool) -> None:
    """Check that a bundle does what settings ask for."""
    manifest = bundle.manifest
    if settings.target:
        target_named(settings.target, manifest.targets, f"The bundle {manifest.name}")
    if not objects:
        if manifest.for_instances:
            raise InputError(f"The bundle {manifest.name} finds objects, and nothing else.")
        if settings.score is not None:
            raise InputError("A least score goes with objects (--instances).")
        return
    if settings.probability or settings.uncertainty:
        raise InputError("Objects have scores, no maps of probability or uncertainty.")
    if manifest.for_instances and settings.engine not in ("auto", "torch"):
        raise InputError(f"The bundle {manifest.name} finds objects by the engine torch alone.")
    if len(manifest.targets) > 1 and not settings.target:
        names = ", ".join(target.name for target in manifest.targets)
        raise InputError(f"Name by --target of what the parts are objects: {names}.")


def _kinds(bundle: Bundle) -> tuple[str, ...]:
    """Return the names of the kinds of objects that a bundle's network for objects knows."""
    if not bundle.manifest.for_instances:
        return ()
    return tuple(bundle.manifest.networks[INSTANCES].options.get("kinds") or ())


def hash_of(bundle: Bundle) -> str:
    """Return a hash over all that a bundle says of itself, and so over the hashes of its weights.

    ``load_bundle`` has compared those with the files.
    """
    return hashlib.sha256(
        json.dumps(asdict(bundle.manifest), sort_keys=True, default=str).encode()
    ).hexdigest()
