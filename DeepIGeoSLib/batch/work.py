"""The work on one case, from its files to its files: what runs in each worker."""

from __future__ import annotations

import errno
import importlib.util
import shutil
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from DeepIGeoSLib.batch.answer import CaseAnswer
from DeepIGeoSLib.batch.answering import Answerer
from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.order import WorkOrder, hash_of
from DeepIGeoSLib.batch.outputs import write_case
from DeepIGeoSLib.batch.quality import flags_of
from DeepIGeoSLib.batch.reading import CaseContent, read_case
from DeepIGeoSLib.batch.record import CaseRecord, State, reason_of
from DeepIGeoSLib.batch.report.pictures import keep_thumbnail
from DeepIGeoSLib.batch.targets import targets_of
from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.bundles.intensities import intensities_are_unlike
from DeepIGeoSLib.bundles.meaning import meaning_of
from DeepIGeoSLib.errors import Cancelled, DeepIGeoSError
from DeepIGeoSLib.volume import Volume

# A process computes for one case at a time. A second thread reads the next case, or writes the
# last one, meanwhile.
_computing = threading.Lock()
_opened_once: _Opened | None = None

# A disk with less room than this is full.
_NO_ROOM = 2**20


class UnfitWorkerError(DeepIGeoSError):
    """A worker can't work on any case: it has another version or bundle, or lacks the folder."""


@dataclass(frozen=True)
class _Opened:
    """What a process opens once and keeps for all cases of an order."""

    order: WorkOrder
    bundle: Bundle
    answerer: Answerer


def work_on(case: BatchCase, order: WorkOrder, cancel: threading.Event | None = None) -> CaseRecord:
    """Segment a case and write its files.

    Args:
        case: what is read.
        order: what is the same for all cases.
        cancel: stops the work when it is set.

    Returns:
        What is known of it; also where it failed, with the reason.

    Raises:
        UnfitWorkerError: this worker can't work on any case of this order.
        Cancelled: ``cancel`` was set; nothing was written.
    """
    began = time.perf_counter()
    _check_fit(order)
    try:
        record = _done(case, order, cancel)
    except (Cancelled, UnfitWorkerError):
        raise
    except Exception as error:  # one case's failure, whatever it is, is no other's
        record = _failed(case, order, error)
    return replace(record, seconds=time.perf_counter() - began)


def _done(case: BatchCase, order: WorkOrder, cancel: threading.Event | None) -> CaseRecord:
    content = read_case(case, order)
    volume, settings = content.channels[0], order.settings
    with _computing, torch_threads(settings.threads):
        opened = _opened(order)
        answer = opened.answerer.answer(content, cancel)
        targets = targets_of(
            answer, content.truths, spacing=volume.spacing, tolerance=settings.tolerance
        )
        unlike = intensities_are_unlike(volume.array, opened.bundle)
        flags = flags_of(answer.numbers, targets, unlike=unlike)
    automatic = case.seeds is None
    meaning = meaning_of(opened.bundle, automatic=automatic, target=settings.target)
    if order.thumbnails and importlib.util.find_spec("PIL"):
        _keep_thumbnail(case, order, volume, content=content, answer=answer)
    outputs = write_case(case, order, volume=volume, answer=answer, meaning=meaning)
    return CaseRecord(
        **_inputs_of(case),
        state=State.DONE,
        outputs=outputs,
        shape=volume.shape,
        spacing=volume.spacing,
        targets=targets,
        flags=flags,
    )


def _keep_thumbnail(
    case: BatchCase, order: WorkOrder, volume: Volume, *, content: CaseContent, answer: CaseAnswer
) -> None:
    """Draw what the report will show, while the case is at hand."""
    truth = None if content.truths is None else np.any(content.truths, axis=0)
    keep_thumbnail(order.output, case.name, volume, labels=answer.numbers, truth=truth)


def _opened(order: WorkOrder) -> _Opened:
    """Return this process's bundle and session; opened when they are first needed."""
    global _opened_once
    if _opened_once is None or _opened_once.order != order:
        bundle = load_bundle(order.bundle)
        if hash_of(bundle) != order.bundle_hash:
            raise UnfitWorkerError(
                f"The bundle {order.bundle} on {socket.gethostname()} is another one than where "
                "the run was begun."
            )
        _opened_once = _Opened(order, bundle, Answerer(bundle, order))
    return _opened_once


def forget_session() -> None:
    """Let go of the networks and of the last volume."""
    global _opened_once
    with _computing:
        _opened_once = None


@contextmanager
def torch_threads(threads: int) -> Generator[None, None, None]:
    """Let torch compute with so many threads in this process, and with as many as before later."""
    try:
        import torch
    except ImportError:  # where there is no torch, nothing computes with it
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_fit(order: WorkOrder) -> None:
    from DeepIGeoSLib import __version__

    if __version__ != order.version:
        raise UnfitWorkerError(
            f"DeepIGeoS {__version__} is installed on {socket.gethostname()}, but the run was "
            f"begun with {order.version}."
        )
    if not order.output.is_dir():
        raise UnfitWorkerError(
            f"The folder {order.output} does not exist on {socket.gethostname()}; all computers of "
            "a cluster need the same folders."
        )


def _failed(case: BatchCase, order: WorkOrder, error: Exception) -> CaseRecord:
    return CaseRecord(
        **_inputs_of(case),
        state=State.FAILED,
        reason=reason_of(error),
        disk_full=_is_full(order, error),
    )


def _is_full(order: WorkOrder, error: BaseException | None) -> bool:
    """Whether an error is one of a disk without room, or there is none."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__
    try:
        return shutil.disk_usage(order.output).free < _NO_ROOM
    except OSError:
        return False


def _inputs_of(case: BatchCase) -> dict:
    return {
        "name": case.name,
        "images": tuple(map(str, case.images)),
        "series": next(iter(case.series), None),
        "truth": None if case.truth is None else str(case.truth),
    }
