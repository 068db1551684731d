"""The thread that computes while Slicer's main thread keeps the interpreter lock in Qt's loop."""

from __future__ import annotations

import ctypes
import itertools
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def polls():
    return []


@pytest.fixture
def worker(module, polls):
    from DeepIGeoSPanel.worker import Worker

    worker = Worker(lambda: polls.append(time.perf_counter()))
    worker.start()
    yield worker
    worker.shutdown(wait=False, cancel_futures=True)


STEPS = 120


def sums(told=lambda: None):
    """Compute for about half a second in Python, with the interpreter lock, and return how long.

    Each of the ``STEPS`` is ``told``.
    """
    start = time.perf_counter()
    for _ in range(STEPS):
        sum(n * n for n in range(50_000))
        told()
    return time.perf_counter() - start


def until(done, seconds=20):
    from desktop.event_loop import run_until

    run_until(done, seconds)


def wait_for(future, seconds=20):
    until(future.done, seconds)
    return future.result()


def kill(thread):
    """End a thread as soon as it runs Python code."""
    code = ctypes.py_object(SystemExit)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), code)


def spin():
    while True:
        time.sleep(0.001)


def test_the_stand_in_keeps_the_lock_in_the_event_loop(module):
    """A bare timer, which does nothing but tick, leaves a thread next to no time."""
    import qt

    alone = min(sums() for _ in range(3))
    timer = qt.QTimer()
    timer.setInterval(50)
    timer.connect("timeout()", lambda: None)
    timer.start()
    with ThreadPoolExecutor(1) as pool:
        start = time.perf_counter()
        future = pool.submit(sums)
        until(lambda: future.done() or time.perf_counter() - start > 2 * alone)
        assert not future.done()
        timer.stop()


def test_a_computation_takes_hardly_longer_than_on_the_main_thread(worker):
    ratios = []
    for _ in range(5):
        alone = sums()
        start = time.perf_counter()
        wait_for(worker.submit(sums))
        ratios.append((time.perf_counter() - start) / alone)
    assert min(ratios) < 1.3


def test_events_are_answered_meanwhile(worker):
    """Between two events less is computed than the main thread computes in 50 ms.

    Counted in steps, not in seconds: a loaded machine delays both alike.
    """
    import qt

    done, seen = [], []
    clock = qt.QTimer()
    clock.setInterval(5)
    clock.connect("timeout()", lambda: seen.append(len(done)))

    def share():
        """Return what is computed between two events, as a share of what is allowed."""
        allowed = 0.05 / (sums() / STEPS)
        done.clear()
        seen.clear()
        clock.start()
        wait_for(worker.submit(sums, lambda: done.append(True)))
        clock.stop()
        waits = [later - sooner for sooner, later in itertools.pairwise([0, *seen, STEPS])]
        assert len(waits) > 5
        return statistics.quantiles(waits, n=20)[-1] / allowed

    assert any(share() < 1 for _ in range(10))  # other processes may take the processor away


def test_work_is_done_in_order_on_one_thread(worker):
    def work(number):
        return number, threading.get_ident()

    futures = [worker.submit(work, number) for number in range(5)]
    results = [wait_for(future) for future in futures]
    assert [number for number, _ in results] == list(range(5))
    assert len({ident for _, ident in results}) == 1
    assert results[0][1] != threading.get_ident()


def test_errors_are_handed_on(worker):
    with pytest.raises(ZeroDivisionError):
        wait_for(worker.submit(lambda: 1 // 0))


def test_it_polls_also_when_nothing_is_computed(worker, polls):
    until(lambda: len(polls) > 2)


def test_a_thread_that_dies_is_noticed_and_replaced(worker):
    from DeepIGeoSLib.errors import DeepIGeoSError

    thread = wait_for(worker.submit(threading.current_thread))
    kill(thread)
    for lost in [worker.submit(spin), worker.submit(int)]:
        with pytest.raises(DeepIGeoSError, match="ended unexpectedly"):
            wait_for(lost)
    assert wait_for(worker.submit(threading.current_thread)) is not thread


def test_an_exit_in_the_thread_does_not_end_the_application(worker):
    from DeepIGeoSLib.errors import DeepIGeoSError

    def leave():
        raise SystemExit

    with pytest.raises(DeepIGeoSError, match="ended unexpectedly"):
        wait_for(worker.submit(leave))
    assert wait_for(worker.submit(lambda: 5)) == 5


def test_after_the_end_nothing_is_taken(worker):
    worker.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        worker.submit(int)
