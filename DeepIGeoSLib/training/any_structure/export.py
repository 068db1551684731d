"""From a trained network for any structure to a bundle with a model card."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from DeepIGeoSLib.any_structure.channels import CHANNELS
from DeepIGeoSLib.bundles import FORMAT_VERSION, BundleManifest, TrainingData
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.interactions import InteractionSettings
from DeepIGeoSLib.networks import ANY_STRUCTURE
from DeepIGeoSLib.networks.multiscale import MultiScaleNet
from DeepIGeoSLib.preprocessing import GridSettings, NormalizationSettings
from DeepIGeoSLib.training.any_structure.images import image_paths
from DeepIGeoSLib.training.any_structure.settings import AnyStructureSettings
from DeepIGeoSLib.training.checkpoints import LAST, read_checkpoint

_AVERAGED = "averaged.module."


def write_any_structure_bundle(settings: AnyStructureSettings, base: Path, target: Path) -> Path:
    """Write the averaged weights of a run's newest checkpoint as a bundle.

    Args:
        settings: the run's.
        base: folder that its relative paths start from.
        target: folder of the bundle; an older one there is replaced.

    Returns:
        ``target``.

    Raises:
        InputError: the settings describe no bundle, or there is no checkpoint.
    """
    if settings.bundle is None:
        raise InputError("The configuration has no bundle section.")
    checkpoint = read_checkpoint((base / settings.output).resolve() / LAST)
    network = MultiScaleNet(len(CHANNELS), features=settings.features)
    state = checkpoint["state_dict"]
    network.load_state_dict(
        {key.removeprefix(_AVERAGED): state[key] for key in state if key.startswith(_AVERAGED)}
    )
    shutil.rmtree(target, ignore_errors=True)
    manifest = _manifest(settings, base)
    write_bundle(target, manifest, {ANY_STRUCTURE: network}, _card(settings, manifest, checkpoint))
    return target


def _manifest(settings: AnyStructureSettings, base: Path) -> BundleManifest:
    words = settings.bundle
    return BundleManifest(
        format_version=FORMAT_VERSION,
        name=words.name,
        version=words.version,
        task=words.task,
        modality=words.modality,
        channels=words.channels,
        license=words.license,
        preset="recommended",
        dimension=3,
        features=settings.features,
        normalization=NormalizationSettings(),
        grid=GridSettings(),
        interactions=InteractionSettings(),
        region=None,
        weights={},
        training_data=_data(settings, (base / settings.root).resolve()),
    )


def _data(settings: AnyStructureSettings, root: Path) -> tuple[TrainingData, ...]:
    """Return what the weights learned from: the images by folder and license, and what is made."""
    counts: Counter[tuple[str, str]] = Counter()
    for source in settings.sources:
        used = "with masks" if source.mask is not None else "without masks"
        name = source.images.split("/")[-1].split("__")[0].split("*")[0].rstrip("_.")
        found = len(image_paths(root, source))
        counts[f"{source.images.split('/')[0]}: {name or 'all'} ({used})", source.license] += found
    return tuple(TrainingData(name, n, license) for (name, license), n in counts.items())


def _card(settings: AnyStructureSettings, manifest: BundleManifest, checkpoint: dict) -> str:
    data = "\n".join(
        f"| {entry.name} | {entry.cases} | {entry.license} |" for entry in manifest.training_data
    )
    return f"""# {manifest.name} {manifest.version}

{manifest.task} in {manifest.modality}. One refinement network that knows no class: image, mask and
strokes in, mask out. License of the weights: {manifest.license}

## Training data

{settings.synthetic:.0%} of the samples are made up by `DeepIGeoSLib.synthesis`: random anatomy with
random contrast, texture, blur and noise. The others are windows of these images; in
{settings.regions:.0%} of all samples the target is a region that the image itself suggests.

| images | cases | license |
|---|---|---|
{data}

Trained for {checkpoint["global_step"]} steps.

## Limits

{settings.bundle.limits}
"""
