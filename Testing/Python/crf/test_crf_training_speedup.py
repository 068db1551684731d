"""The CRF-Net by tables that is used in training has the values and gradients of the plain one."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("numba", reason="numba is not installed")

from DeepIGeoSLib.crf import differentiable
from DeepIGeoSLib.crf.crfnet import NO_SCRIBBLE, CRFNet
from DeepIGeoSLib.crf.differentiable import TableCRFNet
from DeepIGeoSLib.crf.pairwise import pairwise_function
from DeepIGeoSLib.crf.settings import CrfSettings


def pair(kind: str, window: tuple[int, ...] = (3, 3, 5), classes: int = 2) -> tuple:
    """Return a plain CRF-Net and one by tables with the same parameters, in double precision."""
    torch.manual_seed(1)
    settings = CrfSettings(
        pairwise=kind,
        hidden=(6, 4),
        sigma=0.8,
        appearance=0.3,
        smoothness=0.1,
        appearance_intensity=0.9,
    )
    options = {"classes": classes, "training_iterations": 3, "strength": 0.7}
    plain, fast = (
        kind_of_net(window, pairwise=pairwise_function(settings, 1), **options).double().train()
        for kind_of_net in (CRFNet, TableCRFNet)
    )
    with torch.no_grad():
        plain.compatibility += 0.2 * torch.randn(classes, classes)
    fast.load_state_dict(plain.state_dict())
    return plain, fast


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["freeform", "contrast", "bilateral"])
def test_values_and_gradients_are_those_of_the_plain_network(
    kind: str, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kinks of the pairwise function between two entries are what is left, so these are many."""
    monkeypatch.setattr(differentiable, "_STEPS", 1 << 17)
    shape = (4, 7, 8)
    image = torch.randn(2, 1, *shape, dtype=torch.float64)
    spacing = torch.tensor([[3.0, 1.0, 1.1], [5.0, 0.8, 0.8]])
    scribbles = torch.full((2, *shape), NO_SCRIBBLE)
    scribbles[0, 1, 2, 3], scribbles[1, 2, 4, 4] = 1, 0
    start = torch.randn(2, classes, *shape, dtype=torch.float64)
    results = []
    for network in pair(kind, classes=classes):
        scores = start.clone().requires_grad_()
        result = network(scores, image, spacing, scribbles)
        (result.softmax(dim=1)[:, 1] * torch.linspace(-1, 1, 8)).sum().backward()
        gradients = [scores.grad, *(p.grad for p in network.parameters())]
        results.append([result.detach(), *gradients])
    for plain, fast in zip(*results, strict=True):
        assert torch.allclose(plain, fast, rtol=5e-3, atol=5e-4 * float(plain.abs().max()))


def test_gradients_equal_finite_differences() -> None:
    _, fast = pair("contrast", window=(1, 3, 3))
    image = torch.randn(1, 1, 2, 3, 3, dtype=torch.float64)
    scores = torch.randn(1, 2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    names, parameters = zip(*fast.named_parameters(), strict=True)

    def result(scores: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        given = dict(zip(names, values, strict=True))
        return torch.func.functional_call(fast, given, (scores, image, torch.ones(3)))

    assert torch.autograd.gradcheck(result, (scores, *parameters))


def test_several_channels_take_the_plain_way() -> None:
    torch.manual_seed(0)
    fast = TableCRFNet((3, 3, 3), channels=2, training_iterations=2)
    plain = CRFNet((3, 3, 3), channels=2, training_iterations=2)
    plain.load_state_dict(fast.state_dict())
    arguments = (torch.randn(1, 2, 3, 4, 5), torch.randn(1, 2, 3, 4, 5), torch.ones(3))
    assert torch.equal(fast(*arguments), plain(*arguments))
