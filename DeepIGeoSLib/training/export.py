"""From trained networks to a bundle with a model card that says what was measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from DeepIGeoSLib.bundles import FORMAT_VERSION, BundleManifest
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.evaluation.evaluate import EvaluationResults
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.targets import colored
from DeepIGeoSLib.training.settings import BundleSettings, TrainingSettings


def draft_manifest(
    settings: TrainingSettings,
    source: BundleManifest | None = None,
    *,
    pnet: NetworkSettings | None = None,
) -> BundleManifest:
    """Return the manifest of networks trained as ``settings`` say, without weights and metrics.

    Args:
        settings: the configuration.
        source: of the bundle that the networks were fine-tuned from.
        pnet: what kind of network the P-Net is, where it is not R-Net's.
    """
    words = settings.bundle or BundleSettings(
        name="training",
        version="0",
        task="",
        modality="",
        channels=settings.data.channel_names,
    )
    return BundleManifest(
        format_version=FORMAT_VERSION,
        name=words.name,
        version=words.version,
        task=words.task,
        modality=words.modality,
        channels=words.channels,
        license=words.license,
        networks={"pnet": pnet or settings.network, "rnet": settings.network},
        normalization=settings.normalization,
        grid=settings.grid,
        interactions=settings.interactions,
        region=settings.optimization.crop,
        weights={},
        training_data=(*(source.training_data if source else ()), *words.training_data),
        fits=words.fits,
        derived_from=f"{source.name} {source.version}" if source else None,
        crf=None if settings.crf is None else settings.crf.model,
        targets=colored(settings.data.network_targets),
    )


def export_bundle(
    folder: Path,
    settings: TrainingSettings,
    networks: Mapping[str, nn.Module],
    *,
    results: EvaluationResults,
    source: BundleManifest | None = None,
    pnet: NetworkSettings | None = None,
) -> Path:
    """Write a bundle.

    Args:
        folder: must not exist.
        settings: of R-Net's training; its ``bundle`` section names the bundle.
        networks: "pnet" and "rnet", and their CRF-Nets by ``crf_key`` where they were trained.
        results: of the robot user on the validation cases.
        source: of the bundle that the networks were fine-tuned from.
        pnet: what kind of network the P-Net is, where it is not R-Net's.

    Returns:
        The folder.
    """
    manifest = draft_manifest(settings, source, pnet=pnet)
    manifest = dataclasses.replace(manifest, metrics=metrics_of(results))
    write_bundle(
        folder, manifest, networks, card=model_card(settings, manifest, results, source=source)
    )
    return folder


def model_card(
    settings: TrainingSettings,
    manifest: BundleManifest,
    results: EvaluationResults,
    *,
    source: BundleManifest | None = None,
) -> str:
    """Return the model card as Markdown."""
    return f"""# {manifest.name} {manifest.version}

{manifest.task} in {manifest.modality}. {_networks(manifest)}
License of the weights: {manifest.license}
{_targets(manifest)}{_origin(source)}
## Training data

{data_table(manifest)}

## Measured

Mean Dice on validation cases that were not trained on, automatically and after each stroke of the
robot user (`deepigeos evaluate`: one stroke of 3 voxels radius into the largest wrong region per
round).

{results.table()}

Rounds that lowered the Dice by more than 0.005: {results.share_of_worse_rounds():.1%}.

## Limits

{settings.bundle.limits if settings.bundle else ""}
"""


def _networks(manifest: BundleManifest) -> str:
    pnet, rnet = (
        f'"{network.architecture}", {network.dimension}D'
        for network in (manifest.networks["pnet"], manifest.networks["rnet"])
    )
    if pnet == rnet:
        return f"Networks: P-Net and R-Net, architecture\n{pnet}."
    return f"Networks: P-Net, architecture {pnet},\nand R-Net, architecture {rnet}."


def _targets(manifest: BundleManifest) -> str:
    if not manifest.targets:
        return ""
    rows = "\n".join(f"- {target.name}" for target in manifest.targets)
    return f"""
## Targets

P-Net tells them apart; strokes correct one of them at a time. The tables have a row for each.

{rows}
"""


def _origin(source: BundleManifest | None) -> str:
    if source is None:
        return ""
    return f"""
## Where it comes from

Fine-tuned from the bundle {source.name} {source.version} ({source.task} in {source.modality}).
License of its weights, which binds these too: {source.license}
"""


def data_table(manifest: BundleManifest) -> str:
    """Return what the weights were trained on as a Markdown table."""
    rows = (f"| {data.name} | {data.cases} | {data.license} |" for data in manifest.training_data)
    return "\n".join(["| data set | cases | license |", "|---|---|---|", *rows])


def metrics_of(results: EvaluationResults) -> tuple[dict, ...]:
    """Return mean Dice by data set and number of strokes, as a manifest lists it."""
    return tuple(
        {"data": name, "strokes": strokes, "dice": round(value, 4)}
        for name, curve in results.mean_curves().items()
        for strokes, value in enumerate(curve)
    )
