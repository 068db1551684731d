"""The cases of a folder: images, DICOM series, and the segmentations that lie beside them."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import same_file
from DeepIGeoSLib.formats.bids import DERIVATIVES, derivatives_of, is_data_set
from DeepIGeoSLib.formats.pictures import PICTURE_READERS
from DeepIGeoSLib.formats.reading import ending_of
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS

# Where a worklist keeps what it knows, in the folder of the results.
RECORDS = "deepigeos-worklist"

# What the worklist's own segmentations are called, behind the name of the case.
REVIEWED = "-reviewed.seg.nrrd"

# Files that are images, besides DICOM and pictures.
IMAGES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_SEGMENTATIONS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha")

# What people and programs put behind the name of an image to name what was made of it.
_MADE_OF_IT = (
    *("_seg", "-seg", ".seg", "_label", "-label", "_mask", "-mask", "_labels", "_segmentation"),
    *("_probability", "_uncertainty", "_pred", "_gt", "_truth"),
)

_CALLED_ONLY_SO = {ending.strip("_-.") for ending in _MADE_OF_IT}


@dataclass(frozen=True)
class WorkCase:
    """A case of a worklist.

    Attributes:
        name: path of the image below the folder, without its ending, with "/" between folders.
        image: the file, or the folder of a DICOM series.
        start: a segmentation that was there before the worklist, to be looked at and corrected.
        result: where the worklist's own segmentation goes.
    """

    name: str
    image: Path
    start: Path | None
    result: Path


def found_cases(images: Path, results: Path, *, or_pictures: bool = False) -> list[WorkCase]:
    """Return the cases of a folder and of the folders in it, by name.

    Args:
        images: NIfTI, NRRD and MetaImage files, and folders of DICOM files. Segmentations beside
            their image ("NAME_seg.nii.gz", "NAME.seg.nrrd", "seg.nii.gz") are no cases.
        results: where segmentations lie, in folders like those of the images; may be ``images``.
        or_pictures: whether pictures (PNG, JPEG, ...) are the cases where there is no other image.

    Raises:
        InputError: the folder does not exist, there is no image, or two images have one name.
    """
    if not os.path.isdir(images):
        raise InputError(f"The folder {images} does not exist.")
    found = sorted(_named_images(images, results, IMAGES))
    if not found and or_pictures:
        found = sorted(_named_images(images, results, tuple(PICTURE_READERS)))
    if not found:
        others = f", no picture ({', '.join(PICTURE_READERS)})" if or_pictures else ""
        raise InputError(
            f"{images} holds no image: no {', '.join(IMAGES)} file{others}, and no folder of "
            "DICOM files."
        )
    _check_names(images, found)
    return [
        WorkCase(name, path, _start(name, path, results), results / f"{name}{REVIEWED}")
        for name, path in found
    ]


def _named_images(
    images: Path, results: Path, endings: tuple[str, ...]
) -> Iterator[tuple[str, Path]]:
    """Yield names and paths of all images; what lies with the results is none.

    A folder that can't be read is yielded as a case, too: whoever opens it is told why, and no case
    is missed without a word.
    """
    left_out = {(images / DERIVATIVES).resolve()} if is_data_set(images) else set()
    left_out |= {results.resolve()} - {images.resolve()}
    unreadable: list[OSError] = []
    for folder, inside, files in os.walk(images, onerror=unreadable.append):
        here = Path(folder)
        inside[:] = sorted(
            name
            for name in inside
            if name != RECORDS and name[0] != "." and (here / name).resolve() not in left_out
        )
        visible = sorted(name for name in files if not name.startswith("."))
        stems = {name: _stem(name, endings) for name in visible}
        known = {stem for stem in stems.values() if stem}
        found = [(n, s) for n, s in stems.items() if s and not _is_made_of_another(s, known)]
        below = here.relative_to(images)
        for name, stem in found:
            yield (below / stem).as_posix(), here / name
        others = [name for name, stem in stems.items() if stem is None]
        if not known and any(_may_be_dicom(here / name) for name in others[:3]):
            yield _name_of_folder(here, images), here
    for error in unreadable:
        yield _name_of_folder(Path(error.filename), images), Path(error.filename)


def _name_of_folder(folder: Path, images: Path) -> str:
    below = folder.relative_to(images)
    return below.as_posix() if below.parts else images.resolve().name


def _may_be_dicom(path: Path) -> bool:
    """Whether a file is DICOM, or can't be read; reading its folder says why."""
    try:
        return is_dicom(path)
    except InputError:
        return True


def _stem(name: str, endings: tuple[str, ...]) -> str | None:
    """Return the name of an image without its ending; None for what is no image."""
    if name.lower().endswith(SEGMENTATION_ENDINGS):
        return None
    ending = ending_of(Path(name), [*endings])
    return name[: -len(ending)] if ending else None


def _is_made_of_another(stem: str, stems: Collection[str]) -> bool:
    """Whether a name is that of an image with an ending, or such an ending alone beside images."""
    if len(stems) > 1 and stem.lower() in _CALLED_ONLY_SO:
        return True
    return any(
        stem.lower().endswith(ending) and stem[: -len(ending)] in stems for ending in _MADE_OF_IT
    )


def _check_names(images: Path, found: Iterable[tuple[str, Path]]) -> None:
    """Check that no two names differ by the ending or by capitals alone."""
    named: dict[str, list[str]] = defaultdict(list)
    for name, path in found:
        named[_folded(name)].append(str(path.relative_to(images)))
    shared = [paths for paths in named.values() if len(paths) > 1]
    if shared:
        raise InputError(
            f"{images} has images of one name, whose results would be the same file: "
            f"{'; '.join(' and '.join(sorted(paths)) for paths in shared)}."
        )


def _start(name: str, image: Path, results: Path) -> Path | None:
    """Return the segmentation that lies at the name of a case, or beside its image."""
    image_stem = image if image.is_dir() else image.with_name(PurePosixPath(name).name)
    candidates = [results / f"{name}{ending}" for ending in _SEGMENTATIONS]
    if image.is_dir():
        candidates.append(results / f"{name}.dcm")
    place = (results / name).parent
    for pattern in derivatives_of(PurePosixPath(name).name):
        candidates += sorted(place.glob(pattern))
    candidates += [
        Path(f"{place}{made}{ending}")
        for place in (results / name, image_stem)
        for made in _MADE_OF_IT[: _MADE_OF_IT.index("_probability")]
        for ending in _SEGMENTATIONS
    ]
    return next((p for p in candidates if os.path.isfile(p) and not same_file(p, image)), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
