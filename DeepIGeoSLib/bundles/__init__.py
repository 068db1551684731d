"""Model bundles: a folder with a manifest, weights and a model card.

The weights are safetensors files whose SHA-256 stands in the manifest; nothing in a bundle is code
and nothing is unpickled, so a bundle from anywhere can be opened without trusting it.
"""

from __future__ import annotations

from DeepIGeoSLib.bundles.bundle import Bundle, list_bundles, load_bundle
from DeepIGeoSLib.bundles.catalog import (
    BundleSummary,
    bundle_for,
    proposes,
    summary_of,
    targets_of,
)
from DeepIGeoSLib.bundles.geodesic import GEODESIC
from DeepIGeoSLib.bundles.manifest import BundleManifest, TrainingData, WeightFile, crf_key
from DeepIGeoSLib.bundles.migration import FORMAT_VERSION
from DeepIGeoSLib.errors import BundleError

__all__ = [
    "FORMAT_VERSION",
    "GEODESIC",
    "Bundle",
    "BundleError",
    "BundleManifest",
    "BundleSummary",
    "TrainingData",
    "WeightFile",
    "bundle_for",
    "crf_key",
    "list_bundles",
    "load_bundle",
    "proposes",
    "summary_of",
    "targets_of",
]
