"""Mean-field iterations and their gradients, compiled by numba; all that they call is in this file.

Arrays are (k, j, i). The image and the probabilities have half a window of margin on every side, in
which the probabilities are 0, so that neighbors outside the image send nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from DeepIGeoSLib.geodesic.compilation import compiled_once

ROWS = 16
"""Rows that are done together: few enough that what they read stays in the cache."""

_RELAXED = {"nnan", "ninf", "nsz", "contract"}


@njit(nogil=True, fastmath=_RELAXED, error_model="numpy")
def _look_up(own, other, table, middle, potentials):
    """Set the potential of each pair: linear between the entries of the table."""
    for x in range(potentials.size):
        position = own[x] - other[x] + middle
        entry = np.int32(position)
        share = position - np.float32(entry)
        first = np.uint32(entry)
        low = table[first]
        potentials[x] = low + share * (table[first + np.uint32(1)] - low)


@njit(nogil=True, fastmath=_RELAXED)
def _add(potentials, probabilities, messages):
    for x in range(messages.size):
        messages[x] += potentials[x] * probabilities[x]


@njit(nogil=True, fastmath=_RELAXED)
def _update(scores, fixed, messages, costs, state, x):
    """Set the probabilities of one voxel; scribbled ones keep what their scores say."""
    classes = scores.size
    highest = np.float32(-np.inf)
    for label in range(classes):
        score = scores[label]
        if not fixed:
            for other in range(classes):
                score -= costs[label, other] * messages[other, x]
        state[label] = score
        highest = max(highest, score)
    total = np.float32(0)
    for label in range(classes):
        state[label] = np.exp(state[label] - highest)
        total += state[label]
    for label in range(classes):
        state[label] /= total


@compiled_once
def iterate(image, tables, table_of, offsets, scores, fixed, costs, old, new, part, parts):
    """Do one iteration for one of several parts of the rows.

    Args:
        image: float32 with a margin, in units of the tables' steps.
        tables: float32 (tables, entries), potentials of differences; the middle entry is that of 0.
        table_of: number of the table of each offset.
        offsets: (offsets, 3), places of the neighbors.
        scores: float32 (classes, k, j, i).
        fixed: bool (k, j, i), voxels that receive no messages.
        costs: float32 (classes, classes), label compatibility.
        old: float32 (classes, k, j, i) with a margin: probabilities before.
        new: the same after; only its inside is written.
        part: which part.
        parts: how many there are; they may run side by side.
    """
    classes, planes, rows, columns = scores.shape
    margin_k = (image.shape[0] - planes) // 2
    margin_j = (image.shape[1] - rows) // 2
    margin_i = (image.shape[2] - columns) // 2
    middle = np.float32((tables.shape[1] - 2) // 2)
    bands = (rows + ROWS - 1) // ROWS
    messages = np.empty((ROWS, classes, columns), dtype=np.float32)
    potentials = np.empty(columns, dtype=np.float32)
    state = np.empty(classes, dtype=np.float32)
    for band in range(part, planes * bands, parts):
        plane, first = band // bands, band % bands * ROWS
        last = min(rows, first + ROWS)
        messages[:] = 0
        for number in range(offsets.shape[0]):
            k = plane + margin_k
            other_k = k + offsets[number, 0]
            start = margin_i + offsets[number, 2]
            table = tables[table_of[number]]
            for row in range(first, last):
                j = row + margin_j
                other_j = j + offsets[number, 1]
                _look_up(
                    image[k, j, margin_i : margin_i + columns],
                    image[other_k, other_j, start : start + columns],
                    table,
                    middle,
                    potentials,
                )
                for label in range(classes):
                    _add(
                        potentials,
                        old[label, other_k, other_j, start : start + columns],
                        messages[row - first, label],
                    )
        for row in range(first, last):
            for x in range(columns):
                _update(
                    scores[:, plane, row, x],
                    fixed[plane, row, x],
                    messages[row - first],
                    costs,
                    state,
                    x,
                )
                for label in range(classes):
                    new[label, plane + margin_k, row + margin_j, x + margin_i] = state[label]


@compiled_once
def send(image, tables, table_of, offsets, old, messages, part, parts):
    """Add the messages of one of several parts of the rows; see ``iterate``.

    Args:
        image: float with a margin, in units of the tables' steps.
        tables: (tables, entries) of the same type.
        table_of: number of the table of each offset.
        offsets: (offsets, 3).
        old: (classes, k, j, i) with a margin: probabilities.
        messages: (classes, k, j, i); what comes in is added.
        part: which part.
        parts: how many there are.
    """
    classes, planes, rows, columns = messages.shape
    margin_k = (image.shape[0] - planes) // 2
    margin_j = (image.shape[1] - rows) // 2
    margin_i = (image.shape[2] - columns) // 2
    middle = np.float32((tables.shape[1] - 2) // 2)
    potentials = np.empty(columns, dtype=tables.dtype)
    for plane in range(part, planes, parts):
        k = plane + margin_k
        for number in range(offsets.shape[0]):
            other_k = k + offsets[number, 0]
            start = margin_i + offsets[number, 2]
            for row in range(rows):
                j = row + margin_j
                other_j = j + offsets[number, 1]
                _look_up(
                    image[k, j, margin_i : margin_i + columns],
                    image[other_k, other_j, start : start + columns],
                    tables[table_of[number]],
                    middle,
                    potentials,
                )
                for label in range(classes):
                    _add(
                        potentials,
                        old[label, other_k, other_j, start : start + columns],
                        messages[label, plane, row],
                    )


@compiled_once
def collect(image, gradient, table_of, offsets, old, part, parts, tables):
    """Add the tables' share in a gradient of messages, from one of several parts of the rows.

    Args:
        image: as for ``send``.
        gradient: (classes, k, j, i), with respect to the messages.
        table_of: number of the table of each offset.
        offsets: (offsets, 3).
        old: (classes, k, j, i) with a margin: probabilities.
        part: which part.
        parts: how many there are.
        tables: (tables, entries), with respect to the tables; a part's own.
    """
    classes, planes, rows, columns = gradient.shape
    margin_k = (image.shape[0] - planes) // 2
    margin_j = (image.shape[1] - rows) // 2
    margin_i = (image.shape[2] - columns) // 2
    middle = np.float32((tables.shape[1] - 2) // 2)
    zero = 0 * tables[0, 0]  # a zero of the tables' type
    for plane in range(part, planes, parts):
        k = plane + margin_k
        for number in range(offsets.shape[0]):
            table = tables[table_of[number]]
            other_k = k + offsets[number, 0]
            for row in range(rows):
                j = row + margin_j
                other_j = j + offsets[number, 1]
                for x in range(columns):
                    i = x + margin_i
                    other_i = i + offsets[number, 2]
                    total = zero
                    for label in range(classes):
                        total += (
                            gradient[label, plane, row, x] * old[label, other_k, other_j, other_i]
                        )
                    position = image[k, j, i] - image[other_k, other_j, other_i] + middle
                    entry = np.int32(position)
                    share = position - np.float32(entry)
                    table[entry] += (1 - share) * total
                    table[entry + 1] += share * total
