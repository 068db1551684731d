"""A batch run on a scheduler that runs by itself, and runs that end as by a power failure."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from cohorts import CASES, files_of

from DeepIGeoSLib.allocator import one_heap
from DeepIGeoSLib.batch import Workers, WorkSettings, cluster, read_records, run_batch
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.errors import InputError

pytest.importorskip("distributed", reason="distributed is not installed")

ROOT = Path(__file__).parents[3]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """A scheduler of Dask and a worker, begun as on a cluster; its address and its process."""
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    connection = ["--scheduler-file", str(file), "--no-dashboard"]
    begun = [
        subprocess.Popen(
            [*dask, "scheduler", *connection, "--host", "127.0.0.1", "--port", "0"],
            cwd=ROOT,
            **QUIET,
        )
    ]
    try:
        _wait(lambda: file.is_file() and file.read_text().endswith("}"))
        worker = [*dask, "worker", *connection, "--nthreads", "2", "--memory-limit", "4GB"]
        begun.append(subprocess.Popen([*worker, "--nworkers", "1"], cwd=ROOT, **QUIET))
        yield json.loads(file.read_text())["address"], begun[0]
    finally:
        for process in reversed(begun):
            process.terminate()
        for process in begun:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def begun(images: Path, out: Path, bundle: Path, *options: str) -> subprocess.Popen:
    """Begin the command as a program of its own, with events on its error output."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "DeepIGeoSLib", "batch", str(images), "-o", str(out)),
            *("--bundle", str(bundle), "--no-report", "--json", *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )


def wait_for_a_case(running: subprocess.Popen) -> None:
    """Wait until the first case is done."""
    assert running.stderr is not None
    for line in running.stderr:
        if json.loads(line)["event"] == "case":
            return
    raise AssertionError("The run ended before any case was done.")


def test_workers_of_a_scheduler_elsewhere_write_the_same(
    by_one_process: tuple[Path, dict[str, bytes]],
    scheduler: tuple,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    images, expected = by_one_process
    workers = Workers(scheduler=scheduler[0])
    out = images.parent / "out"
    monkeypatch.chdir(images.parent)  # the workers are in another folder
    result = run_batch(images.name, out.name, bundle=tiny_bundle, workers=workers, report=False)
    assert result.failed == []
    assert Path(result.records[0].images[0]).is_absolute()
    assert files_of(out) == expected


def test_a_scheduler_that_goes_away_is_one_sentence_and_costs_nothing_that_is_done(
    by_one_process: tuple[Path, dict[str, bytes]], scheduler, tiny_bundle: Path, tmp_path: Path
):
    images, expected = by_one_process
    out = tmp_path / "out"
    running = begun(images, out, tiny_bundle, "--scheduler", scheduler[0])
    wait_for_a_case(running)
    scheduler[1].kill()
    said, errors = running.communicate(timeout=120)
    assert running.returncode not in (0, None)
    assert json.loads(said)["error"].startswith("The scheduler is gone. What is done by now")
    assert "Traceback" not in errors
    done = len(read_records(out))
    assert 1 <= done < CASES
    result = run_batch(images, out, bundle=tiny_bundle, workers=Workers(count=0), report=False)
    assert result.worked_on == CASES - done
    assert files_of(out) == expected


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_power_failure_costs_only_what_was_in_work(
    by_one_process: tuple[Path, dict[str, bytes]], tiny_bundle: Path, tmp_path: Path, workers: str
):
    images, expected = by_one_process
    out = tmp_path / "out"
    running = begun(images, out, tiny_bundle, "--workers", workers)
    wait_for_a_case(running)
    os.killpg(running.pid, signal.SIGKILL)  # all of its processes, in one moment
    running.communicate(timeout=60)
    left = files_of(out)
    assert all(expected[name] == content for name, content in left.items())
    done = len(read_records(out))
    assert 1 <= done < CASES
    result = run_batch(images, out, bundle=tiny_bundle, workers=Workers(count=0), report=False)
    assert result.worked_on == CASES - done
    assert files_of(out) == expected
    assert not (out / "deepigeos-batch" / "unfinished").exists()


@pytest.mark.usefixtures("pythons_ctrl_c")
def test_ctrl_c_during_a_call_to_the_scheduler_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture,
):
    with cluster.connected(Workers(count=0), 0, WorkSettings()) as client:
        client.loop.add_callback(time.sleep, 1.0)  # the call waits, and Ctrl-C comes meanwhile
        press = [threading.main_thread().ident, signal.SIGINT]
        threading.Timer(0.3, signal.pthread_kill, press).start()
        with pytest.raises(KeyboardInterrupt):
            client.nthreads()
        client.nthreads()  # what was left of the first call is over
    assert caplog.records == []


def test_processes_have_one_heap_for_all_threads(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    before = dict(os.environ)
    with cluster.connected(Workers(count=1), 1, WorkSettings()) as client:
        (told,) = client.run(lambda: dict(os.environ)).values()
    assert {name: told.get(name) for name in one_heap()} == {
        name: str(value) for name, value in one_heap().items()
    }
    assert told["MALLOC_ARENA_MAX"] == "1"
    assert dict(os.environ) == before  # other programs that this one begins are not told


def test_the_dashboard_is_served_to_this_computer_alone(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("bokeh", reason="bokeh is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(cluster, "_DASHBOARD", f"127.0.0.1:{port}")
    with cluster.connected(Workers(count=1, dashboard=True), 1, WorkSettings()) as client:
        assert client.dashboard_link == f"http://127.0.0.1:{port}/status"
        with urllib.request.urlopen(client.dashboard_link, timeout=20) as answer:
            assert answer.status == 200
        listening = [c.laddr for c in psutil.Process().net_connections() if c.status == "LISTEN"]
        assert {place.ip for place in listening} == {"127.0.0.1"}


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("package", "sentence"),
    [
        ("bokeh", "Dask's dashboard (--dashboard) needs the package bokeh (pip install bokeh)."),
        ("distributed", "More than one process needs the package distributed (pip install"),
    ],
)
def test_what_is_not_installed_is_told_before_any_work(
    by_one_process: tuple[Path, dict[str, bytes]],
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    *,
    package: str,
    sentence: str,
    dry_run: list[str],
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == package else find(name, *a)
    )
    images, out = by_one_process[0], by_one_process[0].parent / "out"
    given = [str(images), "-o", str(out), "--bundle", str(tiny_bundle)]
    assert main(["batch", *given, "--dashboard", *dry_run]) == 2
    assert sentence in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("others", [{"count": 0}, {"scheduler": "tcp://10.0.0.1:8786"}])
def test_a_dashboard_of_no_processes_here_is_refused(others: dict):
    with pytest.raises(InputError, match="The dashboard shows processes that are begun here"):
        Workers(dashboard=True, **others)
