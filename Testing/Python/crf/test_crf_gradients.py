"""The gradients of CRF-Net are those of finite differences, and flow only where they should."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from DeepIGeoSLib.crf.crfnet import NO_SCRIBBLE, CRFNet
from DeepIGeoSLib.crf.settings import CrfSettings


def small_crf(
    kind: str, channels: int = 1, classes: int = 2, window: tuple[int, ...] = (3, 3, 3)
) -> CRFNet:
    torch.manual_seed(2)
    settings = CrfSettings(
        pairwise=kind,
        window=window,
        hidden=(4, 3),
        training_iterations=2,
        sigma=0.8,
        appearance=0.4,
        smoothness=0.2,
        appearance_intensity=0.9,
    )
    return CRFNet.of(settings, channels, classes).double().train()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["freeform", "contrast", "bilateral"])
def test_gradients_equal_finite_differences(kind: str, classes: int) -> None:
    crf = small_crf(kind, channels=2, classes=classes, window=(3, 1, 3))
    scores = torch.randn(1, classes, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    image = torch.randn(1, 2, 2, 3, 2, dtype=torch.float64)
    scribbles = torch.full((1, 2, 3, 2), NO_SCRIBBLE)
    scribbles[0, 0, 1, 1] = 1
    names, parameters = zip(*crf.named_parameters(), strict=True)

    def result(scores: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(
            crf,
            dict(zip(names, values, strict=True)),
            (scores, image, torch.tensor([2.0, 1.0, 1.0]), scribbles),
        ).softmax(dim=1)

    assert torch.autograd.gradcheck(result, (scores, *parameters))


def test_gradients_reach_everything_but_the_image_and_scribbled_scores() -> None:
    crf = small_crf("freeform")
    with torch.no_grad():  # so that no rectifier can hide a gradient
        for layer in crf.pairwise.layers:
            layer.bias.fill_(1.0)
    scores = torch.randn(1, 2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    image = torch.randn(1, 1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    scribbles = torch.full((1, 3, 4, 4), NO_SCRIBBLE)
    scribbles[0, 1, 2, 2] = 1
    crf(scores, image, torch.ones(3), scribbles).square().sum().backward()
    assert image.grad is None
    reached = scores.grad.abs().sum(dim=1)
    assert reached[0, 1, 2, 2] == 0
    reached[0, 1, 2, 2] = 1
    assert torch.all(reached > 0)
    for name, parameter in crf.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_training_pulls_the_pairwise_function_to_where_the_loss_is_lower() -> None:
    """A wrong voxel amid right ones: descent must make neighbors agree."""
    crf = small_crf("contrast")
    with torch.no_grad():
        crf.pairwise.omega.fill_(0.01)
    scores = torch.zeros(1, 2, 3, 5, 5, dtype=torch.float64)
    scores[:, 0] = 1.0
    scores[0, :, 1, 2, 2] = torch.tensor([0.0, 1.0])
    image, target = torch.zeros(1, 1, 3, 5, 5), torch.zeros(1, 3, 5, 5, dtype=torch.long)
    optimizer = torch.optim.SGD(crf.parameters(), lr=0.5)
    before = parameters_to_vector(crf.parameters()).clone()
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(crf(scores, image, torch.ones(3)), target)
        loss.backward()
        optimizer.step()
    assert not torch.equal(parameters_to_vector(crf.parameters()), before)
    assert crf.pairwise.omega > 0.02
    assert crf(scores, image, torch.ones(3)).argmax(dim=1).sum() == 0


def test_memory_of_training_does_not_grow_with_the_window() -> None:
    """What is kept for the backward pass: checkpointing leaves no pair's features in it."""

    def kept(window: tuple[int, int, int]) -> int:
        crf = CRFNet(window, training_iterations=1).train()
        scores = torch.randn(1, 2, 4, 12, 12, requires_grad=True)
        image = torch.randn(1, 1, 4, 12, 12)
        sizes: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            result = crf(scores, image, torch.ones(3))
        assert result.requires_grad
        return sum(sizes.values())

    small, large = kept((3, 3, 3)), kept((3, 5, 5))
    assert large < 2 * small
