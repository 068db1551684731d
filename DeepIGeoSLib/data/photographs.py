"""Photographs and label pictures (JPEG, PNG) as volumes of one slice."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.volume import Volume

if TYPE_CHECKING:
    from PIL import Image

# Pixels run to the patient's left and posterior, as in an axial slice: no image is turned.
_PIXELS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_photograph(path: Path, color: str) -> list[Volume]:
    """Read a photograph.

    Args:
        path: of the file.
        color: "gray" for one channel of brightness, "rgb" for three.

    Returns:
        Volumes of the shape (1, rows, columns), values 0 to 255.

    Raises:
        InputError: it can't be read.
    """
    with _opened(path) as picture:
        pixels = np.asarray(picture.convert("L" if color == "gray" else "RGB"))
    channels = pixels[np.newaxis] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return [Volume(c[np.newaxis], ijk_to_ras=_PIXELS_TO_RAS, name=str(path)) for c in channels]


def read_label_picture(path: Path) -> np.ndarray:
    """Read class numbers: the palette's indices, or the gray values.

    Returns:
        int32, shape (1, rows, columns).

    Raises:
        InputError: it can't be read, or it holds colors.
    """
    with _opened(path) as picture:
        if picture.mode not in ("P", "L", "1", "I;16", "I"):
            raise InputError(
                f"{path} holds colors ({picture.mode}); a label picture with a palette or gray "
                "values is expected."
            )
        return np.asarray(picture).astype(np.int32)[np.newaxis]


@contextmanager
def _opened(path: Path) -> Generator[Image.Image, None, None]:
    from PIL import Image

    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as picture:
            yield picture
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} can't be read as JPEG or PNG: {error}.") from error
