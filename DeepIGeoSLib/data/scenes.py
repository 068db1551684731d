"""Slicer scenes (.mrb), one for each case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.mrb import SceneBundle, SceneNode, chosen_node, open_bundle
from DeepIGeoSLib.data.patterns import check_pattern, paths_by_case
from DeepIGeoSLib.data.source import Found, Source
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class SceneCase(LabeledCase):
    """A volume and a segmentation of one scene.

    Attributes:
        volume: name of the volume; empty for the one that the segmentation was drawn on.
        segmentation: name of the segmentation; empty for the only one.
    """

    volume: str = ""
    segmentation: str = ""

    def read_channels(self) -> list[Volume]:
        """Read the volume."""
        with open_bundle(self.image) as bundle:
            node, _ = self._nodes(bundle)
            volume = bundle.read(node, Volume.read)
        volume.name = f"{self.image}: {node.name}"
        return [volume]

    def read_labels(self, volume: Volume) -> np.ndarray:
        """Read the segments."""
        with open_bundle(self.label) as bundle:
            _, node = self._nodes(bundle)
            return bundle.read(node, lambda path: volume.read_labels(path, self.segments))

    def _nodes(self, bundle: SceneBundle) -> tuple[SceneNode, SceneNode]:
        """Return the nodes of the volume and of the segmentation."""
        segmentation = chosen_node(
            bundle.segmentations(), self.segmentation, what="segmentation", where=bundle.path
        )
        volumes = bundle.volumes()
        drawn_on = [node for node in volumes if node.identifier == segmentation.reference]
        if self.volume or not drawn_on:
            drawn_on = volumes
        volume = chosen_node(drawn_on, self.volume, what="volume", where=bundle.path)
        if volume.transform != segmentation.transform:
            raise InputError(
                f"{bundle.path}: the volume {volume.name!r} and the segmentation "
                f"{segmentation.name!r} are under different transforms; harden them in Slicer."
            )
        return volume, segmentation


@dataclass(frozen=True, kw_only=True)
class SceneSource(Source):
    """Slicer scenes (.mrb), one for each case, with a volume and a segmentation in each.

    Attributes:
        scene: path pattern of the scenes below the folder; ``{case}`` stands for the case's name.
        volume: name of the volume in the scene; empty for the one that was segmented.
        segmentation: name of the segmentation in the scene; empty when there is only one.
    """

    layout: Literal["scenes"] = "scenes"
    scene: str = "{case}.mrb"
    volume: str = ""
    segmentation: str = ""

    def __post_init__(self) -> None:
        """Check the pattern."""
        super().__post_init__()
        check_pattern(self.scene, "scene")

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return a case for every scene."""
        scenes = paths_by_case(folder, self.scene)
        if not scenes:
            raise InputError(f"{folder} has no file like {self.scene}.")
        return Found(
            [
                SceneCase(
                    dataset=self.dataset,
                    name=name,
                    image=path,
                    label=path,
                    target_labels=self.target_labels,
                    segments=self.segments,
                    volume=self.volume,
                    segmentation=self.segmentation,
                )
                for name, path in scenes.items()
            ]
        )
