"""Learning from new cases by networks that a bundle holds: which layers learn, and when."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import lightning

from DeepIGeoSLib.bundles import Bundle, BundleManifest, proposes
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.settings import to_mapping
from DeepIGeoSLib.training.config import checked_config, read_config_mapping
from DeepIGeoSLib.training.settings import BundleSettings, TrainingSettings

if TYPE_CHECKING:
    from DeepIGeoSLib.training.run_settings import FineTuningSettings

# Sections that the bundle fills in where the configuration is silent.
_INHERITED = ("normalization", "grid", "interactions")


def read_fine_tuning_config(path: str | Path, bundle: Bundle) -> TrainingSettings:
    """Read a configuration whose silence means: as in the bundle.

    The networks are the bundle's; grid, normalization, interactions and size of the crops are the
    bundle's unless they are given.

    Raises:
        InputError: as ``read_config``; or the configuration describes other networks, or images of
            another number of channels, than the bundle holds.
    """
    manifest = bundle.manifest
    if not proposes(bundle):
        raise InputError(
            f"The bundle {manifest.name} answers strokes alone and can't be fine-tuned; choose one "
            "that segments by itself."
        )
    mapping = read_config_mapping(path)
    if isinstance(mapping, dict):
        mapping = dict(mapping)
        network = to_mapping(_one_network(manifest))
        given = mapping.get("network") or {}
        for key, value in network.items():
            if isinstance(given, dict) and given.get(key, value) != value:
                raise InputError(
                    f"{path}: network.{key} is {given[key]!r}, but the bundle {manifest.name} has "
                    f"{value!r}; leave it out."
                )
        mapping["network"] = network
        for section in _INHERITED:
            own = to_mapping(getattr(manifest, section))
            mapping[section] = {**own, **(mapping.get(section) or {})}
        if manifest.region is not None:
            crop = {"crop": list(manifest.region)}
            mapping["optimization"] = {**crop, **(mapping.get("optimization") or {})}
    settings = checked_config(mapping, str(path), has_pnet=True)
    if settings.task == "crf":
        raise InputError(f"{path}: the task crf starts from no bundle; choose pnet, rnet or both.")
    if settings.hardware.processes > 1:
        raise InputError(f"{path}: fine-tuning works in one process; set hardware.devices to 1.")
    if settings.data.channels != len(manifest.channels):
        raise InputError(
            f"{path}: the images have {settings.data.channels} channel(s), but the bundle "
            f"{manifest.name} needs {len(manifest.channels)} ({', '.join(manifest.channels)})."
        )
    return dataclasses.replace(settings, bundle=_words(settings, manifest))


def _one_network(manifest: BundleManifest) -> NetworkSettings:
    """Return what P-Net and R-Net of a bundle are.

    Raises:
        InputError: they are not alike, and one configuration describes one network.
    """
    pnet, rnet = (manifest.networks[role] for role in ("pnet", "rnet"))
    if pnet != rnet:
        raise InputError(
            f"The networks of the bundle {manifest.name} are not alike ({pnet.architecture} and "
            f"{rnet.architecture}), which fine-tuning does not know."
        )
    return pnet


def _words(settings: TrainingSettings, manifest: BundleManifest) -> BundleSettings:
    """Return what the new bundle says about itself: the configuration's words, or the old ones."""
    if settings.bundle is None:
        names = ", ".join(source.dataset for source in settings.data.sources)
        return BundleSettings(
            name=f"{manifest.name}-tuned",
            version="0.1.0",
            task=f"{manifest.task}, fine-tuned on {names}",
            modality=manifest.modality,
            channels=manifest.channels,
            license=manifest.license,
            limits=f"Fine-tuned on {names}; what it forgot of its first training was not measured.",
        )
    if not settings.bundle.license:
        return dataclasses.replace(settings.bundle, license=manifest.license)
    return settings.bundle


class FrozenStage(lightning.Callback):
    """Holds the early layers still in the first steps, statistics of normalizations included.

    Stages that are never to learn stay so afterwards.
    """

    def __init__(self, settings: FineTuningSettings, steps: int) -> None:
        """Take what is configured and the number of steps of the run."""
        self._steps = round(settings.frozen * steps)
        self._always = settings.frozen_stages

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Freeze or free the early layers."""
        frozen = trainer.global_step < self._steps
        for number, stage in enumerate(pl_module.network.early_stages()):
            for layer in stage:
                layer.train(not (frozen or number < self._always))
                layer.requires_grad_(not (frozen or number < self._always))
