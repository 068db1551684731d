"""Tiles equal the whole, and memory stays within what is allowed."""

from __future__ import annotations

import logging
import threading
from math import prod

import numpy as np
import pytest
import torch

from DeepIGeoSLib import Cancelled, InputError
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.engines.tiling import SmallestTileError, tiles_of
from DeepIGeoSLib.networks import ARCHITECTURES, build_network
from DeepIGeoSLib.networks.network import Part, SegmentationNetwork


def any_network(architecture: str, dimension: int) -> SegmentationNetwork:
    torch.manual_seed(0)
    size: dict = {"features": 8 if architecture == "dilated" else (4, 4, 4, 4)}
    if architecture == "mask-rcnn":
        size = {"features": (4, 4, 4, 4, 4), "pyramid": 4, "flat": 3 if dimension == 3 else 0}
    return build_network(architecture, "pnet", dimension=dimension, options=size).eval()


@pytest.mark.parametrize(
    ("shape", "reach", "multiple_of", "most"),
    [
        ((48, 64, 80), (5, 7, 3), (4, 16, 16), 60_000),
        ((48, 64, 80), (5, 7, 3), (1, 1, 1), 9_000),
        ((64, 64), (9, 9), (16, 16), 64 * 64),
        ((33, 50), (1, 2), (1, 1), 200),
    ],
)
def test_tiles_cover_every_voxel_once_with_what_it_depends_on(
    shape, reach, multiple_of, most
) -> None:
    covered = np.zeros(shape, dtype=int)
    for tile in tiles_of(shape, reach=reach, multiple_of=multiple_of, most=most):
        assert prod(part.stop - part.start for part in tile.outer) <= most
        covered[tile.inner] += 1
        inside = np.zeros(shape, dtype=bool)
        inside[tile.outer][tile.kept] = True
        assert inside[tile.inner].all()
        assert inside.sum() == np.zeros(shape)[tile.inner].size
        for inner, outer, size, margin, step in zip(
            tile.inner, tile.outer, shape, reach, multiple_of, strict=True
        ):
            assert outer.start <= max(0, inner.start - margin)
            assert outer.stop >= min(size, inner.stop + margin)
            assert outer.start % step == outer.stop % step == 0
    assert (covered == 1).all()


def test_what_fits_is_one_tile() -> None:
    (tile,) = tiles_of((32, 32), reach=(9, 9), multiple_of=(16, 16), most=32 * 32)
    assert tile.outer == tile.inner == (slice(0, 32), slice(0, 32))


def test_the_smallest_possible_tile_is_told() -> None:
    with pytest.raises(SmallestTileError) as caught:
        tiles_of((64, 64), reach=(4, 4), multiple_of=(16, 16), most=100)
    smallest = caught.value.voxels
    tiles_of((64, 64), reach=(4, 4), multiple_of=(16, 16), most=smallest)
    with pytest.raises(SmallestTileError):
        tiles_of((64, 64), reach=(4, 4), multiple_of=(16, 16), most=smallest - 1)


# "deeplabv3plus" pools each tile as a whole: its answers depend on all of it.
LOCAL = [name for name in ARCHITECTURES if name != "deeplabv3plus"]


@pytest.mark.parametrize("architecture", LOCAL)
@pytest.mark.parametrize("dimension", [2, 3])
def test_answers_depend_on_nothing_beyond_reach(architecture: str, dimension: int) -> None:
    network = any_network(architecture, dimension).double()
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.data.abs_()  # so that no influence is lost in a rectifier
    for axis, reach in enumerate(network.reach):
        size = [2 * m for m in network.multiple_of]
        step = network.multiple_of[axis]
        size[axis] = -(-2 * (reach + step + 2) // step) * step
        image = torch.zeros(1, 1, *size, dtype=torch.float64)
        before = network(image)
        farthest = 0
        for place in range(size[axis] // 2, size[axis] // 2 + step, 3):
            changed = image.clone()
            changed.narrow(2 + axis, place, 1).fill_(1)
            others = [a for a in range(dimension + 2) if a != 2 + axis]
            differs = (network(changed) != before).sum(dim=others).nonzero().flatten()
            farthest = max(farthest, place - int(differs.min()), int(differs.max()) - place)
        # The sum over the blocks of an encoder is a bound, and not the least one.
        least = 0 if architecture == "unet-transfer" else reach - step
        assert least < farthest <= reach


@pytest.mark.parametrize(
    ("architecture", "dimension", "shape"),
    [
        ("dilated", 2, (2, 230, 200)),
        ("dilated", 3, (40, 100, 96)),
        ("multi-scale", 2, (2, 300, 300)),
        ("multi-scale", 3, (64, 320, 32)),
    ],
)
def test_tiles_are_seamless(
    architecture: str, dimension: int, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = any_network(architecture, dimension)
    channels = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    whole = TorchEngine(network, "cpu", memory_budget=10**12).foreground_probability(channels)
    voxels = prod(shape[-dimension:])
    fixed, per_voxel = network.part_bytes
    budget = fixed + int(0.9 * voxels * per_voxel)
    tiled = TorchEngine(network, "cpu", memory_budget=budget)
    runs = []

    def counted(x: torch.Tensor, part: Part, run=network.probabilities_of_part) -> torch.Tensor:
        runs.append(x[0, 0].numel())
        return run(x, part)

    monkeypatch.setattr(network, "probabilities_of_part", counted)
    np.testing.assert_allclose(tiled.foreground_probability(channels), whole, atol=1e-5)
    assert len(runs) > (1 if dimension == 3 else shape[0])
    assert fixed + max(runs) * per_voxel <= budget


def test_a_budget_too_small_for_a_tile_names_the_smallest() -> None:
    network = any_network("dilated", 3)
    channels = np.zeros((1, 20, 60, 60), dtype=np.float32)
    with pytest.raises(InputError, match=r"budget of 1 MB is too small.* works here is \d+ MB"):
        TorchEngine(network, "cpu", memory_budget=10**6).foreground_probability(channels)


def test_a_device_out_of_memory_gets_smaller_parts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    network = any_network("dilated", 3)
    channels = np.random.default_rng(0).normal(size=(1, 40, 100, 96)).astype(np.float32)
    engine = TorchEngine(network, "cpu")
    whole = engine.foreground_probability(channels)
    run = TorchEngine._run

    def small_device(self: TorchEngine, batch: np.ndarray, *others: object) -> np.ndarray:
        if batch.size > 0.95 * channels.size:
            raise torch.OutOfMemoryError
        return run(self, batch, *others)

    monkeypatch.setattr(TorchEngine, "_run", small_device)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(engine.foreground_probability(channels), whole, atol=1e-5)
    assert "out of memory; going on in smaller parts" in caplog.text


def test_a_device_without_room_for_any_tile_leaves_the_work_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = TorchEngine(any_network("dilated", 3), "cpu")
    engine.device = torch.device("meta")  # stands for a GPU; nothing can be computed on it
    run = TorchEngine._run

    def no_device(self: TorchEngine, *arguments: object) -> np.ndarray:
        if self.device.type == "meta":
            raise torch.OutOfMemoryError
        return run(self, *arguments)

    monkeypatch.setattr(TorchEngine, "_run", no_device)
    with caplog.at_level(logging.WARNING):
        probability = engine.foreground_probability(np.zeros((1, 4, 8, 8), dtype=np.float32))
    assert probability.shape == (4, 8, 8)
    assert "out of memory; going on with the CPU" in caplog.text


def test_cancel_stops_inside_a_network() -> None:
    network = any_network("multi-scale", 3)
    finished = []
    network.classifier.register_forward_hook(lambda *_: finished.append(True))
    cancel = threading.Event()
    network.encoder[0].register_forward_hook(lambda *_: cancel.set())
    with pytest.raises(Cancelled):
        TorchEngine(network, "cpu").foreground_probability(
            np.zeros((1, 4, 32, 32), dtype=np.float32), cancel
        )
    assert not finished


def test_a_cancelled_engine_runs_again_and_leaves_no_hooks() -> None:
    network = any_network("multi-scale", 3)
    engine = TorchEngine(network, "cpu")
    image = np.zeros((1, 4, 32, 32), dtype=np.float32)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        engine.foreground_probability(image, cancel)
    assert engine.foreground_probability(image, threading.Event()).shape == (4, 32, 32)
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_the_border_is_mirrored() -> None:
    channels = np.arange(2 * 3 * 5 * 14, dtype=np.float32).reshape(2, 3, 5, 14)
    padded = PaddedChannels(channels, (4, 8, 8))
    assert padded.shape == (4, 8, 16)
    whole = padded.read([slice(0, size) for size in padded.shape])
    np.testing.assert_array_equal(whole[:, :3, 1:6, 1:15], channels)
    np.testing.assert_array_equal(whole[:, 3], whole[:, 2])
    np.testing.assert_array_equal(whole[:, :, [0, 6, 7]], whole[:, :, [1, 5, 4]])
    np.testing.assert_array_equal(whole[..., [0, 15]], whole[..., [1, 14]])
    corner = padded.read([slice(0, 4), slice(4, 8), slice(8, 16)])
    np.testing.assert_array_equal(corner[:, :, :2], whole[:, :, 4:6, 8:])
