"""Files that the browser sends: limited in size, checked for what they are, kept privately."""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path
from typing import Any

from aiohttp import web

from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.dicom.headers import image_header, series_description
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.reading import check_image, ending_of
from DeepIGeoSLib.web.private_folder import make_private

IMAGE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha")
_MOST_FILES = 5000
_PIECE = 1 << 20


async def received(request: web.Request, folder: Path, limit: int) -> tuple[Path, str]:
    """Store what a form sends: one image, or the files of one DICOM series.

    Args:
        request: with the files as multipart/form-data.
        folder: where uploads are kept; a folder of its own is made in it.
        limit: bytes of all files together.

    Returns:
        The image, or the folder of the series; and what to call it.

    Raises:
        InputError: it is too large, nothing, or no image that can be read here; nothing of it is
            kept.
    """
    if not request.content_type.startswith("multipart/"):
        raise InputError("The upload holds no file.")
    kept = make_private(folder) / uuid.uuid4().hex
    make_private(kept)
    try:
        names = await _stored(await request.multipart(), kept, limit)
        return _checked(kept, names)
    except InputError as error:
        shutil.rmtree(kept, ignore_errors=True)
        raise InputError(without_folder(str(error), folder)) from error
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise


def without_folder(message: str, folder: Path) -> str:
    """Return a message that calls uploaded files as the user does, not by where they are kept."""
    return re.sub(rf"{re.escape(str(folder))}[/\\\\][0-9a-f]+[/\\\\]?", "", message)


def remove_upload(folder: Path, path: Path) -> None:
    """Remove the upload that ``path`` belongs to."""
    for upload in folder.iterdir():
        if path.is_relative_to(upload):
            shutil.rmtree(upload, ignore_errors=True)


def remove_others(folder: Path, kept: Path) -> None:
    """Remove all uploads but the one that ``kept`` belongs to."""
    for upload in folder.iterdir():
        if not kept.is_relative_to(upload):
            shutil.rmtree(upload, ignore_errors=True)


async def _stored(reader: Any, folder: Path, limit: int) -> list[str]:
    """Write the files of a form; return their names."""
    names: list[str] = []
    room = limit
    async for part in reader:
        if getattr(part, "filename", None) is None:  # another field, or a form within the form
            continue
        if len(names) == _MOST_FILES:
            raise InputError(f"The upload has more than {_MOST_FILES} files.")
        name = _plain_name(part.filename, names)
        with (folder / name).open("wb") as stream:
            while piece := await part.read_chunk(_PIECE):
                room -= len(piece)
                if room < 0:
                    raise InputError(
                        f"The upload is larger than {limit / 1e6:.0f} MB, which is the limit of "
                        "this server."
                    )
                stream.write(piece)
        names.append(name)
    if not names:
        raise InputError("The upload holds no file.")
    return names


def _plain_name(given: str, taken: list[str]) -> str:
    """Return a file name without folders and odd characters that is not taken yet."""
    name = re.sub(r"[^\w.+-]", "_", re.split(r"[/\\]", given)[-1])[-100:].lstrip(".") or "file"
    return name if name not in taken else f"{len(taken)}_{name}"


def _checked(folder: Path, names: list[str]) -> tuple[Path, str]:
    """Check what was stored: one image, or DICOM files."""
    if len(names) > 1:
        strangers = [name for name in names if not is_dicom(folder / name)]
        if len(strangers) == len(names):
            raise InputError("Upload one image, or all files of one DICOM series.")
        for name in strangers:  # such as notes of the archive beside the slices
            (folder / name).unlink()
        return folder, series_description(folder) or "DICOM series"
    path = folder / names[0]
    if is_dicom(path) and image_header(path) is not None:
        return path, series_description(path) or names[0]
    if ending_of(path, list(IMAGE_ENDINGS)) is None:
        raise InputError(
            f"{names[0]} is no image that can be opened here: {', '.join(IMAGE_ENDINGS)} or DICOM."
        )
    check_image(path)
    return path, names[0]
