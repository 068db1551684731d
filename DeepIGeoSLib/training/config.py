"""What a training configuration file says, and its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.bundles import TrainingData
from DeepIGeoSLib.data import DataSettings
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.interactions import InteractionSettings
from DeepIGeoSLib.preprocessing import GridSettings, NormalizationSettings
from DeepIGeoSLib.settings import from_mapping, read_mapping
from DeepIGeoSLib.training.config_checks import wrong_values
from DeepIGeoSLib.training.crf import CrfTraining


@dataclass(frozen=True)
class NetworkSettings:
    """Which network to train; see ``networks.build_network``.

    Attributes:
        preset: "paper" (Fig. 3 of the paper) or "recommended" (``MultiScaleNet``).
        dimension: 3, or 2 for a network that sees each slice alone.
        features: its width, one number for "paper", four for "recommended"; the preset's when null.
    """

    preset: Literal["paper", "recommended"] = "recommended"
    dimension: Literal[2, 3] = 3
    features: tuple[int, ...] | None = None


@dataclass(frozen=True)
class AugmentationSettings:
    """Random changes of training crops.

    Attributes:
        flip_axes: axes (0 = k, 1 = j, 2 = i) mirrored with probability 1/2; left and
            right by default.
        degrees: largest in-plane rotation.
        tilt_degrees: largest rotation out of the plane.
        scales: smallest and largest zoom.
        thickest: mm; slices are averaged at random up to this thickness.
        intensity: probability of each kind of intensity change (gamma, scale and shift, noise,
            bias field, blur).
    """

    flip_axes: tuple[int, ...] = (2,)
    degrees: float = 22.5
    tilt_degrees: float = 5.0
    scales: tuple[float, float] = (0.8, 1.25)
    thickest: float = 7.0
    intensity: float = 0.3


@dataclass(frozen=True)
class OptimizationSettings:
    """How the weights are found.

    Attributes:
        steps: number of optimizer steps.
        batch_size: crops a step.
        crop: working voxels (k, j, i) of a crop.
        optimizer: "adamw", "adam" or "sgd" (momentum 0.99, as in the paper).
        learning_rate: the largest rate.
        weight_decay: of the optimizer.
        schedule: "cosine" (with a short warm-up), "poly" (power 0.9), "halving" (every 10 % of the
            steps, as in the paper) or "constant".
        loss: "dice_ce", "dice" or "ce".
        precision: "32-true" or "bf16-mixed" (twice as fast where the processor has bfloat16).
        gradient_clip: largest norm of the gradient.
        threads: processor threads; 0 leaves torch's choice.
    """

    steps: int = 10_000
    batch_size: int = 2
    crop: tuple[int, int, int] = (16, 192, 192)
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    schedule: Literal["cosine", "poly", "halving", "constant"] = "cosine"
    loss: Literal["dice_ce", "dice", "ce"] = "dice_ce"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    gradient_clip: float = 1.0
    threads: int = 0


@dataclass(frozen=True)
class SimulationSettings:
    """How R-Net's training samples are made (see ``simulation``).

    Attributes:
        rounds: most rounds of strokes a sample; each round's result is the next one's start.
        initial: weights of the starting points: "pnet" (its output), "corrupted" (a distorted
            truth) and "empty".
    """

    rounds: int = 4
    initial: dict[str, float] = field(
        default_factory=lambda: {"pnet": 0.5, "corrupted": 0.4, "empty": 0.1}
    )


@dataclass(frozen=True)
class BundleSettings:
    """What the bundle of the trained networks says about itself; see ``bundles.BundleManifest``.

    Attributes:
        name: of the bundle, and of its folder.
        version: of the weights.
        task: what it segments, in a few words.
        modality: such as "MR FLAIR".
        channels: names of the image channels, in order.
        license: of the weights; it follows from that of the data.
        training_data: what the weights were trained on.
        limits: for the model card: where the networks should not be trusted.
    """

    name: str
    version: str
    task: str
    modality: str
    channels: tuple[str, ...] = ("image",)
    license: str = ""
    training_data: tuple[TrainingData, ...] = ()
    limits: str = ""


@dataclass(frozen=True)
class TrainingSettings:
    """A training run.

    Attributes:
        task: "pnet", "rnet", or "crf", which only pretrains a CRF-Net's pairwise function.
        output: folder of checkpoints and logs; relative to the configuration file.
        data: the cases.
        pnet: for "rnet", checkpoints of P-Nets (relative to the configuration file) whose outputs
            are the starting points; one is drawn for every sample, the last one is the bundle's.
        bundle: for "rnet": the bundle that is written when the training is done; none when null.
        seed: of every random choice.
        validate_every: steps between validations.
        checkpoint_every: steps between checkpoints to resume from.
        snapshots: steps at which the weights are kept as ``step-N.ckpt``, such as early P-Nets
            whose errors R-Net is to learn from.
        workers: processes that prepare samples.
        crf: trains the network together with a CRF-Net behind it; null for the network alone.
    """

    task: Literal["pnet", "rnet", "crf"]
    output: str
    data: DataSettings
    pnet: tuple[str, ...] = ()
    bundle: BundleSettings | None = None
    seed: int = 1
    validate_every: int = 1000
    checkpoint_every: int = 250
    snapshots: tuple[int, ...] = ()
    workers: int = 1
    crf: CrfTraining | None = None
    network: NetworkSettings = field(default_factory=NetworkSettings)
    normalization: NormalizationSettings = field(default_factory=NormalizationSettings)
    grid: GridSettings = field(default_factory=GridSettings)
    interactions: InteractionSettings = field(default_factory=InteractionSettings)
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    optimization: OptimizationSettings = field(default_factory=OptimizationSettings)


def read_config(path: str | Path) -> TrainingSettings:
    """Read a training configuration, JSON or YAML; relative paths in it start at its own folder.

    Raises:
        InputError: the file is missing or not valid, or holds an unknown key or wrong values.
    """
    settings = from_mapping(TrainingSettings, read_mapping(path), str(path))
    wrong = wrong_values(settings)
    if wrong:
        raise InputError(f"{path}: {'; '.join(wrong)}.")
    return settings
