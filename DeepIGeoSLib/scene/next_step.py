"""One sentence that says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from DeepIGeoSLib.scene.ledger import ROUNDS_KEPT
from DeepIGeoSLib.scene.nodes import isEmpty
from DeepIGeoSLib.scene.translation import tr as _

if TYPE_CHECKING:
    from DeepIGeoSLib.scene.workbench import Workbench


def nextStep(workbench: Workbench) -> str:
    """Return the advice for what a workbench holds."""
    if workbench.volumeNode is None:
        return _("Load an image and choose it as source volume.")
    if workbench.options.mouseButtonsPaint:
        return _nextStepInEditor(workbench)
    if workbench.isAccepted:
        return _("This segment is completed. Press Next lesion, or Reopen to change it.")
    empty = _isTargetEmpty(workbench)
    if not workbench.logic.proposes:
        if empty:
            return _("Press Missing and paint inside what you want to segment.")
    elif empty:
        return _("Press Segment, or press Missing and paint inside the lesion.")
    if not workbench.options.autoRefine:
        return _("Paint what is missing or too much, then press Refine.")
    return _("Paint what is missing or too much; each stroke is answered at once.")


def undoHint(workbench: Workbench) -> str:
    """Return what Undo takes back, or why there is nothing to take back."""
    if workbench.hasTarget and workbench.strokes.unanswered:
        return _("Take back the strokes that are not answered yet.")
    if workbench.canUndo:
        return _("Take back the newest round, with its strokes.")
    if not workbench.hasTarget:
        return _whyNoUndo("")
    return _whyNoUndo(workbench.logic.shortened(*workbench.target.place))


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


def _nextStepInEditor(workbench: Workbench) -> str:
    """Return the advice in the Segment Editor, whose effect has fewer buttons."""
    if workbench.isAccepted:
        return _("This segment is completed. Change its status in the list of segments to go on.")
    empty = _isTargetEmpty(workbench)
    if not workbench.logic.proposes:
        if empty:
            return _("Paint inside what you want to segment with the left button.")
    elif empty:
        return _("Press Segment, or paint inside the lesion with the left button.")
    if not workbench.options.autoRefine:
        return _(
            "Paint what is missing with the left button or too much with the right, then press "
            "Refine."
        )
    return _(
        "Paint what is missing with the left button or too much with the right; each stroke is "
        "answered at once."
    )


def _isTargetEmpty(workbench: Workbench) -> bool:
    return not workbench.hasTarget or isEmpty(workbench.segmentationNode, workbench.segmentId)
