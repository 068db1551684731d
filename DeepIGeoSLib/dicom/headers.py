"""The headers of DICOM files, and the files of a folder that are images."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    import pydicom
    from pydicom.uid import UID

_ENDINGS = {".dcm", ".dicom", ".ima"}
_PREAMBLE = 128
_MAGIC = b"DICM"

# Segmentations: of masks, and of labels.
SEGMENTATIONS = {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"}

# Objects of rows and columns that are no intensities: segmentations and doses.
_NO_INTENSITIES = {*SEGMENTATIONS, "1.2.840.10008.5.1.4.1.1.481.2"}

# What the standard's own names begin with.
_STANDARD = "1.2.840.10008."

# What lists the files of a disk (DICOMDIR).
_DIRECTORY = "1.2.840.10008.1.3.10"


def is_dicom(path: Path) -> bool:
    """Whether a path is a folder, or a file that is DICOM by its first bytes or its ending.

    Raises:
        InputError: the first bytes can't be read.
    """
    if os.path.isdir(path):  # unlike pathlib's, these take a name that can't be one for missing
        return True
    return os.path.isfile(path) and (path.suffix.lower() in _ENDINGS or _has_magic(path))


@contextmanager
def damage_named(path: Path) -> Generator[None, None, None]:
    """Turn whatever reading a damaged file runs into to one sentence that names the file.

    Any exception: pydicom parses bytes that may say anything, and documents no list of them.

    Raises:
        InputError: the body raised something else than it.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(f"{path} needs more memory than there is.") from error
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path} can't be read: {error.strerror}.") from error
        words = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is damaged: {words.rstrip('.')}.") from error


def image_header(path: Path) -> pydicom.Dataset | None:
    """Return the header of an image file without its voxels; None for other DICOM objects.

    Raises:
        InputError: the file is damaged.
    """
    import pydicom

    with damage_named(path):
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        for _ in header.iterall():  # elements are parsed when they are met: here, and not later
            pass
        kind = header.get("SOPClassUID")
        if "Rows" in header and "Columns" in header:
            return None if kind in _NO_INTENSITIES else header
        if header.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY:
            return None
        if kind is None or _is_of_images(kind):
            raise InputError(f"{path} is damaged: it is no DICOM file, or its header is cut off.")
        return None


def series_description(path: Path) -> str:
    """Return what a DICOM image, or a folder of them, says it is, such as "Ax FLAIR"; or "".

    Of a folder, the first image speaks.

    Raises:
        InputError: a file is damaged.
    """
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    headers = (image_header(file) for file in files if is_dicom(file))
    header = next((found for found in headers if found is not None), {})
    return str(header.get("SeriesDescription") or "").strip()


def image_headers(folder: Path) -> list[tuple[Path, pydicom.Dataset]]:
    """Return the DICOM images of a folder and their headers; other files are passed over.

    A file that is no DICOM, but has the ending of the DICOM files beside it, is a damaged one:
    without its slice, the volume would be another.

    Raises:
        InputError: there is no image, or the folder or a file can't be read.
    """
    try:
        files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"The folder {folder} can't be read: {error.strerror}.") from error
    dicom = {path: is_dicom(path) for path in files}
    endings = {path.suffix.lower() for path, yes in dicom.items() if yes}
    found = []
    for path, yes in dicom.items():
        same_ending = path.suffix.lower() in endings
        if yes or (same_ending and (path.suffix or path.stat().st_size == 0)):
            header = image_header(path)
            if header is not None:
                found.append((path, header))
    if not found:
        inside = [p.name for p in sorted(folder.iterdir()) if p.is_dir()]
        hint = f"; name one of the folders in it ({', '.join(inside[:5])})" if inside else ""
        raise InputError(f"{folder} is a folder without DICOM files{hint}.")
    return found


def _is_of_images(kind: UID) -> bool:
    """Whether a class of objects is one of images, or the beginning of a standard one's name."""
    unknown = kind.name == kind
    return "Image" in kind.name or (unknown and kind[: len(_STANDARD)] == _STANDARD[: len(kind)])


def _has_magic(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(_PREAMBLE + len(_MAGIC))[_PREAMBLE:] == _MAGIC
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
