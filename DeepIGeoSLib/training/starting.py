"""What a run starts from: prepared cases, networks, and P-Net's proposals for R-Net."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.crf import MeanField
from DeepIGeoSLib.crf.crfnet import CRFNet
from DeepIGeoSLib.crf.differentiable import TableCRFNet
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.targets import Target, class_count, target_probabilities
from DeepIGeoSLib.training.cases import TrainingCase, prepare_case
from DeepIGeoSLib.training.checkpoints import network_weights, read_checkpoint
from DeepIGeoSLib.training.crf import load_crf, starting_crf
from DeepIGeoSLib.training.settings import TrainingSettings
from DeepIGeoSLib.training.start import StartReport, begin_with


class StartingPNet(NamedTuple):
    """A P-Net whose proposals R-Net learns to correct, with its CRF-Net if it has one."""

    network: SegmentationNetwork
    settings: NetworkSettings
    crf: CRFNet | None


def load_checkpoint(
    role: str, path: Path, *, settings: NetworkSettings, channels: int = 1, classes: int = 2
) -> SegmentationNetwork:
    """Return the network of a training checkpoint, for so many image channels and classes.

    Raises:
        InputError: the file is missing, or does not hold the weights of that network.
    """
    weights = network_weights(read_checkpoint(path))
    network = settings.build(role, channels, classes)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"{path} does not hold the weights of a {settings.architecture} "
            f"{settings.dimension}D {role}."
        ) from error
    return network.eval()


def trained_network(role: str, path: Path, settings: TrainingSettings) -> SegmentationNetwork:
    """Return the network of a checkpoint that was trained as ``settings`` say."""
    classes = class_count(targets_of(role, settings))
    channels = settings.data.channels
    return load_checkpoint(
        role, path, settings=settings.network, channels=channels, classes=classes
    )


def targets_of(role: str, settings: TrainingSettings) -> tuple[Target, ...]:
    """Return what a network is to tell apart: R-Net answers for one target at a time."""
    return settings.data.network_targets if role == "pnet" else ()


def trained_crf(path: Path, settings: TrainingSettings) -> CRFNet | None:
    """Return the CRF-Net for use that was trained with a network; None where none is trained."""
    if settings.crf is None:
        return None
    return load_crf(path, settings.crf.model, settings.data.channels).plain()


def starting_networks(
    settings: TrainingSettings, *, base: Path, progress: Progress | None, bundle: Bundle | None
) -> tuple[SegmentationNetwork, TableCRFNet | None]:
    """Return the network and the CRF-Net as they are before the first step.

    Raises:
        InputError: a checkpoint is unusable, or the crops are no input for the network.
    """
    network, crf = _starting_networks(settings, base, progress, bundle)
    _check_crop(network, settings)
    return network, crf


def _check_crop(network: SegmentationNetwork, settings: TrainingSettings) -> None:
    """Refuse crops that the network can't halve, or of which too little is left to normalize."""
    crop, batch = settings.optimization.crop, settings.optimization.batch_size
    steps = (1, *network.multiple_of)[-3:]
    divides = not any(size % step for size, step in zip(crop, steps, strict=True))
    if not divides and not network.takes_any_size:
        raise InputError(
            f"optimization.crop is {list(crop)}; the {settings.network.architecture} needs "
            f"multiples of {list(steps)} along k, j and i."
        )
    coarsest = prod(max(1, size // step) for size, step in zip(crop, steps, strict=True))
    if batch * coarsest == 1 < prod(steps):
        raise InputError(
            f"optimization.crop is {list(crop)}; of a crop this small a single value is left in "
            f"the coarsest layer of the {settings.network.architecture}, which can't be "
            "normalized: choose a larger one, or more than one in optimization.batch_size."
        )


def _starting_networks(
    settings: TrainingSettings, base: Path, progress: Progress | None, bundle: Bundle | None
) -> tuple[SegmentationNetwork, TableCRFNet | None]:
    role, channels = settings.task, settings.data.channels
    crf = None
    if settings.crf is not None:
        crf = starting_crf(settings.crf, channels, base=base, progress=progress)
    if settings.crf is not None and settings.crf.network is not None:
        return trained_network(role, base / settings.crf.network, settings).train(), crf
    if bundle is not None:
        _check_targets(settings, bundle)
        network = bundle.network(role)
        network.before_training()
        return network, crf
    return settings.network.build(role, channels, class_count(targets_of(role, settings))), crf


def _check_targets(settings: TrainingSettings, bundle: Bundle) -> None:
    """Refuse to fine-tune a bundle for other targets than its own."""
    own, wanted = bundle.manifest.targets, settings.data.network_targets
    if [(t.name, t.classes) for t in own] == [(t.name, t.classes) for t in wanted]:
        return
    known, named = (", ".join(t.name for t in some) or "none" for some in (own, wanted))
    raise InputError(
        f"The bundle {bundle.manifest.name} names the targets {known}, the configuration {named}; "
        "data.targets must name the bundle's, in their order."
    )


def begin_new(
    network: SegmentationNetwork, settings: TrainingSettings, base: Path
) -> StartReport | None:
    """Give a new network the weights that the configuration names; None where it names none.

    Raises:
        InputError: they can't be read, or don't fit.
    """
    if settings.start is None:
        return None
    return begin_with(
        network,
        settings.start,
        base,
        role=settings.task,
        image_channels=settings.data.channels,
    )


def starting_pnets(
    settings: TrainingSettings, base: Path, bundle: Bundle | None
) -> list[StartingPNet]:
    """Return the P-Nets that R-Net learns to correct; the last is the new bundle's.

    They are those of the configuration, or else the P-Net of the bundle that learns on.

    Raises:
        InputError: one is missing, or sees images in another way than R-Net will.
    """
    if not settings.pnet and bundle is not None:
        return [StartingPNet(bundle.network("pnet").eval(), bundle.manifest.networks["pnet"], None)]
    return [starting_pnet(entry, base, settings) for entry in settings.pnet]


def starting_pnet(entry: str, base: Path, settings: TrainingSettings) -> StartingPNet:
    """Return one of the P-Nets of ``settings.pnet``; see ``starting_pnets`` for what is raised."""
    path = base / entry
    if path.suffix == ".ckpt":
        network = trained_network("pnet", path, settings)
        return StartingPNet(network, settings.network, trained_crf(path, settings))
    bundle = load_bundle(path if path.is_dir() else entry)
    manifest = bundle.manifest
    if "pnet" not in manifest.networks:
        raise InputError(f"pnet: the bundle {manifest.name} has no P-Net.")
    for name in ("normalization", "grid"):
        if getattr(manifest, name) != getattr(settings, name):
            raise InputError(
                f"pnet: the bundle {manifest.name} has another {name} than the configuration."
            )
    _check_targets(settings, bundle)
    return StartingPNet(bundle.network("pnet").eval(), manifest.networks["pnet"], None)


def prepared(files: Sequence[LabeledCase], settings: TrainingSettings) -> list[TrainingCase]:
    """Return cases on their working grids; with gaps between numbered objects if borders count."""
    borders = settings.optimization.borders
    gaps = borders is not None and borders.objects == "numbers"
    return [
        prepare_case(entry, settings.normalization, settings.grid, gaps=gaps) for entry in files
    ]


def propose_all(
    pnets: Sequence[StartingPNet], cases: Sequence[TrainingCase]
) -> list[list[np.ndarray]]:
    """Return for each case the probabilities of each P-Net and its CRF, as bytes (255 = 1).

    Their axes are (target, k, j, i).
    """
    engines = [TorchEngine(pnet.network) for pnet in pnets]
    fields = [None if pnet.crf is None else MeanField(pnet.crf) for pnet in pnets]

    def proposal(case: TrainingCase, engine: TorchEngine, field: MeanField | None) -> np.ndarray:
        return np.round(255 * proposed(case, engine, field)).astype(np.uint8)

    return [
        [proposal(case, *steps) for steps in zip(engines, fields, strict=True)] for case in cases
    ]


def proposed(case: TrainingCase, engine: TorchEngine, field: MeanField | None) -> np.ndarray:
    """Return what P-Net and its CRF, if there is one, propose: float32 (target, k, j, i)."""
    probabilities = engine.probabilities(case.image)
    if field is not None:
        answer = field.foreground_probability(probabilities[0], case.image, case.spacing)
        return answer[np.newaxis]
    if len(case.targets) == 1 and len(probabilities) == 1:
        return probabilities
    return target_probabilities(probabilities, case.targets)
