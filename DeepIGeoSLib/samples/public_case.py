"""A public case on the internet, and its copy in the user's cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from DeepIGeoSLib.errors import InputError

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class PublicCase:
    """A file on the internet, known by its hash.

    Attributes:
        name: of the case.
        url: where it lies.
        sha256: of its bytes.
        megabytes: its size.
        license: and whom to thank.
    """

    name: str
    url: str
    sha256: str
    megabytes: float
    license: str


TCGA_FG_6692 = PublicCase(
    name="TCGA-FG-6692_flair_native.nii.gz",
    url=(
        "https://raw.githubusercontent.com/BrainLesion/tutorials/"
        "a2d3fffe821e0dfd3bb62520985239324eaeda9a/BraTS-Toolkit/data/OtherEXampleFromTCIA/"
        "MRHR_FLAIR_AX_OtherEXampleTCIA_TCGA-FG-6692_Si_TCGA-FG-6692_MRHR_FLAIR_AX_SE_IR_5_tir2d1"
        "_21_fla.nii.gz"
    ),
    sha256="9a5dcaf70108743eed2a649b4dd698f8f2f452e07258dfb2bfae10cc8a2f54f0",
    megabytes=1.5,
    license="CC BY 3.0, The Cancer Imaging Archive, TCGA-LGG (Pedano et al. 2016)",
)


def case_file(case: PublicCase) -> Path:
    """Return the file of a public case; it is downloaded once, into the user's cache.

    A copy in ``demo_volumes`` of the folder that the variable ``DEEPIGEOS_DATA`` names is taken
    first. Every copy is checked by its hash.

    Raises:
        InputError: it can't be fetched, or it is not the file that it should be.
    """
    import pooch

    if data := os.environ.get("DEEPIGEOS_DATA"):
        path = Path(data) / "demo_volumes" / case.name
        if path.is_file() and pooch.file_hash(str(path)) == case.sha256:
            return path
    pooch.get_logger().setLevel("WARNING")  # the caller tells what it does
    try:
        return Path(
            pooch.retrieve(
                case.url,
                known_hash=f"sha256:{case.sha256}",
                fname=case.name,
                path=cache_folder(),
                downloader=cast(Any, pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS)),
            )
        )
    except OSError as error:
        raise InputError(f"{case.name} could not be downloaded: {error}.") from error
    except ValueError as error:
        raise InputError(f"{case.url} is not the expected file: its SHA-256 differs.") from error


def cache_folder() -> Path:
    """Return where downloaded samples are kept; remove it to get rid of them."""
    import pooch

    return Path(pooch.os_cache("deepigeos"))
