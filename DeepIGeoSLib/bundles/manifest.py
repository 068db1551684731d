"""What ``bundle.json`` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from DeepIGeoSLib.bundles.checks import check_manifest, parse_manifest
from DeepIGeoSLib.errors import BundleError, InputError
from DeepIGeoSLib.interactions import InteractionSettings
from DeepIGeoSLib.networks import ANY_STRUCTURE
from DeepIGeoSLib.networks.crf_settings import CrfSettings
from DeepIGeoSLib.preprocessing import GridSettings, NormalizationSettings
from DeepIGeoSLib.settings import from_mapping

FORMAT_VERSION = 1
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
        format_version: of this manifest; ``FORMAT_VERSION`` is the only one known.
        name: of the bundle.
        version: of its weights.
        task: what it segments, in a few words.
        modality: such as "MR FLAIR".
        channels: names of the image channels, in order.
        license: of the weights.
        preset: of the networks, see ``networks.build_network``.
        dimension: 2 or 3.
        features: width of the networks; the preset's when null.
        normalization, grid, interactions: how images and scribbles become network input.
        region: working voxels (k, j, i) that are computed anew around a stroke; null for all.
        weights: files of "pnet" and "rnet", of their CRF-Nets "pnet-crf" and "rnet-crf", and of
            their 8-bit versions "pnet-int8" and "rnet-int8" (see ``bundles.quantized``); or of
            "any-structure" alone.
        training_data: what the weights were trained on.
        metrics: rows of the table in the model card, as measured by ``deepigeos evaluate``.
        crf: how the CRF-Nets are built, and whether they are on; null when there are none.
        derived_from: name and version of the bundle that the networks were fine-tuned from.
    """

    format_version: int
    name: str
    version: str
    task: str
    modality: str
    channels: tuple[str, ...]
    license: str
    preset: Literal["paper", "recommended"]
    dimension: Literal[2, 3]
    normalization: NormalizationSettings
    grid: GridSettings
    interactions: InteractionSettings
    region: tuple[int, int, int] | None
    weights: dict[str, WeightFile]
    training_data: tuple[TrainingData, ...] = ()
    metrics: tuple[dict[str, Any], ...] = ()
    crf: CrfSettings | None = None
    features: tuple[int, ...] | None = None
    derived_from: str | None = None

    @property
    def for_any_structure(self) -> bool:
        """Whether one network refines without a class, and nothing proposes."""
        return ANY_STRUCTURE in self.weights

    @property
    def refinement_network(self) -> str:
        """Name, in the weights, of the network that answers strokes."""
        return ANY_STRUCTURE if self.for_any_structure else "rnet"


def crf_key(role: str) -> str:
    """Return the name, in a manifest's weights, of the CRF-Net that follows a network."""
    return f"{role}-crf"


def read_manifest(folder: Path) -> BundleManifest:
    """Read and check the manifest of a bundle folder.

    Raises:
        BundleError: it is missing or damaged, of an unknown version, or lacks a network.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise BundleError(f"{folder} is not a model bundle: it has no {MANIFEST_NAME}.")
    mapping = parse_manifest(path)
    version = mapping.get("format_version") if isinstance(mapping, dict) else None
    if version != FORMAT_VERSION:
        raise BundleError(
            f"{path} has the format version {version!r}; this program knows {FORMAT_VERSION}."
        )
    try:
        manifest = from_mapping(BundleManifest, mapping, str(path))
    except InputError as error:
        raise BundleError(str(error)) from error
    check_manifest(manifest, path)
    for role in () if manifest.for_any_structure else ("pnet", "rnet"):
        if role not in manifest.weights:
            raise BundleError(f"{path} names no weights for {role!r}.")
    return manifest
