"""Convolutions in bfloat16: what oneDNN is kept from, and how weights are stored for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.training import run
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.one_dnn import channels_last

# On processors with AMX this ended by a signal; on others nothing ever was wrong.
GRADIENT = """
from DeepIGeoSLib.training.one_dnn import without_amx
without_amx()
import torch
torch.manual_seed(0)
convolution = torch.nn.Conv3d(4, 16, 3, padding=1, bias=False)
x = torch.randn(1, 4, 2, 128, 128)
gradients = []
for enabled in (True, True, False):
    convolution.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
        y = convolution(x)
    y.float().square().mean().backward()
    gradients.append(convolution.weight.grad.clone())
torch.testing.assert_close(*gradients[1:], rtol=0.05, atol=1e-3)
"""


def test_gradients_of_large_images_are_right_in_bfloat16() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "ONEDNN_MAX_CPU_ISA"}
    done = subprocess.run(
        [sys.executable, "-c", GRADIENT], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("dimension", "precision", "limited"),
    [(3, "bf16-mixed", True), (2, "bf16-mixed", False), (3, "32-true", False)],
)
def test_3d_trainings_in_bfloat16_do_without_amx(
    configure: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    dimension: int,
    precision: str,
    limited: bool,
) -> None:
    class Begun(Exception):
        pass

    def begin(*_: object) -> None:
        raise Begun

    # Set first, so that what the code sets is taken back afterwards.
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "ALL")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    monkeypatch.setattr(run, "_parts", begin)
    path = configure(
        network={"dimension": dimension},
        optimization={
            "precision": precision,
            "crop": [8, 16, 16] if dimension == 3 else [1, 16, 16],
        },
    )
    with pytest.raises(Begun):
        run.train(read_config(path), path.parent)
    assert ("ONEDNN_MAX_CPU_ISA" in os.environ) == limited


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_gradients_of_few_slices_are_right_in_bfloat16(depth: int) -> None:
    """Of two slices, processors with bfloat16 read a part from memory that nobody has written."""
    torch.manual_seed(0)
    convolution = Conv3d(96, 96, 3, padding=1, bias=False)
    x = torch.randn(4, 96, depth, 16, 16)
    gradients = []
    for enabled in (True, False):
        convolution.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            y = convolution(x)
        for count in (10_000, 100_000, 250_000, 500_000, 1_000_000):  # what freed memory may hold
            torch.full((count,), float("nan"))
        y.float().square().mean().backward()
        gradients.append(convolution.weight.grad.clone())
    reduced, whole = gradients
    assert float((reduced - whole).norm() / whole.norm()) < 0.02


def test_weights_of_slices_and_of_volumes_are_stored_with_the_channels_last() -> None:
    options = {"encoder": "plain", "features": [4, 6], "decoder": [3, 3, 3, 3, 3]}
    network = build_network("unet-transfer", "pnet", dimension=3, options=options).eval()
    x = torch.randn(1, 1, 2, 16, 16)
    before = network(x)
    channels_last(network)
    torch.testing.assert_close(network(x), before)
    flat, deep = network.encoder.scales[1][0].weight, network.decoder[0][0].weight
    assert (flat.ndim, deep.ndim) == (4, 5)
    assert flat.stride(1) == deep.stride(1) == 1
