"""Writing a bundle folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.bundles.bundle import Bundle
from DeepIGeoSLib.bundles.checks import file_sha256
from DeepIGeoSLib.bundles.manifest import MANIFEST_NAME, BundleManifest, WeightFile
from DeepIGeoSLib.bundles.quantized import quantized_key, save_quantized
from DeepIGeoSLib.bundles.versions import version_needed
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.settings import to_mapping

if TYPE_CHECKING:
    import torch
    from torch import nn

CARD_NAME = "README.md"


def half_precision(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return a network's state with its convolution weights in half precision.

    They are most of a bundle's size. Biases and normalization statistics stay as they are: they
    are few, and variances may be tiny.
    """
    return {
        key: (value.half() if value.ndim > 1 else value).contiguous()
        for key, value in network.state_dict().items()
    }


def write_bundle(
    folder: str | Path, manifest: BundleManifest, networks: Mapping[str, nn.Module], *, card: str
) -> BundleManifest:
    """Write weights, manifest and model card; the folder appears whole or not at all.

    Weights are stored in half precision (see ``half_precision``).

    Args:
        folder: must not exist yet.
        manifest: its ``weights`` and ``needs`` are replaced by what is written.
        networks: by role, those of ``manifest.networks``, and their CRF-Nets by ``crf_key``.
        card: the model card, Markdown.

    Returns:
        The manifest as written.

    Raises:
        InputError: the folder exists, or its parent does not.
    """
    from safetensors.torch import save

    with _whole_or_not_at_all(Path(folder)) as temporary:
        weights = {}
        for role, network in networks.items():
            name = f"{role}.safetensors"
            # Not ``save_file``, whose files only their owner may read.
            (temporary / name).write_bytes(save(half_precision(network)))
            weights[role] = WeightFile(name, file_sha256(temporary / name))
        needs = version_needed(manifest.networks.values())
        written = dataclasses.replace(manifest, weights=weights, needs=needs)
        return _describe(temporary, written, card)


def write_with_quantized(
    folder: str | Path, bundle: Bundle, quantized: dict[str, tuple[bytes, bytes]], *, note: str
) -> BundleManifest:
    """Write a copy of a bundle that also holds 8-bit networks; whole or not at all.

    Args:
        folder: must not exist yet.
        bundle: the original.
        quantized: OpenVINO's description and numbers by role, "pnet" and "rnet".
        note: added to the model card, Markdown.

    Returns:
        The manifest as written.

    Raises:
        InputError: the folder exists, or its parent does not.
    """
    with _whole_or_not_at_all(Path(folder)) as temporary:
        weights = dict(bundle.manifest.weights)
        for weight in weights.values():
            shutil.copyfile(bundle.folder / weight.file, temporary / weight.file)
        for role, (description, numbers) in quantized.items():
            key = quantized_key(role)
            name = f"{key}.safetensors"
            save_quantized(temporary / name, description, numbers)
            weights[key] = WeightFile(name, file_sha256(temporary / name))
        path = bundle.folder / CARD_NAME
        card = path.read_text(encoding="utf-8") if path.is_file() else ""
        written = dataclasses.replace(bundle.manifest, weights=weights)
        return _describe(temporary, written, f"{card}\n{note}")


def check_new_folder(folder: Path) -> None:
    """Check that a bundle can be written.

    Raises:
        InputError: the folder exists, or its parent does not.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already; a new folder is expected.")
    if not folder.absolute().parent.is_dir():
        raise InputError(f"The folder {folder.parent} does not exist.")


@contextmanager
def _whole_or_not_at_all(folder: Path) -> Generator[Path, None, None]:
    """Give a folder to fill, which becomes ``folder`` when nothing went wrong."""
    check_new_folder(folder)
    temporary = folder.parent / f".{uuid.uuid4().hex[:12]}-{folder.name}"
    temporary.mkdir()
    try:
        yield temporary
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _describe(folder: Path, manifest: BundleManifest, card: str) -> BundleManifest:
    text = json.dumps(to_mapping(manifest), indent=2) + "\n"
    (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
    (folder / CARD_NAME).write_text(card, encoding="utf-8")
    return manifest
