"""Nothing takes the processor's time away from a network that runs next."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from DeepIGeoSLib.allocator import one_heap

# A thread that goes on spinning is found running although nothing is asked of it any more.
_RESAMPLING = """
import threading
from pathlib import Path
import numpy as np
from DeepIGeoSLib.grid.resampling import resample

def busy():
    own = str(threading.get_native_id())
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != own]
    return sum((task / "stat").read_text().rpartition(")")[2].split()[0] == "R" for task in tasks)

array = np.ones((48, 112, 112), dtype=np.float32)
resample(array, (24, 112, 112))
while busy():  # until threads that importing has started are at rest
    pass
found = 0
for shape in [(24, 112, 112), (48, 90, 112), (48, 112, 90), (96, 150, 150)]:
    resample(array, shape)
    found += busy()
print(found)
"""

_FREEING = """
import resource
import numpy as np
from DeepIGeoSLib.allocator import keep_freed_memory


keep_freed_memory()
def fill():
    arrays = [np.ones(3_000_000, dtype=np.float64) for _ in range(6)]
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def printed_by(program: str, **environment: str) -> float:
    told = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", **environment}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, check=True, capture_output=True, env=os.environ | told)
    return float(answer.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is of Linux")
def test_resampling_leaves_no_thread_busy() -> None:
    assert printed_by(_RESAMPLING) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is of Linux")
def test_freed_memory_is_used_again() -> None:
    assert printed_by(_FREEING) < 1000  # pages; the arrays have 35 000


_RETURNING = """
import os
from pathlib import Path
import numpy as np
from DeepIGeoSLib.allocator import keep_freed_memory, return_freed_memory

keep_freed_memory()
arrays = [np.ones(100_000, dtype=np.float64) for _ in range(400)]
kept = arrays[-1]
del arrays  # 319 MB below what is still in use
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before = resident()
return_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is of Linux")
def test_freed_memory_is_given_back_when_asked() -> None:
    assert printed_by(_RETURNING) > 300e6


_IN_A_PROGRAM = """
import resource
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from DeepIGeoSLib.allocator import {keep}

{keep}()
def fill():
    array = np.ones(12_000_000, dtype=np.float64)
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    with ThreadPoolExecutor(1) as other:
        other.submit(fill).result()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages_again(keep: str, **environment: str) -> float:
    """Return the pages that the system gave a second thread for a block that a first one freed."""
    # NumPy asks for huge pages otherwise, which the system may have or not.
    environment["NUMPY_MADVISE_HUGEPAGE"] = "0"
    return printed_by(_IN_A_PROGRAM.format(keep=keep), **environment)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is of Linux")
def test_programs_of_our_own_keep_large_blocks_for_every_thread() -> None:
    of_the_block = 23_000
    assert pages_again("keep_freed_memory") > of_the_block
    assert pages_again("keep_more_freed_memory") < 1000
    assert pages_again("keep_more_freed_memory", MALLOC_TRIM_THRESHOLD_="65536") < 1000  # Dask's


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is of Linux")
def test_processes_begun_for_work_keep_large_blocks_for_every_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    told = {name: str(value) for name, value in one_heap().items()}
    assert pages_again("keep_freed_memory", **told) < 1000
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    assert one_heap() == {}  # somebody has decided


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is of Linux")
@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"])
def test_what_the_environment_says_of_memory_holds(name: str) -> None:
    assert pages_again("keep_more_freed_memory", **{name: "131072"}) > 23_000
