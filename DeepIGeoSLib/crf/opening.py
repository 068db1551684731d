"""A bundle's CRF-Nets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from DeepIGeoSLib.crf.mean_field import MeanField
from DeepIGeoSLib.errors import BundleError

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle


def weights_name(role: str) -> str:
    """Return the key of a CRF-Net's weights in a manifest: that of the network it follows."""
    return f"{role}-crf"


def open_crf(bundle: Bundle, role: str, device: str = "auto") -> MeanField:
    """Return the CRF-Net that follows a bundle's "pnet" or "rnet".

    Args:
        bundle: from ``load_bundle``; its manifest must have a ``crf`` section.
        role: of the network before it.
        device: as for ``TorchEngine``.

    Raises:
        BundleError: there is no CRF, its weights are missing where the pairwise function is learned
            ("freeform"), or they don't belong to what the manifest describes.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from DeepIGeoSLib.networks.crfnet import CRFNet

    manifest = bundle.manifest
    if manifest.crf is None:
        raise BundleError(f"The bundle {manifest.name} has no CRF.")
    network = CRFNet.of(manifest.crf, len(manifest.channels))
    weights = manifest.weights.get(weights_name(role))
    if weights is not None:
        path = bundle.folder / weights.file
        try:
            network.load_state_dict(load_file(path))
        except (RuntimeError, SafetensorError) as error:
            raise BundleError(
                f"{path} does not hold the weights of the {manifest.crf.pairwise} CRF."
            ) from error
    elif manifest.crf.pairwise == "freeform":
        raise BundleError(
            f"The bundle {manifest.name} names no weights for {weights_name(role)!r}, which its "
            "free-form CRF needs."
        )
    return MeanField(network, device)
