"""One sentence that says what to do next."""

from __future__ import annotations

from typing import Protocol

from DeepIGeoSLib.scene.ledger.rounds import ROUNDS_KEPT
from DeepIGeoSLib.scene.nodes import isEmpty
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.target import Target
from DeepIGeoSLib.scene.target_strokes import TargetStrokes
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.scene.work_options import WorkOptions


class Work(Protocol):
    """What advice depends on; a ``Workbench`` has all of it, and says what each is."""

    logic: SegmentationLogic
    options: WorkOptions
    target: Target
    strokes: TargetStrokes

    @property
    def hasTarget(self) -> bool:
        """Whether volume and target are chosen."""

    @property
    def isAccepted(self) -> bool:
        """Whether the target is completed."""

    @property
    def canUndo(self) -> bool:
        """Whether there is anything to take back."""


def nextStep(work: Work) -> str:
    """Return the advice for what is worked on."""
    if work.target.volumeNode is None:
        return _("Load an image and choose it as source volume.")
    if work.options.mouseButtonsPaint:
        return _nextStepInEditor(work)
    if work.isAccepted:
        return _("This segment is completed. Press Next lesion, or Reopen to change it.")
    empty = _isTargetEmpty(work)
    if not work.logic.proposes:
        if empty:
            return _("Press Missing and paint inside what you want to segment.")
    elif empty:
        return _("Press Segment, or press Missing and paint inside the lesion.")
    if not work.options.autoRefine:
        return _("Paint what is missing or too much, then press Refine.")
    return _("Paint what is missing or too much; each stroke is answered at once.")


def undoHint(work: Work) -> str:
    """Return what Undo takes back, or why there is nothing to take back."""
    if work.hasTarget and work.strokes.unanswered:
        return _("Take back the strokes that are not answered yet.")
    if work.canUndo:
        return _("Take back the newest round, with its strokes.")
    if not work.hasTarget:
        return _whyNoUndo("")
    return _whyNoUndo(work.logic.shortened(*work.target.place))


def _whyNoUndo(shortened: str) -> str:
    """Return why there is nothing to undo; see ``Ledger.shortened``."""
    reasons = {
        "rounds": _("Undo reaches back {count} rounds; all of them were taken back.").format(
            count=ROUNDS_KEPT
        ),
        "memory": _("There is no room for older rounds: what they did can't be taken back."),
        "edit": _(
            "The segment was changed where DeepIGeoS could not see it: what came before can't be "
            "taken back."
        ),
        "grid": _("The rounds were made on another grid, and can't be taken back on this one."),
    }
    return reasons.get(shortened, _("There is nothing to take back."))


def _nextStepInEditor(work: Work) -> str:
    """Return the advice in the Segment Editor, whose effect has fewer buttons."""
    if work.isAccepted:
        return _("This segment is completed. Change its status in the list of segments to go on.")
    empty = _isTargetEmpty(work)
    if not work.logic.proposes:
        if empty:
            return _("Paint inside what you want to segment with the left button.")
    elif empty:
        return _("Press Segment, or paint inside the lesion with the left button.")
    if not work.options.autoRefine:
        return _(
            "Paint what is missing with the left button or too much with the right, then press "
            "Refine."
        )
    return _(
        "Paint what is missing with the left button or too much with the right; each stroke is "
        "answered at once."
    )


def _isTargetEmpty(work: Work) -> bool:
    return not work.hasTarget or isEmpty(work.target.segmentationNode, work.target.segmentId)
