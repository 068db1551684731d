"""What ``bundle.json`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from DeepIGeoSLib.any_structure.choice import AnswerChoice
from DeepIGeoSLib.bundles.migration import FORMAT_SINCE
from DeepIGeoSLib.crf.settings import CrfSettings
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.inputs.normalization import NormalizationSettings
from DeepIGeoSLib.inputs.prepared_image import InputSettings
from DeepIGeoSLib.inputs.working_grid import GridSettings
from DeepIGeoSLib.networks import ANY_STRUCTURE, INSTANCES, NetworkSettings
from DeepIGeoSLib.targets import Target, check_targets, class_count

MANIFEST_NAME = "bundle.json"


@dataclass(frozen=True)
class WeightFile:
    """A safetensors file of the bundle and its SHA-256 in hexadecimal digits."""

    file: str
    sha256: str


@dataclass(frozen=True)
class TrainingData:
    """A data set that the weights were trained on; its license binds the weights too.

    Attributes:
        name: of the data set.
        cases: how many of its cases.
        license: of the data set.
    """

    name: str
    cases: int
    license: str


@dataclass(frozen=True)
class BundleManifest:
    """Everything needed to use a bundle's networks as they were trained.

    Attributes:
        format_version: of this manifest, ``FORMAT_VERSION``; older ones are brought up to it when
            they are read (see ``migration``).
        name: of the bundle.
        version: of its weights.
        task: what it segments, in a few words.
        modality: such as "MR FLAIR".
        channels: names of the image channels, in order.
        license: of the weights.
        networks: the architecture of each network, by role: "pnet" and "rnet", or "any-structure"
            or "instances" alone.
        normalization, grid, interactions: how images and scribbles become network input.
        region: working voxels (k, j, i) that are computed anew around a stroke; null for all.
        weights: files of "pnet" and "rnet", of their CRF-Nets "pnet-crf" and "rnet-crf", and of
            their 8-bit versions "pnet-int8" and "rnet-int8" (see ``bundles.quantized``); or of
            "any-structure" or "instances" alone.
        training_data: what the weights were trained on.
        metrics: rows of the table in the model card, as measured by ``deepigeos evaluate``.
        crf: how the CRF-Nets are built, and whether they are on; null when there are none.
        answer_choice: the rules by which "any-structure" chooses among its answers to a stroke;
            the network's confidence decides when null.
        fits: words of which one in the name of a volume says that the bundle is made for it, such
            as "flair"; none when it is never to be chosen without being asked for.
        targets: what P-Net tells apart, in the order of labels and segments; empty for a single
            target, of which ``task`` tells.
        derived_from: name and version of the bundle that the networks were fine-tuned from.
        needs: the oldest version of DeepIGeoS that can use the bundle, see ``version_needed``.
    """

    format_version: int
    name: str
    version: str
    task: str
    modality: str
    channels: tuple[str, ...]
    license: str
    networks: dict[str, NetworkSettings]
    normalization: NormalizationSettings
    grid: GridSettings
    interactions: InteractionSettings
    region: tuple[int, int, int] | None
    weights: dict[str, WeightFile]
    training_data: tuple[TrainingData, ...] = ()
    metrics: tuple[dict[str, Any], ...] = ()
    crf: CrfSettings | None = None
    answer_choice: AnswerChoice | None = None
    fits: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    derived_from: str | None = None
    needs: str = FORMAT_SINCE

    def __post_init__(self) -> None:
        """Check the targets."""
        check_targets(self.targets)

    def classes_of(self, role: str) -> int:
        """Return how many classes the network of a role tells apart, the background among them."""
        return class_count(self.targets) if role == "pnet" else 2

    @property
    def for_any_structure(self) -> bool:
        """Whether one network refines without a class, and nothing proposes."""
        return ANY_STRUCTURE in self.weights

    @property
    def for_instances(self) -> bool:
        """Whether one network finds objects, each for itself, and strokes go without a network."""
        return INSTANCES in self.networks

    @property
    def proposal_network(self) -> str:
        """Name, in the weights, of the network that segments automatically."""
        return INSTANCES if self.for_instances else "pnet"

    @property
    def inputs(self) -> InputSettings:
        """How a volume becomes the input of the networks."""
        return InputSettings(self.normalization, self.grid, self.region)

    @property
    def refinement_network(self) -> str:
        """Name, in the weights, of the network that answers strokes."""
        return ANY_STRUCTURE if self.for_any_structure else "rnet"


def crf_key(role: str) -> str:
    """Return the name, in a manifest's weights, of the CRF-Net that follows a network."""
    return f"{role}-crf"
