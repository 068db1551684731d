"""Where the files of a case go, below the output folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.settings import AUTO
from DeepIGeoSLib.formats.bids import (
    dseg_path,
    lookup_path,
    mask_path,
    probseg_path,
    sidecar_path,
    words_of,
)
from DeepIGeoSLib.formats.pictures import is_picture

LABELS, PROBABILITY, UNCERTAINTY, SIDECAR = "labels", "probability", "uncertainty", "sidecar"

# The list of objects; the names of the labels of a BIDS segmentation.
OBJECTS, LOOKUP = "objects", "lookup"

_NIFTI = ".nii.gz"

# Label pictures keep no place in a patient, as the pictures that they are of.
PICTURE = ".png"


def is_derivative(case: BatchCase, order: WorkOrder) -> bool:
    """Whether the results of a case are named as derivatives of BIDS, which are in NIfTI."""
    return case.bids is not None and format_of(case, order) == _NIFTI


def format_of(case: BatchCase, order: WorkOrder) -> str:
    """Return the ending of a case's labelmap: as the settings say, or as its image suggests."""
    if order.settings.format != AUTO:
        return order.settings.format
    return PICTURE if is_picture(case.images[0]) else _NIFTI


def output_paths(case: BatchCase, order: WorkOrder) -> dict[str, str]:
    """Return where the files of a case go, by kind: paths below the output folder, with "/".

    Of several targets, each has maps of its own, whose kinds are followed by its name: see
    ``kind_of_map``.

    Raises:
        InputError: the image is one of BIDS, but its name is not.
    """
    if is_derivative(case, order):
        return _derivatives(PurePosixPath(str(case.bids)), order)
    paths = {LABELS: f"{case.name}{format_of(case, order)}"}
    if order.objects:
        paths[OBJECTS] = f"{case.name}_objects.csv"
    for name, word in _words(order).items():
        stem = f"{case.name}_{word}" if name else case.name
        for kind in _maps(order):
            paths[kind_of_map(kind, name)] = f"{stem}_{kind}{_NIFTI}"
    return paths


def kind_of_map(kind: str, target: str) -> str:
    """Return the kind of the map of one of several targets; of a single one, whose name is ""."""
    return f"{kind} of {target}" if target else kind


def _derivatives(image: PurePosixPath, order: WorkOrder) -> dict[str, str]:
    several = order.objects or bool(order.targets)
    labels = dseg_path(image) if several else mask_path(image, order.title)
    paths = {LABELS: str(labels), SIDECAR: str(sidecar_path(labels))}
    if several:
        paths[LOOKUP] = str(lookup_path(labels))
    for name, word in _words(order).items():
        probability = probseg_path(image, word if name else order.title)
        names = {
            PROBABILITY: probability,
            UNCERTAINTY: probability.with_name(
                probability.name.replace("_probseg.", "_uncertainty.")
            ),
        }
        for kind in _maps(order):
            paths[kind_of_map(kind, name)] = str(names[kind])
    return paths


def _maps(order: WorkOrder) -> list[str]:
    wanted = {
        PROBABILITY: order.settings.probability,
        UNCERTAINTY: order.settings.uncertainty,
    }
    return [kind for kind, is_wanted in wanted.items() if is_wanted]


def _words(order: WorkOrder) -> dict[str, str]:
    """Return how files name each of several targets; a single one has no name, and no word."""
    names = [target.name for target in order.targets]
    return dict(zip(names, words_of(names), strict=True)) or {"": ""}
