"""Cases with numbered objects, as the network will see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.grid.boxes import whole_box
from DeepIGeoSLib.inputs.prepared_image import InputSettings
from DeepIGeoSLib.interaction.loaded_volume import LoadedVolume
from DeepIGeoSLib.training.settings import TrainingSettings
from DeepIGeoSLib.volume import Volume


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
    channels, labels = read_objects(case, settings)
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


def read_objects(case: LabeledCase, settings: TrainingSettings) -> tuple[list[Volume], np.ndarray]:
    """Return the channels of a case, and the number of the object at each voxel: int32 (k, j, i).

    Raises:
        InputError: a file can't be read, or the grids differ.
    """
    channels = case.read_channels()
    labels = case.read_labels(channels[0])
    target = case.target_of(labels)
    if settings.instances.objects == "parts":
        return channels, ndimage.label(target, structure=np.ones((3, 3, 3)))[0].astype(np.int32)
    numbers = np.unique(labels[target], return_inverse=True)[1]
    objects = np.zeros(labels.shape, dtype=np.int32)
    objects[target] = 1 + numbers.reshape(-1)
    return channels, objects
