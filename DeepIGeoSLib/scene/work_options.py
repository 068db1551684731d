"""How the user wants to work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer


@dataclass
class WorkOptions:
    """What a front end may set at any time.

    Attributes:
        autoRefine: whether each new stroke is answered at once.
        goToChanges: whether the slice views go to what Segment and Refine changed.
        editableArea: where the target may grow: what ``EditableArea`` holds.
        mouseButtonsPaint: whether strokes are painted with the left and the right mouse button
            rather than by the module's buttons; advice speaks of what there is.
        outlines: whether a closed foreground stroke in a slice counts as its area.
        neighbors: what happens to segments of one proposal that exclude the target, see
            ``SegmentationLogic.startRefine``.
        allTargets: whether Segment fills a segment for each of the model's targets; else only the
            chosen one, by its target or by its name.
    """

    autoRefine: bool = True
    goToChanges: bool = False
    editableArea: tuple[Any, ...] = (slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere,)
    mouseButtonsPaint: bool = False
    outlines: bool = True
    neighbors: str = "keep"
    allTargets: bool = True
