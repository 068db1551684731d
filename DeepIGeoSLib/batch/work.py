"""The work on one case, from its files to its files: what runs in each worker."""

from __future__ import annotations

import errno
import shutil
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.order import WorkOrder, hash_of
from DeepIGeoSLib.batch.outputs import write_case
from DeepIGeoSLib.batch.quality import flags_of, uncertain_voxels
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.targets import targets_of
from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.bundles.intensities import intensities_are_unlike
from DeepIGeoSLib.bundles.meaning import meaning_of
from DeepIGeoSLib.data.case import on_one_grid
from DeepIGeoSLib.errors import Cancelled, DeepIGeoSError
from DeepIGeoSLib.interaction.seed_files import read_seeds
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.interaction.session import InteractiveSession
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
    session: InteractiveSession


@dataclass(frozen=True)
class _Read:
    """What was read for a case; masks and labels lie on the first channel, axes (k, j, i)."""

    channels: list[Volume]
    seeds: tuple[np.ndarray, np.ndarray] | None
    initial: np.ndarray | None
    truth: np.ndarray | None


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
    read = _read(case)
    volume, settings = read.channels[0], order.settings
    with _computing, torch_threads(settings.threads):
        opened = _opened(order)
        session, bundle = opened.session, opened.bundle
        segmentation = _segmented(session, read, cancel)
        labels, uncertain = segmentation.labels, uncertain_voxels(segmentation.probability)
        targets = targets_of(
            labels,
            {1: bundle.manifest.task},
            spacing=volume.spacing,
            uncertain=uncertain,
            truth=read.truth,
            tolerance=settings.tolerance,
        )
        meaning = meaning_of(bundle, automatic=case.seeds is None)
        unlike = intensities_are_unlike(volume.array, bundle)
        session.reset()
    outputs = write_case(case, order, volume=volume, segmentation=segmentation, meaning=meaning)
    return CaseRecord(
        **_inputs_of(case),
        state=State.DONE,
        outputs=outputs,
        shape=volume.shape,
        spacing=volume.spacing,
        targets=targets,
        flags=flags_of(labels, uncertain, unlike=unlike),
    )


def _read(case: BatchCase) -> _Read:
    series = case.series or (None,) * len(case.images)
    channels = on_one_grid(
        [Volume.read(path, series=one) for path, one in zip(case.images, series, strict=True)]
    )
    first = channels[0]
    return _Read(
        channels,
        None if case.seeds is None else read_seeds(first, case.seeds),
        None if case.initial is None else first.read_labels(case.initial) > 0,
        None if case.truth is None else first.read_labels(case.truth),
    )


def _segmented(
    session: InteractiveSession, read: _Read, cancel: threading.Event | None
) -> Segmentation:
    session.set_volume(read.channels)
    if read.seeds is None and read.initial is None:
        return session.propose(cancel=cancel)
    foreground, background = read.seeds or (None, None)
    return session.refine(foreground, background, read.initial, cancel=cancel)


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
        settings = order.settings
        session = InteractiveSession(
            bundle,
            device=settings.device,
            undo_limit=1,
            memory_budget=settings.network_bytes,
            crf=settings.crf,
            engine=settings.engine,
        )
        _opened_once = _Opened(order, bundle, session)
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
    if isinstance(error, DeepIGeoSError):
        reason = str(error)
    elif isinstance(error, MemoryError):
        reason = "There was not enough memory."
    else:
        reason = f"{type(error).__name__}: {error}"
    return CaseRecord(
        **_inputs_of(case),
        state=State.FAILED,
        reason=" ".join(reason.split()),
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
