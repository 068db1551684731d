"""Data of every kind end in a training run: several channels, photographs, slices."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, load_bundle
from DeepIGeoSLib.cli import main

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

pytestmark = pytest.mark.slow

GRID = {"minimum": [2, 0.8, 0.8], "maximum": [8, 1.3, 1.3]}


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    """Train P-Net for two steps; return the run's folder."""

    def train(root: Path, source: dict, task: str = "pnet", **keys: object) -> Path:
        mapping = {
            "task": task,
            "output": f"run-{task}",
            "validate_every": 2,
            "checkpoint_every": 2,
            "workers": 0,
            "data": {"root": str(root), "sources": [source]},
            "grid": GRID,
            "optimization": {"steps": 2, "crop": keys.pop("crop", [4, 16, 16]), "threads": 1},
            **keys,
        }
        path = tmp_path / f"{task}.json"
        path.write_text(json.dumps(mapping))
        assert main(["train", str(path)]) == 0
        return tmp_path / f"run-{task}"

    return train


def test_two_channels_end_in_a_bundle_of_two_channels(pairs: Path, trained, head) -> None:
    (pairs / "heads" / "t1").mkdir()
    for number in range(6):
        volume = head(number)
        other = np.flip(volume.array, axis=2)
        volume.write_map(pairs / "heads" / "t1" / f"p{number // 2}_{number % 2}.nii.gz", other)
    source = {"layout": "folders", "dataset": "heads", "other_channels": ["t1/{case}.nii.gz"]}
    pnet = trained(pairs, source)
    words = {"name": "two", "version": "1", "task": "boxes", "modality": "MR"}
    bundle = load_bundle(
        trained(
            pairs,
            source,
            task="rnet",
            pnet=[str(pnet / "best.ckpt")],
            bundle={**words, "channels": ["FLAIR", "T1"]},
        )
        / "two"
    )
    session = InteractiveSession(bundle, device="cpu")
    session.set_volume([head(0), head(1)])
    assert session.propose().labels.shape == head(0).shape


def test_photographs_train_a_2d_network(voc: Path, trained) -> None:
    source = {"layout": "voc", "dataset": "VOC2012", "classes": ["aeroplane"], "color": "rgb"}
    folder = trained(voc, source, crop=[1, 16, 16], network={"dimension": 2})
    assert (folder / "best.ckpt").is_file()


def test_slices_train_a_2d_network(pairs: Path, trained) -> None:
    source = {"layout": "folders", "dataset": "heads", "slices": {"without_target": 0.5}}
    folder = trained(pairs, source, crop=[1, 16, 16], network={"dimension": 2})
    assert (folder / "best.ckpt").is_file()
