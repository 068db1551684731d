"""CRF-Nets in training: where they start, and what they learn from scribbles."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.crf.pretraining_settings import PretrainingSettings
from DeepIGeoSLib.crf.settings import CrfSettings
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.files import written_in_one_step

if TYPE_CHECKING:
    import torch

    from DeepIGeoSLib.crf.differentiable import TableCRFNet


PRETRAINED = "pretrained.ckpt"

_PREFIX = "crf."


@dataclass(frozen=True)
class CrfTraining:
    """Joint training of a network with the CRF-Net behind it: (f) for P-Net, (fu) for R-Net.

    Attributes:
        model: how the CRF-Net is built; it goes into the bundle.
        network: checkpoint of the network alone, which joint training starts from; a new network
            when null.
        start: checkpoint of the CRF-Net to start from, such as ``pretrained.ckpt`` of the task
            "crf"; pretrained at the start of the run when null.
        pretraining: how.
    """

    model: CrfSettings = field(default_factory=CrfSettings)
    network: str | None = None
    start: str | None = None
    pretraining: PretrainingSettings = field(default_factory=PretrainingSettings)


def pretrain_crf(
    settings: CrfTraining, channels: int, *, folder: Path, progress: Progress | None = None
) -> Path:
    """Pretrain the pairwise function, and write the CRF-Net and what was measured into a folder.

    Returns:
        The checkpoint's path; ``pretraining.json`` lies beside it.

    Raises:
        InputError: the pairwise function is not a learned one.
    """
    import torch

    from DeepIGeoSLib.crf.pretraining import pretrain

    if settings.model.pairwise != "freeform":
        raise InputError(
            f"The pairwise function {settings.model.pairwise!r} needs no pretraining; "
            "only 'freeform' does."
        )
    crf, fitted = (
        _new(settings, channels),
        pretrain(settings.model, channels, settings.pretraining, progress=progress),
    )
    crf.pairwise = fitted.pairwise
    state = {f"{_PREFIX}{key}": value for key, value in crf.state_dict().items()}
    with written_in_one_step(folder / PRETRAINED) as path:
        torch.save({"state_dict": state}, path)
    measured = {"root_mean_square_error": fitted.error, "largest_potential": fitted.largest}
    with written_in_one_step(folder / "pretraining.json") as path:
        path.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    return folder / PRETRAINED


def starting_crf(
    settings: CrfTraining, channels: int, *, base: Path, progress: Progress | None = None
) -> TableCRFNet:
    """Return the CRF-Net that joint training starts from.

    Raises:
        InputError: its checkpoint is missing or another CRF-Net's.
    """
    from DeepIGeoSLib.crf.pretraining import pretrain

    if settings.start is not None:
        return load_crf(base / settings.start, settings.model, channels)
    crf = _new(settings, channels)
    if settings.model.pairwise == "freeform":
        crf.pairwise = pretrain(
            settings.model, channels, settings.pretraining, progress=progress
        ).pairwise
    return crf.train()


def load_crf(path: Path, model: CrfSettings, channels: int) -> TableCRFNet:
    """Return the CRF-Net of a checkpoint, ready for training.

    Raises:
        InputError: the file is missing or holds no such CRF-Net.
    """
    import torch

    from DeepIGeoSLib.crf.differentiable import TableCRFNet

    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.")
    crf = TableCRFNet.of(model, channels)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        crf.load_state_dict(_own(state))
    except Exception as error:  # torch.load raises whatever the damaged bytes lead it to
        raise InputError(f"{path} does not hold the weights of a {model.pairwise} CRF.") from error
    return crf


def scribble_classes(foreground: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    """Return scribbles (B, k, j, i) as CRF-Nets take them: class, or ``NO_SCRIBBLE``."""
    from DeepIGeoSLib.crf.crfnet import NO_SCRIBBLE

    return foreground.long() + NO_SCRIBBLE * (~foreground & ~background).long()


def _new(settings: CrfTraining, channels: int) -> TableCRFNet:
    from DeepIGeoSLib.crf.differentiable import TableCRFNet

    return TableCRFNet.of(settings.model, channels)


def _own(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)}
