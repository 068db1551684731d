"""What a training configuration says, and its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from DeepIGeoSLib.bundles import TrainingData
from DeepIGeoSLib.data import DataSettings
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.inputs.normalization import NormalizationSettings
from DeepIGeoSLib.inputs.working_grid import GridSettings
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.training.border_settings import BorderSettings
from DeepIGeoSLib.training.crf import CrfTraining
from DeepIGeoSLib.training.instance_settings import InstanceSettings
from DeepIGeoSLib.training.run_settings import (
    FineTuningSettings,
    HardwareSettings,
    LoggingSettings,
    StartSettings,
)


@dataclass(frozen=True)
class AugmentationSettings:
    """Random changes of training crops.

    Attributes:
        flip_axes: axes (0 = k, 1 = j, 2 = i) mirrored with probability 1/2; left and
            right by default.
        degrees: largest in-plane rotation.
        tilt_degrees: largest rotation out of the plane.
        scales: smallest and largest zoom.
        surroundings: share of a crop's size, in plane, that is cut around it on each side before it
            is turned, zoomed and bent, and taken away afterwards: what comes in from the sides is
            then the image, not air. Where the image ends, its last voxels are repeated.
        thickest: mm; slices are averaged at random up to this thickness.
        elastic: probability of a smooth deformation.
        elastic_mm: largest displacement of the deformation's control points.
        bend: probability of U-Net's elastic deformation (random displacements on a coarse grid of
            3 points along each axis, bicubic between them).
        bend_sigma: deviation of these displacements, in working voxels.
        anisotropy: probability that the image loses resolution along one axis (the masks don't).
        motion: probability of the ghosts of a patient who moved.
        intensity: probability of each kind of intensity change that is null below, and twice that
            of a scale and shift; bias field and blur come half as often.
        bias_field, gamma, blur, noise: probability of this kind alone.
    """

    flip_axes: tuple[int, ...] = (2,)
    degrees: float = 22.5
    tilt_degrees: float = 5.0
    scales: tuple[float, float] = (0.8, 1.25)
    surroundings: float = 0.0
    thickest: float = 7.0
    elastic: float = 0.0
    elastic_mm: float = 5.0
    bend: float = 0.0
    bend_sigma: float = 10.0
    anisotropy: float = 0.0
    motion: float = 0.0
    intensity: float = 0.3
    bias_field: float | None = None
    gamma: float | None = None
    blur: float | None = None
    noise: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.surroundings <= 1:
            raise InputError(
                f"surroundings is {self.surroundings:g}; a share from 0 to 1 is expected."
            )


@dataclass(frozen=True)
class OptimizationSettings:
    """How the weights are found.

    Attributes:
        steps: number of optimizer steps.
        batch_size: crops that a process computes at once.
        accumulate: batches whose gradients are averaged to one step.
        crop: working voxels (k, j, i) of a crop.
        optimizer: "adamw", "adam" or "sgd" (momentum 0.99, as in the paper).
        learning_rate: the largest rate.
        weight_decay: of the optimizer.
        schedule: "cosine" (with a short warm-up), "poly" (power 0.9), "halving" (every 10 % of the
            steps, as in the paper) or "constant".
        loss: "dice_ce", "dice" or "ce".
        borders: weights of the cross-entropy that make gaps between objects count more, as U-Net's
            loss does; null for none.
        near_strokes: how much more a voxel counts in R-Net's cross-entropy at the strokes that ask
            for a change; less with the distance from them (see ``losses.near_strokes``).
        precision: "32-true" or "bf16-mixed" (twice as fast where the processor has bfloat16, but
            not with the depthwise convolutions of efficientnet-lite0).
        gradient_clip: largest norm of the gradient.
        average: share of a running average of the weights that each step keeps, such as 0.99; what
            is measured and kept as the best is then the average. 0 for the newest weights.
        statistics: what batch normalizations know of images when P-Net is measured and kept as the
            best: "crops", which it learned from, or "wholes", all training images as they are (in
            2D; for images that are much larger than the crops).
        threads: processor threads; 0 leaves torch's choice.
    """

    steps: int = 10_000
    batch_size: int = 2
    accumulate: int = 1
    crop: tuple[int, int, int] = (16, 192, 192)
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    schedule: Literal["cosine", "poly", "halving", "constant"] = "cosine"
    loss: Literal["dice_ce", "dice", "ce"] = "dice_ce"
    borders: BorderSettings | None = None
    near_strokes: float = 0.0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    gradient_clip: float = 1.0
    average: float = 0.0
    statistics: Literal["crops", "wholes"] = "crops"
    threads: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.average < 1:
            raise InputError(f"average is {self.average:g}; a share from 0 to below 1 is expected.")


@dataclass(frozen=True)
class SimulationSettings:
    """How R-Net's training samples are made (see the room ``users``).

    Attributes:
        preset: whose marks: "recommended" (strokes, clicks and random walks of human-like shape) or
            "paper" (random points in every wrong region, see ``users.paper_user``).
        rounds: most rounds of strokes a sample; each round's result is the next one's start. 1 is
            one-shot training. When null, 4 for "recommended" and 1 for "paper".
        initial: weights of the starting points: "pnet" (the output of one of the P-Nets),
            "corrupted" (a distorted truth) and "empty". When null, 0.5, 0.4 and 0.1 for
            "recommended", and P-Net alone for "paper".
        drop: probability that the first marks of one class, drawn at random, are left out. When
            null, 0.1 for "recommended" and 0 for "paper".
    """

    preset: Literal["recommended", "paper"] = "recommended"
    rounds: int | None = None
    initial: dict[str, float] | None = None
    drop: float | None = None

    def completed(self) -> Simulation:
        """Return the settings with the preset's values in the place of null."""
        usual = _SIMULATIONS[self.preset]
        return Simulation(
            self.preset,
            usual.rounds if self.rounds is None else self.rounds,
            usual.initial if self.initial is None else self.initial,
            usual.drop if self.drop is None else self.drop,
        )


class Simulation(NamedTuple):
    """``SimulationSettings`` without anything left to the preset."""

    preset: Literal["recommended", "paper"]
    rounds: int
    initial: dict[str, float]
    drop: float


_SIMULATIONS = {
    "recommended": Simulation("recommended", 4, {"pnet": 0.5, "corrupted": 0.4, "empty": 0.1}, 0.1),
    "paper": Simulation("paper", 1, {"pnet": 1.0}, 0.0),
}


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
        fits: words in the names of volumes that it is made for.
        limits: for the model card: where the networks should not be trusted.
    """

    name: str
    version: str
    task: str
    modality: str
    channels: tuple[str, ...] = ("image",)
    license: str = ""
    training_data: tuple[TrainingData, ...] = ()
    fits: tuple[str, ...] = ()
    limits: str = ""


@dataclass(frozen=True)
class TrainingSettings:
    """A training run.

    Attributes:
        task: "pnet", "rnet", "both" (one after the other, in folders of these names), "crf",
            which only pretrains a CRF-Net's pairwise function, or "instances", a network that finds
            objects and draws each one for itself.
        output: folder of checkpoints and logs; relative to the configuration file.
        data: the cases.
        pnet: for "rnet", P-Nets whose outputs are the starting points: checkpoints of a run with
            the same ``network``, or bundles (folders relative to the configuration file, or shipped
            ones' names); one is drawn for every sample, the last one is the new bundle's.
        bundle: for "rnet" and "instances": the bundle that is written when the training is done;
            none when null.
        seed: of every random choice.
        validate_every: steps between validations.
        checkpoint_every: steps between checkpoints to resume from.
        keep: checkpoints to resume from that are kept; the newest is ``last.ckpt``, those before it
            are called by their step.
        best_by: measure on the validation cases by which ``best.ckpt`` is chosen; "ap50" and "ap"
            (average precision of objects) are for the task "instances", "pixel" and "rand" (errors
            of dividing an image into objects) for trainings with ``borders``.
        snapshots: steps at which the weights are kept as ``step-N.ckpt``, such as early P-Nets
            whose errors R-Net is to learn from.
        workers: processes that prepare samples.
        crf: trains the network together with a CRF-Net behind it; null for the network alone.
        start: weights that a new network begins with; null for none.
    """

    task: Literal["pnet", "rnet", "both", "crf", "instances"]
    output: str
    data: DataSettings
    pnet: tuple[str, ...] = ()
    bundle: BundleSettings | None = None
    seed: int = 1
    validate_every: int = 1000
    checkpoint_every: int = 250
    keep: int = 1
    best_by: Literal["dice", "iou", "assd", "pixel", "rand", "ap50", "ap"] = "dice"
    snapshots: tuple[int, ...] = ()
    workers: int = 1
    crf: CrfTraining | None = None
    start: StartSettings | None = None
    network: NetworkSettings = field(default_factory=NetworkSettings)
    normalization: NormalizationSettings = field(default_factory=NormalizationSettings)
    grid: GridSettings = field(default_factory=GridSettings)
    interactions: InteractionSettings = field(default_factory=InteractionSettings)
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    optimization: OptimizationSettings = field(default_factory=OptimizationSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    hardware: HardwareSettings = field(default_factory=HardwareSettings)
    fine_tuning: FineTuningSettings = field(default_factory=FineTuningSettings)
    instances: InstanceSettings = field(default_factory=InstanceSettings)
