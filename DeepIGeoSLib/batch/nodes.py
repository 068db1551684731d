"""Many volume nodes of a scene: the same work and the same records as for files."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from DeepIGeoSLib.batch.answer import AnsweredTarget, CaseAnswer
from DeepIGeoSLib.batch.quality import flags_of
from DeepIGeoSLib.batch.record import CaseRecord, State, reason_of
from DeepIGeoSLib.batch.targets import targets_of
from DeepIGeoSLib.bundles import Bundle, BundleManifest, load_bundle
from DeepIGeoSLib.bundles.intensities import intensities_are_unlike
from DeepIGeoSLib.errors import Cancelled, InputError, Progress, stop_if
from DeepIGeoSLib.evaluation.metrics import TOLERANCE
from DeepIGeoSLib.targets import label_numbers

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

    Of a model with several targets each gets its segment; of one that finds objects, each object.

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
    bundle = logic.bundle if isinstance(logic.bundle, Bundle) else load_bundle(logic.bundle)
    records = []
    for number, node in enumerate(volumeNodes):
        stop_if(cancel)
        if progress is not None:
            progress(number / len(volumeNodes), f"Segmenting {node.GetName()}")
        records.append(_record(logic, node, bundle, cancel=cancel))
    return records


def _record(logic: Any, node: Any, bundle: Bundle, *, cancel: threading.Event | None) -> CaseRecord:
    began = time.perf_counter()
    made = None
    done: dict[str, Any] = {"state": State.FAILED}
    try:
        made, segment_id = logic.newTarget(node)
        done = _segmented(logic, (node, made, segment_id), bundle, cancel=cancel)
    except Cancelled:
        raise
    except Exception as error:  # one volume's failure, whatever it is, is no other's
        done["reason"] = reason_of(error)
    finally:
        if made is not None and done["state"] is State.FAILED:
            made.GetScene().RemoveNode(made)
    seconds = time.perf_counter() - began
    return CaseRecord(name=node.GetName(), images=(node.GetID(),), seconds=seconds, **done)


def _segmented(
    logic: Any, place: tuple[Any, Any, str], bundle: Bundle, *, cancel: threading.Event | None
) -> dict[str, Any]:
    from DeepIGeoSLib.scene.nodes import volumeFromNode

    answer = _answer(logic, place, bundle.manifest, cancel=cancel)
    volume = volumeFromNode(place[0])
    targets = targets_of(answer, None, spacing=volume.spacing, tolerance=TOLERANCE)
    unlike = intensities_are_unlike(volume.array, bundle)
    return {
        "state": State.DONE,
        "outputs": {SEGMENTATION: place[1].GetID()},
        "shape": answer.numbers.shape,
        "spacing": volume.spacing,
        "targets": targets,
        "flags": flags_of(answer.numbers, targets, unlike=unlike),
    }


def _answer(
    logic: Any,
    place: tuple[Any, Any, str],
    manifest: BundleManifest,
    *,
    cancel: threading.Event | None,
) -> CaseAnswer:
    """Segment a node into its segments; return what was found."""
    if manifest.for_instances:
        return _objects(logic, place, manifest.task, cancel=cancel)
    if len(logic.targets) > 1:
        return _several(logic, place, cancel)
    result = logic.propose(*place, cancel=cancel)
    own = AnsweredTarget(manifest.task, 1, result.labels > 0, result)
    return CaseAnswer(result.labels, (own,))


def _several(logic: Any, place: tuple[Any, Any, str], cancel: threading.Event | None) -> CaseAnswer:
    from DeepIGeoSLib.scene.target_segments import segmentsOfTargets

    volume, node, segment_id = place
    segments = segmentsOfTargets(node, segment_id, logic.targets)
    found = logic.startProposeTargets(volume, node, segments, cancel=cancel).finish()
    answered = tuple(
        AnsweredTarget(target.name, label, own.labels > 0, own)
        for label, target in enumerate(logic.targets, 1)
        for own in [found[target.name]]
    )
    return CaseAnswer(label_numbers([one.mask for one in answered], logic.targets), answered)


def _objects(
    logic: Any, place: tuple[Any, Any, str], task: str, *, cancel: threading.Event | None
) -> CaseAnswer:
    from DeepIGeoSLib.scene.nodes import maskFromSegment, volumeFromNode

    volume, node, empty = place
    found = logic.findInstances(volume, node, cancel=cancel)
    node.GetSegmentation().RemoveSegment(empty)
    numbers = np.zeros(volumeFromNode(volume).shape, dtype=np.int32)
    for number, segment_id in enumerate(found, 1):
        numbers[maskFromSegment(volume, node, segment_id)] = number
    return CaseAnswer(numbers, (AnsweredTarget(task, 0, numbers > 0, objects=len(found)),))
