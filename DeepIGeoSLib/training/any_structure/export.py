"""From a trained network for any structure to a bundle with a model card."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from pathlib import Path

from DeepIGeoSLib.bundles import FORMAT_VERSION, BundleManifest, TrainingData, load_bundle
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.data.structures import find_structures
from DeepIGeoSLib.engines.choice import Engines
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.evaluation.evaluate import compare
from DeepIGeoSLib.evaluation.methods import SessionMethod
from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.inputs.normalization import NormalizationSettings
from DeepIGeoSLib.inputs.working_grid import GridSettings
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.networks import ANY_STRUCTURE
from DeepIGeoSLib.training.any_structure.choice_fitting import fitted_choice
from DeepIGeoSLib.training.any_structure.images import image_paths, read_images
from DeepIGeoSLib.training.any_structure.made_up import made_up_images
from DeepIGeoSLib.training.any_structure.settings import AnyStructureSettings, MeasureSettings
from DeepIGeoSLib.training.checkpoints import LAST, read_checkpoint
from DeepIGeoSLib.training.export import data_table, metrics_of
from DeepIGeoSLib.users.robot_user import RobotUser

_AVERAGED = "averaged.module."


def write_any_structure_bundle(
    settings: AnyStructureSettings, base: Path, target: Path, *, progress: Progress | None = None
) -> Path:
    """Write the averaged weights of a run's newest checkpoint as a bundle.

    Args:
        settings: the run's.
        base: folder that its relative paths start from.
        target: folder of the bundle; an older one there is replaced.
        progress: called with the share measured and a text.

    Returns:
        ``target``.

    Raises:
        InputError: the settings describe no bundle, or there is no checkpoint.
    """
    if settings.bundle is None:
        raise InputError("The configuration has no bundle section.")
    checkpoint = read_checkpoint((base / settings.output).resolve() / LAST)
    network = settings.network.build(ANY_STRUCTURE)
    state = checkpoint["state_dict"]
    network.load_state_dict(
        {key.removeprefix(_AVERAGED): state[key] for key in state if key.startswith(_AVERAGED)}
    )
    manifest, networks = _manifest(settings, base), {ANY_STRUCTURE: network}
    shutil.rmtree(target, ignore_errors=True)
    write_bundle(target, manifest, networks, card=_card(settings, manifest, checkpoint))
    made_up = made_up_images(settings.made_up, settings.seed)
    choice = fitted_choice(
        [*read_images((base / settings.root).resolve(), settings.sources), *([i] for i in made_up)],
        Engines(load_bundle(target), "torch").of(ANY_STRUCTURE).foreground_probability,
        progress,
    )
    manifest = dataclasses.replace(manifest, answer_choice=choice)
    shutil.rmtree(target)
    write_bundle(target, manifest, networks, card=_card(settings, manifest, checkpoint))
    if settings.measure is not None:
        results = _measured(settings.measure, base, target, progress)
        manifest = dataclasses.replace(manifest, metrics=metrics_of(results))
        card = _card(settings, manifest, checkpoint, results)
        shutil.rmtree(target)
        write_bundle(target, manifest, networks, card=card)
    return target


def _measured(
    settings: MeasureSettings, base: Path, bundle: Path, progress: Progress | None
) -> EvaluationResults:
    """Let the robot user begin structures of each kind from nothing."""
    cases = [
        case
        for kind in settings.kinds
        for case in evenly(
            [c for c in find_structures(base / settings.structures) if c.dataset == kind],
            settings.at_most,
        )
    ]
    session = InteractiveSession(load_bundle(bundle), engine="torch")
    user = RobotUser("disk")
    return compare(
        [SessionMethod(session)],
        cases,
        user,
        rounds=settings.rounds,
        progress=progress,
        from_empty=True,
    )


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
        networks={ANY_STRUCTURE: settings.network},
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


def _card(
    settings: AnyStructureSettings,
    manifest: BundleManifest,
    checkpoint: dict,
    results: EvaluationResults | None = None,
) -> str:
    return f"""# {manifest.name} {manifest.version}

{manifest.task} in {manifest.modality}. One refinement network that knows no class: image, mask and
strokes in, mask out. License of the weights: {manifest.license}

## Training data

{settings.synthetic:.0%} of the samples are made up by `DeepIGeoSLib.samples.synthesis`: random
anatomy with random contrast, texture, blur and noise. The others are windows of these images; in
{settings.regions:.0%} of all samples the target is a region that the image itself suggests.

{data_table(manifest)}

Trained for {checkpoint["global_step"]} steps.
{_measurements(results)}
## Limits

{settings.bundle.limits}
"""


def _measurements(results: EvaluationResults | None) -> str:
    if results is None:
        return ""
    return f"""
## Measured

Mean Dice from an empty mask after each stroke of the robot user (`deepigeos evaluate --from-empty`:
a disk of 3 mm radius in the middle of the largest mistake), on kinds that were not trained on.

{results.table()}

Rounds that lowered the Dice by more than 0.005: {results.share_of_worse_rounds():.1%}.
"""
