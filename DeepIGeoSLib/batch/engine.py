"""Cases to workers, records back: never more in work than keeps all workers busy."""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
import uuid
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.work import forget_session, work_on
from DeepIGeoSLib.errors import DeepIGeoSError, stop_if

if TYPE_CHECKING:
    from distributed import Client, Future

# Called with records that have come, and with cases that are about to be worked on.
Note = Callable[[Sequence[CaseRecord], Sequence[BatchCase]], None]

# What workers do with a case.
Work = Callable[[BatchCase, WorkOrder], CaseRecord]

# Cases that wait at the scheduler for each thread: so many that no worker waits for the next, so
# few that the scheduler's memory does not depend on how large the cohort is. They are filled up
# when half of them is done.
_AHEAD = 8
_LEAST_AHEAD = 8

# Seconds between looks at whether somebody wants an end, and at how many workers there are.
_LOOK, _COUNT = 0.2, 5.0

# Seconds within which a finished record comes from its worker.
_FETCH = 5.0

# What Dask says of a future whose scheduler is gone, and of one whose finished record went with its
# worker, so that another one begins the case again.
_GONE, _LOST = "cancelled", "lost"


class LostSchedulerError(DeepIGeoSError):
    """The connection to the scheduler is gone."""


def in_this_process(
    cases: Sequence[BatchCase], order: WorkOrder, *, note: Note, cancel: threading.Event | None
) -> None:
    """Work on cases one after the other.

    Args:
        cases: in their order.
        order: what is the same for all.
        note: see ``Note``.
        cancel: stops the work when it is set.

    Raises:
        Cancelled: ``cancel`` was set; what was noted before is done.
    """
    try:
        for case in cases:
            stop_if(cancel)
            note([], [case])
            note([work_on(case, order, cancel)], [])
    finally:
        forget_session()


def on_workers(
    client: Client,
    cases: Sequence[BatchCase],
    order: WorkOrder,
    *,
    note: Note,
    cancel: threading.Event | None,
    work: Work = work_on,
) -> None:
    """Have the workers of a scheduler work on cases.

    A case whose worker ends is begun again on another one. One that has been in work in several
    that ended is set aside, and tried once more when all others are done and it is alone.

    Args:
        client: connected.
        cases: in their order.
        order: what is the same for all.
        note: see ``Note``; called from this thread.
        cancel: stops the work when it is set.
        work: what they do with each.

    Raises:
        Cancelled: ``cancel`` was set; what was noted before is done.
        LostSchedulerError: the scheduler is gone.
        DeepIGeoSError: the workers can't do this work at all.
    """
    hands = _Hands(client, order, work=work, note=note, cancel=cancel)
    set_aside = hands.work_through(cases, alone=False)
    for case in hands.work_through(set_aside, alone=True):
        note([_ended(case)], [])


class _Hands:
    """Hands out cases and takes records back."""

    def __init__(
        self,
        client: Client,
        order: WorkOrder,
        *,
        work: Work,
        note: Note,
        cancel: threading.Event | None,
    ) -> None:
        self._client = client
        self._order = order
        self._work = work
        self._note = note
        self._cancel = cancel
        self._finished: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._in_work: dict[Hashable, tuple[Future, BatchCase]] = {}
        self._unseen = 0.0

    def work_through(self, cases: Sequence[BatchCase], *, alone: bool) -> list[BatchCase]:
        """Work on cases; return those whose workers ended again and again."""
        waiting, set_aside = iter(cases), []
        window = 1 if alone else self._window()
        self._hand_out(waiting, window, [])
        while self._in_work:
            records = []
            for future in self._come():
                _, case = self._in_work[future.key]
                try:
                    record = self._record_of(future)
                except (TimeoutError, asyncio.TimeoutError):  # two, in Python 3.10
                    self._watch(future, case)
                    continue
                del self._in_work[future.key]
                if record is None:
                    set_aside.append(case)
                else:
                    records.append(record)
            if not alone and self._unseen >= _COUNT:
                window, self._unseen = self._window(), 0.0
            self._hand_out(waiting, window, records)
        return set_aside

    def _hand_out(
        self, waiting: Iterator[BatchCase], window: int, records: list[CaseRecord]
    ) -> None:
        """Note what has come, and fill up what is in work."""
        free = window - len(self._in_work)
        # Several at once: the scheduler's time is for messages, whatever is in them.
        count = free if free >= max(1, window // 2) else 0
        chosen = list(itertools.islice(waiting, count))
        if records or chosen:
            self._note(records, chosen)
        if not chosen:
            return
        keys = [f"case-{uuid.uuid4().hex}" for _ in chosen]
        futures = self._client.map(self._work, chosen, order=self._order, key=keys, pure=False)
        for future, case in zip(futures, chosen, strict=True):
            self._watch(future, case)

    def _watch(self, future: Future, case: BatchCase) -> None:
        self._in_work[future.key] = (future, case)
        future.add_done_callback(self._finished.put)

    def _come(self) -> list[Future]:
        """Return what is finished; wait a moment where nothing is."""
        stop_if(self._cancel)
        try:
            come = [self._finished.get(timeout=_LOOK)]
        except queue.Empty:
            self._unseen += _LOOK
            if self._client.status != "running":
                raise _lost() from None
            return []
        while not self._finished.empty():
            come.append(self._finished.get())
        return come

    def _record_of(self, future: Future) -> CaseRecord | None:
        """Return the record of a finished case; None where its workers ended.

        Raises:
            TimeoutError: the record is gone with its worker.
        """
        from distributed import KilledWorker

        if future.status == _GONE or self._client.status != "running":
            raise _lost()
        if future.status == _LOST:
            raise TimeoutError
        try:
            return future.result(timeout=_FETCH)
        except KilledWorker:
            return None
        except asyncio.CancelledError as error:
            raise _lost() from error
        except (DeepIGeoSError, TimeoutError, asyncio.TimeoutError):
            raise
        except Exception as error:
            raise DeepIGeoSError(
                f"The workers can't do the work: {type(error).__name__}: {error}. Is DeepIGeoS "
                "installed where they run?"
            ) from error

    def _window(self) -> int:
        threads = sum(self._client.nthreads().values())
        return max(_LEAST_AHEAD, _AHEAD * threads)


def _ended(case: BatchCase) -> CaseRecord:
    return CaseRecord(
        name=case.name,
        state=State.FAILED,
        images=tuple(map(str, case.images)),
        reason="Every process that worked on it was ended from outside, also when no other case "
        "was in work; it may need more memory than a worker may use (--memory).",
    )


def _lost() -> LostSchedulerError:
    return LostSchedulerError(
        "The scheduler is gone. What is done by now is in its place; the same command goes on from "
        "there."
    )
