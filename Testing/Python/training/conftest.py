"""Phantoms to train on, and runs of seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

Configure = Callable[..., Path]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def heads(
    tmp_path_factory: pytest.TempPathFactory, write_heads: Callable[[Path, int], None]
) -> Path:
    """Three phantoms to train on and one to validate with, in a folder with a split file."""
    root = tmp_path_factory.mktemp("data")
    write_heads(root, 4)
    return root


@pytest.fixture
def configure(heads: Path, tmp_path: Path) -> Configure:
    """Write a configuration for a run of seconds; what is given replaces or is merged into it."""
    source = {"dataset": "heads", "image": "{case}_image.nii.gz", "label": "{case}_label.nii.gz"}

    def write(output: str = "run", **changes: object) -> Path:
        mapping: dict = {
            "task": "pnet",
            "output": output,
            "validate_every": 4,
            "checkpoint_every": 2,
            "workers": 0,
            "data": {"root": str(heads), "sources": [source]},
            "grid": {"minimum": [8, 3, 3], "maximum": [16, 4, 4]},
            "network": {"architecture": "dilated"},
            "optimization": {
                "steps": 6,
                "batch_size": 1,
                "crop": [4, 24, 24],
                "learning_rate": 0.002,
                "threads": 1,
            },
            "logging": {"tensorboard": False},
        }
        for key, value in changes.items():
            merged = isinstance(value, dict) and isinstance(mapping.get(key), dict)
            mapping[key] = {**mapping[key], **value} if merged else value
        path = tmp_path / f"{output}.json"
        path.write_text(json.dumps(mapping))
        return path

    return write


@pytest.fixture
def start() -> Callable[..., subprocess.Popen]:
    """Start ``deepigeos train`` as a process of its own."""

    def run(*arguments: object, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "DeepIGeoSLib", "train", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run
