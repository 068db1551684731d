"""A target, and what must hold of several in one network.

A network with a softmax knows exclusive classes; class 0 is the background. A target is one class
or a union of some, so that targets that lie in each other (tumor core in whole tumor) come from
exclusive classes as well, and are never at odds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from DeepIGeoSLib.errors import InputError

# Red, green, blue from 0 to 255, for targets without a color of their own, in order. The first four
# are those of lesions in the scene.
_COLORS: tuple[tuple[int, int, int], ...] = (
    (240, 228, 66),
    (191, 0, 255),
    (235, 255, 250),
    (255, 170, 150),
    (0, 158, 115),
    (230, 159, 0),
    (0, 114, 178),
    (128, 174, 128),
)

# Keys of what Slicer keeps with a segment: the target that it was proposed as, by its name and by
# its classes, by which one tells from the segments alone which targets exclude each other.
TARGET_TAG = "DeepIGeoS.Target"
CLASSES_TAG = "DeepIGeoS.TargetClasses"

# Labels of files and of scenes are bytes.
_MOST = 255

# In the place of a class, where nobody says what is there: no class, and no background either.
IGNORED = 255


@dataclass(frozen=True)
class Target:
    """What a network looks for.

    Attributes:
        name: what users read, such as "myocardium".
        classes: numbers of the network's classes that belong to it; 0 is the background's.
        color: red, green and blue from 0 to 255; one by its place in the list when null.
    """

    name: str
    classes: tuple[int, ...] = (1,)
    color: tuple[int, int, int] | None = None

    def excludes(self, other: Target) -> bool:
        """Whether no voxel can belong to both."""
        return not set(self.classes) & set(other.classes)


def check_targets(targets: Sequence[Target]) -> None:
    """Check the targets of one network; none stand for a single one without a name.

    Raises:
        InputError: a name is missing or there twice, a color is none, a class is the background or
            left out, or two targets overlap though neither lies in the other.
    """
    if len(targets) > _MOST:
        raise InputError(f"there are {len(targets)} targets; at most {_MOST} are expected.")
    for target in targets:
        if not target.name.strip():
            raise InputError("a target has an empty name.")
        if target.color is not None and not all(0 <= part <= 255 for part in target.color):
            raise InputError(
                f"the target {target.name!r} has the color {list(target.color)}; three numbers "
                "from 0 to 255 are expected."
            )
    twice = [name for name, count in Counter(t.name for t in targets).items() if count > 1]
    if twice:
        raise InputError(f"two targets are named {twice[0]!r}; each needs a name of its own.")
    classes = {number for target in targets for number in target.classes}
    if IGNORED in classes:
        raise InputError(f"the targets need {len(classes)} classes; {IGNORED - 1} are possible.")
    if classes != set(range(1, len(classes) + 1)) or not all(t.classes for t in targets):
        raise InputError(
            f"the targets have the classes {sorted(classes)}; the numbers from 1 on, without a "
            "gap, and at least one for each target are expected."
        )
    for number, target in enumerate(targets):
        for other in targets[:number]:
            both = set(target.classes) & set(other.classes)
            if both and both not in (set(target.classes), set(other.classes)):
                raise InputError(
                    f"the targets {other.name!r} and {target.name!r} share some of their voxels; "
                    "two targets of a network must be apart, or one must lie in the other."
                )


def class_count(targets: Sequence[Target]) -> int:
    """Return how many classes a network for these targets tells apart, the background among them.

    Without targets there are two.
    """
    return 1 + max((max(target.classes) for target in targets), default=1)


def in_targets(classes: np.ndarray) -> np.ndarray:
    """Return where classes belong to any target: bool, the shape of ``classes``."""
    return (classes > 0) & (classes != IGNORED)


def tags_of(target: Target) -> dict[str, str]:
    """Return what is kept with the segment of a target, by key."""
    return {TARGET_TAG: target.name, CLASSES_TAG: ",".join(map(str, target.classes))}


def colored(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return the targets, each with a color."""
    return tuple(
        target if target.color else replace(target, color=_COLORS[number % len(_COLORS)])
        for number, target in enumerate(targets)
    )


def target_named(name: str, targets: Sequence[Target], where: str) -> int:
    """Return the place of a target in the list.

    Args:
        name: of the target.
        targets: to choose from.
        where: how to name what they belong to.

    Raises:
        InputError: there is none of this name.
    """
    names = [target.name for target in targets]
    if name not in names:
        known = f"it has {', '.join(names)}" if names else "it has a single one without a name"
        raise InputError(f"{where} has no target {name!r}; {known}.")
    return names.index(name)
