"""Pictures (PNG, JPEG, TIFF, BMP): whether they are whole, and what a palette stands for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError

# ITK's reader by the ending of the name.
PICTURE_READERS = {
    ".png": "PNG",
    **dict.fromkeys((".jpg", ".jpeg"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    ".bmp": "BMP",
}


def is_picture(path: Path) -> bool:
    """Whether a name is that of a picture, which has no place in a patient."""
    return path.name.lower().endswith(tuple(PICTURE_READERS))


def palette_numbers(path: Path) -> np.ndarray | None:
    """Return the numbers behind the colors of a PNG with a palette, as label pictures have one.

    Returns:
        uint8, axes (row, column); None for every other file.

    Raises:
        InputError: as ``check_picture``.
    """
    if not path.name.lower().endswith(".png"):
        return None
    from PIL import Image

    check_picture(path)
    with Image.open(path, formats=("PNG",)) as picture:
        return np.asarray(picture) if picture.mode == "P" else None


def check_picture(path: Path) -> None:
    """Decode every page of a picture.

    Raises:
        InputError: it is damaged, or its end is missing.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG", "JPEG", "TIFF", "BMP")) as picture:
            for page in range(getattr(picture, "n_frames", 1)):
                picture.seek(page)
                picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} can't be read as an image: {error}.") from error
