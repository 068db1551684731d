"""PyTorch is loaded while others use the interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="torch is not installed")

COUNTING = """
import sys, threading, time
from DeepIGeoSLib.scene.torch_loading import loadLibraries, loadTorch

steps = []

def count():
    while True:
        time.sleep(0.001)  # afterwards the interpreter lock is needed
        steps.append(True)

threading.Thread(target=count, daemon=True).start()
while not steps:
    time.sleep(0.001)
before = len(steps)
loadLibraries()
print(len(steps) - before, "torch" in sys.modules)
loadTorch()
print(sys.modules["torch"].ones(2).sum().item())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="seen on Linux only")
def test_other_threads_go_on_while_the_libraries_are_loaded():
    run = subprocess.run(
        [sys.executable, "-c", COUNTING], capture_output=True, text=True, check=True
    )
    steps, imported, total = run.stdout.split()
    assert int(steps) > 10  # with the lock it is one or two
    assert imported == "False"
    assert total == "2.0"


def test_a_torch_without_libraries_is_left_to_its_import(tmp_path, monkeypatch):
    from DeepIGeoSLib.errors import InputError
    from DeepIGeoSLib.scene import torch_loading

    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("raise ImportError('no libtorch')")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InputError, match=r"can't be loaded \(no libtorch\)"):
        torch_loading.loadTorch()
