"""Several targets in training: what is read, drawn, measured, and written into a bundle."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.formats.segmentation import NamedMask
from DeepIGeoSLib.targets import Target

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

import torch

from DeepIGeoSLib.training.cases import prepare_case
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.losses import dice_of_targets, make_loss
from DeepIGeoSLib.training.sampling import PNetSamples, RNetSamples
from DeepIGeoSLib.training.settings import TrainingSettings

BESIDE = [{"name": "rim", "labels": [2]}, {"name": "core", "labels": [5], "color": [1, 2, 3]}]
NESTED = [{"name": "whole", "labels": [2, 5]}, {"name": "core", "labels": [5]}]


@pytest.fixture(scope="session")
def volumes(tmp_path_factory: pytest.TempPathFactory, head: Volume, rim, core) -> Path:
    """Four heads, moved a little; labels 2 and 5, and the same as segments."""
    root = tmp_path_factory.mktemp("several")
    (root / "heads").mkdir()
    with (root / "splits.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["dataset", "case", "use"])
        for number in range(4):
            image, label, names = (root / "heads" / f"{number}_{n}" for n in "ilt")
            moved = [np.roll(a, number, axis=2) for a in (head.array, rim, core)]
            noise = np.random.default_rng(number).normal(0, 1, head.shape)
            volume = Volume(moved[0] + noise, spacing=head.spacing, name=str(number))
            volume.write_map(image.with_suffix(".nii.gz"), volume.array)
            volume.write_labels(label.with_suffix(".nii.gz"), 2 * moved[1] + 5 * moved[2])
            masks = [NamedMask(n, (9, 9, 9), m) for n, m in zip("rc", moved[1:], strict=True)]
            volume.write_segments(names.with_suffix(".seg.nrrd"), masks)
            writer.writerow(["heads", str(number), "val" if number == 3 else "train"])
    return root


@pytest.fixture
def configure(volumes: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a configuration for a run of seconds."""

    def write(targets: list, label: str = "{case}_l.nii.gz", **changes: object) -> Path:
        source = {"dataset": "heads", "image": "{case}_i.nii.gz", "label": label}
        mapping: dict = {
            "task": "pnet",
            "output": "run",
            "validate_every": 100,
            "checkpoint_every": 100,
            "workers": 0,
            "data": {"root": str(volumes), "sources": [source], "targets": targets},
            "grid": {"minimum": [3, 1, 1], "maximum": [3, 1, 1]},
            "network": {"options": {"features": [8, 8, 8, 8]}},
            "optimization": {
                "steps": 60,
                "crop": [8, 32, 32],
                "learning_rate": 0.01,
                "threads": 1,
            },
            "augmentation": {"degrees": 0, "tilt_degrees": 0, "scales": [1, 1], "intensity": 0},
            "logging": {"tensorboard": False},
        }
        for key, value in changes.items():
            merged = isinstance(value, dict) and isinstance(mapping.get(key), dict)
            mapping[key] = {**mapping[key], **value} if merged else value
        path = tmp_path / "config.json"
        path.write_text(json.dumps(mapping))
        return path

    return write


def settings_of(path: Path) -> TrainingSettings:
    return read_config(path)


def test_labels_and_segments_give_the_same_classes(configure, volumes: Path) -> None:
    named = [{"name": "rim", "names": ["r"]}, {"name": "core", "names": ["c"]}]
    found = []
    for path in (configure(BESIDE), configure(named, "{case}_t.seg.nrrd")):
        case = find_cases(settings_of(path).data, volumes, "val")[0]
        assert [target.name for target in case.targets] == ["rim", "core"]
        _, classes = case.load_classes()
        found.append(classes)
        _, mask = case.load_channels()
        np.testing.assert_array_equal(mask, classes > 0)
        rim, core = (part.load_channels()[1] for part in case.for_each_target())
        np.testing.assert_array_equal(rim, classes == 1)
        np.testing.assert_array_equal(core, classes == 2)
    assert set(np.unique(found[0])) == {0, 1, 2}
    np.testing.assert_array_equal(*found)


def test_slices_know_the_classes(configure, volumes: Path) -> None:
    mapping = json.loads(configure(NESTED).read_text())
    mapping["data"]["sources"][0]["slices"] = {"without_target": 0}
    path = configure(NESTED, data=mapping["data"])
    cases = find_cases(settings_of(path).data, volumes, "val")
    assert len(cases) == 3
    assert set(np.unique(cases[0].load_classes()[1])) == {0, 1, 2}
    whole, core = (part.load_channels()[1] for part in cases[0].for_each_target())
    assert whole[core].all()
    assert whole.sum() == 320
    assert core.sum() == 64


def test_crops_hold_class_numbers_and_rare_classes_as_often(configure, volumes: Path) -> None:
    settings = settings_of(configure(BESIDE, optimization={"crop": [3, 4, 4]}))
    files = find_cases(settings.data, volumes, "train")
    cases = [prepare_case(case, settings.normalization, settings.grid) for case in files]
    assert cases[0].classes.dtype == np.uint8
    seen = [set(torch.unique(PNetSamples(cases, settings)[n][1]).tolist()) for n in range(60)]
    assert sum(2 in values for values in seen) > 15
    assert set.union(*seen) == {0, 1, 2}


def test_samples_of_refinement_are_about_one_target(configure, volumes: Path) -> None:
    settings = settings_of(configure(NESTED, task="rnet", pnet=["p.ckpt"]))
    files = find_cases(settings.data, volumes, "train")
    cases = [prepare_case(case, settings.normalization, settings.grid) for case in files]
    proposals = [[np.zeros((2, *case.classes.shape), dtype=np.uint8)] for case in cases]
    samples = [RNetSamples(cases, proposals, settings)[number] for number in range(12)]
    sizes = {int(sample["target"].sum()) > 400 for sample in samples}
    assert sizes == {True, False}  # 960 voxels are whole, 192 of them core
    assert all(set(torch.unique(sample["target"]).tolist()) <= {0, 1} for sample in samples)


def test_the_loss_is_that_of_the_targets() -> None:
    targets = [Target("whole", (1, 2)), Target("core", (2,))]
    classes = torch.tensor([0, 0, 1, 1, 2, 2]).reshape(1, 1, 6)
    right = torch.nn.functional.one_hot(classes[:, 0], 3).movedim(-1, 1) * 40.0
    for name in ("ce", "dice", "dice_ce"):
        loss = make_loss(name, targets)
        assert loss(right, classes) == pytest.approx(0, abs=1e-4)
        assert loss(torch.zeros(1, 3, 6), classes) > 0.3
    # One voxel of the core taken for the rest of the whole: whole 1, core 2 / 3.
    wrong = right.clone()
    wrong[0, :, 5] = torch.tensor([0.0, 40.0, 0.0])
    assert make_loss("dice", targets)(wrong, classes) == pytest.approx((0 + 1 / 3) / 2, abs=1e-3)
    found = dice_of_targets(wrong, classes, targets)
    assert found.tolist() == pytest.approx([1, 2 / 3])


def test_a_network_of_two_targets_ends_in_a_bundle_that_tells_them_apart(
    configure, volumes: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    words = {"name": "two", "version": "1.0.0", "task": "rim and core", "modality": "phantom"}
    path = configure(
        BESIDE,
        task="both",
        bundle=words,
        simulation={"rounds": 1},
        logging={"predictions": True, "pictures": 1},
    )
    assert main(["train", str(path)]) == 0
    bundle = load_bundle(tmp_path / "run" / "rnet" / "two")
    assert [(t.name, t.classes) for t in bundle.manifest.targets] == [("rim", (1,)), ("core", (2,))]
    assert bundle.manifest.targets[1].color == (1, 2, 3)
    with (tmp_path / "run" / "pnet" / "validation.csv").open() as stream:
        table = {row[2]: float(row[3]) for row in csv.reader(stream)}
    measured = ("dice", "iou", "pooled iou", "assd")
    kinds = {f"{kind} {name}" for kind in measured for name in ("rim", "core")}
    assert set(table) == {*kinds, "loss"}
    assert min(table["dice rim"], table["dice core"]) > 0.8
    with (tmp_path / "run" / "rnet" / "validation.csv").open() as stream:
        measures = {row[2] for row in csv.reader(stream)}
    assert {"dice after 0 rim", "dice after 5 core", "iou after 5 rim"} <= measures
    volume = Volume.read(volumes / "heads" / "3_i.nii.gz")
    truth = volume.read_labels(volumes / "heads" / "3_l.nii.gz")
    predicted = volume.read_labels(tmp_path / "run" / "pnet" / "predictions" / "heads" / "3.nii.gz")
    assert ((predicted == 2) & (truth == 5)).sum() > 0.8 * (truth == 5).sum()
    data = {row["data"] for row in bundle.manifest.metrics}
    assert {"heads (rim)", "heads (core)"} <= data
    assert "- core" in (bundle.folder / "README.md").read_text()
    session = InteractiveSession(bundle, device="cpu")
    session.set_volume(volume)
    rim, core = (result.labels > 0 for result in session.propose_all().values())
    assert not (rim & core).any()
    _check_evaluation(path, bundle.folder, tmp_path, capsys)
    other = configure(NESTED, output="tuned", task="both", bundle=words)
    assert main(["train", str(other), "--from", str(bundle.folder)]) == 2
    assert "names the targets rim, core, the configuration whole, core" in capsys.readouterr().err


def _check_evaluation(path: Path, bundle: Path, folder: Path, capsys) -> None:
    arguments = ["evaluate", path, "--bundle", bundle, "-o", folder / "measured", "--rounds", "1"]
    assert main([str(argument) for argument in arguments]) == 0
    capsys.readouterr()
    with (folder / "measured" / "cases.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["dataset"] for row in rows} == {"heads (rim)", "heads (core)"}
    first = {row["dataset"]: float(row["dice"]) for row in rows if row["round"] == "0"}
    assert min(first.values()) > 0.8


BAD = {
    "crossing": (
        [{"name": "a", "labels": [1, 2]}, {"name": "b", "labels": [2, 3]}],
        {},
        "the targets 'a' and 'b' share some",
    ),
    "misspelt": ([{"name": "a", "label": [1]}], {}, "did you mean 'labels'"),
    "with a CRF": (BESIDE, {"crf": {}}, "a CRF-Net follows networks of one target"),
}


@pytest.mark.parametrize(("targets", "changes", "sentence"), BAD.values(), ids=BAD.keys())
def test_targets_that_can_t_be_are_refused(
    configure, targets: list, changes: dict, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        read_config(configure(targets, **changes))
