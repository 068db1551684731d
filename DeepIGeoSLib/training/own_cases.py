"""The cases of a user to learn from: gathered in a folder, split, and made a configuration.

Nothing of a training is imported here; it runs in a process of its own, see ``own_run``.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path

import numpy as np

from DeepIGeoSLib.bundles import summary_of
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.training.own_network import sections_of_new_network
from DeepIGeoSLib.volume import Volume

_IMAGE, _LABEL = "{case}.nii.gz", "{case}_seg.nii.gz"
_HEAD = "{case}.sha256"  # of the image's voxels: cases of one image are of one head
_LEAST = 2  # one case to learn from, one to compare with

# What a run that is done leaves in its folder, see ``own_run``.
COMPARISON = "comparison.json"


class LearningFolder:
    """Cases to learn from: images and labelmaps, copied so that a run never waits for a scene."""

    def __init__(self, folder: str | Path) -> None:
        """Use a folder; it is made when the first case comes."""
        self.folder = Path(folder)
        self._cases = self.folder / "cases"

    @property
    def names(self) -> list[str]:
        """The names of the cases."""
        ending = _LABEL.removeprefix("{case}")
        return sorted(p.name.removesuffix(ending) for p in self._cases.glob(f"*{ending}"))

    def add(self, name: str, volume: Volume, target: np.ndarray) -> str:
        """Add a case; return its name in the folder.

        Args:
            name: of the case; made unique, and fit for a file.
            volume: the image.
            target: the finished mask on its grid.

        Raises:
            InputError: the target is empty.
        """
        if not np.any(target):
            raise InputError(f"The segment of {name!r} is empty; there is nothing to learn from.")
        self._cases.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-") or "case"
        free, number = plain, 1
        while free in self.names:
            number += 1
            free = f"{plain}-{number}"
        volume.write_map(self._cases / _IMAGE.format(case=free), volume.array)
        volume.write_labels(self._cases / _LABEL.format(case=free), np.asarray(target) > 0)
        self._keep_head(free, volume)
        return free

    def add_folder(self, folder: str | Path) -> list[str]:
        """Add every pair NAME.nii.gz and NAME_seg.nii.gz of a folder; return the new names.

        Raises:
            InputError: there is no pair, or an image and its label don't fit together.
        """
        ending = _LABEL.removeprefix("{case}")
        labels = sorted(Path(folder).glob(f"*{ending}"))
        pairs = [(p.name.removesuffix(ending), p) for p in labels]
        pairs = [
            (name, Path(folder) / _IMAGE.format(case=name), label)
            for name, label in pairs
            if (Path(folder) / _IMAGE.format(case=name)).is_file()
        ]
        if not pairs:
            raise InputError(
                f"{folder} has no pair of an image NAME.nii.gz and a label NAME_seg.nii.gz."
            )
        read = []
        for name, image, label in pairs:
            volume = Volume.read(image)
            read.append((name, volume, volume.read_labels(label)))
        return [self.add(*case) for case in read]

    def remove(self, name: str) -> None:
        """Forget a case."""
        for pattern in (_IMAGE, _LABEL, _HEAD):
            (self._cases / pattern.format(case=name)).unlink(missing_ok=True)

    def configure(self, bundle: str, name: str, steps: int, *, architecture: str = "") -> Path:
        """Write the configuration of a run; return its path.

        Every fourth image, but at least one, is kept aside to compare with, with all of its cases:
        of two lesions of one head, none may be learned from to be compared with the other.

        Args:
            bundle: whose networks learn on.
            name: of the new bundle.
            steps: of the training.
            architecture: of new networks that learn from nothing instead.

        Raises:
            InputError: too few cases or images, a name that is no folder's, one that is taken, or
                no such architecture.
        """
        cases = self.names
        if len(cases) < _LEAST:
            raise InputError(
                f"There are {len(cases)} cases; at least {_LEAST} are needed: one is kept aside "
                "to compare with."
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", name):
            raise InputError(f"The name {name!r} may only have letters, digits and hyphens.")
        if (self.folder / f"run-{name}" / COMPARISON).is_file():
            raise InputError(f"There is a model {name!r} already; choose another name.")
        heads = {case: self._head_of(case) for case in cases}
        order = list(dict.fromkeys(heads.values()))
        if len(order) < _LEAST:
            raise InputError(
                f"All {len(cases)} cases are of one image; at least {_LEAST} different images are "
                "needed: one is kept aside to compare with."
            )
        aside = set(order[1::4])
        new = sections_of_new_network(architecture, self._shapes()) if architecture else {}
        with (self._cases.parent / "splits.csv").open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(["dataset", "case", "use"])
            for case, head in heads.items():
                rows.writerow(["cases", case, "val" if head in aside else "train"])
        source = {"dataset": "cases", "image": _IMAGE, "label": _LABEL}
        configuration = {
            "task": "both",
            "output": f"run-{name}",
            "validate_every": steps,
            "checkpoint_every": steps,
            "workers": 0,
            # The front end draws the loss itself; Slicer has no TensorBoard.
            "logging": {"tensorboard": False, "pictures": 0},
            "data": {"root": ".", "splits": "splits.csv", "sources": [source]},
            **new,
            "optimization": {**new.get("optimization", {}), "steps": steps},
            "bundle": {"name": name, "version": "0.1.0", **_words(bundle, name, bool(new))},
        }
        path = self.folder / f"{name}.json"
        with written_in_one_step(path) as temporary:
            temporary.write_text(json.dumps(configuration, indent=2), encoding="utf-8")
        return path

    def _shapes(self) -> list[tuple[int, int, int]]:
        """Return the shapes (k, j, i) of the images, turned as networks see them."""
        images = (Volume.read(self._cases / _IMAGE.format(case=case)) for case in self.names)
        return [three(Orientation.of(v.ijk_to_ras).apply(v.array).shape) for v in images]

    def _head_of(self, case: str) -> str:
        """Return what cases of the same image have in common."""
        path = self._cases / _HEAD.format(case=case)
        if not path.is_file():  # a case of an earlier version
            self._keep_head(case, Volume.read(self._cases / _IMAGE.format(case=case)))
        return path.read_text(encoding="utf-8")

    def _keep_head(self, case: str, volume: Volume) -> None:
        voxels = Orientation.of(volume.ijk_to_ras).apply(volume.array)
        content = hashlib.sha256(repr(voxels.shape).encode())
        content.update(np.ascontiguousarray(voxels).data)
        path = self._cases / _HEAD.format(case=case)
        path.write_text(content.hexdigest(), encoding="utf-8")


def _words(bundle: str, name: str, new: bool) -> dict[str, str]:
    """Return what the new bundle says about itself."""
    if new:
        return {
            "task": name,
            "modality": "images like those that it learned from",
            "license": "as the images that it learned from",
        }
    summary = summary_of(bundle)
    return {"task": summary.task, "modality": summary.modality, "license": summary.license}
