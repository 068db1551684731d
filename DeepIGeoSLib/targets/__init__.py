"""What a network proposes: one target or several, each with a name, a color and its classes."""

from __future__ import annotations

from DeepIGeoSLib.targets.answers import label_numbers, masks_of_labels, target_probabilities
from DeepIGeoSLib.targets.target import (
    CLASSES_TAG,
    IGNORED,
    TARGET_TAG,
    Target,
    check_targets,
    class_count,
    colored,
    in_targets,
    tags_of,
    target_named,
)

__all__ = [
    "CLASSES_TAG",
    "IGNORED",
    "TARGET_TAG",
    "Target",
    "check_targets",
    "class_count",
    "colored",
    "in_targets",
    "label_numbers",
    "masks_of_labels",
    "tags_of",
    "target_named",
    "target_probabilities",
]
