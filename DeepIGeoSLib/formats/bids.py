"""Names and sidecars of BIDS derivatives (Brain Imaging Data Structure 1.10, masks).

Nothing here reads or writes a file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from DeepIGeoSLib.errors import InputError

VERSION = "1.10.0"

# What tells that a folder is a data set, and where it keeps what was made of its images.
DESCRIPTION, DERIVATIVES = "dataset_description.json", "derivatives"

# How sidecars call the data set that the images come from.
_RAW = "raw"

_IMAGE = re.compile(
    r"(?P<entities>sub-[0-9A-Za-z]+(_[a-z]+-[0-9A-Za-z]+)*)_(?P<suffix>[0-9A-Za-z]+)"
)
_ENDINGS = (".nii.gz", ".nii")


def mask_path(image: PurePosixPath, label: str) -> PurePosixPath:
    """Return where the mask of an image goes in a derivative data set.

    The name keeps the image's entities and says in ``desc`` which image it was made of: T1w and
    FLAIR of one session get masks of their own.

    Args:
        image: path in the source data set, such as sub-01/anat/sub-01_FLAIR.nii.gz.
        label: what is segmented; letters and digits of it are kept.

    Raises:
        InputError: the name is not one of BIDS.
    """
    return _derivative(image, label, "mask")


def probseg_path(image: PurePosixPath, label: str) -> PurePosixPath:
    """Return where the probability of a target goes, as ``mask_path`` does for its mask."""
    return _derivative(image, label, "probseg")


def dseg_path(image: PurePosixPath) -> PurePosixPath:
    """Return where a labelmap of several targets goes, or of objects; see ``mask_path``."""
    return _derivative(image, None, "dseg")


def is_data_set(folder: Path) -> bool:
    """Whether a folder says of itself that it is a BIDS data set."""
    return (folder / DESCRIPTION).is_file()


def derivatives_of(stem: str) -> tuple[str, ...]:
    """Return patterns of the masks and labelmaps that were made of an image by this library.

    Args:
        stem: name of the image without its ending; nothing is returned where it is none of BIDS.
    """
    match = _IMAGE.fullmatch(stem)
    if match is None:
        return ()
    made = f"desc-deepigeos{match['suffix']}"
    return (
        f"{match['entities']}_{made}_dseg.nii.gz",
        f"{match['entities']}_label-*_{made}_mask.nii.gz",
    )


def lookup_path(dseg: PurePosixPath) -> PurePosixPath:
    """Return the path of the table that names the labels of a labelmap."""
    return sidecar_path(dseg).with_suffix(".tsv")


def words_of(labels: Sequence[str]) -> list[str]:
    """Return each label as one word for names of files; what is the same then gets its number."""
    words = [_camel(label) for label in labels]
    counts = Counter(word.casefold() for word in words)
    return [
        word if counts[word.casefold()] == 1 else f"{word}{number}"
        for number, word in enumerate(words, 1)
    ]


def lookup_table(names: Sequence[str], columns: Mapping[str, Sequence[object]]) -> str:
    """Return the table that names the labels of a labelmap, from 1 on (``_dseg.tsv``).

    Args:
        names: of the labels.
        columns: further columns by their names.
    """
    rows = [["index", "name", *columns]]
    for index, values in enumerate(zip(names, *columns.values(), strict=True), 1):
        rows.append([str(index), *(" ".join(str(value).split()) or "n/a" for value in values)])
    return "".join("\t".join(row) + "\n" for row in rows)


def dseg_sidecar(
    image: PurePosixPath, what: str, *, bundle: str, weights: Mapping[str, str]
) -> dict[str, object]:
    """Return what the JSON file beside a labelmap says; arguments as for ``mask_sidecar``."""
    said = mask_sidecar(image, what, bundle=bundle, weights=weights)
    return {"Manual": False, **{key: value for key, value in said.items() if key != "Type"}}


def _derivative(image: PurePosixPath, label: str | None, kind: str) -> PurePosixPath:
    """Return the path of a derivative of an image.

    Raises:
        InputError: the name is not one of BIDS.
    """
    ending = next((e for e in _ENDINGS if image.name.endswith(e)), None)
    match = None if ending is None else _IMAGE.fullmatch(image.name.removesuffix(ending))
    if match is None:
        raise InputError(
            f"{image} has no name of BIDS; one like sub-01_ses-1_FLAIR.nii.gz is expected."
        )
    named = "" if label is None else f"_label-{_camel(label)}"
    return image.with_name(
        f"{match['entities']}{named}_desc-deepigeos{match['suffix']}_{kind}.nii.gz"
    )


def mask_sidecar(
    image: PurePosixPath, label: str, *, bundle: str, weights: Mapping[str, str]
) -> dict[str, object]:
    """Return what the JSON file beside a mask says.

    Args:
        image: path in the source data set.
        label: what is segmented, in words.
        bundle: name and version of the model bundle.
        weights: SHA-256 of its weights by name.
    """
    source = f"bids:{_RAW}:{image.as_posix()}"
    return {
        "Type": "ROI",
        "Description": f"{label}, segmented by {bundle}",
        "Sources": [source],
        "SpatialReference": source,
        "ModelBundle": bundle,
        "ModelWeights": dict(weights),
    }


def sidecar_path(mask: PurePosixPath) -> PurePosixPath:
    """Return the path of the JSON file beside an image."""
    ending = next((e for e in _ENDINGS if mask.name.endswith(e)), mask.suffix)
    return mask.with_name(f"{mask.name.removesuffix(ending)}.json")


def dataset_description(
    source_name: str, source_folder: str, software_version: str, *, bundle: str
) -> dict[str, object]:
    """Return what ``dataset_description.json`` of the derivatives says.

    Args:
        source_name: of the source data set.
        source_folder: where it lies, relative to the derivatives, or anywhere.
        software_version: of this library.
        bundle: name and version of the model bundle.
    """
    return {
        "Name": f"Segmentations of {source_name} by DeepIGeoS",
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "DatasetLinks": {_RAW: source_folder},
        "GeneratedBy": [
            {
                "Name": "DeepIGeoS for 3D Slicer",
                "Version": software_version,
                "Description": f"Segmentation by the model bundle {bundle}",
            }
        ],
        "SourceDatasets": [{"URL": source_folder}],
    }


def _camel(label: str) -> str:
    """Return a label as one word: "whole tumor" becomes "wholeTumor"."""
    words = re.findall(r"[0-9A-Za-z]+", label)
    if not words:
        return "target"
    first, *others = words
    return first[:1].lower() + first[1:] + "".join(w[:1].upper() + w[1:] for w in others)
