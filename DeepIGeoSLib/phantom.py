"""Earlier home of the procedural head, kept for scripts; see ``samples.phantom``."""

from DeepIGeoSLib.samples.phantom import head_phantom

__all__ = ["head_phantom"]
