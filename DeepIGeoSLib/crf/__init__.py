"""CRF-Nets in use: fast mean-field iterations on arrays, exact enough to replace the network's."""

from __future__ import annotations

from DeepIGeoSLib.crf.mean_field import MeanField
from DeepIGeoSLib.crf.opening import open_crf, weights_name

__all__ = ["MeanField", "open_crf", "weights_name"]
