"""One training run, from a configuration to checkpoints and a bundle."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import Dataset

from DeepIGeoSLib.bundles import Bundle, TrainingData, crf_key
from DeepIGeoSLib.bundles.writer import half_precision
from DeepIGeoSLib.crf.crfnet import CRFNet
from DeepIGeoSLib.data import check_data, find_cases
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.evaluation.evaluate import evaluate
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.tensors import to_tensor
from DeepIGeoSLib.training.checkpoints import BEST
from DeepIGeoSLib.training.crf import CrfTraining, pretrain_crf
from DeepIGeoSLib.training.export import draft_manifest, export_bundle
from DeepIGeoSLib.training.fine_tuning import FrozenStage
from DeepIGeoSLib.training.fitting import fit
from DeepIGeoSLib.training.instances.cases import prepare_instances
from DeepIGeoSLib.training.instances.export import instance_manifest, write_instance_bundle
from DeepIGeoSLib.training.instances.module import InstanceModule
from DeepIGeoSLib.training.instances.samples import InstanceSamples
from DeepIGeoSLib.training.instances.validation import InstanceValidation
from DeepIGeoSLib.training.modules import NetworkModule, PNetModule, RNetModule
from DeepIGeoSLib.training.one_dnn import without_amx
from DeepIGeoSLib.training.sampling import PNetSamples, RNetSamples
from DeepIGeoSLib.training.settings import BundleSettings, TrainingSettings
from DeepIGeoSLib.training.start import write_report
from DeepIGeoSLib.training.starting import (
    begin_new,
    prepared,
    propose_all,
    starting_networks,
    starting_pnet,
    starting_pnets,
    trained_crf,
    trained_network,
)
from DeepIGeoSLib.training.validation import (
    NetworksInTraining,
    PNetValidation,
    RNetValidation,
    Validation,
)
from DeepIGeoSLib.training.whole_statistics import WholeStatistics


def train(
    settings: TrainingSettings,
    base: Path,
    progress: Progress | None = None,
    *,
    bundle: Bundle | None = None,
) -> Path | None:
    """Train as ``settings`` say, or go on where a run in the same folder stopped.

    Args:
        settings: the configuration.
        base: folder that its relative paths start from.
        progress: called with the share of the steps done and a text.
        bundle: whose networks learn on; new networks when None.

    Returns:
        The folder of the bundle, if the settings describe one. The run's own folder holds
        ``best.ckpt``, ``last.ckpt``, ``validation.csv``, ``curve.csv`` and the report on the data;
        for the task "both" there is one such folder for each network, and for the task "crf" only
        ``pretrained.ckpt``.

    Raises:
        InputError: cases or checkpoints are missing or unusable, or the loss became NaN.
        KeyboardInterrupt: the run was stopped, and can be resumed.
    """
    if settings.task == "both":
        for part in parts_of_both(settings):
            written = train(part, base, progress, bundle=bundle)
        return written
    folder = (base / settings.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if settings.task == "crf":
        pretrain_crf(
            settings.crf or CrfTraining(), settings.data.channels, folder=folder, progress=progress
        )
        return None
    if _is_first_process():
        report = check_data(settings.data, base, progress)
        report.check(report.write(folder))
    if settings.network.dimension == 3 and settings.optimization.precision == "bf16-mixed":
        without_amx()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    if settings.optimization.threads:
        torch.set_num_threads(settings.optimization.threads)
    module, samples, validator = _parts(settings, base, folder, progress, bundle)
    extra = []
    if module.fine_tuning is not None:
        extra.append(FrozenStage(module.fine_tuning, settings.optimization.steps))
    fit(
        module, samples, validator, settings=settings, folder=folder, progress=progress, extra=extra
    )
    if settings.bundle is None or not _is_first_process():
        return None
    return write_trained_bundle(settings, base, bundle=bundle)


def _is_first_process() -> bool:
    return getattr(rank_zero_only, "rank", 0) == 0


def parts_of_both(settings: TrainingSettings) -> tuple[TrainingSettings, TrainingSettings]:
    """Return the settings of the two runs that the task "both" stands for."""
    output = Path(settings.output)
    pnets = [*(f"step-{step}.ckpt" for step in settings.snapshots), BEST]
    return (
        dataclasses.replace(settings, task="pnet", output=str(output / "pnet"), bundle=None),
        dataclasses.replace(
            settings,
            task="rnet",
            output=str(output / "rnet"),
            pnet=tuple(str(output / "pnet" / name) for name in pnets),
            snapshots=(),
        ),
    )


def _parts(
    settings: TrainingSettings,
    base: Path,
    folder: Path,
    progress: Progress | None,
    bundle: Bundle | None,
) -> tuple[NetworkModule, Dataset, Validation]:
    """Return the module, the samples and the validation of a run."""
    files = find_cases(settings.data, base, "train")
    held_out = find_cases(settings.data, base, "val")
    network, crf = starting_networks(settings, base=base, progress=progress, bundle=bundle)
    begun = begin_new(network, settings, base) if bundle is None else None
    if begun is not None:
        write_report(begun, folder)
    fine_tuning = None if bundle is None and begun is None else settings.fine_tuning
    if settings.task == "instances":
        return (
            InstanceModule(network, settings, fine_tuning=fine_tuning),
            InstanceSamples([prepare_instances(case, settings) for case in files], settings),
            InstanceValidation(
                held_out, instance_manifest(settings), folder=folder, settings=settings
            ),
        )
    training = prepared(files, settings)
    if settings.task == "pnet":
        statistics = None
        if settings.optimization.statistics == "wholes":
            statistics = WholeStatistics([case.image for case in training])
        return (
            PNetModule(network, settings, crf=crf, fine_tuning=fine_tuning),
            PNetSamples(training, settings),
            PNetValidation(prepared(held_out, settings), folder, settings, statistics=statistics),
        )
    pnets = starting_pnets(settings, base, bundle)
    return (
        RNetModule(network, settings, crf=crf, fine_tuning=fine_tuning),
        RNetSamples(training, propose_all(pnets, training), settings),
        RNetValidation(
            held_out,
            pnets[-1].network,
            draft_manifest(settings, pnet=pnets[-1].settings),
            folder=folder,
            settings=settings,
            pnet_crf=pnets[-1].crf,
        ),
    )


def write_trained_bundle(
    settings: TrainingSettings,
    base: Path,
    progress: Progress | None = None,
    *,
    bundle: Bundle | None = None,
) -> Path:
    """Measure the best networks of a run so far and write their bundle into the run's folder.

    An older bundle of that name there is replaced.

    Args:
        settings: of R-Net's training (or of both), with a ``bundle`` section.
        base: folder that relative paths start from.
        progress: called with the share of the cases measured and a text.
        bundle: that the networks were fine-tuned from; a network that was not trained is its own.

    Returns:
        The bundle's folder.

    Raises:
        InputError: the settings describe no bundle, or a checkpoint is missing.
    """
    if settings.task == "both":
        return write_trained_bundle(parts_of_both(settings)[1], base, progress, bundle=bundle)
    makes_one = settings.task in ("rnet", "instances") or bundle is not None
    if settings.bundle is None or not makes_one:
        raise InputError(
            "Only a configuration of the task rnet or instances with a bundle section makes one."
        )
    folder = (base / settings.output).resolve()
    words = settings.bundle
    if not words.training_data:
        words = _with_data(words, settings, base)
    settings = dataclasses.replace(settings, bundle=words)
    if settings.task == "instances":
        return write_instance_bundle(
            folder / words.name,
            settings,
            trained_network("instances", folder / BEST, settings),
            cases=find_cases(settings.data, base, "val"),
            progress=progress,
        )
    networks, crfs, pnet = _trained_networks(settings, base, folder, bundle)
    for network in [*networks.values(), *crfs.values()]:  # measure what the bundle will hold
        network.load_state_dict(half_precision(network))
    for role, network in networks.items():
        network.after_training(role, partial(_volumes, network, settings, base))
        network.load_state_dict(half_precision(network))
    source = None if bundle is None else bundle.manifest
    manifest = draft_manifest(settings, source, pnet=pnet)
    session = InteractiveSession(NetworksInTraining(manifest, networks, crfs), engine="torch")
    cases = find_cases(settings.data, base, "val")
    results = evaluate(session, cases, progress=progress)
    target = folder / words.name
    shutil.rmtree(target, ignore_errors=True)
    every = {**networks, **{crf_key(role): crf for role, crf in crfs.items()}}
    return export_bundle(target, settings, every, results=results, source=source, pnet=pnet)


def _volumes(
    network: SegmentationNetwork, settings: TrainingSettings, base: Path, count: int
) -> Iterator[torch.Tensor]:
    """Yield volumes that a network was trained on, see ``networks.network.Volumes``."""
    for file in evenly(find_cases(settings.data, base, "train"), count):
        (case,) = prepared([file], settings)
        padded = PaddedChannels(case.image, (1, *network.multiple_of)[-3:])
        whole = tuple(slice(0, size) for size in padded.shape)
        yield to_tensor(padded.read(whole)[np.newaxis])


def _with_data(words: BundleSettings, settings: TrainingSettings, base: Path) -> BundleSettings:
    """Return what the bundle says about itself, with the data that the configuration left out."""
    counts = Counter(case.dataset for case in find_cases(settings.data, base, "train"))
    entries = tuple(TrainingData(name, count, "not stated") for name, count in counts.items())
    return dataclasses.replace(words, training_data=entries)


def _trained_networks(
    settings: TrainingSettings, base: Path, folder: Path, bundle: Bundle | None
) -> tuple[dict[str, SegmentationNetwork], dict[str, CRFNet], NetworkSettings]:
    """Return the networks, the CRF-Nets where there are any, and what kind of P-Net it is."""
    best = folder / BEST
    networks = {settings.task: trained_network(settings.task, best, settings)}
    crfs = {settings.task: trained_crf(best, settings)}
    kind = settings.network
    if settings.task == "rnet" and settings.pnet:
        networks["pnet"], kind, crfs["pnet"] = starting_pnet(settings.pnet[-1], base, settings)
    if bundle is not None:
        if "pnet" not in networks:
            kind = bundle.manifest.networks["pnet"]
        networks = {role: bundle.network(role) for role in ("pnet", "rnet")} | networks
    return networks, {role: crf for role, crf in crfs.items() if crf is not None}, kind
