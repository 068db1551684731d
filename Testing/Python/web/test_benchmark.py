"""The benchmark of the browser's tool, with two strokes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def test_every_part_is_measured(chromium: Any, head: Path) -> None:
    pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")
    arguments = ["benchmark", "web", str(head), "--model", "any-structure", "--strokes", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "DeepIGeoSLib", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    measured = {what.strip(): float(seconds) for what, seconds in rows[1:]}
    assert len(measured) == 5
    assert min(measured.values()) > 0
