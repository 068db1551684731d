"""At the edge of the command line every failure is one sentence, whatever the console can show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from DeepIGeoSLib.cli import main

from .conftest import head_with_lesion

ROOT = Path(__file__).parents[3]


def deepigeos(*arguments: object, before: str = "", **options) -> subprocess.CompletedProcess:
    """Run the command in a process of its own, after a line of Python."""
    code = f"import sys\n{before}\nfrom DeepIGeoSLib.__main__ import run\nsys.exit(run())"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        cwd=ROOT,
        timeout=120,
        check=False,
        **options,
    )


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii", "cp437", "utf-16"])
@pytest.mark.parametrize("as_json", [False, True])
def test_every_name_can_be_shown_on_every_console(
    tmp_path: Path, encoding: str, as_json: bool
) -> None:
    folder = tmp_path / "\u8111 Gr\u00f6\u00dfe (1)"
    folder.mkdir()
    head = head_with_lesion()
    head.write_labels(folder / "seeds.nrrd", head.array > 150)
    head.write_map(folder / "image.nrrd", head.array)
    arguments = ["geodesic", folder / "image.nrrd", "--seeds", folder / "seeds.nrrd"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for seeds_missing in (False, True):
        extra = ["--label", "9"] if seeds_missing else []
        flags = ["--json"] if as_json else []
        done = deepigeos(*arguments, "-o", folder / "\u51fa.nrrd", *extra, *flags, env=environment)
        said = done.stderr.decode(encoding)
        assert done.returncode == (2 if seeds_missing else 0), said
        assert len(said.splitlines()) == int(seeds_missing)
        if as_json:
            json.loads(done.stdout.decode(encoding))


def test_names_that_are_no_text_are_shown_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff.nrrd")
    done = deepigeos("segment", tmp_path / name, "-o", tmp_path / "out.nrrd")
    assert done.returncode == 2
    assert b"\\udcff.nrrd does not exist" in done.stderr


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path: Path, capsys) -> None:
    assert main(["segment", f"{tmp_path}/a\n\x1b[31mb.nrrd", "-o", f"{tmp_path}/out.nrrd"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line


@pytest.mark.skipif(sys.platform == "win32", reason="no head")
def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m DeepIGeoSLib bundles flair-whole-tumor; echo code $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | true"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr == "code 0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_the_output_is_one_sentence() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "DeepIGeoSLib", "bundles"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_console_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program that Windows starts without one."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["bundles"]) == 0
    assert main(["bundles", "nowhere"]) == 2


@pytest.mark.parametrize("package", ["numpy", "SimpleITK", "torch"])
def test_a_core_package_that_is_missing_is_named(tmp_path: Path, package: str) -> None:
    head = head_with_lesion()
    head.write_map(tmp_path / "image.nrrd", head.array)
    arguments = ["segment", tmp_path / "image.nrrd", "-o", tmp_path / "out.nrrd"]
    done = deepigeos(*arguments, before=f"sys.modules[{package!r}] = None", text=True)
    assert done.returncode == 2
    assert f"The Python package '{package}' is needed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_package_that_breaks_at_its_import_is_named(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text(
        "raise ImportError('libfoo.so: cannot open\\nshared object file', name='numpy')"
    )
    line = f"sys.path.insert(0, {str(tmp_path)!r})"
    done = deepigeos("segment", "a.nrrd", "-o", tmp_path / "o.nrrd", before=line, text=True)
    assert done.returncode == 2
    assert "'numpy' can't be imported (libfoo.so" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("missing", ["torch", "scipy", "numba", "openvino", "matplotlib"])
def test_bundles_are_listed_without_packages_that_they_do_not_need(missing: str) -> None:
    done = deepigeos("bundles", before=f"sys.modules[{missing!r}] = None", text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "flair-whole-tumor" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a single process")
@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3, 0.5, 0.8, 1.2])
def test_ctrl_c_at_any_time_is_one_sentence(tmp_path: Path, delay: float) -> None:
    head = head_with_lesion()
    head.write_map(tmp_path / "image.nrrd", head.array)
    arguments = ["segment", str(tmp_path / "image.nrrd"), "-o", str(tmp_path / "out.nrrd")]
    process = subprocess.Popen(
        [sys.executable, "-m", "DeepIGeoSLib", *arguments, "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    # Python itself may not have reached our first line yet; what it says then is not ours.
    ended_early = process.returncode in (1, -signal.SIGINT)
    if ended_early and "DeepIGeoSLib" not in said and "Traceback" in said:
        pytest.skip("the interpreter was still starting")
    assert process.returncode in (0, 1, -signal.SIGINT)
    assert "Traceback" not in said
    assert said in ("", "deepigeos: Stopped.\n")
    if process.returncode != 0:
        assert [path.name for path in tmp_path.iterdir()] == ["image.nrrd"]


STOPPED = {
    "in a destructor, where Python drops it": """
class Dropping:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
def run(arguments, progress):
    Dropping()
    time.sleep(20)
""",
    "turned into another error by a package": """
def run(arguments, progress):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("numpy.core.multiarray failed to import")
""",
    "in a computation": """
def run(arguments, progress):
    signal.raise_signal(signal.SIGINT)
""",
    "while a thread fails at a package that is half imported": """
def fails():
    raise AttributeError("partially initialized module")
def run(arguments, progress):
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
""",
    "while a thread waits for a lock that an interrupted import left behind": """
def run(arguments, progress):
    threading.Thread(target=time.sleep, args=(1000,)).start()
    signal.raise_signal(signal.SIGINT)
""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a single process")
@pytest.mark.parametrize("code", STOPPED.values(), ids=STOPPED.keys())
def test_ctrl_c_is_not_lost(code: str) -> None:
    imports = "import signal, threading, time, DeepIGeoSLib.commands.bundles as command"
    line = f"{imports}\n{code}\ncommand.run = run"
    done = deepigeos("bundles", before=line, text=True)
    assert (done.returncode, done.stderr) == (1, "deepigeos: Stopped.\n")


def test_what_runs_the_command_in_its_own_process_keeps_its_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    assert main(["bundles"]) == 0
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a single process")
@pytest.mark.parametrize("pressed", [True, False])
def test_a_thread_that_fails_behind_a_ctrl_c_is_silent_to_the_end(pressed: bool) -> None:
    code = f"""
import signal, threading
from DeepIGeoSLib.commands.ctrl_c import CtrlC
def fails():
    raise AttributeError("partially initialized module")
with CtrlC():
    try:
        {pressed} and signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        pass
thread = threading.Thread(target=fails)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert ("partially initialized" in done.stderr) == (not pressed)
