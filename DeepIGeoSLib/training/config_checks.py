"""Values that a training configuration may not have, though their types are right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from DeepIGeoSLib.training.settings import TrainingSettings

# Key, value, what is expected.
Fault = tuple[str, object, str]

# Intensity changes with a probability of their own, and starting points of R-Net's samples.
KINDS = ("bias_field", "gamma", "blur", "noise")
STARTS = ("pnet", "corrupted", "empty")


def wrong_values(settings: TrainingSettings, has_pnet: bool = False) -> list[str]:
    """Return a phrase for every value out of range, such as ``steps is 0, expected at least 1``."""
    found = [
        *_of_the_run(settings, has_pnet),
        *_of_optimization(settings),
        *_of_samples(settings),
        *_of_instances(settings),
    ]
    return [f"{key} is {value!r}, expected {wanted}" for key, value, wanted in found]


def _of_the_run(settings: TrainingSettings, has_pnet: bool) -> Iterator[Fault]:
    if settings.task == "rnet" and not settings.pnet and not has_pnet:
        yield "pnet", list(settings.pnet), "at least one P-Net for the task rnet"
    for key in ("validate_every", "checkpoint_every", "keep"):
        if getattr(settings, key) < 1:
            yield key, getattr(settings, key), "at least 1"
    bundle, channels = settings.bundle, settings.data.channels
    if bundle is not None and len(bundle.channels) != channels:
        wanted = f"{channels} name(s), as many as the images have channels"
        yield "bundle.channels", list(bundle.channels), wanted
    if settings.crf is not None and settings.data.targets:
        yield "crf", settings.crf.model.pairwise, "null: a CRF-Net follows networks of one target"
    for key in ("devices", "nodes"):
        if getattr(settings.hardware, key) < 1:
            yield f"hardware.{key}", getattr(settings.hardware, key), "at least 1"
    if settings.task == "both" and settings.hardware.processes > 1:
        yield "hardware.devices", settings.hardware.devices, "1 for the task both"
    if settings.logging.pictures < 0:
        yield "logging.pictures", settings.logging.pictures, "at least 0"
    if settings.workers < 0:
        yield "workers", settings.workers, "at least 0"
    if settings.seed < 0:
        yield "seed", settings.seed, "at least 0"


def _of_optimization(settings: TrainingSettings) -> Iterator[Fault]:
    values = settings.optimization
    for key in ("steps", "batch_size", "accumulate"):
        if getattr(values, key) < 1:
            yield f"optimization.{key}", getattr(values, key), "at least 1"
    if min(values.crop) < 1:
        yield "optimization.crop", list(values.crop), "at least 1 voxel along each axis"
    for key in ("learning_rate", "gradient_clip"):
        if getattr(values, key) <= 0:
            yield f"optimization.{key}", getattr(values, key), "a number above 0"
    if values.borders is not None and values.loss == "dice":
        yield "optimization.loss", values.loss, "ce or dice_ce, whose voxels borders can weigh"
    divides = settings.task == "pnet" and values.borders is not None
    if settings.best_by in ("pixel", "rand") and not divides:
        wanted = "dice, iou or assd; pixel and rand are for P-Net with borders"
        yield "best_by", settings.best_by, wanted
    if values.near_strokes and values.loss == "dice":
        yield "optimization.loss", values.loss, "ce or dice_ce, whose voxels near_strokes can weigh"
    if values.statistics == "wholes":
        alone = settings.network.dimension == 2 and settings.hardware.processes == 1
        if not alone or settings.task not in ("pnet", "both"):
            wanted = "crops; wholes is for a 2D P-Net that learns in one process"
            yield "optimization.statistics", values.statistics, wanted
    for key in ("weight_decay", "threads", "near_strokes"):
        if getattr(values, key) < 0:
            yield f"optimization.{key}", getattr(values, key), "at least 0"
    if settings.fine_tuning.frozen_stages < 0:
        yield "fine_tuning.frozen_stages", settings.fine_tuning.frozen_stages, "at least 0"
    for key in ("frozen", "old_layers", "stage_factor"):
        if not 0 <= getattr(settings.fine_tuning, key) <= 1:
            yield f"fine_tuning.{key}", getattr(settings.fine_tuning, key), "a share from 0 to 1"


def _of_samples(settings: TrainingSettings) -> Iterator[Fault]:
    augmentation = settings.augmentation
    if not set(augmentation.flip_axes) <= {0, 1, 2}:
        yield "augmentation.flip_axes", list(augmentation.flip_axes), "axes from 0, 1 and 2"
    low, high = augmentation.scales
    if not 0 < low <= high:
        yield "augmentation.scales", [low, high], "a smaller and a larger factor above 0"
    for key in ("elastic", "bend", "anisotropy", "motion", "intensity", *KINDS):
        probability = getattr(augmentation, key)
        if probability is not None and not 0 <= probability <= 1:
            yield f"augmentation.{key}", probability, "a probability"
    for key in ("elastic_mm", "bend_sigma"):
        if getattr(augmentation, key) < 0:
            yield f"augmentation.{key}", getattr(augmentation, key), "at least 0"
    simulation = settings.simulation.completed()
    weights = simulation.initial
    if not set(weights) <= set(STARTS):
        yield "simulation.initial", weights, f"weights of {', '.join(STARTS)}"
    elif any(w < 0 for w in weights.values()) or sum(weights.values()) <= 0:
        yield "simulation.initial", weights, "weights of at least 0, one of them above"
    if simulation.rounds < 1:
        yield "simulation.rounds", simulation.rounds, "at least 1"
    if not 0 <= simulation.drop <= 1:
        yield "simulation.drop", simulation.drop, "a probability"


def _of_instances(settings: TrainingSettings) -> Iterator[Fault]:
    for_objects = settings.task == "instances"
    if (settings.best_by in ("ap50", "ap")) > for_objects:
        yield "best_by", settings.best_by, "dice, iou or assd for the task " + settings.task
    if not for_objects:
        return
    if settings.best_by in ("iou", "assd"):
        yield "best_by", settings.best_by, "ap50, ap or dice for the task instances"
    if settings.network.architecture != "mask-rcnn":
        yield "network.architecture", settings.network.architecture, "mask-rcnn"
        return
    if settings.crf is not None:
        yield "crf", "set", "null for the task instances"
    values = settings.instances
    known, named = settings.network.options["kinds"], values.kinds
    sources = {source.dataset for source in settings.data.sources}
    for dataset, kind in named.items():
        if dataset not in sources:
            yield "instances.kinds", dataset, f"data sets out of {sorted(sources)}"
        if kind not in known:
            yield "instances.kinds", kind, f"kinds out of network.options.kinds, {list(known)}"
    if values.least_voxels < 1:
        yield "instances.least_voxels", values.least_voxels, "at least 1"
    for key in ("invert", "around"):
        if not 0 <= getattr(values, key) <= 1:
            yield f"instances.{key}", getattr(values, key), "a probability"
    if settings.network.dimension == 2 and settings.optimization.crop[0] != 1:
        crop = list(settings.optimization.crop)
        yield "optimization.crop", crop, "single slices (1 along k) for 2D objects"
