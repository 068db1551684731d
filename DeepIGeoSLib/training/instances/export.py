"""From a trained Mask R-CNN to a bundle with a model card that says what was measured."""

from __future__ import annotations

import dataclasses
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from DeepIGeoSLib.bundles import BundleManifest
from DeepIGeoSLib.bundles.writer import half_precision, write_bundle
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.data.objects import read_objects
from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.evaluation.instance_metrics import (
    InstanceMeasurement,
    compared,
    measure_instances,
)
from DeepIGeoSLib.instances import components, find_instances
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.networks import INSTANCES
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.training.export import data_table, draft_manifest
from DeepIGeoSLib.training.instances.validation import LEAST_SCORE
from DeepIGeoSLib.training.settings import TrainingSettings
from DeepIGeoSLib.training.validation import NetworksInTraining

_OBJECTS, _PARTS = "objects", "connected parts"


def instance_manifest(settings: TrainingSettings) -> BundleManifest:
    """Return the manifest of a network trained as ``settings`` say, without weights and metrics."""
    manifest = draft_manifest(settings)
    return dataclasses.replace(manifest, networks={INSTANCES: settings.network}, region=None)


def write_instance_bundle(
    folder: Path,
    settings: TrainingSettings,
    network: SegmentationNetwork,
    *,
    cases: Sequence[LabeledCase],
    progress: Progress | None = None,
) -> Path:
    """Measure a network on validation cases and write its bundle.

    Args:
        folder: of the bundle; an older one there is replaced.
        settings: of the training; its ``bundle`` section names the bundle.
        network: the trained one.
        cases: validation cases.
        progress: called with the share measured and a text.

    Returns:
        The folder.
    """
    network.load_state_dict(half_precision(network))  # measure what the bundle will hold
    manifest = instance_manifest(settings)
    measured = _measured(settings, manifest, network, cases, progress)
    manifest = dataclasses.replace(
        manifest,
        metrics=tuple(
            {"data": data, "method": method, **_rounded(found)}
            for (data, method), found in measured.items()
        ),
    )
    shutil.rmtree(folder, ignore_errors=True)
    write_bundle(folder, manifest, {INSTANCES: network}, card=_card(settings, manifest, measured))
    return folder


def _measured(
    settings: TrainingSettings,
    manifest: BundleManifest,
    network: SegmentationNetwork,
    cases: Sequence[LabeledCase],
    progress: Progress | None,
) -> dict[tuple[str, str], InstanceMeasurement]:
    """Return the measures of each data set, of objects and of the connected parts of the answer."""
    bundle = NetworksInTraining(manifest, {INSTANCES: network})
    session = InteractiveSession(bundle, engine="torch")
    images = defaultdict(list)
    for number, case in enumerate(cases):
        if progress is not None:
            progress(number / len(cases), f"Measuring {case.name}")
        channels, truth = read_objects(case, settings.instances.objects)
        found = find_instances(bundle, channels, least_score=LEAST_SCORE)
        images[case.dataset, _OBJECTS].append(compared(found, truth))
        session.set_volume(channels)
        parts = components(session.propose().probability, settings.instances.least_voxels)
        images[case.dataset, _PARTS].append(compared(parts, truth))
    return {key: measure_instances(found) for key, found in images.items()}


def _rounded(measured: InstanceMeasurement) -> dict[str, float]:
    return {name: round(value, 4) for name, value in dataclasses.asdict(measured).items()}


def _card(
    settings: TrainingSettings,
    manifest: BundleManifest,
    measured: dict[tuple[str, str], InstanceMeasurement],
) -> str:
    rows = "\n".join(
        f"| {data} | {method} | {m.ap50:.3f} | {m.ap:.3f} | {m.sensitivity:.3f} | {m.false:.1f} "
        f"| {m.true} |"
        for (data, method), m in measured.items()
    )
    network = settings.network
    name = "Mask R-CNN" if network.options["masks"] else "Faster R-CNN"
    return f"""# {manifest.name} {manifest.version}

{manifest.task} in {manifest.modality}, each object for itself (`deepigeos segment --instances`).
Network: {name}, {network.dimension}D. License of the weights: {manifest.license}

## Training data

{data_table(manifest)}

## Measured

Validation cases that were not trained on. AP is the average precision, at an overlap (IoU) of 0.5
and as the mean from 0.5 to 0.95; sensitivity and false objects for each image at an overlap of 0.5
and every score from {LEAST_SCORE} on. *Connected parts* are those of the same network's automatic
segmentation: what there would be without objects.

| data | method | AP 0.5 | AP 0.5:0.95 | sensitivity | false for each image | true objects |
|---|---|---|---|---|---|---|
{rows}

## Limits

{settings.bundle.limits if settings.bundle else ""}
"""
