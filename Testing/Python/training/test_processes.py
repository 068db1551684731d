"""Several processes learn what one with all their crops learns; so do accumulated gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from DeepIGeoSLib.cli import main
from DeepIGeoSLib.training.sampling import StepSampler


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "last.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_processes_share_the_samples_of_a_step(processes: int, accumulate: int) -> None:
    size = 2 * processes * accumulate
    alone = list(StepSampler(4, lambda: 1, batch=size))
    parts = [
        list(
            StepSampler(
                4, lambda: 1, batch=2, accumulate=accumulate, processes=processes, rank=rank
            )
        )
        for rank in range(processes)
    ]
    assert sorted(n for part in parts for n in part) == alone
    for step in range(3):
        used = {n for part in parts for n in part[2 * accumulate * step :][: 2 * accumulate]}
        assert used == set(alone[step * size : (step + 1) * size])


def trained(configure, start, name: str, **changes: object) -> dict[str, torch.Tensor]:
    path = configure(name, **changes)
    if "hardware" in changes:
        run = start(path)
        assert run.wait() == 0, run.stderr.read()
    else:
        assert main(["train", str(path)]) == 0
    return weights_of(path.with_suffix(""))


def assert_near(expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> None:
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-5, atol=1e-5, msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["pnet", "rnet"])
def test_two_processes_equal_one_with_twice_the_batch(configure, start, task: str) -> None:
    """With batch normalization and the Dice of the whole batch, which both see all crops.

    They agree to 3e-7; were losses or statistics those of each process, they would differ by 5e-4.
    """
    network = {"architecture": "multi-scale", "options": {"features": [4] * 4}}
    changes: dict = {"network": network, "simulation": {"rounds": 2}}
    # Plain gradient descent: Adam would blow up rounding errors of gradients near zero.
    descent = {"optimizer": "sgd", "learning_rate": 0.1, "loss": "dice"}
    optimization = {"steps": 4, "crop": [4, 32, 32], **descent}
    if task == "rnet":
        trained(configure, start, "p", network=network, optimization=optimization)
        changes |= {"task": "rnet", "pnet": ["p/best.ckpt"]}
    one = trained(
        configure, start, "one", **changes, optimization={**optimization, "batch_size": 2}
    )
    two = trained(
        configure,
        start,
        "two",
        **changes,
        optimization=optimization,
        hardware={"devices": 2, "accelerator": "cpu"},
    )
    assert_near(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["pnet", "rnet"])
def test_accumulated_gradients_equal_a_larger_batch(configure, start, task: str) -> None:
    """Of a loss that is a mean over crops, without batch normalization."""
    network = {"architecture": "dilated", "options": {"features": 4}}
    optimization = {"steps": 3, "optimizer": "sgd", "learning_rate": 0.1, "loss": "ce"}
    changes: dict = {"network": network, "simulation": {"rounds": 1}}
    if task == "rnet":
        trained(configure, start, "p", network=network, optimization=optimization)
        changes |= {"task": "rnet", "pnet": ["p/best.ckpt"]}
    batch = {**optimization, "batch_size": 2}
    parts = {**optimization, "accumulate": 2}
    large = trained(configure, start, "large", **changes, optimization=batch)
    small = trained(configure, start, "small", **changes, optimization=parts)
    assert_near(large, small)
