"""A batch run by many processes: the same results, whatever happens to the processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from cohorts import CASES, files_of

from DeepIGeoSLib.batch import (
    Workers,
    WorkSettings,
    cards,
    cluster,
    plan,
    plan_batch,
    read_records,
    run_batch,
)
from DeepIGeoSLib.errors import InputError

pytest.importorskip("distributed", reason="distributed is not installed")


def workers_of(parent: psutil.Process) -> list[psutil.Process]:
    """Return the processes that work on cases (not Python's own that looks after resources)."""
    found = []
    for child in parent.children(recursive=True):
        with suppress(psutil.Error):  # it has ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_killed_workers_change_nothing(
    by_one_process: tuple[Path, dict[str, bytes]], tiny_bundle: Path, tmp_path: Path
):
    images, expected = by_one_process
    killed = []

    def kill_one(_record: object) -> None:
        alive = workers_of(psutil.Process())
        if len(killed) < 2 and alive:
            alive[0].kill()
            killed.append(alive[0].pid)

    out = tmp_path / "out"
    result = run_batch(
        images, out, bundle=tiny_bundle, workers=Workers(count=2), on_record=kill_one, report=False
    )
    assert len(killed) == 2
    assert result.failed == []
    assert files_of(out) == expected
    assert sorted(record.name for record in read_records(out)) == sorted(
        record.name for record in read_records(tmp_path / "alone")
    )
    assert not (out / "deepigeos-batch" / "unfinished").exists()


def test_ctrl_c_ends_everything_in_a_sentence_and_the_same_command_goes_on(
    by_one_process: tuple[Path, dict[str, bytes]], tiny_bundle: Path, tmp_path: Path
):
    images, expected = by_one_process
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "DeepIGeoSLib", "batch", str(images), "-o", str(out)),
        *("--bundle", str(tiny_bundle), "--workers", "1", "--json"),
    ]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[3],
    )
    assert running.stderr is not None
    children: list[psutil.Process] = []
    for line in running.stderr:
        if json.loads(line)["event"] == "case":
            children = workers_of(psutil.Process(running.pid))
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to all of its processes
            break
    said, errors = running.communicate(timeout=120)
    assert running.returncode == 1
    assert json.loads(said) == {"error": "Stopped."}
    assert errors.splitlines()[-1] == "deepigeos: Stopped."
    assert "Traceback" not in errors
    assert len(children) == 1
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() for child in children)
    done = len(read_records(out))
    assert 1 <= done < CASES
    result = run_batch(images, out, bundle=tiny_bundle, workers=Workers(count=0), report=False)
    assert result.worked_on == CASES - done
    assert files_of(out) == expected


@pytest.mark.usefixtures("pythons_ctrl_c")
def test_ctrl_c_while_processes_begin_is_not_lost(monkeypatch: pytest.MonkeyPatch):
    """A terminal sends it to all of them; what has begun by then is ended."""
    import distributed

    done = []

    class Begun:
        def __init__(self, **_: object) -> None:
            signal.raise_signal(signal.SIGINT)
            done.append("begun")

        def close(self, **_: object) -> None:
            done.append("ended")

    monkeypatch.setattr(distributed, "LocalCluster", Begun)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), cluster.connected(Workers(), 1, WorkSettings()):
        done.append("worked")
    assert done == ["begun", "ended"]
    assert signal.getsignal(signal.SIGINT) is handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which signals are blocked")
def test_processes_leave_ctrl_c_to_the_program_also_those_that_take_the_place_of_others():
    with cluster.connected(Workers(), 1, WorkSettings()) as client:
        (first,) = workers_of(psutil.Process())
        first.kill()
        deadline = time.monotonic() + 60
        while (found := workers_of(psutil.Process())) in ([], [first]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        client.wait_for_workers(1, timeout=60)
        (line,) = re.findall(r"SigBlk:\s*(\w+)", Path(f"/proc/{found[0].pid}/status").read_text())
        assert int(line, 16) >> (signal.SIGINT - 1) & 1


def test_a_case_that_no_worker_survives_is_listed_with_its_reason(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(cluster, "DEATHS", 0)  # each takes seconds
    monkeypatch.setattr(plan, "_BASE_BYTES", 0)
    images = write_cohort(1)
    settings = WorkSettings(memory_gb=0.15)  # less than Python with torch takes
    result = run_batch(
        images,
        tmp_path / "out",
        bundle=tiny_bundle,
        workers=Workers(count=1),
        settings=settings,
        report=False,
    )
    (record,) = result.failed
    assert "may need more memory than a worker may use" in record.reason
    assert files_of(tmp_path / "out") == {}


def test_less_memory_than_python_takes_is_refused_before_any_work(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    settings, out = WorkSettings(memory_gb=0.3), tmp_path / "out"
    with pytest.raises(InputError, match=r"may use 0\.3 GB .*, but needs 0\.7 GB"):
        run_batch(write_cohort(1), out, bundle=tiny_bundle, settings=settings)
    assert not out.exists()


def test_there_is_a_process_for_each_card_or_for_each_core(monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(plan, "free_memory", lambda: 1e12)
    monkeypatch.setattr(plan, "_cores", lambda: 6)

    def count(device: str) -> int | None:
        return plan.worker_count(Workers(), WorkSettings(device=device, threads=2), 100)

    monkeypatch.setattr(cards.ctypes.util, "find_library", lambda _name: None)
    assert (count("auto"), count("cpu")) == (3, 3)
    monkeypatch.setattr(cards.ctypes.util, "find_library", lambda name: f"lib{name}.so")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [count(device) for device in ("auto", "cuda", "cuda:1", "cpu")] == [4, 4, 1, 3]
    monkeypatch.setattr(cards, "process_number", lambda: 6)
    assert cards.device_of_process("auto") == "cuda:2"
    assert cards.device_of_process("cuda:1") == "cuda:1"
    assert cards.device_of_process("cpu") == "cpu"


def test_processes_have_numbers_and_the_program_has_none():
    with cluster.connected(Workers(), 2, WorkSettings()) as client:
        said = client.map(lambda _: cards.process_number(), range(16), pure=False)
        assert set(client.gather(said)) <= {0, 1}
    assert cards.process_number() is None


def test_a_device_that_is_not_here_is_refused_before_any_work(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(1), tmp_path / "out"
    settings = WorkSettings(device="cuda:99")
    for begin in (plan_batch, run_batch):
        with pytest.raises(InputError, match="The device 'cuda:99' can't be used"):
            begin(images, out, bundle=tiny_bundle, settings=settings)
    assert not out.exists()


def test_a_scheduler_that_does_not_answer_is_named(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    workers = Workers(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(InputError, match=r"The scheduler tcp://127\.0\.0\.1:9 does not answer"):
        run_batch(write_cohort(1), tmp_path / "out", bundle=tiny_bundle, workers=workers)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": -1}, "0 or more is expected"),
        ({"count": 2, "scheduler": "tcp://a:1"}, "has workers of its own"),
        ({"scheduler": "a:1"}, "one like tcp://"),
    ],
)
def test_workers_that_can_not_be_are_refused(given: dict, said: str):
    with pytest.raises(InputError, match=said):
        Workers(**given)
