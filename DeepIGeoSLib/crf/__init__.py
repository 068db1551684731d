"""CRF-Nets in use: fast mean-field iterations on arrays, exact enough to replace the network's."""

from __future__ import annotations

from DeepIGeoSLib.crf.mean_field import MeanField

__all__ = ["MeanField"]
