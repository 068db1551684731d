"""What is loaded and compiled, when, and what happens where something is missing."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import DeepIGeoSLib
from DeepIGeoSLib.geodesic import geodesic_distance, set_thread_count, sweeps, thread_count, warm_up

PACKAGE = Path(DeepIGeoSLib.__file__).parent

needs_numba = pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")

COMPUTE = """
import numpy as np
from DeepIGeoSLib.geodesic import geodesic_distance
image = np.random.default_rng(0).normal(size=(9, 20, 33))
seeds = image > 2.5
"""


def run(script, folder=PACKAGE.parent, **environment):
    """Run a script in a new interpreter and return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**inherited, "PYTHONPATH": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_loads_no_heavy_package():
    script = """
import sys
import DeepIGeoSLib.geodesic
print([name for name in ("numba", "torch", "scipy", "SimpleITK") if name in sys.modules])
"""
    assert run(script) == "[]"


def test_without_numba_sweeps_take_over_and_need_nothing_but_numpy():
    script = f"""
import sys
sys.modules["numba"] = None
{COMPUTE}
found = geodesic_distance(image, seeds, (2, 1, 1), weight=0.5)
truth = geodesic_distance(image, seeds, (2, 1, 1), weight=0.5, engine="dijkstra")
assert (found == truth).all()
assert "torch" not in sys.modules
try:
    geodesic_distance(image, seeds, (2, 1, 1), engine="blocks")
except ValueError as error:
    print(error)
"""
    assert run(script).startswith("The engine 'blocks' needs numba, which does not load: ")


def test_a_numba_that_does_not_load_is_as_none(tmp_path):
    """It refuses to load next to a NumPy that is too new for it."""
    (tmp_path / "numba").mkdir()
    broken = "raise ImportError('Numba needs NumPy 2.1 or less.')"
    (tmp_path / "numba" / "__init__.py").write_text(broken)
    script = f"""
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s")
sys.path.insert(0, {str(tmp_path)!r})
{COMPUTE}
geodesic_distance(image, seeds, (2, 1, 1))
"""
    expected = "Distance maps are slow because numba does not load: Numba needs NumPy 2.1 or less."
    assert run(script) == expected


@needs_numba
def test_machine_code_is_kept_where_the_package_can_not_be_written_to(tmp_path):
    copy = tmp_path / "read-only" / "DeepIGeoSLib"
    ignored = shutil.ignore_patterns("__pycache__", "bundles")
    shutil.copytree(PACKAGE, copy, ignore=ignored)
    # Permissions do not stop an administrator; a file in the folder's place stops everybody.
    (copy / "geodesic" / "__pycache__").touch()
    home = tmp_path / "home"
    home.mkdir()
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "LOCALAPPDATA": str(home)}
    script = f"""
{COMPUTE}
geodesic_distance(image, seeds, (2, 1, 1), engine="blocks")
from DeepIGeoSLib.geodesic.schedule import visit_blocks
print(sum(visit_blocks.stats.cache_misses.values()))
"""
    assert run(script, copy.parent, **places) == "1"
    assert list(home.rglob("*visit_blocks*"))
    assert run(script, copy.parent, **places) == "0"


@needs_numba
def test_where_nothing_can_be_kept_it_is_compiled_every_time(monkeypatch, caplog):
    from DeepIGeoSLib.geodesic import compilation

    real = compilation.njit

    def nowhere(*arguments, cache=False, **options):
        if cache:
            raise RuntimeError("no locator available")
        return real(*arguments, **options)

    def double(number):
        return 2 * number

    monkeypatch.setattr(compilation, "njit", nowhere)
    assert compilation.compiled_once(double)(21) == 42
    assert "no locator available" in caplog.text


@needs_numba
def test_warming_up_compiles_in_the_background():
    thread = warm_up(channels=2)
    assert thread is not threading.current_thread()
    thread.join()
    from DeepIGeoSLib.geodesic.schedule import visit_blocks

    before = len(visit_blocks.signatures)
    image = np.random.default_rng(0).normal(size=(2, 9, 9, 9))
    geodesic_distance(image, image[0] > 2, (1, 1, 1), weight=0.5)
    assert len(visit_blocks.signatures) == before


@needs_numba
def test_python_goes_on_while_blocks_are_relaxed():
    image = np.random.default_rng(0).normal(size=(60, 100, 100))
    seeds = np.zeros(image.shape, dtype=bool)
    seeds[0, 0, 0] = True
    geodesic_distance(image, seeds, (1, 1, 1), engine="blocks")
    thread = threading.Thread(
        target=geodesic_distance, args=(image, seeds, (1, 1, 1)), kwargs={"engine": "blocks"}
    )
    thread.start()
    steps = 0
    while thread.is_alive():
        steps += 1
    assert steps > 1000


def test_a_worker_process_uses_one_thread():
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(thread_count).result() == 1


def a_map():
    image = np.random.default_rng(0).normal(size=(40, 60, 70))
    return geodesic_distance(image, image > 4, (1, 1, 1), weight=0.5)


@needs_numba
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks data loaders")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_worker_computes_after_its_parent_did():
    try:
        set_thread_count(3)
        expected = a_map()
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
            np.testing.assert_array_equal(pool.submit(a_map).result(timeout=60), expected)
    finally:
        set_thread_count(None)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sweeps_of_an_accelerator_are_exact(channels, monkeypatch):
    """Their operations, on the CPU."""
    pytest.importorskip("torch", reason="torch is not installed")
    image = np.random.default_rng(0).normal(size=(channels, 9, 14, 11))
    seeds = image[0] > 2
    truth = geodesic_distance(image, seeds, (1, 2, 3), weight=0.5, engine="dijkstra")
    arrays = sweeps._Torch("cpu")
    arrays.parts = [slice(0, 3)]
    monkeypatch.setattr(sweeps, "_arrays", lambda device: arrays)
    found = geodesic_distance(image, seeds, (1, 2, 3), weight=0.5, engine="sweeps:cuda")
    np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize("max_distance", [None, 9.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_sweeps_on_a_graphics_processor_are_exact(channels, max_distance):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    image = np.random.default_rng(0).normal(size=(channels, 40, 50, 60)) * 3
    seeds = image[0] > 11
    settings = {"weight": 0.6, "max_distance": max_distance}
    truth = geodesic_distance(image, seeds, (3, 1, 1), **settings, engine="dijkstra")
    found = geodesic_distance(image, seeds, (3, 1, 1), **settings, engine="sweeps:cuda")
    np.testing.assert_array_equal(found, truth)


def test_a_missing_graphics_processor_is_named():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    image = np.zeros((3, 3, 3))
    with pytest.raises(ValueError, match="'cuda' is not available"):
        geodesic_distance(image, image == 0, (1, 1, 1), engine="sweeps:cuda")


@needs_numba
def test_code_that_a_later_numba_refuses_leaves_the_work_to_sweeps(monkeypatch, caplog):
    def refused(*_, **_options):
        raise TypeError("as_pointer() takes no address space\nand much more")

    monkeypatch.setattr("DeepIGeoSLib.geodesic.blocks.solve", refused)
    monkeypatch.setattr("DeepIGeoSLib.geodesic.solvers._given_up", threading.Event())
    image = np.random.default_rng(0).normal(size=(6, 9, 12)).astype(np.float32)
    seeds = image > 2
    truth = geodesic_distance(image, seeds, (2, 1, 1), engine="dijkstra")
    for _ in range(2):
        found = geodesic_distance(image, seeds, (2, 1, 1))
        np.testing.assert_array_equal(found, truth)
    (warning,) = caplog.messages
    assert warning.endswith("does not compile them here: as_pointer() takes no address space")


def test_every_place_that_installs_numba_has_the_same_bounds():
    root = PACKAGE.parent
    (wanted,) = re.findall(r'"(numba[^"]*)"', (root / "pyproject.toml").read_text())
    panel = (root / "DeepIGeoS" / "DeepIGeoSPanel" / "speed_up.py").read_text()
    assert f'"{wanted}"' in panel
    tested = re.search(r"^numba==(\S+)", (root / "constraints.txt").read_text(), re.MULTILINE)[1]
    low, high = re.fullmatch(r"numba>=([\d.]+),<([\d.]+)", wanted).groups()
    assert numbers(low) <= numbers(tested) < numbers(high)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
