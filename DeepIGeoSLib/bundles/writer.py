"""Writing a bundle folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.bundles.bundle import file_sha256
from DeepIGeoSLib.bundles.manifest import MANIFEST_NAME, BundleManifest, WeightFile
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
    folder: str | Path, manifest: BundleManifest, networks: dict[str, nn.Module], card: str
) -> BundleManifest:
    """Write weights, manifest and model card; the folder appears whole or not at all.

    Weights are stored in half precision (see ``half_precision``).

    Args:
        folder: must not exist yet.
        manifest: its ``weights`` are replaced by what is written.
        networks: by role, "pnet" and "rnet".
        card: the model card, Markdown.

    Returns:
        The manifest as written.

    Raises:
        InputError: the folder exists, or its parent does not.
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already; a new folder is expected.")
    if not folder.parent.is_dir():
        raise InputError(f"The folder {folder.parent} does not exist.")
    temporary = folder.parent / f".{uuid.uuid4().hex[:12]}-{folder.name}"
    temporary.mkdir()
    try:
        weights = {}
        for role, network in networks.items():
            name = f"{role}.safetensors"
            save_file(half_precision(network), temporary / name)
            weights[role] = WeightFile(name, file_sha256(temporary / name))
        written = dataclasses.replace(manifest, weights=weights)
        text = json.dumps(to_mapping(written), indent=2) + "\n"
        (temporary / MANIFEST_NAME).write_text(text, encoding="utf-8")
        (temporary / CARD_NAME).write_text(card, encoding="utf-8")
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return written
