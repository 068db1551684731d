"""What makes a folder of results a data set of BIDS derivatives."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.journal import KEPT
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.formats.bids import dataset_description, mask_sidecar

_DESCRIPTION = "dataset_description.json"

# What lies there besides and is not named as BIDS has it; validators pass over it.
_IGNORED = (f"{KEPT}/", "report.*", "*_uncertainty.nii.gz")


def sidecar_text(case: BatchCase, order: WorkOrder) -> str:
    """Return the JSON beside the mask of a case: what it was made of, and by what."""
    weights = load_bundle(order.bundle).manifest.weights
    said = mask_sidecar(
        PurePosixPath(str(case.bids)),
        order.target,
        bundle=order.model,
        weights={role: weight.sha256 for role, weight in weights.items()},
    )
    return json.dumps(said, indent=2) + "\n"


def describe_data_set(order: WorkOrder, source: Path) -> None:
    """Write what says that a folder holds derivatives, and of which data set.

    Args:
        order: of the run.
        source: folder of the data set.

    Raises:
        InputError: it can't be written.
    """
    try:
        name = str(json.loads((source / _DESCRIPTION).read_text(encoding="utf-8"))["Name"])
    except (OSError, ValueError, KeyError, TypeError):
        name = source.resolve().name  # what is wrong there is no matter of the results
    said = dataset_description(name, source.resolve().as_uri(), order.version, bundle=order.model)
    texts = {_DESCRIPTION: json.dumps(said, indent=2), ".bidsignore": "\n".join(_IGNORED)}
    for file, text in texts.items():
        with written_in_one_step(order.output / file) as temporary:
            try:
                temporary.write_text(f"{text}\n", encoding="utf-8")
            except OSError as error:
                raise InputError(f"{order.output / file} can't be written: {error}.") from error
