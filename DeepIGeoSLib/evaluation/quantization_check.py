"""Give a bundle 8-bit networks, if they segment as well as its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.bundles import Bundle, BundleManifest, load_bundle
from DeepIGeoSLib.bundles.writer import check_new_folder, write_with_quantized
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.engines.quantization import quantize
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.evaluation.evaluate import compare
from DeepIGeoSLib.evaluation.methods import SessionMethod
from DeepIGeoSLib.evaluation.protocol import play
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.tensors import to_array
from DeepIGeoSLib.users.robot_user import RobotUser

if TYPE_CHECKING:
    import torch

    from DeepIGeoSLib.crf.crfnet import CRFNet
    from DeepIGeoSLib.networks.network import Part, SegmentationNetwork


# How much of the mean Dice may be lost.
MOST_LOST = 0.005

_STROKES = 5
_CALIBRATION_STROKES = 2
_CALIBRATION_CASES = 10


@dataclass(frozen=True)
class Optimized:
    """What became of an optimization.

    Attributes:
        folder: the new bundle; None when the 8-bit networks lost too much.
        cases: how many it was checked on.
        dice: mean Dice of the bundle's own networks after 0, 1, ... strokes.
        dice_int8: the same of the 8-bit networks.
    """

    folder: Path | None
    cases: int
    dice: tuple[float, ...]
    dice_int8: tuple[float, ...]


def optimize(
    bundle: Bundle,
    training: Sequence[LabeledCase],
    validation: Sequence[LabeledCase],
    *,
    folder: Path,
    progress: Progress | None = None,
) -> Optimized:
    """Write a copy of a bundle with 8-bit networks, if their Dice falls by at most ``MOST_LOST``.

    The robot user plays on some training cases, and what the networks are given there sets the
    ranges of their results. Then he plays on the validation cases with both versions.

    Args:
        bundle: with networks.
        training: cases to set the ranges by; ten of them, evenly spread, are used.
        validation: cases to check with.
        folder: of the new bundle; must not exist yet.
        progress: called with the share done and a text.

    Raises:
        InputError: the folder can't be written, or a package is not installed.
    """
    check_new_folder(folder)
    for package in ("openvino", "nncf"):
        if find_spec(package) is None:
            raise InputError(f"int8 networks need the Python package {package}.")
    tell = progress or (lambda share, text: None)
    inputs = _inputs(bundle, training, tell)
    quantized = {}
    for role in ("pnet", "rnet"):
        tell(0.4, f"Quantizing {role}")
        quantized[role] = quantize(bundle.network(role).eval(), inputs[role])
    with TemporaryDirectory() as temporary:
        trial = Path(temporary) / "bundle"
        write_with_quantized(trial, bundle, quantized, note="")
        own, eight_bits = _dice(bundle, load_bundle(trial), validation, tell)
    lost = max(a - b for a, b in zip(own, eight_bits, strict=True))
    written = lost <= MOST_LOST
    if written:
        write_with_quantized(
            folder, bundle, quantized, note=_note(own, eight_bits, len(validation))
        )
    tell(1.0, "Done")
    return Optimized(folder if written else None, len(validation), own, eight_bits)


def _inputs(
    bundle: Bundle, cases: Sequence[LabeledCase], tell: Progress
) -> dict[str, list[np.ndarray]]:
    """Return what P-Net and R-Net are given while the robot user works on some cases."""
    watched = _Watched(bundle)
    method = SessionMethod(InteractiveSession(watched, device="cpu", engine="torch"))
    user = RobotUser("stroke")
    some = cases[:: -(-len(cases) // _CALIBRATION_CASES)]
    for number, case in enumerate(some):
        tell(0.3 * number / len(some), f"Reading {case.name}")
        for _ in play(method, *case.load_channels(), user=user, rounds=_CALIBRATION_STROKES):
            pass
    return watched.inputs


class _Watched:
    """Stands in for a bundle and keeps what its networks are given."""

    has_networks = True

    def __init__(self, bundle: Bundle) -> None:
        self.manifest: BundleManifest = bundle.manifest
        self.inputs: dict[str, list[np.ndarray]] = defaultdict(list)
        self._bundle = bundle

    def network(self, role: str) -> SegmentationNetwork:
        network = self._bundle.network(role)
        run = network.probabilities_of_part

        def watched(x: torch.Tensor, part: Part) -> torch.Tensor:
            self.inputs[role].append(to_array(x))
            return run(x, part)

        network.probabilities_of_part = watched
        return network

    def crf(self, role: str) -> CRFNet:
        return self._bundle.crf(role)

    def quantized(self, role: str) -> tuple[bytes, bytes]:
        return self._bundle.quantized(role)


def _dice(
    bundle: Bundle, optimized: Bundle, cases: Sequence[LabeledCase], tell: Progress
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean Dice after 0, 1, ... strokes of the networks as they were, and of the new."""
    methods = [
        SessionMethod(InteractiveSession(bundle, device="cpu", engine="torch"), "own"),
        SessionMethod(InteractiveSession(optimized, device="cpu", engine="openvino-int8"), "int8"),
    ]
    user = RobotUser("stroke")
    results = compare(
        methods,
        cases,
        user,
        rounds=_STROKES,
        progress=lambda share, text: tell(0.5 + share / 2, text),
    )
    own, eight_bits = (
        tuple(
            float(np.mean([r.measured.dice for r in results.rows if (r.method, r.round) == key]))
            for key in ((method.name, number) for number in range(_STROKES + 1))
        )
        for method in methods
    )
    return own, eight_bits


def _note(own: Sequence[float], eight_bits: Sequence[float], cases: int) -> str:
    rows = "\n".join(
        f"| {number} | {a:.4f} | {b:.4f} |"
        for number, (a, b) in enumerate(zip(own, eight_bits, strict=True))
    )
    return (
        "## 8-bit networks\n\n"
        "For the engine `openvino-int8`; made by `deepigeos bundles optimize`. Mean Dice on "
        f"{cases} validation cases after strokes of the robot user:\n\n"
        f"| strokes | float32 | int8 |\n|---|---|---|\n{rows}\n"
    )
