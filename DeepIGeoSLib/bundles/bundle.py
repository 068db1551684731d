"""Finding, checking and opening bundles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.bundles.checks import check_finite, check_weights
from DeepIGeoSLib.bundles.geodesic import GEODESIC, geodesic_manifest
from DeepIGeoSLib.bundles.manifest import MANIFEST_NAME, BundleManifest, crf_key
from DeepIGeoSLib.bundles.manifest_file import read_manifest
from DeepIGeoSLib.bundles.quantized import load_quantized, quantized_key
from DeepIGeoSLib.errors import BundleError

if TYPE_CHECKING:
    from DeepIGeoSLib.crf.crfnet import CRFNet
    from DeepIGeoSLib.networks.network import SegmentationNetwork

_SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class Bundle:
    """A checked model bundle.

    Attributes:
        folder: where it lies.
        manifest: what it says about itself.
    """

    folder: Path
    manifest: BundleManifest

    @property
    def has_networks(self) -> bool:
        """Whether it answers by networks; else by geodesic distances of the seeds alone."""
        return bool(self.manifest.weights)

    def network(self, role: str) -> SegmentationNetwork:
        """Return the network of a role ("pnet", "rnet" or "any-structure") with its weights.

        Raises:
            BundleError: the bundle has no network of that role, or the weights don't belong to the
                network that the manifest names.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        manifest = self.manifest
        if not self.has_networks:
            raise BundleError(f"The bundle {manifest.name} has no networks.")
        if role not in manifest.networks:
            raise BundleError(
                f"The bundle {manifest.name} has no network {role!r}; it has "
                f"{list(manifest.networks)}."
            )
        settings = manifest.networks[role]
        network = settings.build(role, len(manifest.channels), manifest.classes_of(role))
        path = self.folder / manifest.weights[role].file
        try:
            state = load_file(path)
            network.load_state_dict(state)
        except (RuntimeError, SafetensorError) as error:
            raise BundleError(
                f"{path} does not hold the weights of the {settings.architecture} "
                f"{settings.dimension}D {role}."
            ) from error
        check_finite(state, path)
        return network

    def crf(self, role: str) -> CRFNet:
        """Return the CRF-Net that follows "pnet" or "rnet".

        Raises:
            BundleError: there is none, its weights are missing where the pairwise function is a
                learned one ("freeform"), or they don't belong to what the manifest describes.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from DeepIGeoSLib.crf.crfnet import CRFNet

        manifest = self.manifest
        if manifest.crf is None:
            raise BundleError(f"The bundle {manifest.name} has no CRF.")
        crf = CRFNet.of(manifest.crf, len(manifest.channels))
        key = crf_key(role)
        if key in manifest.weights:
            path = self.folder / manifest.weights[key].file
            try:
                state = load_file(path)
                crf.load_state_dict(state)
            except (RuntimeError, SafetensorError) as error:
                raise BundleError(
                    f"{path} does not hold the weights of the {manifest.crf.pairwise} CRF."
                ) from error
            check_finite(state, path)
        elif manifest.crf.pairwise == "freeform":
            raise BundleError(
                f"The bundle {manifest.name} names no weights for {key!r}, which its free-form CRF "
                "needs."
            )
        return crf

    def quantized(self, role: str) -> tuple[bytes, bytes]:
        """Return OpenVINO's description and numbers of the 8-bit "pnet" or "rnet".

        Raises:
            BundleError: there is none, or its file holds something else.
        """
        from safetensors import SafetensorError

        weights = self.manifest.weights.get(quantized_key(role))
        if weights is None:
            raise BundleError(
                f"The bundle {self.manifest.name} holds no int8 networks; "
                "'deepigeos bundles optimize' makes a bundle with them."
            )
        path = self.folder / weights.file
        try:
            return load_quantized(path)
        except (KeyError, SafetensorError) as error:
            raise BundleError(f"{path} does not hold an int8 network for OpenVINO.") from error


def list_bundles() -> list[str]:
    """Return the names of the bundles that come with the library."""
    return sorted(path.parent.name for path in _SHIPPED.glob(f"*/{MANIFEST_NAME}"))


def load_bundle(bundle: str | Path) -> Bundle:
    """Open a bundle after checking its manifest and the hash of every weight file.

    Args:
        bundle: the name of a shipped bundle, a folder, or "geodesic" for seeds without networks;
            a ``Path`` is always a folder.

    Raises:
        BundleError: there is no such bundle, or it is damaged; the message says what is wrong.
    """
    if bundle == GEODESIC:
        return Bundle(_SHIPPED, geodesic_manifest())
    folder = folder_of(bundle)
    manifest = read_manifest(folder)
    for weight in manifest.weights.values():
        _check_weights(folder, weight.file, weight.sha256)
    return Bundle(folder, manifest)


def folder_of(bundle: str | Path) -> Path:
    """Return the folder of a bundle.

    Raises:
        BundleError: there is no such bundle.
    """
    if bundle in list_bundles():
        return _SHIPPED / str(bundle)
    if not Path(bundle).is_dir():
        raise BundleError(
            f"There is no bundle {str(bundle)!r}: it is neither a folder nor one of "
            f"{list_bundles()}."
        )
    return Path(bundle)


def _check_weights(folder: Path, name: str, expected: str) -> None:
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise BundleError(
            f"{folder / MANIFEST_NAME} names the weights {name!r}; a .safetensors file in the "
            "bundle's own folder is expected."
        )
    check_weights(folder / name, expected)
