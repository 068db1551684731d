"""Workers: processes of this computer, or those of a Dask scheduler somewhere else."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import signal
import threading
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from DeepIGeoSLib.allocator import one_heap
from DeepIGeoSLib.batch.settings import Workers, WorkSettings
from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

# One thread of a worker computes, the other reads the next case or writes the last one.
THREADS = 2

# How often a case may have been in work in a process that ended, before it is set aside.
DEATHS = 3

# Seconds within which a scheduler somewhere else has to answer.
PATIENCE = 20

# Seconds within which processes end when they are told to.
CLOSING = 20

_DASHBOARD, _NO_DASHBOARD = "127.0.0.1:8787", "127.0.0.1:0"

# Environment variables that processes have from their beginning on.
_INHERITED = "distributed.nanny.pre-spawn-environ"

# Whose logs are Dask's. Below it, tornado logs a traceback where Ctrl-C meets a call to the
# scheduler that has not begun yet (distributed.utils.sync cancels what is not there then).
_LOGS = ("distributed", "tornado", "asyncio")


def check_packages(workers: Workers) -> None:
    """Check that Dask is installed where processes are asked for, and what draws its page.

    Raises:
        InputError: it is not.
    """
    if workers.count != 0 and importlib.util.find_spec("distributed") is None:
        raise InputError(
            "More than one process needs the package distributed (pip install deepigeos[batch]); "
            "--workers 0 does without it."
        )
    if workers.dashboard and importlib.util.find_spec("bokeh") is None:
        raise InputError(
            "Dask's dashboard (--dashboard) needs the package bokeh (pip install bokeh)."
        )


@contextmanager
def connected(
    workers: Workers, count: int, settings: WorkSettings
) -> Generator[Client, None, None]:
    """Yield a client of Dask; processes that were begun here end with the context.

    Args:
        workers: where they are.
        count: how many to begin on this computer.
        settings: say what each may use.

    Raises:
        InputError: dask.distributed is missing, or the scheduler does not answer.
    """
    check_packages(workers)
    import dask
    import distributed

    with dask.config.set(_configuration(settings, workers)), _silent():
        if workers.scheduler is not None:
            with _client(distributed, workers.scheduler) as client:
                yield client
            return
        with (
            _local(distributed, workers, count, settings=settings) as cluster,
            _client(distributed, cluster) as client,
        ):
            yield client


@contextmanager
def _silent() -> Generator[None, None, None]:
    """Keep Dask's log to itself: what goes wrong is said in one sentence."""
    known = logging.root.manager.loggerDict
    names = [name for name in known if name.partition(".")[0] in _LOGS]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _ctrl_c_waits() -> Generator[None, None, None]:
    """Let Ctrl-C wait until processes have begun, and let those leave it to this program.

    A terminal sends it to all of them, and each would end with a traceback. Threads and processes
    inherit that a signal is blocked: also processes that Dask's thread, begun here, begins later in
    the place of others. Signals are for the main thread alone; elsewhere nothing is changed, and
    nothing is inherited on Windows.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let the signal through where it begins
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
        if pressed.is_set():
            signal.raise_signal(signal.SIGINT)


@contextmanager
def _local(
    distributed: Any, workers: Workers, count: int, *, settings: WorkSettings
) -> Generator[Any, None, None]:
    """Begin processes on this computer, reachable from it alone, and end them."""
    cluster, before = None, dict(os.environ)
    try:
        with warnings.catch_warnings(), _ctrl_c_waits():
            warnings.simplefilter("ignore", UserWarning)  # of ports in use: another one is taken
            cluster = distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=THREADS,
                memory_limit=int(settings.memory_gb * 1e9),
                dashboard_address=_DASHBOARD if workers.dashboard else _NO_DASHBOARD,
                scheduler_kwargs={"dashboard": workers.dashboard},
                host="127.0.0.1",
                processes=True,
                silence_logs=logging.CRITICAL,
            )
        yield cluster
    finally:
        if cluster is not None:
            # What can't be ended in time ends with this program.
            with suppress(TimeoutError, asyncio.TimeoutError):  # two, in Python 3.10
                cluster.close(timeout=CLOSING)
        _restore_environment(before)


def _restore_environment(before: Mapping[str, str]) -> None:
    """Take back what Dask has told its processes by telling this one, which others inherit."""
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@contextmanager
def _client(distributed: Any, where: Any) -> Generator[Client, None, None]:
    try:
        client = distributed.Client(where, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"The scheduler {where} does not answer within {PATIENCE} s.") from error
    try:
        yield client
    finally:
        with suppress(TimeoutError, asyncio.TimeoutError):  # two, in Python 3.10
            client.close(timeout=CLOSING)


def _configuration(settings: WorkSettings, workers: Workers) -> dict[str, Any]:
    """Return how Dask's parts that begin here are to be."""
    threads = {
        f"{_INHERITED}.{variable}": settings.threads
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    memory = {f"{_INHERITED}.{variable}": value for variable, value in one_heap().items()}
    return {
        **threads,
        **memory,
        "distributed.scheduler.allowed-failures": DEATHS,
        # Results are small: nothing is moved to the disk, and a worker that once needed much
        # memory, which Python seldom gives back, goes on. What needs more than it may is ended.
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 0.98,
        # What the dashboard alone shows takes processor time from the work.
        "distributed.worker.profile.enabled": workers.dashboard,
        "distributed.admin.system-monitor.interval": "500ms" if workers.dashboard else "5s",
        "distributed.comm.timeouts.connect": f"{PATIENCE}s",
    }
