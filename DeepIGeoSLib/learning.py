"""Earlier home of learning from own cases, kept for scripts; see ``training.own_cases``."""

from DeepIGeoSLib.training.own_cases import LearningFolder
from DeepIGeoSLib.training.own_run import LearningRun

__all__ = ["LearningFolder", "LearningRun"]
