"""Tables and compiled iterations give what the CRF-Net itself gives."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
import torch

from DeepIGeoSLib.crf import MeanField
from DeepIGeoSLib.crf.crfnet import NO_SCRIBBLE, CRFNet
from DeepIGeoSLib.crf.pairwise import Bilateral, ContrastSensitive, PairwiseNet
from DeepIGeoSLib.crf.pairwise_tables import tabulate
from DeepIGeoSLib.crf.settings import CrfSettings
from DeepIGeoSLib.errors import Cancelled
from DeepIGeoSLib.geodesic import set_thread_count

SPACING = (3.0, 0.9, 1.1)


def pairwise_of(kind: str, channels: int = 1) -> torch.nn.Module:
    torch.manual_seed(4)
    if kind == "freeform":
        net = PairwiseNet(channels)
        with torch.no_grad():  # potentials of a usual size
            net.layers[-1].weight.abs_().mul_(0.05)
        return net
    if kind == "contrast":
        return ContrastSensitive(channels, sigma=0.3)
    return Bilateral(CrfSettings(appearance=0.3, smoothness=0.05, appearance_intensity=0.4))


def fields(shape: tuple[int, ...], classes: int = 2, channels: int = 1) -> tuple:
    """Return scores, an image with an edge in it, and scribbles."""
    random = np.random.default_rng(7)
    scores = random.normal(0, 2, (classes, *shape)).astype(np.float32)
    image = random.normal(0, 0.3, (channels, *shape)).astype(np.float32)
    image[..., shape[2] // 2 :] += 2
    scribbles = np.full(shape, NO_SCRIBBLE, dtype=np.int8)
    scribbles.flat[[0, 5]] = [1, 0]
    return scores, image, scribbles


def by_the_network(
    network: CRFNet, scores: np.ndarray, image: np.ndarray, scribbles: np.ndarray | None
) -> np.ndarray:
    exact = MeanField(network, "cpu", engine="network")
    return exact.probabilities(scores, image, SPACING, scribbles=scribbles)


@pytest.mark.parametrize("kind", ["freeform", "contrast", "bilateral"])
def test_tables_are_as_exact_as_they_say(kind: str) -> None:
    network = CRFNet((3, 5, 5), pairwise=pairwise_of(kind))
    tables = tabulate(network, SPACING, reach=8.0)
    assert tables.error < 1e-4
    random = np.random.default_rng(0)
    differences = np.concatenate([random.uniform(-8, 8, 50_000), random.normal(0, 0.2, 50_000)])
    position = (differences + 8) * tables.steps_per_unit
    entry = position.astype(int)
    for distance, values in zip(tables.distances, tables.values.astype(float), strict=True):
        found = values[entry] + (position - entry) * (values[entry + 1] - values[entry])
        pairwise = network.pairwise.double()
        exact = pairwise(torch.tensor(differences)[None, None], torch.tensor([distance]))
        worst = np.abs(found - exact[0].detach().numpy()).max()
        assert worst <= tables.error + 1e-6
    used = tables.distances[tables.table_of]
    np.testing.assert_allclose(used, np.linalg.norm(tables.offsets * SPACING, axis=1), atol=1e-8)


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("scribbled", [False, True], ids=["f", "fu"])
@pytest.mark.parametrize("kind", ["freeform", "contrast", "bilateral"])
def test_engines_agree_with_the_network(kind: str, scribbled: bool, engine: str) -> None:
    if engine == "numba":
        pytest.importorskip("numba")
    network = CRFNet((3, 5, 5), pairwise=pairwise_of(kind), iterations=5, strength=0.7)
    with torch.no_grad():
        network.compatibility += torch.tensor([[0.1, 0.2], [-0.3, 0.0]])
    scores, image, scribbles = fields((6, 21, 18))
    marks = scribbles if scribbled else None
    found = MeanField(network, "cpu", engine).probabilities(scores, image, SPACING, scribbles=marks)
    assert found.dtype == np.float32
    exact = by_the_network(network, scores, image, marks)
    assert np.abs(found - exact).max() < 1e-4
    assert np.abs(exact - torch.tensor(scores).softmax(dim=0).numpy()).max() > 0.1


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_several_labels_and_windows_larger_than_the_image(engine: str) -> None:
    network = CRFNet((1, 7, 7), classes=4, pairwise=pairwise_of("contrast"))
    scores, image, scribbles = fields((2, 3, 5), classes=4)
    found = MeanField(network, "cpu", engine).probabilities(
        scores, image, SPACING, scribbles=scribbles
    )
    exact = by_the_network(network, scores, image, scribbles)
    np.testing.assert_allclose(found, exact, atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_several_channels_are_evaluated_by_the_network() -> None:
    network = CRFNet((3, 3, 3), channels=2, pairwise=pairwise_of("freeform", 2), iterations=3)
    scores, image, _ = fields((3, 8, 9), channels=2)
    found = MeanField(network, "cpu").probabilities(scores, image, SPACING)
    np.testing.assert_array_equal(found, by_the_network(network, scores, image, None))
    alone = network(
        torch.tensor(scores[None]), torch.tensor(image[None]), torch.tensor(SPACING)
    ).softmax(dim=1)
    np.testing.assert_allclose(found, alone[0].detach().numpy(), atol=1e-5)


def test_scribbles_hold_and_spread() -> None:
    network = CRFNet((3, 5, 5), pairwise=ContrastSensitive(1, sigma=1.0), strength=50.0)
    probability = np.full((5, 9, 9), 0.4, dtype=np.float32)
    image = np.zeros((1, 5, 9, 9), dtype=np.float32)
    foreground, background = np.zeros((2, 5, 9, 9), dtype=bool)
    foreground[2, 4, 4] = True
    background[2, 0, 0] = True
    result = MeanField(network, "cpu").foreground_probability(
        probability, image, (1, 1, 1), foreground=foreground, background=background
    )
    assert result[2, 4, 4] == 1
    assert result[2, 0, 0] == 0
    assert result[2, 0, 1] < 0.01


def test_without_strength_the_probability_stays() -> None:
    network = CRFNet((3, 5, 5), strength=0.0)
    probability = np.linspace(0, 1, 6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8)
    image = np.random.default_rng(0).normal(size=(1, 6, 7, 8)).astype(np.float32)
    result = MeanField(network, "cpu").foreground_probability(probability, image, (1, 1, 1))
    np.testing.assert_allclose(result, probability, atol=2e-7)


def test_the_number_of_threads_changes_nothing() -> None:
    pytest.importorskip("numba")
    network = CRFNet((3, 5, 5), pairwise=pairwise_of("freeform"))
    scores, image, _ = fields((7, 40, 30))
    results = []
    try:
        for threads in (1, 3):
            set_thread_count(threads)
            results.append(MeanField(network, "cpu", "numba").probabilities(scores, image, SPACING))
    finally:
        set_thread_count(None)
    np.testing.assert_array_equal(*results)


def test_a_constant_image_is_no_problem() -> None:
    network = CRFNet((3, 3, 3), pairwise=pairwise_of("contrast"))
    scores, image, _ = fields((3, 5, 6))
    image[:] = 2
    found = MeanField(network, "cpu").probabilities(scores, image, SPACING)
    np.testing.assert_allclose(found, by_the_network(network, scores, image, None), atol=1e-4)


def test_memory_is_modest_and_linear() -> None:
    pytest.importorskip("numba")
    field = MeanField(CRFNet((3, 5, 5), pairwise=pairwise_of("contrast"), iterations=2), "cpu")
    for size in (32, 64):
        probability = np.full((size, size, size), 0.3, dtype=np.float32)
        image = np.random.default_rng(0).normal(size=(1, size, size, size)).astype(np.float32)
        field.foreground_probability(probability, image, (1, 1, 1))  # loads code, makes tables
        tracemalloc.start()
        field.foreground_probability(probability, image, (1, 1, 1))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak / probability.size < 100


def test_a_cancelled_field_stops() -> None:
    cancel = threading.Event()
    cancel.set()
    scores, image, _ = fields((3, 5, 6))
    with pytest.raises(Cancelled):
        MeanField(CRFNet((3, 3, 3)), "cpu").probabilities(scores, image, SPACING, cancel=cancel)
