"""Nothing takes the processor's time away from a network that runs next."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
from DeepIGeoSLib.engines.allocator import keep_freed_memory


keep_freed_memory()
def fill():
    arrays = [np.ones(3_000_000, dtype=np.float64) for _ in range(6)]
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def printed_by(program: str) -> float:
    threads = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, check=True, capture_output=True, env=os.environ | threads)
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
from DeepIGeoSLib.engines.allocator import keep_freed_memory, return_freed_memory

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
