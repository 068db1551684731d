"""Many volume nodes of a scene: the same work and the same records as for files."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from DeepIGeoSLib.batch.quality import flags_of, uncertain_voxels
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.targets import targets_of
from DeepIGeoSLib.bundles import Bundle, summary_of
from DeepIGeoSLib.errors import InputError, Progress, stop_if
from DeepIGeoSLib.evaluation.metrics import TOLERANCE

# Under which kind of output a record names the node that was made.
SEGMENTATION = "segmentation"


def batch_nodes(
    logic: Any,
    volumeNodes: Sequence[Any],  # noqa: N803 Slicer's name
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> list[CaseRecord]:
    """Segment volume nodes, each into a new segmentation node.

    Args:
        logic: a ``SegmentationLogic`` with a model that segments by itself.
        volumeNodes: the images.
        progress: called with the share that is done and a text.
        cancel: stops the work when it is set.

    Returns:
        A record for each node; its output "segmentation" is the ID of the new node. A volume that
        can't be segmented has a record with the reason, and leaves no node.

    Raises:
        InputError: there is no node, or the model does not segment by itself.
        Cancelled: ``cancel`` was set; what is done stays.
    """
    if not volumeNodes:
        raise InputError("There is no volume to segment.")
    if not logic.proposes:
        raise InputError(f"The model {logic.bundle} does not segment by itself; choose another.")
    records = []
    for number, node in enumerate(volumeNodes):
        stop_if(cancel)
        if progress is not None:
            progress(number / len(volumeNodes), f"Segmenting {node.GetName()}")
        records.append(_record(logic, node, cancel))
    return records


def _record(logic: Any, node: Any, cancel: threading.Event | None) -> CaseRecord:
    began = time.perf_counter()
    made = None
    done: dict[str, Any] = {"state": State.FAILED}
    try:
        made, segment_id = logic.newTarget(node)
        done = _segmented(logic, (node, made, segment_id), cancel)
    except InputError as error:
        done["reason"] = str(error)
    finally:
        if made is not None and done["state"] is State.FAILED:
            made.GetScene().RemoveNode(made)
    seconds = time.perf_counter() - began
    return CaseRecord(name=node.GetName(), images=(node.GetID(),), seconds=seconds, **done)


def _segmented(
    logic: Any, place: tuple[Any, Any, str], cancel: threading.Event | None
) -> dict[str, Any]:
    from DeepIGeoSLib.scene.nodes import volumeFromNode

    result = logic.propose(*place, cancel=cancel)
    spacing = volumeFromNode(place[0]).spacing
    uncertain = uncertain_voxels(result.probability)
    return {
        "state": State.DONE,
        "outputs": {SEGMENTATION: place[1].GetID()},
        "shape": result.labels.shape,
        "spacing": spacing,
        "targets": targets_of(
            result.labels,
            {1: _task(logic.bundle)},
            spacing=spacing,
            uncertain=uncertain,
            truth=None,
            tolerance=TOLERANCE,
        ),
        "flags": flags_of(result.labels, uncertain),
    }


def _task(bundle: Any) -> str:
    return bundle.manifest.task if isinstance(bundle, Bundle) else summary_of(bundle).task
