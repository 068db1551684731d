"""What architectures learn in the same short training from nothing, on tasks that are made up.

Lesions in computed heads, seen in thick and in thin slices, are segmented (Dice). Disks that touch
in computed pictures are found by what finds objects in 2D (AP at an overlap of 0.5).
"""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.networks import NetworkSettings

# Of the computed heads: voxels and mm along (k, j, i).
TASKS = {
    "thick slices": ((12, 64, 64), (12.0, 3.0, 3.0)),
    "thin slices": ((32, 64, 64), (4.5, 3.0, 3.0)),
}
CROPS = {"thick slices": (8, 64, 64), "thin slices": (16, 64, 64)}
_CASES, _HELD_OUT = 8, 2

_DISKS, _SIDE, _DISKS_EACH = "touching disks", 128, 20

_OBJECTS = "mask-rcnn"


def write_tasks(folder: Path) -> None:
    """Write the cases of every task into a folder of its name, and a list that divides them."""
    from DeepIGeoSLib.samples.phantom import head_phantom

    for task, (shape, spacing) in TASKS.items():
        (folder / task).mkdir()
        for seed in range(_CASES):
            volume, lesion = head_phantom(shape, spacing, seed)
            volume.write_map(folder / task / f"{seed}.nii.gz", volume.array)
            volume.write_labels(folder / task / f"{seed}_label.nii.gz", lesion)
        _write_list(folder / task, ".nii.gz")
    _write_disks(folder / _DISKS)


def learned(settings: NetworkSettings, steps: int, folder: Path) -> dict[str, float]:
    """Return the measures on held-out cases after trainings from nothing, by measure and task.

    Args:
        settings: the network.
        steps: of each training.
        folder: that ``write_tasks`` has filled.
    """
    if settings.architecture == _OBJECTS:
        if settings.dimension == 3:
            return {}
        return {f"AP50, {_DISKS}": _trained(_disks_config(settings), steps, folder)["ap50"]}
    return {
        f"Dice, {task}": _trained(_heads_config(settings, task), steps, folder)["dice"]
        for task in TASKS
    }


def _trained(mapping: dict[str, Any], steps: int, folder: Path) -> dict[str, float]:
    """Train, and return what was measured at the end."""
    from DeepIGeoSLib.training.config import checked_config
    from DeepIGeoSLib.training.run import train

    with tempfile.TemporaryDirectory(dir=folder) as run_folder:
        mapping |= {
            "output": run_folder,
            "validate_every": steps,
            "checkpoint_every": steps,
            "workers": 0,
            "logging": {"tensorboard": False, "pictures": 0},
        }
        mapping["optimization"] |= {"steps": steps, "threads": 1}
        train(checked_config(json.loads(json.dumps(mapping)), "the benchmark"), folder)
        with (Path(run_folder) / "validation.csv").open(encoding="utf-8") as stream:
            return {row[2]: float(row[3]) for row in csv.reader(stream)}


def _heads_config(settings: NetworkSettings, task: str) -> dict[str, Any]:
    from DeepIGeoSLib.settings import to_mapping

    spacing = TASKS[task][1]
    return {
        "task": "pnet",
        "network": to_mapping(settings),
        "data": _data(task),
        "grid": {"minimum": list(spacing), "maximum": list(spacing)},
        "augmentation": {"thickest": spacing[0]},
        "optimization": {"crop": list(CROPS[task])},
    }


def _disks_config(settings: NetworkSettings) -> dict[str, Any]:
    from DeepIGeoSLib.settings import to_mapping

    return {
        "task": "instances",
        "best_by": "ap50",
        "network": to_mapping(settings),
        "data": _data(_DISKS),
        "optimization": {"crop": [1, _SIDE, _SIDE], "batch_size": 2},
    }


def _data(task: str) -> dict[str, Any]:
    source = {"layout": "csv", "dataset": "computed", "folder": task}
    return {"root": ".", "sources": [source]}


def _write_disks(folder: Path) -> None:
    """Write pictures of bright disks in noise, many of which touch; each has its number."""
    from PIL import Image

    folder.mkdir()
    rows, columns = np.indices((_SIDE, _SIDE))
    for seed in range(_CASES):
        random = np.random.default_rng(seed)
        labels = np.zeros((_SIDE, _SIDE), dtype=np.uint8)
        image = random.normal(60, 12, labels.shape)
        for number in range(1, _DISKS_EACH + 1):
            row, column = random.uniform(0, _SIDE, 2)
            inside = (rows - row) ** 2 + (columns - column) ** 2 < random.uniform(6, 14) ** 2
            free = inside & (labels == 0)
            labels[free] = number
            image[free] += random.uniform(50, 110)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{seed}.png")
        Image.fromarray(labels).save(folder / f"{seed}_label.png")
    _write_list(folder, ".png")


def _write_list(folder: Path, ending: str) -> None:
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(("image", "label", "use"))
        for seed in range(_CASES):
            use = "val" if seed >= _CASES - _HELD_OUT else "train"
            rows.writerow((f"{seed}{ending}", f"{seed}_label{ending}", use))
