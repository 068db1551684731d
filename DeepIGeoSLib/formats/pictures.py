"""Pictures (PNG, JPEG, TIFF, BMP): whether they are whole."""

from __future__ import annotations

from pathlib import Path

from DeepIGeoSLib.errors import InputError


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
