"""What makes a folder of results a data set of BIDS derivatives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from DeepIGeoSLib.batch.answer import CaseAnswer
from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.journal import KEPT
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.formats.bids import (
    DESCRIPTION,
    dataset_description,
    dseg_sidecar,
    lookup_table,
    mask_sidecar,
)
from DeepIGeoSLib.instances.table import rows_of
from DeepIGeoSLib.targets import Target, colored

# What lies there besides and is not named as BIDS has it; validators pass over it.
_IGNORED = (f"{KEPT}/", "report.*", "*_uncertainty.nii.gz")


def sidecar_text(case: BatchCase, order: WorkOrder) -> str:
    """Return the JSON beside the mask of a case: what it was made of, and by what."""
    weights = load_bundle(order.bundle).manifest.weights
    write = dseg_sidecar if order.targets or order.objects else mask_sidecar
    said = write(
        PurePosixPath(str(case.bids)),
        ", ".join(target.name for target in order.targets) or order.title,
        bundle=order.model,
        weights={role: weight.sha256 for role, weight in weights.items()},
    )
    return json.dumps(said, indent=2) + "\n"


def lookup_text(answer: CaseAnswer, order: WorkOrder, spacing: Sequence[float]) -> str:
    """Return the table that names the labels of a case: targets, or objects with what is known.

    Args:
        answer: what was found.
        order: of the run.
        spacing: mm along (k, j, i).
    """
    if answer.objects is None:
        colors = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in _colors(order.targets)]
        return lookup_table([target.name for target in answer.targets], {"color": colors})
    rows = rows_of(answer.objects, spacing)
    names = [f"{row['kind'] or order.task} {row['number']}" for row in rows]
    columns = {key: [row[key] for row in rows] for key in ("score", "milliliters")}
    return lookup_table(names, columns)


def _colors(targets: Sequence[Target]) -> list[tuple[int, int, int]]:
    return [target.color for target in colored(targets) if target.color is not None]


def describe_data_set(order: WorkOrder, source: Path) -> None:
    """Write what says that a folder holds derivatives, and of which data set.

    Args:
        order: of the run.
        source: folder of the data set.

    Raises:
        InputError: it can't be written.
    """
    try:
        name = str(json.loads((source / DESCRIPTION).read_text(encoding="utf-8"))["Name"])
    except (OSError, ValueError, KeyError, TypeError):
        name = source.resolve().name  # what is wrong there is no matter of the results
    said = dataset_description(name, source.resolve().as_uri(), order.version, bundle=order.model)
    texts = {DESCRIPTION: json.dumps(said, indent=2), ".bidsignore": "\n".join(_IGNORED)}
    for file, text in texts.items():
        with written_in_one_step(order.output / file) as temporary:
            try:
                temporary.write_text(f"{text}\n", encoding="utf-8")
            except OSError as error:
                raise InputError(f"{order.output / file} can't be written: {error}.") from error
