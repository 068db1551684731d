"""Earlier home of the normalization, kept for scripts; see ``inputs.normalization``."""

from DeepIGeoSLib.inputs.normalization import NormalizationSettings, normalize

__all__ = ["NormalizationSettings", "normalize"]
