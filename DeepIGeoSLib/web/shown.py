"""What the page shows of a session, as plain values."""

from __future__ import annotations

from typing import Any

from DeepIGeoSLib.bundles import GEODESIC, BundleError, list_bundles, summary_of
from DeepIGeoSLib.scene.lesions import isCompleted
from DeepIGeoSLib.web.css_color import css
from DeepIGeoSLib.web.session import WebSession

_KINDS = {"segmented": "segmented", "refined": "refined", "edited": "edited by hand"}


def shown(session: WebSession) -> dict[str, Any]:
    """Return the names and values that the page's templates use."""
    bench = session.bench
    open_ = not bench.isAccepted
    has_volume = session.case is not None
    can_paint = has_volume and open_
    rounds = bench.rounds
    return {
        "case_title": session.case.title if session.case else "",
        "has_volume": has_volume,
        "is_dicom": has_volume and session.case.is_dicom,
        "status": bench.status if has_volume else "Open an image, or drop a file here.",
        "busy": bench.busy,
        "progress": round(100 * bench.progress[0]) if bench.busy else 0,
        "can_paint": can_paint,
        "can_segment": can_paint and bench.logic.proposes,
        "can_refine": can_paint and bench.seeds is not None,
        "can_undo": bench.canUndo and open_,
        "can_redo": bench.canRedo and open_,
        "undo_hint": bench.undoHint,
        "has_rounds": bool(rounds),
        "has_target": bench.hasTarget,
        "is_accepted": bench.isAccepted,
        "milliliters": f"{bench.milliliters:.2f} ml" if bench.hasTarget else "",
        "rounds": [
            {
                "number": number,
                "kind": _KINDS[made.kind],
                "changed": f"{made.changed:.2f}",
                "total": f"{made.total:.2f}",
            }
            for number, made in reversed(list(enumerate(rounds, 1)))
        ],
        "targets": _targets(bench.segmentationNode),
        "target": bench.segmentId,
        "model": str(bench.logic.bundle),
    }


def models() -> list[dict[str, str]]:
    """Return the models to choose from: each with name, title and what it is for."""
    found = []
    for name in list_bundles():
        try:
            summary = summary_of(name)
        except BundleError:
            continue  # a damaged one says so where it is asked for by name
        found.append(
            {"value": name, "title": name, "subtitle": f"{summary.task}; {summary.modality}"}
        )
    found.sort(key=lambda model: model["value"] != "any-structure")
    none = "From your strokes alone, for any structure"
    return [*found, {"value": GEODESIC, "title": "No model", "subtitle": none}]


def _targets(segmentation_node: Any) -> list[dict[str, Any]]:
    """Return the segments: ID, name, color as the page writes it, whether locked and shown."""
    if segmentation_node is None:
        return []
    segmentation = segmentation_node.GetSegmentation()
    display = segmentation_node.GetDisplayNode()
    return [
        {
            "id": segment_id,
            "name": segmentation.GetSegment(segment_id).GetName(),
            "color": css(segmentation.GetSegment(segment_id).GetColor()),
            "locked": isCompleted(segmentation_node, segment_id),
            "visible": bool(display.GetSegmentVisibility(segment_id)),
        }
        for segment_id in segmentation.GetSegmentIDs()
    ]
