"""The bundle without networks: strokes and the image alone, for a start without PyTorch."""

from __future__ import annotations

from DeepIGeoSLib.bundles.manifest import BundleManifest
from DeepIGeoSLib.bundles.migration import FORMAT_VERSION
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.inputs.normalization import NormalizationSettings
from DeepIGeoSLib.inputs.working_grid import GridSettings

GEODESIC = "geodesic"


def geodesic_manifest() -> BundleManifest:
    """Return the manifest of what answers without a network, see ``classical``."""
    return BundleManifest(
        format_version=FORMAT_VERSION,
        name=GEODESIC,
        version="2.0.0",
        task="whatever is painted, by seeds alone",
        modality="any",
        channels=("image",),
        license="Apache-2.0",
        networks={},
        normalization=NormalizationSettings(),
        grid=GridSettings(),
        interactions=InteractionSettings(),
        region=None,
        weights={},
    )
