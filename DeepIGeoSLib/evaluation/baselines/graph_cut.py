"""Geodesic graph cut: nearness to the seeds and smooth borders, in balance; solved by SciPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from DeepIGeoSLib.evaluation.baselines.geodesic_rule import seed_distances

# Weight of the border against the probabilities, and the difference of normalized intensities at
# which a border costs 0.6 of what it costs where there is none. Chosen on four training cases.
_BORDER, _EDGE = 2.0, 0.3

# Least probability of either class, and the distance that both classes get added.
_LEAST, _NEAR = 1e-3, 1e-3

# SciPy's maximum flow wants whole numbers: costs are rounded to 1 / _SCALE. Seeds cost _FORCED to
# violate, more than all borders of a voxel together.
_SCALE, _FORCED = 200, 1_000_000


def cut_between_seeds(
    image: np.ndarray, foreground: np.ndarray, background: np.ndarray, *, spacing: Sequence[float]
) -> np.ndarray:
    """Return the labels of least energy that respect the seeds.

    The energy of Boykov and Jolly, "Interactive graph cuts" (ICCV 2001): for each voxel minus the
    logarithm of its label's probability, plus for each pair of face neighbors with different labels
    a cost that falls with their difference and their distance. The probabilities are those of Price
    et al., "Geodesic graph cut" (CVPR 2010): the share of the other class's geodesic distance in
    the sum of both. Histograms of the seeds' intensities got worse with every stroke on training
    cases: strokes at a lesion's rim make healthy tissue probable. Arguments: see ``Solver``.
    """
    to_foreground, to_background = seed_distances(image, foreground, background, spacing=spacing)
    share = (to_background + _NEAR) / (to_foreground + to_background + 2 * _NEAR)
    probability = np.clip(share, _LEAST, 1 - _LEAST)
    foreground_costs = _whole(-np.log(probability))
    background_costs = _whole(-np.log(1 - probability))
    foreground_costs[background] = _FORCED
    background_costs[foreground] = _FORCED
    return minimum_cut(foreground_costs, background_costs, _border_costs(image, spacing))


def minimum_cut(
    foreground_costs: np.ndarray, background_costs: np.ndarray, border_costs: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the labeling of least cost, by a maximum flow (Dinic's algorithm).

    Args:
        foreground_costs: of calling a voxel foreground: int32, axes (k, j, i).
        background_costs: the same for the background.
        border_costs: for each axis, of a border between a voxel and the next one along it: int32,
            one voxel shorter along that axis.

    Returns:
        bool, axes (k, j, i): the foreground.
    """
    shape, count = foreground_costs.shape, foreground_costs.size
    source, sink = count, count + 1
    arcs = _arcs_between_voxels(shape, border_costs)
    # Only the difference of a voxel's two costs matters. What is cut off from the source is
    # background: the arc from the source is what that costs.
    surplus = (background_costs - foreground_costs).ravel()
    better = np.flatnonzero(surplus > 0)
    arcs.append((np.full(better.size, source), better, surplus[better]))
    worse = np.flatnonzero(surplus < 0)
    arcs.append((worse, np.full(worse.size, sink), -surplus[worse]))
    tails, heads, capacities = (np.concatenate(parts) for parts in zip(*arcs, strict=True))
    graph = sparse.csr_array((capacities, (tails, heads)), shape=(count + 2, count + 2))
    left = graph - csgraph.maximum_flow(graph, source, sink).flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    labels = np.zeros(count + 2, dtype=bool)
    labels[csgraph.breadth_first_order(left, source, return_predecessors=False)] = True
    return labels[:count].reshape(shape)


def _arcs_between_voxels(
    shape: tuple[int, ...], border_costs: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return tails, heads and capacities of the arcs between face neighbors, in both directions."""
    numbers = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    arcs = []
    for axis, costs in enumerate(border_costs):
        ones = np.take(numbers, range(shape[axis] - 1), axis).ravel()
        others = np.take(numbers, range(1, shape[axis]), axis).ravel()
        arcs += [(ones, others, costs.ravel()), (others, ones, costs.ravel())]
    return arcs


def _border_costs(image: np.ndarray, spacing: Sequence[float]) -> list[np.ndarray]:
    costs = []
    for axis, step in enumerate(spacing):
        nearness = min(spacing) / step
        difference = np.diff(image, axis=axis)
        costs.append(_whole(_BORDER * nearness * np.exp(-(difference**2) / (2 * _EDGE**2))))
    return costs


def _whole(costs: np.ndarray) -> np.ndarray:
    return np.rint(_SCALE * costs).astype(np.int32)
