"""Cases with numbered objects, as the network will see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.data.objects import read_objects
from DeepIGeoSLib.grid.boxes import whole_box
from DeepIGeoSLib.inputs.prepared_image import InputSettings
from DeepIGeoSLib.interaction.loaded_volume import LoadedVolume
from DeepIGeoSLib.training.settings import TrainingSettings


@dataclass(frozen=True)
class InstanceCase:
    """A case on its working grid.

    Attributes:
        source: where it came from.
        image: normalized float32, axes (channel, k, j, i).
        labels: int32, axes (k, j, i): the number of the object at each voxel, from 1 on.
        kind: what its objects are, from 0.
    """

    source: LabeledCase
    image: np.ndarray
    labels: np.ndarray
    kind: int


def prepare_instances(case: LabeledCase, settings: TrainingSettings) -> InstanceCase:
    """Load a case, turn it, normalize it, and bring it and its objects to the working grid.

    Raises:
        InputError: a file can't be read, the grids differ, or the image is constant.
    """
    channels, labels = read_objects(case, settings.instances.objects)
    inputs = InputSettings(settings.normalization, settings.grid, None)
    loaded = LoadedVolume.of(channels, inputs)
    grid = loaded.image.grid(whole_box(loaded.image.shape))
    turned = loaded.orientation.apply(labels)
    places = [
        ((np.arange(count) + 0.5) * size / count).astype(int)
        for count, size in zip(grid.shape, turned.shape, strict=True)
    ]
    names = list(settings.network.options["kinds"])
    name = settings.instances.kinds.get(case.dataset)
    return InstanceCase(
        case,
        loaded.image.on(grid),
        np.ascontiguousarray(turned[np.ix_(*places)]),
        0 if name is None else names.index(name),
    )
