"""Compare the architectures: weights, multiply-adds, time, memory, and what each learns.

Every network is measured as P-Net of one channel and two classes, on one thread; Mask R-CNN is
timed as it finds objects. With --steps they are also trained, see ``networks_learned``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from DeepIGeoSLib.benchmarks.networks_learned import learned, write_tasks
from DeepIGeoSLib.benchmarks.peak_memory import peak_memory
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.networks import ARCHITECTURES, NetworkSettings
from DeepIGeoSLib.tensors import to_tensor

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork

# Shapes (k, j, i) that a network is timed on.
SHAPES = {2: (1, 512, 512), 3: (24, 128, 128)}

_VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "unet": ({}, {"variant": "paper"}),
    "unet-transfer": ({}, {"encoder": "resnet18"}, {"encoder": "vgg16"}),
    "deeplabv3plus": ({}, {"encoder": "plain"}, {"output_stride": 8}),
    # Without masks: Faster R-CNN.
    "mask-rcnn": ({}, {"masks": False}, {"pooling": "pool"}, {"backbone": "efficientnet-lite0"}),
}


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Attributes:
        architecture: of ``ARCHITECTURES``.
        dimension: 2 or 3.
        options: those that are not at their default.
        parameters: number of weights.
        multiply_adds: for each voxel of the input.
        seconds: processor time on one thread for ``SHAPES``; None where networks are only counted.
        megabytes: of memory at work there; None as well.
        learned: what was measured on held-out cases after the training, by measure and task; empty
            without one.
    """

    architecture: str
    dimension: int
    options: dict[str, Any]
    parameters: int
    multiply_adds: float
    seconds: float | None
    megabytes: float | None
    learned: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="architectures to measure (default: all)"
    )
    parser.add_argument(
        "--defaults", action="store_true", help="only the default options of each architecture"
    )
    parser.add_argument(
        "--counts", action="store_true", help="only count weights and multiply-adds: no times"
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=0,
        help="steps of the training on each task; 0 for none (default: %(default)s)",
    )


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    unknown = [name for name in arguments.only or () if name not in ARCHITECTURES]
    if unknown:
        raise InputError(f"--only names {unknown[0]!r}; there are {', '.join(ARCHITECTURES)}.")
    if arguments.steps < 0:
        raise InputError(f"--steps is {arguments.steps}; 0 or more are expected.")
    names = arguments.only or list(ARCHITECTURES)
    rows = run(
        names,
        arguments.steps,
        timed=not arguments.counts,
        defaults=arguments.defaults,
        progress=progress,
    )
    return {"rows": [vars(row) for row in rows], "summary": table(rows)}


def run(
    names: Sequence[str],
    steps: int = 0,
    *,
    timed: bool = True,
    defaults: bool = False,
    progress: Progress | None = None,
) -> list[Cost]:
    """Measure architectures.

    Args:
        names: of ``ARCHITECTURES``.
        steps: of the training on each task; 0 for none.
        timed: whether each network is run to measure its time and memory.
        defaults: leave out networks with other options than the default ones.
        progress: called with the share done and a text.
    """
    every = [settings for name in names for settings in _settings_of(name)]
    every = [settings for settings in every if not (defaults and _own_options(settings))]
    rows = []
    with tempfile.TemporaryDirectory() as temporary, _one_thread():
        folder = Path(temporary)
        if steps:
            write_tasks(folder)
        for number, settings in enumerate(every):
            if progress is not None:
                text = f"{settings.architecture} in {settings.dimension}D"
                progress(number / len(every), text)
            rows.append(_cost(settings, steps, timed=timed, folder=folder))
    return rows


def multiply_adds(settings: NetworkSettings, shape: Sequence[int]) -> int:
    """Return how often a network multiplies and adds for one input ([k,] j, i) of one channel.

    Convolutions are counted, and nothing is computed: the input has a shape and no values.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = settings.build("pnet").eval().to("meta")
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, *shape, device="meta"))
    return counter.get_total_flops() // 2


def table(rows: Sequence[Cost]) -> str:
    """Return the rows as a Markdown table."""
    measures = list(dict.fromkeys(name for row in rows for name in row.learned))
    timed = any(row.seconds is not None for row in rows)
    head = ["network", "", "weights", "multiply-adds a voxel"]
    head += ["seconds", "MB"] if timed else []
    head += measures
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        options = ", ".join(f"{key} {value}" for key, value in row.options.items())
        cells = [
            f"`{row.architecture}`" + (f" ({options})" if options else ""),
            f"{row.dimension}D",
            f"{row.parameters / 1e6:.2f} M",
            f"{row.multiply_adds / 1e3:.1f} k",
            *([f"{row.seconds:.2f}", f"{row.megabytes:.0f}"] if timed else []),
            *(f"{row.learned[name]:.3f}" if name in row.learned else "" for name in measures),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    shapes = ", ".join(f"{' x '.join(map(str, SHAPES[d]))} in {d}D" for d in SHAPES)
    if timed:
        lines += ["", f"Seconds of one processor thread, and megabytes at work, for {shapes}."]
    return "\n".join(lines)


@contextmanager
def _one_thread() -> Generator[None, None, None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _settings_of(name: str) -> Iterator[NetworkSettings]:
    for dimension in (2, 3):
        for options in _VARIANTS.get(name, ({},)):
            yield NetworkSettings(name, cast(Any, dimension), dict(options))


def _own_options(settings: NetworkSettings) -> dict[str, Any]:
    usual = NetworkSettings(settings.architecture, settings.dimension).options
    return {key: value for key, value in settings.options.items() if usual[key] != value}


def _cost(settings: NetworkSettings, steps: int, *, timed: bool, folder: Path) -> Cost:
    network = settings.build("pnet")
    own = SHAPES[settings.dimension][-settings.dimension :]
    shape = SHAPES[settings.dimension]
    seconds, megabytes = _in_process(settings, shape) if timed else (None, None)
    return Cost(
        architecture=settings.architecture,
        dimension=settings.dimension,
        options=_own_options(settings),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        multiply_adds=multiply_adds(settings, own) / prod(own),
        seconds=seconds,
        megabytes=megabytes,
        learned=learned(settings, steps, folder) if steps else {},
    )


def _in_process(settings: NetworkSettings, shape: tuple[int, int, int]) -> tuple[float, float]:
    """Return seconds and megabytes of a run in a process that holds no memory of other networks."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (settings, shape))


def _timed(settings: NetworkSettings, shape: tuple[int, int, int]) -> tuple[float, float]:
    """Return seconds and megabytes of a run on an image of a shape (k, j, i)."""
    import torch

    from DeepIGeoSLib.engines import TorchEngine

    torch.set_num_threads(1)
    torch.manual_seed(0)  # how many objects an untrained network claims is chance
    network = settings.build("pnet")
    image = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    engine = TorchEngine(network, "cpu")
    run_once = partial(_find_objects, network) if _finds(network) else engine.probabilities
    run_once(image[:, :32, :64, :64])  # the first run sets things up
    with peak_memory() as memory:
        begun = time.process_time()
        run_once(image)
        seconds = time.process_time() - begun
    return seconds, memory["bytes"] / 1e6


def _finds(network: SegmentationNetwork) -> bool:
    from DeepIGeoSLib.networks.mask_rcnn.network import MaskRcnn

    return isinstance(network, MaskRcnn)


def _find_objects(network: Any, image: np.ndarray) -> None:
    """Find objects in an image (1, k, j, i), mirrored to the sizes that the network takes."""
    import torch

    slices = image[:, 0] if network.dimension == 2 else image
    sides = [
        (0, -size % step) for size, step in zip(slices.shape[1:], network.multiple_of, strict=True)
    ]
    whole = np.pad(slices, [(0, 0), *sides], mode="symmetric")
    with torch.inference_mode():
        network.detect(to_tensor(whole)[None])
