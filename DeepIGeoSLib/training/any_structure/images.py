"""Real images in memory, their coarsest axis first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from DeepIGeoSLib.any_structure.zoom import coarsest_first
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.training.any_structure.settings import ImageSource
from DeepIGeoSLib.volume import Volume

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".png", ".jpg")
_PICTURES = (".png", ".jpg")


@dataclass(frozen=True)
class RealImage:
    """An image to draw samples from.

    Attributes:
        image: float32, axes (k, j, i), the coarsest axis first.
        labels: int32, the same shape, 0 is background; None where there are no masks.
        spacing: of the voxels, in pixels (the finest spacing is 1).
        values: labels that occur.
    """

    image: np.ndarray
    labels: np.ndarray | None
    spacing: tuple[float, float, float]
    values: tuple[int, ...] = ()

    @property
    def flat(self) -> bool:
        """Whether it is a single slice."""
        return self.image.shape[0] == 1


def read_images(root: Path, sources: Sequence[ImageSource]) -> list[list[RealImage]]:
    """Read all images of each source.

    Raises:
        InputError: a pattern finds nothing, or a file can't be read.
    """
    return [[_read(path, source.mask) for path in image_paths(root, source)] for source in sources]


def image_paths(root: Path, source: ImageSource) -> list[Path]:
    """Return the images of a source, without the masks beside them.

    Raises:
        InputError: there is none.
    """
    paths = sorted(root.glob(source.images))
    if source.mask is not None:
        paths = [path for path in paths if not path.name.endswith(source.mask)]
    paths = [path for path in paths if not path.stem.removesuffix(".nii").endswith("_mask")]
    if not paths:
        raise InputError(f"{root / source.images} finds no image.")
    return paths


def _read(path: Path, mask: str | None) -> RealImage:
    volume = _volume(path)
    labels = None
    if mask is not None:
        ending = next(ending for ending in _ENDINGS if path.name.endswith(ending))
        beside = path.with_name(path.name.removesuffix(ending) + mask)
        labels = np.rint(Volume.read(beside).array).astype(np.int32)
    image, spacing = volume.array, volume.spacing
    order = coarsest_first(spacing, image.shape)
    image = np.ascontiguousarray(image.transpose(order))
    spacing = [spacing[axis] for axis in order]
    finest = min(spacing[1:])
    values: tuple[int, ...] = ()
    if labels is not None:
        labels = np.ascontiguousarray(labels.transpose(order))
        values = tuple(int(value) for value in np.unique(labels) if value > 0)
    return RealImage(image, labels, three(s / finest for s in spacing), values)


def _volume(path: Path) -> Volume:
    """Read an image; colors of a picture become gray."""
    if not path.name.endswith(_PICTURES):
        return Volume.read(path)
    with Image.open(path) as picture:
        gray = np.asarray(picture.convert("L"), dtype=np.float32)
    return Volume(gray[np.newaxis], name=str(path))
