"""Reading image files by SimpleITK, after a look at whether they are whole."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import check_path_is_text, shortened
from DeepIGeoSLib.formats import metaimage, nifti, nrrd
from DeepIGeoSLib.formats.pictures import PICTURE_READERS, check_picture
from DeepIGeoSLib.formats.quiet import quiet
from DeepIGeoSLib.formats.whole import check_size, check_whole

if TYPE_CHECKING:
    import SimpleITK

# ITK stores physical points as LPS (left, posterior, superior), Slicer as RAS.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

# What says where the voxels lie, and ITK's reader, by the ending of the name.
_FORMATS = {
    **dict.fromkeys((".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"), (nifti, "Nifti")),
    **dict.fromkeys((".nrrd", ".nhdr"), (nrrd, "Nrrd")),
    **dict.fromkeys((".mha", ".mhd"), (metaimage, "Meta")),
}

# What ITK and SimpleITK put before their messages: themselves, a class and its address.
_ITK_PREFIX = re.compile(r"^(ITK ERROR: |sitk::ERROR: )?(\w+ ?\(0x[0-9a-f]+\): )?")

# ITK reads this variable of the environment when it meets a sheared NIfTI file.
_PERMISSIVE = "ITK_NIFTI_SFORM_PERMISSIVE"
_environment = threading.Lock()


@dataclass(frozen=True)
class StoredImage:
    """What an image file holds.

    Attributes:
        array: voxels as stored, axes (frame, k, j, i, component); a file without frames or
            components has one of them, a 2D file one slice.
        ijk_to_ras: 4 x 4 from (i, j, k, 1) to (right, anterior, superior, 1), in mm; a 2D image
            gets a third axis of 1 mm.
        dimension: 2 or 3 spatial axes.
        header: texts of the header by key.
    """

    array: np.ndarray
    ijk_to_ras: np.ndarray
    dimension: int
    header: dict[str, str] = field(default_factory=dict)


def read_image(path: Path) -> StoredImage:
    """Read an image file; the pixels of a picture (PNG, JPEG, ...) count as 1 x 1 mm.

    Raises:
        InputError: as ``check_image``, or it has more axes than one of time.
    """
    ending = check_image(path)
    reader, sform = _reader_and_shear(path, ending)
    with _in_small_letters(path, ending) as spelled:
        image = _read(spelled, path, f"{reader}ImageIO", permissive=sform is not None)
    if ending in PICTURE_READERS:
        # Dots per inch say how large it is printed, not how large what it shows is.
        image.SetSpacing((1.0,) * image.GetDimension())
    stored = stored_image(image, path)
    if sform is None:
        return stored
    # ITK has straightened what is sheared; the header says where the voxels are.
    return StoredImage(stored.array, sform, stored.dimension, stored.header)


def _reader_and_shear(path: Path, ending: str) -> tuple[str, np.ndarray | None]:
    """Return ITK's name of the format, and the header's matrix where it shears the voxels."""
    if ending not in _FORMATS:
        return PICTURE_READERS[ending], None
    module, reader = _FORMATS[ending]
    if module is not nifti:
        return reader, None
    header = nifti.read_header(path)
    return reader, header.sform if header.is_sheared else None


def read_grid(path: Path) -> tuple[tuple[int, int, int], np.ndarray]:
    """Return where the voxels of an image file lie, by its header alone.

    Returns:
        The shape (k, j, i), and the 4 x 4 ijk_to_ras in mm; a 2D file has one slice.

    Raises:
        InputError: it is missing, of another format, its header can't be read or gives a size that
            nothing can work with, or it has several frames.
    """
    import SimpleITK

    ending = _ending_of_image(path)
    if ending in _FORMATS:
        check_size(path, _FORMATS[ending][0].layout_of(path))
    reader, sform = _reader_and_shear(path, ending)
    header_reader = SimpleITK.ImageFileReader()
    header_reader.SetImageIO(f"{reader}ImageIO")
    with (
        _in_small_letters(path, ending) as spelled,
        quiet(),
        _sheared_allowed() if sform is not None else nullcontext(),
    ):
        header_reader.SetFileName(str(spelled))
        try:
            header_reader.ReadImageInformation()
        except RuntimeError as error:
            raise InputError(f"{path} can't be read as an image: {last_line(error)}") from error
    size = header_reader.GetSize()
    if any(frames > 1 for frames in size[3:]):
        raise InputError(f"{path} has the size {size} (i, j, k, frames); one frame is expected.")
    i, j, k = (*size[:3], 1)[:3]
    if ending in PICTURE_READERS:
        return (k, j, i), LPS_TO_RAS
    return (k, j, i), _matrix_of(header_reader) if sform is None else sform


def check_image(path: Path) -> str:
    """Check that an image file is whole and undamaged, without keeping its voxels.

    Returns:
        The ending of its name, in lower case.

    Raises:
        InputError: it is missing, can't be read, of another format, damaged or not whole.
    """
    ending = _ending_of_image(path)
    try:
        if ending in _FORMATS:
            check_whole(path, _FORMATS[ending][0].layout_of(path))
        else:
            check_picture(path)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    return ending


def _ending_of_image(path: Path) -> str:
    """Return the ending of an image file's name, in lower case.

    Raises:
        InputError: it is missing, no file, or of another format.
    """
    if not exists(path):
        raise InputError(f"{shortened(path)} does not exist.")
    if not path.is_file():  # reading a pipe would wait for ever, and a device may have no end
        raise InputError(f"{shortened(path)} is no ordinary file; an image file is expected.")
    check_path_is_text(path)
    ending = ending_of(path, [*_FORMATS, *PICTURE_READERS])
    if ending is None:
        known = ", ".join(sorted({*_FORMATS, *PICTURE_READERS}))
        raise InputError(
            f"{path} can't be read as an image: its name ends in none of {known}, and it is no "
            "DICOM file."
        )
    return ending


def stored_image(image: SimpleITK.Image, path: Path) -> StoredImage:
    """Return voxels and geometry of an image of SimpleITK.

    Raises:
        InputError: it has more axes than one of time.
    """
    import SimpleITK

    dimension = image.GetDimension()
    if dimension not in (2, 3, 4):
        raise InputError(f"{path} is {dimension}D; a 3D volume is expected.")
    array = SimpleITK.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() == 1:
        array = array[..., np.newaxis]
    array = array.reshape((1,) * (4 - dimension) + array.shape)
    header = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    return StoredImage(array, _matrix_of(image), min(dimension, 3), header)


def files_of(path: Path) -> list[Path]:
    """Return the files that an image consists of: itself, and where its voxels lie elsewhere."""
    ending = ending_of(path, [*_FORMATS])
    if ending is None or not exists(path) or not path.is_file():
        return [path]
    try:
        return [path, _FORMATS[ending][0].layout_of(path).data]
    except InputError:  # what is wrong with it is said where it is read
        return [path]


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; a name that can't be one is no file."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False


def ending_of(path: Path, endings: list[str]) -> str | None:
    """Return which of the endings (lower case) a file has, in whatever case; the longest one."""
    name = path.name.lower()
    return max((e for e in endings if name.endswith(e)), key=len, default=None)


def last_line(error: Exception) -> str:
    """Return the last line of an ITK message: the lines before it name source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _ITK_PREFIX.sub("", lines[-1]) if lines else type(error).__name__


@contextmanager
def _in_small_letters(path: Path, ending: str | None) -> Generator[Path, None, None]:
    """Give a name of the file that ITK takes for NIfTI: not one that ends in .Nii."""
    if ending not in (".nii", ".nii.gz") or path.name.endswith(ending):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="deepigeos-") as folder:
        spelled = Path(folder) / f"image{ending}"
        shutil.copyfile(path, spelled)
        yield spelled


def _read(spelled: Path, path: Path, reader: str, permissive: bool) -> SimpleITK.Image:
    import SimpleITK

    with quiet(), _sheared_allowed() if permissive else nullcontext():
        try:
            return SimpleITK.ReadImage(str(spelled), imageIO=reader)
        except (RuntimeError, MemoryError) as error:
            raise InputError(f"{path} can't be read as an image: {last_line(error)}") from error


@contextmanager
def _sheared_allowed() -> Generator[None, None, None]:
    """Let ITK read the voxels of a NIfTI file whose axes are not at right angles."""
    with _environment:
        before = os.environ.get(_PERMISSIVE)
        os.environ[_PERMISSIVE] = "TRUE"
        try:
            yield
        finally:
            os.environ.pop(_PERMISSIVE)
            if before is not None:
                os.environ[_PERMISSIVE] = before


def _matrix_of(image: SimpleITK.Image | SimpleITK.ImageFileReader) -> np.ndarray:
    dimension = image.GetDimension()
    space = min(dimension, 3)
    direction = np.eye(3)
    given = np.reshape(image.GetDirection(), (dimension, dimension))
    direction[:space, :space] = given[:space, :space]
    spacing, origin = np.ones(3), np.zeros(3)
    spacing[:space] = image.GetSpacing()[:space]
    origin[:space] = image.GetOrigin()[:space]
    matrix = np.eye(4)
    matrix[:3, :3] = direction * spacing
    matrix[:3, 3] = origin
    return LPS_TO_RAS @ matrix
