"""What a configuration for the network of any structure says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.settings import from_mapping, read_mapping
from DeepIGeoSLib.training.run_settings import HardwareSettings, LoggingSettings
from DeepIGeoSLib.training.settings import BundleSettings, OptimizationSettings


@dataclass(frozen=True)
class ImageSource:
    """Real images to learn from.

    Attributes:
        images: pattern below ``root``, such as "spine/*_t2.nii.gz".
        license: of the images (and of the masks, where they are used).
        mask: what stands in the place of the image's ending in the name of its mask, such as
            "_mask.nii.gz"; null where the image has none, or none that may be used.
    """

    images: str
    license: str
    mask: str | None = None


@dataclass(frozen=True)
class WindowSettings:
    """A size of training windows.

    Attributes:
        shape: working voxels (k, j, i); a single slice where k is 1.
        batch: samples a step.
        share: of the steps.
    """

    shape: tuple[int, int, int]
    batch: int
    share: float


@dataclass(frozen=True)
class MeasureSettings:
    """On what a bundle is measured before it is written, from empty masks.

    Attributes:
        structures: folder of structures, see ``data.structures``; relative to the configuration.
        kinds: of structures; none of them may be trained on.
        at_most: targets of each kind.
        rounds: strokes for each.
    """

    structures: str
    kinds: tuple[str, ...]
    at_most: int = 4
    rounds: int = 5


@dataclass(frozen=True)
class AnyStructureSettings:
    """A training run of the network for any structure.

    Attributes:
        task: "any-structure".
        output: folder of checkpoints and logs; relative to the configuration file.
        root: folder of the images, the same.
        sources: real images.
        windows: sizes of training windows; a step has one size.
        synthetic: share of the samples that are made up altogether.
        regions: share of the samples in which a real image's own regions are the target.
        rounds: most rounds of strokes a sample.
        features: of the network, see ``MultiScaleNet``.
        average: how much of the averaged weights a step keeps.
        seed, checkpoint_every, workers: as in ``TrainingSettings``.
        start: weights to begin with (a safetensors file, relative to the configuration file);
            random ones when null.
        made_up: how many made-up structures the rules that choose among answers are fitted to,
            beside those of the images.
        bundle: what the bundle says about itself.
        measure: on what it is measured; nothing when null.
    """

    task: Literal["any-structure"]
    output: str
    root: str
    sources: tuple[ImageSource, ...]
    windows: tuple[WindowSettings, ...]
    synthetic: float = 0.4
    regions: float = 0.25
    rounds: int = 3
    features: tuple[int, int, int, int] = (24, 48, 96, 128)
    average: float = 0.999
    seed: int = 1
    checkpoint_every: int = 200
    workers: int = 1
    start: str | None = None
    made_up: int = 60
    bundle: BundleSettings | None = None
    measure: MeasureSettings | None = None
    optimization: OptimizationSettings = field(default_factory=OptimizationSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    hardware: HardwareSettings = field(default_factory=HardwareSettings)

    @property
    def network(self) -> NetworkSettings:
        """Which network is trained."""
        return NetworkSettings(options={"features": self.features})


def read_any_structure_config(path: str | Path) -> AnyStructureSettings:
    """Read a configuration, JSON or YAML; relative paths in it start at its own folder.

    Raises:
        InputError: the file is missing or not valid, or holds an unknown key or wrong values.
    """
    settings = from_mapping(AnyStructureSettings, read_mapping(path), str(path))
    shares, steps = settings.synthetic + settings.regions, settings.optimization.steps
    for name, value, right, wanted in (
        ("windows", settings.windows, len(settings.windows) > 0, "at least one"),
        ("synthetic", settings.synthetic, settings.synthetic >= 0, "at least 0"),
        ("regions", settings.regions, settings.regions >= 0, "at least 0"),
        ("synthetic + regions", shares, shares <= 1, "at most 1"),
        ("rounds", settings.rounds, settings.rounds >= 1, "at least 1"),
        ("average", settings.average, 0 <= settings.average < 1, "0 or more, and less than 1"),
        ("optimization.steps", steps, steps >= 1, "at least 1"),
    ):
        if not right:
            raise InputError(f"{path}: {name} is {value!r}, expected {wanted}.")
    return settings
