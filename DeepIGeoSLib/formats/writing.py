"""Writing image files: only where the grid is kept, and only what can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import check_path_is_text, written_in_one_step
from DeepIGeoSLib.formats.quiet import quiet
from DeepIGeoSLib.formats.reading import LPS_TO_RAS, StoredImage, ending_of, last_line, read_image
from DeepIGeoSLib.grid.lattice import placement

if TYPE_CHECKING:
    import SimpleITK

# Formats of a single file that keep origin, spacing and direction of a volume.
VOLUME_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")

# A picture keeps no place in the patient; one slice that has none may become one.
_PICTURE_ENDINGS = (".png",)

# Formats that keep the voxels in a second file, and the one-file format to take instead.
_ONE_FILE = {".nhdr": ".nrrd", ".mhd": ".mha", ".hdr": ".nii.gz", ".img": ".nii.gz"}


def check_format(path: Path) -> None:
    """Check that a name ends in a format that images are written in.

    Raises:
        InputError: it does not, and the message names formats that do; or it is no text.
    """
    check_path_is_text(path.absolute())
    name = path.name.lower()
    for two_files, one_file in _ONE_FILE.items():
        if name.endswith((two_files, f"{two_files}.gz")):
            raise InputError(
                f"{path} can't be written: {two_files} keeps header and voxels in two files, which "
                f"can be parted; use {one_file}, which is one."
            )
    if ending_of(path, [*VOLUME_ENDINGS, *_PICTURE_ENDINGS]) is None:
        raise InputError(
            f"{path} can't be written: the formats that keep the grid are "
            f"{', '.join(VOLUME_ENDINGS)}."
        )


def write_image(
    path: Path,
    array: np.ndarray,
    ijk_to_ras: np.ndarray,
    *,
    dimension: int = 3,
    header: Mapping[str, str] | None = None,
) -> None:
    """Write an image that appears whole or not at all.

    What was written beside its place is read back before it takes it: a full disk ends some of
    ITK's writers without an error.

    Args:
        path: where to; the ending, in whatever case, chooses the format.
        array: voxels, axes (k, j, i), or (k, j, i, layer).
        ijk_to_ras: 4 x 4.
        dimension: 2 for an image of a single slice that was read from a 2D file, else 3.
        header: texts to write into the header by key.

    Raises:
        InputError: the format is unknown or can't keep the grid, the folder can't be written to,
            or what was read back is not what was written.
    """
    import SimpleITK

    check_format(path)
    image = _image_of(array, ijk_to_ras, dimension)
    for key, text in (header or {}).items():
        image.SetMetaData(key, text)
    with written_in_one_step(path) as temporary:
        try:
            with quiet():
                SimpleITK.WriteImage(image, str(temporary), useCompression=True)
        except RuntimeError as error:
            raise InputError(f"{path} can't be written: {last_line(error)}") from error
        _check_written(temporary, path, array, ijk_to_ras)


def _image_of(array: np.ndarray, ijk_to_ras: np.ndarray, dimension: int) -> SimpleITK.Image:
    import SimpleITK

    layers = array.ndim == 4
    image = SimpleITK.GetImageFromArray(array if dimension == 3 else array[0], isVector=layers)
    matrix = LPS_TO_RAS @ ijk_to_ras
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    direction = matrix[:3, :3] / spacing
    image.SetSpacing(spacing[:dimension].tolist())
    image.SetDirection(direction[:dimension, :dimension].ravel().tolist())
    image.SetOrigin(matrix[:dimension, 3].tolist())
    return image


def _check_written(temporary: Path, path: Path, array: np.ndarray, ijk_to_ras: np.ndarray) -> None:
    try:
        written = read_image(temporary)
    except InputError as error:
        reason = str(error).replace(str(temporary), "what was written")
        raise InputError(f"{path} can't be written (is the disk full?): {reason}") from error
    if not _keeps_grid(written, ijk_to_ras):
        raise InputError(
            f"{path} can't be written: {ending_of(path, [path.suffix.lower()])} does not keep the "
            f"place of these voxels in the patient; {_formats_with(ijk_to_ras)}."
        )
    voxels = written.array[0] if array.ndim == 4 else written.array[0, ..., 0]
    if not np.array_equal(voxels, array):
        raise InputError(f"{path} can't be written: other voxels were read back than written.")


def _keeps_grid(written: StoredImage, ijk_to_ras: np.ndarray) -> bool:
    place = placement(written.ijk_to_ras, written.array.shape[1:4], ijk_to_ras)
    return place is not None and place.is_identity


def _formats_with(ijk_to_ras: np.ndarray) -> str:
    axes = ijk_to_ras[:3, :3] / np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-4:
        return "they lie on a sheared grid, which .nrrd and .mha keep"
    return f"{', '.join(VOLUME_ENDINGS)} do"
