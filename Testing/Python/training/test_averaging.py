"""The running average of the weights: worked out by hand, kept as the best, and resumed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning
import pytest
import torch

from DeepIGeoSLib import InputError
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.training.averaging import AveragedWeights, averaged
from DeepIGeoSLib.training.checkpoints import read_checkpoint
from DeepIGeoSLib.training.settings import OptimizationSettings


class One(lightning.LightningModule):
    """A single weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))


def stepped(callback: AveragedWeights, module: One, weights: list[float]) -> None:
    trainer: Any = SimpleNamespace(global_step=0, callbacks=[callback])
    callback.on_train_start(trainer, module)
    for trainer.global_step, weight in enumerate(weights, 1):
        module.weight.data.fill_(weight)
        callback.on_train_batch_end(trainer, module, None, None, 0)
    with averaged(trainer, module):
        module.measured = module.weight.item()


def test_the_average_is_worked_out_by_hand() -> None:
    module = One()
    stepped(AveragedWeights(0.25), module, [1.0, 2.0])
    first = (1 - 2 / 11) * 1.0  # two of eleven parts are kept at the first step
    assert module.measured == pytest.approx(0.25 * first + 0.75 * 2.0)
    assert module.weight.item() == 2.0  # training goes on with the newest


def test_batches_of_one_step_count_once() -> None:
    module, callback = One(), AveragedWeights(0.5)
    trainer: Any = SimpleNamespace(global_step=0, callbacks=[callback])
    callback.on_train_start(trainer, module)
    module.weight.data.fill_(1.0)
    trainer.global_step = 1
    for batch in range(3):
        callback.on_train_batch_end(trainer, module, None, None, batch)
    with averaged(trainer, module):
        assert module.weight.item() == pytest.approx(1 - 2 / 11)


def test_a_resumed_run_goes_on_with_the_average_of_the_run_before() -> None:
    whole, module = AveragedWeights(0.25), One()
    stepped(whole, module, [1.0, 2.0])
    resumed, other = AveragedWeights(0.25), One()
    resumed.load_state_dict(whole.state_dict())
    other.weight.data.fill_(2.0)
    trainer: Any = SimpleNamespace(global_step=2, callbacks=[resumed])
    resumed.on_train_start(trainer, other)
    with averaged(trainer, other):
        assert other.weight.item() == pytest.approx(module.measured)


def test_the_best_weights_are_the_average_and_a_resumed_run_has_the_same(
    configure, tmp_path: Path
) -> None:
    options = {"steps": 6, "average": 0.9}
    assert main(["train", str(configure("whole", optimization=options))]) == 0
    last, best = (read_checkpoint(tmp_path / "whole" / f"{n}.ckpt") for n in ("last", "best"))
    state = next(v for k, v in last["callbacks"].items() if k.startswith("AveragedWeights"))
    if best["global_step"] == 6:
        assert all(torch.equal(state["average"][k], v) for k, v in best["state_dict"].items())
    assert any(not torch.equal(last["state_dict"][k], v) for k, v in best["state_dict"].items())
    assert main(["train", str(configure("parts", optimization={**options, "steps": 4}))]) == 0
    assert main(["train", str(configure("parts", optimization=options))]) == 0
    again = read_checkpoint(tmp_path / "parts" / "last.ckpt")
    resumed = next(v for k, v in again["callbacks"].items() if k.startswith("AveragedWeights"))
    assert resumed["steps"] == state["steps"] == 6
    assert resumed["average"].keys() == state["average"].keys()


def test_an_average_that_never_moves_is_refused() -> None:
    with pytest.raises(InputError, match="average is 1"):
        OptimizationSettings(average=1.0)
