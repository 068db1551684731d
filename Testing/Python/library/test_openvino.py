"""OpenVINO's answers are torch's, and a session goes on where it fails."""

from __future__ import annotations

import logging
import sys
import threading
import types

import numpy as np
import pytest
import torch

from DeepIGeoSLib import Cancelled, InputError, InteractiveSession, load_bundle
from DeepIGeoSLib.engines import EmptyEngine, Engines, TorchEngine
from DeepIGeoSLib.engines import openvino_runtime as openvino_module
from DeepIGeoSLib.engines.openvino_engine import OpenVinoEngine
from DeepIGeoSLib.engines.openvino_runtime import CompiledNetwork, OpenVinoRuntime
from DeepIGeoSLib.networks import ARCHITECTURES, build_network

with_openvino = pytest.mark.skipif(
    not openvino_module.openvino_installed(), reason="openvino is not installed"
)


def any_network(architecture: str = "multi-scale", dimension: int = 3) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build_network(architecture, "rnet", dimension=dimension)
    for module in network.modules():  # numbers of trained networks are not all 0 and 1
        if hasattr(module, "running_mean"):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    if architecture == "mask-rcnn":  # these numbers add up in it: let its answers be no 0 and 1
        network.picture.classes.weight.data.mul_(0.07)
    return network.eval()


def any_input(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)


def openvino_engine(network: torch.nn.Module, budget: int | None = None) -> OpenVinoEngine:
    return OpenVinoEngine(network, runtime=OpenVinoRuntime(), memory_budget=budget)


@pytest.fixture
def runs_of_openvino(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes that OpenVINO has run."""
    shapes, run = [], CompiledNetwork.run

    def counted(self: CompiledNetwork, batch: np.ndarray, cancel: threading.Event | None):
        answer = run(self, batch, cancel)
        shapes.append(batch.shape)
        return answer

    monkeypatch.setattr(CompiledNetwork, "run", counted)
    return shapes


@with_openvino
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("shape", [(8, 32, 48), (11, 37, 50)])
def test_openvino_answers_as_torch_does(architecture, dimension, shape, runs_of_openvino) -> None:
    network = any_network(architecture, dimension)
    image = any_input(*shape)
    answer = openvino_engine(network).foreground_probability(image)
    assert runs_of_openvino
    expected = TorchEngine(network, "cpu").foreground_probability(image)
    assert expected.std() > 0.005
    np.testing.assert_allclose(answer, expected, atol=1e-5)


@with_openvino
def test_openvino_keeps_to_the_memory_budget(runs_of_openvino) -> None:
    network = any_network("dilated")
    image = any_input(40, 100, 96)
    expected = TorchEngine(network, "cpu").foreground_probability(image)
    budget = int(0.9 * image[0].size * network.bytes_per_voxel)
    answer = openvino_engine(network, budget).foreground_probability(image)
    np.testing.assert_allclose(answer, expected, atol=1e-5)
    assert len(runs_of_openvino) > 1
    assert all(np.prod(s[2:]) * network.bytes_per_voxel <= budget for s in runs_of_openvino)


@with_openvino
def test_a_run_waits_for_its_compiler_and_can_be_cancelled_meanwhile(
    runs_of_openvino, monkeypatch
) -> None:
    may_convert, cancel = threading.Event(), threading.Event()
    convert = OpenVinoRuntime.convert

    def later(self: OpenVinoRuntime, *arguments: object):
        cancel.set()
        may_convert.wait()
        return convert(self, *arguments)

    monkeypatch.setattr(OpenVinoRuntime, "convert", later)
    engine, image = openvino_engine(any_network()), any_input(4, 32, 32)
    with pytest.raises(Cancelled):
        engine.foreground_probability(image, cancel)
    assert not runs_of_openvino
    may_convert.set()
    engine.foreground_probability(image)
    assert runs_of_openvino == [(1, 4, 4, 32, 32)]


@with_openvino
@pytest.mark.parametrize(("dimension", "shape"), [(3, (5, 30, 40)), (2, (11, 30, 40))])
def test_a_prepared_shape_needs_no_compiler(dimension, shape, runs_of_openvino) -> None:
    engine = OpenVinoEngine(any_network(dimension=dimension), runtime=OpenVinoRuntime())
    engine.prepare((4, *shape))
    _wait_for_compilers()
    engine.foreground_probability(any_input(*shape))
    assert not _compilers()
    assert len(runs_of_openvino) == (1 if dimension == 3 else shape[0])


@with_openvino
def test_few_compiled_shapes_are_kept(runs_of_openvino) -> None:
    engine = openvino_engine(any_network())
    for size in range(1, 12):
        engine.foreground_probability(any_input(4, 16, 16 * size))
    assert len(runs_of_openvino) == 11
    assert len(engine._shapes._compiled) == 8


@with_openvino
def test_openvino_uses_as_many_threads_as_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, image = openvino_engine(any_network()), any_input(4, 32, 32)
    seen = []
    for threads in (1, 2):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        engine.foreground_probability(image)
        compiled = engine._shapes._last._compiled
        seen.append(compiled.get_property("INFERENCE_NUM_THREADS"))
    assert seen == [1, 2]


@with_openvino
def test_cancel_stops_openvino(runs_of_openvino: list[tuple[int, ...]]) -> None:
    class LaterSet(threading.Event):
        """Is set from the third look on, which comes while the network runs."""

        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks > 2

    engine, image = openvino_engine(any_network("dilated")), any_input(48, 160, 160)
    engine.prepare((4, 48, 160, 160))
    _wait_for_compilers()
    expected = engine.foreground_probability(image)
    ended = len(runs_of_openvino)
    with pytest.raises(Cancelled):
        engine.foreground_probability(image, LaterSet())
    assert len(runs_of_openvino) == ended
    np.testing.assert_array_equal(engine.foreground_probability(image), expected)


@with_openvino
def test_nothing_is_reported_to_openvino_s_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = pytest.importorskip("openvino_telemetry")

    def never(*_: object) -> None:
        raise AssertionError("OpenVINO reports its use")

    for name in ("__init__", "send_event", "start_session"):
        monkeypatch.setattr(telemetry.Telemetry, name, never)
    runtime = OpenVinoRuntime()
    OpenVinoEngine(any_network(), runtime=runtime).foreground_probability(any_input(4, 32, 32))
    assert not runtime.given_up


def test_an_openvino_that_cannot_be_imported_leaves_the_work_to_torch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = types.ModuleType("openvino")  # has nothing in it, as after a failed installation
    for name in [name for name in sys.modules if name.split(".")[0] == "openvino"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", broken)
    network, runtime, image = any_network(), OpenVinoRuntime(), any_input(4, 32, 32)
    expected = TorchEngine(network, "cpu").foreground_probability(image)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):  # P-Net and R-Net of a session
            engine = OpenVinoEngine(network, runtime=runtime)
            for _ in range(2):
                np.testing.assert_array_equal(engine.foreground_probability(image), expected)
    assert runtime.given_up
    assert caplog.text.count("OpenVINO does not work here; going on with PyTorch") == 1


@with_openvino
@pytest.mark.parametrize("name", ["compiled", "run"])
def test_an_openvino_that_fails_leaves_the_work_to_torch(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such instruction")

    owner = CompiledNetwork if name == "run" else openvino_module.Network
    monkeypatch.setattr(owner, name, fail)
    network, image = any_network(), any_input(4, 32, 32)
    engine = openvino_engine(network)
    expected = TorchEngine(network, "cpu").foreground_probability(image)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            np.testing.assert_array_equal(engine.foreground_probability(image), expected)
    assert caplog.text.count("going on with PyTorch. no such instruction") == 1


@pytest.mark.parametrize(
    ("engine", "device", "installed", "expected"),
    [
        ("auto", "cpu", True, TorchEngine),
        ("auto", "meta", True, TorchEngine),
        ("torch", "cpu", True, TorchEngine),
        ("openvino", "auto", True, OpenVinoEngine),
    ],
)
def test_openvino_runs_networks_only_where_it_is_asked_for(
    engine, device, installed, expected, tiny_bundle, monkeypatch
) -> None:
    monkeypatch.setattr("DeepIGeoSLib.engines.choice.openvino_installed", lambda: installed)
    engines = Engines(load_bundle(tiny_bundle), engine, device)
    assert type(engines.of("rnet")) is expected
    assert engines.of("rnet") is engines.of("rnet")
    assert type(engines.of("pnet")) is expected
    assert type(Engines(load_bundle("geodesic"), engine, device).of("pnet")) is EmptyEngine


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"engine": "onnx"}, "no engine 'onnx'"),
        ({"engine": "openvino", "device": "cuda"}, "runs on the CPU, not on cuda"),
    ],
)
def test_an_engine_that_cannot_be_is_refused(options, sentence, tiny_bundle, monkeypatch) -> None:
    monkeypatch.setattr("DeepIGeoSLib.engines.choice.openvino_installed", lambda: True)
    with pytest.raises(InputError, match=sentence):
        InteractiveSession(load_bundle(tiny_bundle), **options)


def test_an_engine_that_is_not_installed_is_refused(tiny_bundle, monkeypatch) -> None:
    monkeypatch.setattr("DeepIGeoSLib.engines.choice.openvino_installed", lambda: False)
    with pytest.raises(InputError, match="openvino is not installed; install it with 'pip"):
        InteractiveSession(load_bundle(tiny_bundle), engine="openvino")


@with_openvino
def test_the_first_stroke_after_a_proposal_waits_for_no_compiler(
    tiny_bundle, head, stroke, runs_of_openvino, monkeypatch
) -> None:
    monkeypatch.setattr("DeepIGeoSLib.engines.choice.openvino_installed", lambda: True)
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu", engine="openvino")
    session.set_volume(head)
    session.propose()
    _wait_for_compilers()
    runs_of_openvino.clear()
    corrected = session.refine(background=stroke(5, 24, 20))
    assert runs_of_openvino
    reference = InteractiveSession(load_bundle(tiny_bundle), device="cpu", engine="torch")
    reference.set_volume(head)
    expected = reference.refine(background=stroke(5, 24, 20))
    np.testing.assert_allclose(corrected.probability, expected.probability, atol=1e-5)


def _compilers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "OpenVINO compiler"]


def _wait_for_compilers() -> None:
    for thread in _compilers():
        thread.join()


@with_openvino
def test_a_proposal_s_two_levels_go_with_the_network(
    runs_of_openvino, bundle_with_overview
) -> None:
    network = load_bundle(bundle_with_overview).network("pnet").eval()
    assert network.overview is not None
    image = np.random.default_rng(0).normal(size=(1, 8, 64, 96)).astype(np.float32)
    image[:, 2:6, 16:48, 32:64] += 4
    answer = openvino_engine(network).foreground_probability(image)
    assert runs_of_openvino
    expected = TorchEngine(network, "cpu").foreground_probability(image)
    assert expected.min() < 0.1 < 0.9 < expected.max()
    np.testing.assert_allclose(answer, expected, atol=1e-5)
