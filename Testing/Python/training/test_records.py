"""What a run leaves behind: curves, pictures, predictions, checkpoints, and the best weights."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.training.checkpoints import read_checkpoint
from DeepIGeoSLib.training.fitting import loggers
from DeepIGeoSLib.training.pictures import outlined


def rows(path: Path) -> list[list[str]]:
    with path.open() as stream:
        return list(csv.reader(stream))


def test_a_run_keeps_the_newest_checkpoints_and_the_predictions(
    configure, heads: Path, tmp_path: Path
) -> None:
    path = configure(
        "kept", keep=2, optimization={"steps": 8}, logging={"predictions": True, "pictures": 1}
    )
    assert main(["train", str(path)]) == 0
    folder = tmp_path / "kept"
    assert sorted(p.name for p in folder.glob("*.ckpt")) == [
        "best.ckpt",
        "checkpoint-0000006.ckpt",
        "checkpoint-0000008.ckpt",
        "last.ckpt",
    ]
    assert read_checkpoint(folder / "checkpoint-0000006.ckpt")["global_step"] == 6
    image = Volume.read(heads / "heads" / "3_image.nii.gz")
    labels = image.read_labels(folder / "predictions" / "heads" / "3.nii.gz")  # on its grid
    assert set(np.unique(labels)) <= {0, 1}
    measures = {row[2] for row in rows(folder / "validation.csv")}
    assert measures == {"dice", "iou", "assd", "loss", "pooled iou"}


def test_predictions_are_what_was_measured(configure, heads: Path, tmp_path: Path) -> None:
    """On the working grid they have the Dice in the table; on the volume's nearly the same."""
    path = configure(
        "learns",
        network={"architecture": "multi-scale"},
        optimization={"steps": 60, "crop": [8, 32, 32], "batch_size": 2, "learning_rate": 0.004},
        validate_every=60,
        checkpoint_every=60,
        logging={"predictions": True},
    )
    assert main(["train", str(path)]) == 0
    table = {row[2]: float(row[3]) for row in rows(tmp_path / "learns" / "validation.csv")}
    image = Volume.read(heads / "heads" / "3_image.nii.gz")
    found = image.read_labels(tmp_path / "learns" / "predictions" / "heads" / "3.nii.gz") > 0
    truth = image.read_labels(heads / "heads" / "3_label.nii.gz") > 0
    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert table["dice"] > 0.3
    assert dice == pytest.approx(table["dice"], abs=0.1)
    assert table["iou"] == pytest.approx(table["dice"] / (2 - table["dice"]), abs=1e-4)
    assert table["pooled iou"] == table["iou"]  # of a single case


def test_where_borders_count_the_division_is_measured_at_one_half_and_at_the_best_threshold(
    configure, tmp_path: Path
) -> None:
    path = configure("divided", optimization={"steps": 4, "borders": {"weight": 4.0}})
    assert main(["train", str(path)]) == 0
    table = {row[2]: float(row[3]) for row in rows(tmp_path / "divided" / "validation.csv")}
    for kind in ("pixel", "rand"):
        assert table[f"least {kind} error"] <= table[f"{kind} error"]
        assert 0.1 <= table[f"threshold of least {kind} error"] <= 0.95
    assert 0 <= table["warping error"] <= table["pixel error"]


@pytest.mark.parametrize(
    ("by", "measure", "sign"),
    [
        ("dice", "dice", 1),
        ("iou", "iou", 1),
        ("assd", "assd", -1),
        ("pixel", "pixel error", -1),
        ("rand", "rand error", -1),
    ],
)
def test_the_best_weights_are_the_best_by_the_chosen_measure(
    configure, tmp_path: Path, *, by: str, measure: str, sign: int
) -> None:
    path = configure(
        by,
        best_by=by,
        validate_every=1,
        network={"architecture": "multi-scale", "options": {"features": [4] * 4}},
        optimization={
            "steps": 6,
            "crop": [4, 32, 32],
            "learning_rate": 0.02,
            "borders": {"weight": 4.0} if "error" in measure else None,
        },
    )
    assert main(["train", str(path)]) == 0
    table = rows(tmp_path / by / "validation.csv")
    scores = [(sign * float(row[3]), -int(row[0])) for row in table if row[2] == measure]
    best = read_checkpoint(tmp_path / by / "best.ckpt")
    assert best["global_step"] == -max(scores)[1]


@pytest.mark.parametrize(
    "changes", [{}, {"task": "rnet", "pnet": ["p.ckpt"], "optimization": {"borders": {}}}]
)
def test_errors_of_dividing_choose_weights_of_a_p_net_with_borders_alone(
    configure, capsys: pytest.CaptureFixture, changes: dict
) -> None:
    assert main(["train", str(configure(best_by="rand", **changes))]) == 2
    assert "best_by is 'rand', expected dice, iou or assd;" in capsys.readouterr().err


def test_tensorboard_gets_curves_and_pictures(configure, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    path = configure("seen", optimization={"steps": 4}, logging={"tensorboard": True})
    assert main(["train", str(path)]) == 0
    events = accumulator.EventAccumulator(str(tmp_path / "seen" / "tensorboard"))
    events.Reload()
    wanted = {f"val/heads/{name}" for name in ("dice", "iou", "assd", "loss")} | {"train/loss"}
    assert wanted <= set(events.Tags()["scalars"])
    dice = {row[2]: float(row[3]) for row in rows(tmp_path / "seen" / "validation.csv")}["dice"]
    assert events.Scalars("val/heads/dice")[-1].value == pytest.approx(dice, abs=1e-5)
    picture = events.Images("val/heads/3")[-1]
    assert picture.step == 4
    assert min(picture.width, picture.height) > 16


def test_weights_and_biases_is_optional(
    configure, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = configure("log", logging={"wandb": "lesions"}, optimization={"steps": 2})
    try:
        import wandb  # noqa: F401
    except ModuleNotFoundError:
        assert main(["train", str(path)]) == 2
        assert "logging.wandb needs the Python package wandb" in capsys.readouterr().err
        return
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert main(["train", str(path)]) == 0
    (run,) = (tmp_path / "log" / "wandb").glob("offline-run-*")
    assert list(run.glob("run-*.wandb"))
    assert list(run.glob("files/media/images/**/*.png"))


def test_a_missing_tensorboard_is_named(
    configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from DeepIGeoSLib.training.config import read_config

    monkeypatch.setattr("DeepIGeoSLib.training.fitting.find_spec", lambda _: None)
    settings = read_config(configure(logging={"tensorboard": True}))
    with pytest.raises(InputError, match=r"logging\.tensorboard needs the Python package"):
        loggers(settings, tmp_path, 0)


def test_pictures_show_truth_and_prediction() -> None:
    image = np.zeros((3, 24, 32), dtype=np.float32)
    truth, labels = np.zeros(image.shape, dtype=bool), np.zeros(image.shape, dtype=bool)
    truth[1, 4:12, 4:12] = True
    labels[1, 4:12, 20:28] = True
    image[truth] = 1
    picture = outlined(image, truth, labels)
    factor = picture.shape[0] // 24
    assert picture.dtype == np.uint8
    assert picture.shape == (24 * factor, 32 * factor, 3)
    gold, red, gray = (
        picture[4 * factor, 6 * factor],
        picture[4 * factor, 22 * factor],
        picture[8 * factor, 8 * factor],
    )
    assert gold[0] > gold[2]
    assert red[0] > red[1]
    assert (gray == 255).all()
    assert outlined(image, np.zeros_like(truth), np.zeros_like(truth)).max() == 255


BAD = {
    "no checkpoint kept": ({"keep": 0}, "keep is 0, expected at least 1"),
    "unknown start": ({"simulation": {"initial": {"p": 1}}}, "expected weights of pnet"),
    "no round": ({"simulation": {"rounds": 0}}, "simulation.rounds is 0"),
    "no processor": ({"hardware": {"devices": 0}}, "hardware.devices is 0"),
    "two tasks, two processes": (
        {"task": "both", "hardware": {"devices": 2}},
        "expected 1 for the task both",
    ),
    "no probability": ({"augmentation": {"motion": 2}}, "augmentation.motion is 2.0"),
    "misspelt": ({"logging": {"tensorbord": True}}, "did you mean 'tensorboard'"),
}


@pytest.mark.parametrize(("changes", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_values_are_named(
    configure, capsys: pytest.CaptureFixture, changes: dict, sentence: str
) -> None:
    assert main(["train", str(configure(**changes))]) == 2
    assert sentence in capsys.readouterr().err


def test_data_that_can_t_be_trained_on_are_refused_before_training(
    configure, heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    import shutil

    def refusal(root: Path, **source: object) -> str:
        given = {"dataset": "heads", "image": "{case}_image.nii.gz", "label": "{case}_label.nii.gz"}
        data = {"root": str(root), "sources": [{**given, **source}]}
        assert main(["train", str(configure(data=data))]) == 2
        assert not (tmp_path / "run" / "curve.csv").exists()
        return capsys.readouterr().err

    root = Path(shutil.copytree(heads, tmp_path / "copy"))
    path = root / "heads" / "0_label.nii.gz"
    label = Volume.read(path)
    halved = Volume(label.array * 0.5, ijk_to_ras=label.ijk_to_ras)
    halved.write_map(path, halved.array)
    assert "whole numbers" in refusal(root)
    shifted = Volume(label.array, spacing=(12.0, 2.0, 3.0))
    shifted.write_map(path, label.array)
    assert "0_label.nii.gz" in refusal(root)
    assert "no voxel of the target" in refusal(heads, target_labels=[9])
    report = (tmp_path / "run" / "data-report.txt").read_text()
    assert "The label 9 of the target is in none of the cases" in report
    table = (heads / "splits.csv").read_text().replace("train", "test")
    (root / "splits.csv").write_text(table)
    assert "There is no case to train on" in refusal(root)


def test_the_settings_of_a_finished_run_are_reported_as_json(
    configure, capsys: pytest.CaptureFixture
) -> None:
    assert main(["train", "--json", str(configure("json", optimization={"steps": 2}))]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "pnet"
    assert torch.get_num_threads() == 1
