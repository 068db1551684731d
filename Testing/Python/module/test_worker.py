"""The thread that computes while Slicer's main thread keeps the interpreter lock in Qt's loop."""

from __future__ import annotations

import ctypes
import itertools
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

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


def sums(done):
    """Compute for about half a second in Python, with the interpreter lock; count the steps."""
    for _ in range(STEPS):
        sum(n * n for n in range(50_000))
        done.append(True)


@pytest.fixture
def happened(worker, monkeypatch):
    """What the main thread did while ``sums`` was computed.

    Waits, as (milliseconds at most, milliseconds until the next one, steps computed meanwhile), and
    None for each event of the user interface that was handled.
    """
    import qt

    from DeepIGeoSPanel import worker as workers

    done, happened = [], []
    wait = workers.wait

    def counted(futures, timeout):
        begun = len(done)
        wait(futures, timeout=timeout)
        happened.append((1000 * timeout, worker._timer.interval(), len(done) - begun))

    monkeypatch.setattr(workers, "wait", counted)
    clock = qt.QTimer()
    clock.setInterval(1)
    clock.connect("timeout()", lambda: happened.append(None))
    clock.start()
    wait_for(worker.submit(sums, done))
    clock.stop()
    assert len(happened) > 10
    return happened


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
    """While it waits for events no other thread takes a step, as it does while this one sleeps."""
    import qt
    from desktop.event_loop import wait_for_events

    done, ended = [], threading.Event()

    def count():
        while not ended.is_set():
            done.append(True)

    def steps_during(call):
        # In one sweep of C code: between two lines of Python this thread may be interrupted.
        calls = [partial(len, done), *20 * [call], partial(len, done)]
        before, *_, after = map(partial.__call__, calls)
        return after - before

    clock = qt.QTimer()
    clock.setInterval(10)
    clock.start()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(count)
        while not done:
            time.sleep(0.001)
        waiting, sleeping = steps_during(wait_for_events), steps_during(partial(time.sleep, 0.01))
        ended.set()
    clock.stop()
    assert waiting == 0
    assert sleeping > 0


def test_a_computation_has_the_lock_nearly_all_the_time(happened):
    """The main thread waits for most of each period, and nearly everything is computed then.

    What a computation takes longer than on the main thread is what the pauses take.
    """
    waits = [wait for wait in happened if wait is not None]
    assert sum(steps for *_, steps in waits) > STEPS / 1.3
    assert all((waited + paused) / waited < 1.3 for waited, paused, _steps in waits)


def test_events_are_answered_meanwhile(happened):
    """The main thread never waits for longer than 50 ms, nor twice without handling events."""
    assert all(wait[0] <= 50 for wait in happened if wait is not None)
    assert not any(one and other for one, other in itertools.pairwise(happened))


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


@pytest.mark.skipif(
    sys.gettrace() is not None,
    reason="what measures coverage may swallow the exception that ends the thread",
)
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
