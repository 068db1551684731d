"""Checkpoints that appear whole or not at all, and what may be done with those that are there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step

LAST, BEST = "last.ckpt", "best.ckpt"

_NETWORK = "network."


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the old checkpoint and renames: a full disk or a kill leaves the old one.

    Lightning writes into the system's temporary folder and moves, which copies where that is
    another disk.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            InputError: it can't be written, for example because the disk is full.
        """
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with written_in_one_step(path) as temporary:
            temporary.write_bytes(content.getbuffer())


def remove_torn(folder: Path) -> None:
    """Remove what a process that was killed while it wrote a checkpoint left in a run's folder."""
    for path in folder.glob(".????????????-*.ckpt"):
        path.unlink()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what a checkpoint holds.

    Raises:
        InputError: it is missing or damaged.
    """
    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        checkpoint["state_dict"], checkpoint["global_step"]
    except Exception as error:  # torch.load raises whatever the damaged bytes lead it to
        raise InputError(f"{path} is no checkpoint of a training run, or it is damaged.") from error
    return checkpoint


def network_weights(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the state of the network alone."""
    state = checkpoint["state_dict"]
    return {key.removeprefix(_NETWORK): state[key] for key in state if key.startswith(_NETWORK)}


def step_to_resume_from(folder: Path, module: lightning.LightningModule) -> int | None:
    """Return the step of the newest checkpoint of a run's folder, or None when there is none.

    Raises:
        InputError: the checkpoint is damaged, or belongs to another configuration.
    """
    path = folder / LAST
    if not path.exists():
        return None
    checkpoint = read_checkpoint(path)
    there = {key: value.shape for key, value in checkpoint["state_dict"].items()}
    if there != {key: value.shape for key, value in module.state_dict().items()}:
        raise InputError(
            f"{path} holds another network than the configuration describes: choose another output "
            "folder, or remove the old run."
        )
    groups = checkpoint["optimizer_states"][0]["param_groups"]
    configured: Any = module.configure_optimizers()
    if _kinds(groups) != _kinds(configured["optimizer"].param_groups):
        raise InputError(
            f"{path} was trained with another optimizer, or with other layers frozen, than the "
            "configuration says: choose another output folder, or remove the old run."
        )
    return int(checkpoint["global_step"])


def _kinds(groups: list[dict[str, Any]]) -> list[tuple[int, bool]]:
    """Return what must agree of an optimizer's groups: how many tensors, and SGD or Adam."""
    return [(len(group["params"]), "momentum" in group) for group in groups]
