"""The bundle without networks: seeds and geodesic distances alone, for a start without PyTorch."""

from __future__ import annotations

from DeepIGeoSLib.bundles.manifest import BundleManifest
from DeepIGeoSLib.bundles.migration import FORMAT_VERSION
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.inputs.normalization import NormalizationSettings
from DeepIGeoSLib.inputs.working_grid import GridSettings

GEODESIC = "geodesic"


def geodesic_manifest() -> BundleManifest:
    """Return the settings of the seed-only method.

    Distances count intensities alone, as in the paper; with millimeters mixed in, the rule did
    worse (see ``evaluation.baselines.geodesic_rule``). They are cut early, because a class without
    seeds leaves the other one nothing else to stop at.
    """
    return BundleManifest(
        format_version=FORMAT_VERSION,
        name=GEODESIC,
        version="1.0.0",
        task="whatever is painted, by seeds alone",
        modality="any",
        channels=("image",),
        license="Apache-2.0",
        networks={},
        normalization=NormalizationSettings(),
        grid=GridSettings(),
        interactions=InteractionSettings(weight=1.0, max_distance=8.0),
        region=(48, 96, 96),
        weights={},
    )
