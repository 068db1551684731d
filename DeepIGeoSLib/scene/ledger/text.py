"""A ledger as one line of text, which is kept in a tag of its segment.

A tag goes where the segment goes: into clones, .seg.nrrd files and scenes, and the Segment Editor's
undo brings it back together with the voxels.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.scene.ledger.coding import (
    DamagedLedger,
    packedInteractions,
    unpackedInteractions,
)
from DeepIGeoSLib.scene.ledger.rounds import ROUNDS_KEPT, Ledger, Place, Round, Shortened, Step

_VERSION = 1

# Rounds are saved as far as they fit into so many bytes; the newest ones come first.
SAVED_BYTES = 1 << 20

_REASONS: dict[str, Shortened] = {reason: reason for reason in get_args(Shortened)}

# Larger volumes than this are no volumes but damaged numbers.
_MOST_VOXELS = 1 << 33


def ledgerText(ledger: Ledger, geometry: dict[str, Any], packedStrokes: bytes | None = None) -> str:
    """Return a ledger as text without white space, colons or bars.

    Args:
        ledger: what to write.
        geometry: values that JSON can hold, kept beside it.
        packedStrokes: from ``packedInteractions``, where it is known already.
    """
    steps, done, shortened = _steps(ledger)
    head = {
        "version": _VERSION,
        "shape": ledger.shape,
        "place": _placeAsList(ledger.place),
        "done": done,
        "shortened": shortened,
        "geometry": geometry,
        "steps": [
            [
                step.round.kind,
                step.round.changed,
                step.round.total,
                _placeAsList(step.before),
                _placeAsList(step.after),
            ]
            for step in steps
        ],
    }
    parts = [
        json.dumps(head).encode(),
        packedStrokes or packedInteractions(ledger.interactions),
        *(step.packed for step in steps),
    ]
    return ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)


def ledgerFromText(text: str) -> tuple[Ledger, dict[str, Any]]:
    """Return the ledger and the geometry of ``ledgerText``.

    Raises:
        DamagedLedger: the text is damaged, or of a later version.
    """
    try:
        parts = [base64.b64decode(part, altchars=b"-_", validate=True) for part in text.split(".")]
        head = json.loads(parts[0])
        if head["version"] != _VERSION:
            raise DamagedLedger(
                f"What is kept with the segment has version {head['version']!r}; this DeepIGeoS "
                f"reads version {_VERSION}."
            )
        shape = tuple(int(size) for size in head["shape"])
        steps = [
            _stepFromList(described, packed)
            for described, packed in zip(head["steps"], parts[2:], strict=True)
        ]
        done, geometry = int(head["done"]), dict(head["geometry"])
        ledger = Ledger(_checkedShape(shape), (0, 0), 0)
        ledger.place = _placeFromList(head["place"])
        ledger.interactions = unpackedInteractions(parts[1], shape)
    except DamagedLedger:
        raise
    except (binascii.Error, ValueError, TypeError, KeyError, IndexError) as error:
        raise DamagedLedger("What is kept with the segment is damaged.") from error
    if not 0 <= done <= len(steps) <= ROUNDS_KEPT:
        raise DamagedLedger("What is kept with the segment is damaged.")
    ledger.steps, ledger.done = steps, done
    ledger.shortened = _REASONS.get(str(head.get("shortened")), "")
    return ledger, geometry


def _steps(ledger: Ledger) -> tuple[list[Step], int, str]:
    """Return the steps that are saved, how many are done, and why there are no more."""
    first, last, size = ledger.done, ledger.done, 0
    while first > 0 and size + len(ledger.steps[first - 1].packed) <= SAVED_BYTES:
        first -= 1
        size += len(ledger.steps[first].packed)
    while last < len(ledger.steps) and size + len(ledger.steps[last].packed) <= SAVED_BYTES:
        size += len(ledger.steps[last].packed)
        last += 1
    return (
        ledger.steps[first:last],
        ledger.done - first,
        "memory" if first else ledger.shortened,
    )


def _placeAsList(place: Place) -> list[Any]:
    return [place.state, list(place.digest), place.count]


def _placeFromList(values: list[Any]) -> Place:
    state, (first, second), count = values
    return Place(str(state), (int(first), int(second)), int(count))


def _stepFromList(described: list[Any], packed: bytes) -> Step:
    kind, changed, total, before, after = described
    if kind not in ("segmented", "refined", "edited"):
        raise DamagedLedger("What is kept with the segment is damaged.")
    told = Round(kind, float(changed), float(total))
    return Step(told, _placeFromList(before), _placeFromList(after), packed)


def _checkedShape(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape) < 1 or np.prod(shape, dtype=float) > _MOST_VOXELS:
        raise DamagedLedger("What is kept with the segment is damaged.")
    return three(shape)
