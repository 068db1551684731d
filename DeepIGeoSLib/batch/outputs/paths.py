"""Where the files of a case go, below the output folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.formats.bids import mask_path, sidecar_path

LABELS, PROBABILITY, UNCERTAINTY, SIDECAR = "labels", "probability", "uncertainty", "sidecar"

_NIFTI = ".nii.gz"
_MASK = "_mask.nii.gz"


def is_derivative(case: BatchCase, order: WorkOrder) -> bool:
    """Whether the results of a case are named as derivatives of BIDS, which are in NIfTI."""
    return case.bids is not None and order.settings.format == _NIFTI


def output_paths(case: BatchCase, order: WorkOrder) -> dict[str, str]:
    """Return where the files of a case go, by kind: paths below the output folder, with "/".

    Raises:
        InputError: the image is one of BIDS, but its name is not.
    """
    derivative = is_derivative(case, order)
    if derivative:
        labels = mask_path(PurePosixPath(str(case.bids)), order.target)
        paths = {LABELS: str(labels), SIDECAR: str(sidecar_path(labels))}
        stem, probability = str(labels).removesuffix(_MASK), f"_probseg{_NIFTI}"
    else:
        paths = {LABELS: f"{case.name}{order.settings.format}"}
        stem, probability = case.name, f"_probability{_NIFTI}"
    if order.settings.probability:
        paths[PROBABILITY] = f"{stem}{probability}"
    if order.settings.uncertainty:
        paths[UNCERTAINTY] = f"{stem}_uncertainty{_NIFTI}"
    return paths
