"""What nobody has judged changes neither the loss nor a measure, and nobody marks it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.targets import IGNORED, Target
from DeepIGeoSLib.training.border_settings import BorderSettings
from DeepIGeoSLib.training.borders import class_weights, loss_of_borders
from DeepIGeoSLib.training.cases import prepare_case
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.losses import dice_of_targets, make_loss
from DeepIGeoSLib.training.sampling import PNetSamples, RNetSamples, add_marks

RANDOM = torch.Generator().manual_seed(3)
LOGITS = 3 * torch.randn(2, 3, 1, 8, 9, generator=RANDOM)
CLASSES = torch.randint(0, 3, (2, 1, 1, 8, 9), generator=RANDOM)
HIDDEN = CLASSES.clone()
HIDDEN[..., 5:] = IGNORED
NESTED = (Target("whole", (1, 2)), Target("core", (2,)))


@pytest.mark.parametrize("name", ["ce", "dice", "dice_ce"])
@pytest.mark.parametrize("targets", [(), NESTED])
def test_the_loss_is_that_of_the_voxels_that_count(name: str, targets: tuple) -> None:
    count = 3 if targets else 2
    logits = LOGITS[:, :count].clone().requires_grad_()
    hidden = torch.where(HIDDEN == IGNORED, IGNORED, HIDDEN.clamp(max=count - 1))
    loss = make_loss(name, targets)
    whole = loss(logits, hidden)
    cut = loss(logits[..., :5], hidden[..., :5])
    assert whole.item() == pytest.approx(cut.item(), rel=1e-5)
    whole.backward()
    assert logits.grad is not None
    assert not logits.grad[..., 5:].any()
    assert logits.grad[..., :5].any()


def test_a_crop_that_nobody_judged_teaches_nothing() -> None:
    logits = LOGITS[:, :2].clone().requires_grad_()
    make_loss("dice_ce")(logits, torch.full_like(CLASSES, IGNORED)).backward()
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_dice_in_training_is_that_of_the_voxels_that_count() -> None:
    whole = dice_of_targets(LOGITS, HIDDEN, NESTED)
    cut = dice_of_targets(LOGITS[..., :5], HIDDEN[..., :5], NESTED)
    assert whole.tolist() == pytest.approx(cut.tolist())


def test_borders_leave_out_what_nobody_judged() -> None:
    classes = np.array([[0, 0, 0, 1, IGNORED, IGNORED]])
    weights = class_weights(classes)
    assert weights[0].tolist() == pytest.approx([4 / 6] * 3 + [2, 0, 0])
    numbers = torch.zeros(1, 1, 1, 9, 9, dtype=torch.long)
    numbers[..., 1:4], numbers[..., 5:8] = 1, 1
    numbers[..., 4] = IGNORED  # between two objects, where the weight would be largest
    logits = LOGITS[:1, :2, :, :1, :1].expand(1, 2, 1, 9, 9).clone().requires_grad_()
    settings = BorderSettings(balance=False)
    loss_of_borders(logits, numbers, torch.ones(1, 3), settings=settings).backward()
    assert logits.grad is not None
    assert not logits.grad[..., 4].any()
    assert logits.grad[..., 0].all()  # two objects, not one with what lies between them


@pytest.fixture
def ignoring(configure, heads: Path, tmp_path: Path) -> Path:
    """A configuration of heads whose labels are 9 in the half that holds less of the lesion."""
    root = tmp_path / "data"
    (root / "heads").mkdir(parents=True)
    (root / "splits.csv").write_text((heads / "splits.csv").read_text())
    for image in (heads / "heads").glob("*_image.nii.gz"):
        label = image.name.replace("image", "label")
        volume = Volume.read(image)
        labels = volume.read_labels(image.with_name(label)).astype(np.uint8)
        halves = (slice(None, 32), slice(32, None))
        labels[:, min(halves, key=lambda half: labels[:, half].sum())] = 9
        volume.write_map(root / "heads" / image.name, volume.array)
        volume.write_labels(root / "heads" / label, labels)
    names = {"image": "{case}_image.nii.gz", "label": "{case}_label.nii.gz"}
    source = {"dataset": "heads", **names, "ignored_labels": [9]}
    return configure(
        data={"root": str(root), "sources": [source]},
        optimization={"crop": [4, 32, 32], "steps": 2},
        augmentation={"degrees": 0, "tilt_degrees": 0, "scales": [1, 1], "flip_axes": []},
        validate_every=2,
    )


def test_cases_and_crops_hold_what_is_ignored(ignoring: Path) -> None:
    settings = read_config(ignoring)
    files = find_cases(settings.data, ignoring.parent, "train")
    cases = [prepare_case(case, settings.normalization, settings.grid) for case in files]
    for case in cases:
        assert case.ignored is not None
        assert not (case.target & case.ignored).any()
        assert case.ignored.any()
    pnet = [PNetSamples(cases, settings)[number][1] for number in range(8)]
    proposals = [[np.zeros((1, *case.classes.shape), dtype=np.uint8)] for case in cases]
    rnet = [RNetSamples(cases, proposals, settings)[number] for number in range(8)]
    for target in [*pnet, *(sample["target"] for sample in rnet)]:
        assert set(torch.unique(target).tolist()) <= {0, 1, IGNORED}
    assert any((target == IGNORED).any() for target in pnet)
    assert any((sample["target"] == IGNORED).any() for sample in rnet)


def test_nobody_marks_what_nobody_judged() -> None:
    random = np.random.default_rng(5)
    labels = np.ones((3, 16, 16), dtype=bool)  # wrong everywhere
    target = np.zeros(labels.shape, dtype=np.uint8)
    target[:, :, 8:] = IGNORED
    for preset in ("recommended", "paper"):
        seeds = {name: np.zeros(labels.shape, bool) for name in ("foreground", "background")}
        assert add_marks(seeds, labels, target, random=random, preset=preset) == {"background"}
        assert not seeds["background"][:, :, 8:].any()
        assert (
            add_marks(seeds, labels, np.full_like(target, IGNORED), random=random, preset=preset)
            == set()
        )


def test_validation_measures_the_voxels_that_count(ignoring: Path, monkeypatch) -> None:
    """Everything is taken for target: IoU is the target's share of the voxels that count."""
    from DeepIGeoSLib.training import validation

    monkeypatch.setattr(
        validation, "proposed", lambda case, *_: np.ones((1, *case.classes.shape), np.float32)
    )
    assert main(["train", str(ignoring)]) == 0
    settings = read_config(ignoring)
    (file,) = find_cases(settings.data, ignoring.parent, "val")
    case = prepare_case(file, settings.normalization, settings.grid)
    share = case.target.sum() / (~case.ignored).sum()
    with (ignoring.parent / "run" / "validation.csv").open() as stream:
        found = {row[2]: float(row[3]) for row in csv.reader(stream)}
    assert found["iou"] == pytest.approx(share, abs=1e-4)
    assert found["pooled iou"] == pytest.approx(share, abs=1e-4)
    assert found["dice"] == pytest.approx(2 * share / (1 + share), abs=1e-4)
