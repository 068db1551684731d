"""CRF-Net computes what mean field is by definition, and obeys scribbles whatever its strength."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch

from DeepIGeoSLib import InputError
from DeepIGeoSLib.crf.crfnet import NO_SCRIBBLE, CRFNet
from DeepIGeoSLib.crf.pairwise import Bilateral, ContrastSensitive, PairwiseNet
from DeepIGeoSLib.crf.settings import CrfSettings
from DeepIGeoSLib.tensors import to_array, to_tensor

Pairwise = Callable[[np.ndarray, float], float]


def dense_mean_field(
    scores: np.ndarray,
    image: np.ndarray,
    spacing: tuple[float, ...],
    window: tuple[int, ...],
    pairwise: Pairwise,
    compatibility: np.ndarray,
    iterations: int,
    scribbles: np.ndarray | None = None,
) -> np.ndarray:
    """Return the scores after mean-field iterations, by a full matrix of all pairs in float64.

    Args:
        scores: (classes, ...).
        image: (channels, ...).
        spacing: of the axes.
        window: odd sizes.
        pairwise: of (differences, distance).
        compatibility: (classes, classes).
        iterations: how many.
        scribbles: class of scribbled voxels, -1 elsewhere.
    """
    shape = scores.shape[1:]
    places = list(product(*(range(n) for n in shape)))
    potential = np.zeros((len(places), len(places)))
    for row, here in enumerate(places):
        for column, there in enumerate(places):
            step = np.subtract(there, here)
            if row != column and all(abs(step) <= np.array(window) // 2):
                differences = image[(slice(None), *here)] - image[(slice(None), *there)]
                distance = float(np.linalg.norm(step * np.array(spacing)))
                potential[row, column] = pairwise(differences, distance)
    unary = scores.reshape(len(scores), -1).astype(np.float64)
    fixed = np.full(len(places), -1) if scribbles is None else scribbles.ravel()
    one_hot = np.arange(len(scores))[:, None] == fixed[fixed >= 0]
    unary[:, fixed >= 0] = np.where(one_hot, 1000.0, -1000.0)
    state = unary
    for _ in range(iterations):
        weights = np.exp(state - state.max(axis=0))
        probabilities = weights / weights.sum(axis=0)
        cost = compatibility @ (probabilities @ potential.T)
        state = np.where(fixed >= 0, unary, unary - cost)
    return state.reshape(scores.shape)


def marginals(scores: np.ndarray, potentials: np.ndarray) -> np.ndarray:
    """Return the exact probability of each label in a chain, by summing over all labelings.

    Args:
        scores: (labels, nodes).
        potentials: (nodes, nodes), what unequal labels of two nodes cost; counted once a pair.
    """
    labels, nodes = scores.shape
    total = np.zeros((labels, nodes))
    for labeling in product(range(labels), repeat=nodes):
        energy = -sum(scores[label, node] for node, label in enumerate(labeling))
        for first in range(nodes):
            for second in range(first + 1, nodes):
                energy += potentials[first, second] * (labeling[first] != labeling[second])
        for node, label in enumerate(labeling):
            total[label, node] += np.exp(-energy)
    return total / total.sum(axis=0)


def by_hand(pairwise: torch.nn.Module) -> Pairwise:
    """Return the formulas of the pairwise functions again, without torch."""
    values = {name: to_array(p.double()) for name, p in pairwise.named_parameters()}

    def network(differences: np.ndarray, distance: float) -> float:
        x = np.append(differences, distance)
        for layer in range(len(pairwise.layers)):
            x = values[f"layers.{layer}.weight"] @ x + values[f"layers.{layer}.bias"]
            x = np.where(x > 0, x, 0.01 * x)
        return float(x[0])

    def contrast(differences: np.ndarray, distance: float) -> float:
        square = float(differences @ differences)
        width = 2 * len(differences) * values["sigma"] ** 2
        return float(values["omega"] / distance * np.exp(-square / width))

    def bilateral(differences: np.ndarray, distance: float) -> float:
        v = values
        appearance = np.exp(
            -(differences @ differences) / (2 * v["appearance_intensity"] ** 2)
            - distance**2 / (2 * v["appearance_distance"] ** 2)
        )
        smoothness = np.exp(-(distance**2) / (2 * v["smoothness_distance"] ** 2))
        return float(v["appearance"] * appearance + v["smoothness"] * smoothness)

    kinds = {PairwiseNet: network, ContrastSensitive: contrast, Bilateral: bilateral}
    return kinds[type(pairwise)]


def pairwise_of(kind: str, channels: int) -> torch.nn.Module:
    torch.manual_seed(3)
    if kind == "freeform":
        return PairwiseNet(channels, (8, 5))
    if kind == "contrast":
        return ContrastSensitive(channels, sigma=0.7, omega=0.4)
    settings = CrfSettings(
        appearance=0.3, smoothness=0.1, appearance_distance=3, appearance_intensity=0.8
    )
    return Bilateral(settings)


def batch(array: np.ndarray) -> torch.Tensor:
    return to_tensor(array[np.newaxis])


SITUATIONS = {
    "2D, two labels": ((5, 6), (3, 5), 2, 1, (1.0, 1.0)),
    "2D, three labels, two channels": ((4, 5), (5, 3), 3, 2, (0.7, 1.3)),
    "3D, thick slices": ((3, 4, 3), (3, 3, 5), 2, 1, (4.0, 0.9, 1.1)),
    "3D, four labels": ((2, 3, 4), (1, 3, 3), 4, 1, (5.0, 1.0, 1.0)),
    "window larger than the image": ((2, 3), (7, 7), 2, 1, (1.0, 1.0)),
}


@pytest.mark.parametrize("scribbled", [False, True], ids=["f", "fu"])
@pytest.mark.parametrize("kind", ["freeform", "contrast", "bilateral"])
@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS.keys())
def test_iterations_are_those_of_a_dense_mean_field(
    situation: tuple, kind: str, scribbled: bool
) -> None:
    shape, window, classes, channels, spacing = situation
    random = np.random.default_rng(1)
    scores = random.normal(0, 2, (classes, *shape))
    image = random.normal(0, 1, (channels, *shape))
    scribbles = np.full(shape, NO_SCRIBBLE)
    scribbles.flat[[0, 4]] = [1, 0]
    pairwise = pairwise_of(kind, channels)
    crf = CRFNet(
        window, channels=channels, classes=classes, pairwise=pairwise, iterations=4, strength=0.8
    )
    with torch.no_grad():  # anything that is not Potts
        crf.compatibility += to_tensor(random.normal(0, 0.3, (classes, classes)))
    crf = crf.double().eval()
    found = crf(
        batch(scores),
        batch(image),
        torch.tensor(spacing),
        batch(scribbles) if scribbled else None,
    )
    expected = dense_mean_field(
        scores,
        image,
        spacing,
        window,
        by_hand(pairwise),
        0.8 * to_array(crf.compatibility),
        4,
        scribbles if scribbled else None,
    )
    np.testing.assert_allclose(to_array(found[0]), expected, rtol=1e-6, atol=1e-6)


def test_training_mode_has_its_own_number_of_iterations() -> None:
    scores, image = torch.randn(1, 2, 5, 5), torch.randn(1, 1, 5, 5)
    crf = CRFNet((3, 3), iterations=1, training_iterations=2)
    twice = CRFNet((3, 3), pairwise=crf.pairwise, iterations=2).eval()
    spacing = torch.ones(2)
    assert torch.allclose(crf.train()(scores, image, spacing), twice(scores, image, spacing))
    assert not torch.allclose(crf.eval()(scores, image, spacing), twice(scores, image, spacing))


def test_every_sample_has_its_own_spacing() -> None:
    scores, image = torch.randn(2, 2, 3, 6, 5), torch.randn(2, 1, 3, 6, 5)
    spacing = torch.tensor([[3.0, 1.0, 1.0], [6.0, 0.5, 0.8]])
    crf = CRFNet((3, 3, 3), pairwise=ContrastSensitive(1, sigma=1.0)).eval()
    both = crf(scores, image, spacing)
    for number in range(2):
        alone = crf(scores[[number]], image[[number]], spacing[number])
        assert torch.allclose(both[number], alone[0], atol=1e-6)


def test_without_pairwise_weight_it_is_the_identity() -> None:
    scores, image = torch.randn(1, 3, 6, 7), torch.randn(1, 1, 6, 7)
    silent = PairwiseNet(1)
    with torch.no_grad():
        silent.layers[-1].weight.zero_()
        silent.layers[-1].bias.zero_()
    spacing = torch.ones(2)
    for crf in (
        CRFNet((5, 5), classes=3, pairwise=silent),
        CRFNet((5, 5), classes=3, strength=0.0),
        CRFNet((5, 5), classes=3, pairwise=ContrastSensitive(1, omega=0.0)),
    ):
        assert torch.equal(crf.eval()(scores, image, spacing), scores)


def flat_with_a_wrong_voxel() -> tuple[torch.Tensor, torch.Tensor]:
    """Return scores for background everywhere but in the middle, and a constant image."""
    scores = torch.zeros(1, 2, 5, 9, 9)
    scores[:, 0] = 2.0
    scores[0, :, 2, 4, 4] = torch.tensor([0.0, 3.0])
    return scores, torch.zeros(1, 1, 5, 9, 9)


def test_a_strong_potts_term_removes_an_isolated_voxel() -> None:
    scores, image = flat_with_a_wrong_voxel()
    spacing = torch.tensor([3.0, 1.0, 1.0])
    weak = CRFNet((3, 5, 5), pairwise=ContrastSensitive(1, omega=0.01)).eval()
    strong = CRFNet((3, 5, 5), pairwise=ContrastSensitive(1, omega=0.5)).eval()
    assert weak(scores, image, spacing).argmax(dim=1).sum() == 1
    assert strong(scores, image, spacing).argmax(dim=1).sum() == 0


def test_an_edge_of_the_image_protects_a_label() -> None:
    """The same voxel stays when it looks different from what is around it."""
    scores, image = flat_with_a_wrong_voxel()
    image[0, 0, 2, 4, 4] = 1.0
    crf = CRFNet((3, 5, 5), pairwise=ContrastSensitive(1, omega=0.5)).eval()
    assert crf(scores, image, torch.ones(3)).argmax(dim=1)[0, 2, 4, 4] == 1


@pytest.mark.parametrize("strength", [0.1, 10.0, 1e6])
def test_a_scribble_survives_any_strength(strength: float) -> None:
    scores, image = flat_with_a_wrong_voxel()
    scribbles = torch.full((1, 5, 9, 9), NO_SCRIBBLE)
    scribbles[0, 2, 4, 4], scribbles[0, 0, 0, 0] = 1, 0
    crf = CRFNet((3, 5, 5), pairwise=ContrastSensitive(1), strength=strength).eval()
    probability = crf(scores, image, torch.ones(3), scribbles).softmax(dim=1)
    assert probability[0, :, 2, 4, 4].tolist() == [0, 1]
    assert probability[0, :, 0, 0, 0].tolist() == [1, 0]


def test_a_scribble_spreads_to_its_neighbors() -> None:
    scores, image = torch.zeros(1, 2, 7, 7), torch.zeros(1, 1, 7, 7)
    scribbles = torch.full((1, 7, 7), NO_SCRIBBLE)
    scribbles[0, 3, 3] = 1
    crf = CRFNet((3, 3), pairwise=ContrastSensitive(1)).eval()
    probability = crf(scores, image, torch.ones(2), scribbles).softmax(dim=1)[0, 1]
    assert probability[3, 2] > 0.6
    assert torch.all(probability >= 0.5)


def test_permuted_labels_permute_the_result() -> None:
    scores, image = torch.randn(1, 4, 6, 7).double(), torch.randn(1, 2, 6, 7).double()
    scribbles = torch.full((1, 6, 7), NO_SCRIBBLE)
    scribbles[0, 2, 2], scribbles[0, 4, 4] = 3, 1
    order = torch.tensor([2, 0, 3, 1])  # new label n was order[n]
    crf = CRFNet((3, 5), channels=2, classes=4).double().eval()
    with torch.no_grad():
        crf.compatibility += torch.rand(4, 4).double()
    plain = crf(scores, image, torch.ones(2), scribbles)
    with torch.no_grad():
        crf.compatibility.copy_(crf.compatibility[order][:, order])
    renamed = torch.where(scribbles >= 0, torch.argsort(order)[scribbles.clamp(min=0)], scribbles)
    permuted = crf(scores[:, order], image, torch.ones(2), renamed)
    assert torch.allclose(permuted, plain[:, order])


def test_a_chain_comes_near_its_exact_marginals() -> None:
    """Mean field is exact without coupling, and its error shrinks with the coupling squared."""
    nodes = 8
    random = np.random.default_rng(5)
    scores = random.normal(0, 1, (2, nodes))
    neighbors = np.abs(np.subtract.outer(range(nodes), range(nodes))) == 1
    alone = np.exp(scores) / np.exp(scores).sum(axis=0)
    errors = []
    for coupling in (0.1, 0.2, 0.4):
        pairwise = ContrastSensitive(1, omega=coupling)
        crf = CRFNet((1, 3), pairwise=pairwise, iterations=50).double().eval()
        result = crf(batch(scores[:, np.newaxis]), torch.zeros(1, 1, 1, nodes), torch.ones(2))
        exact = marginals(scores, coupling * neighbors)
        errors.append(np.abs(to_array(result.softmax(dim=1)[0, :, 0]) - exact).max())
        assert errors[-1] < 0.4 * np.abs(alone - exact).max()
    assert errors[0] < 0.002
    assert errors[0] < errors[1] / 2.5 < errors[2] / 2.5**2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"window": (4, 5, 5)}, "window"),
        ({"window": (1, 1, 1)}, "window"),
        ({"iterations": 0}, "iterations is 0"),
        ({"hidden": (8, 0)}, "hidden"),
        ({"strength": -1.0}, "strength"),
        ({"sigma": 0.0}, "sigma"),
        ({"omega": math.inf}, "omega"),
    ],
)
def test_impossible_settings_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        CrfSettings(**change)
