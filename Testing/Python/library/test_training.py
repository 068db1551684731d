"""Training reads its cases strictly, resumes exactly, and ends in a bundle that works."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import InputError, InteractiveSession, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.samples.phantom import head_phantom

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

from DeepIGeoSLib.training.any_structure.settings import read_any_structure_config
from DeepIGeoSLib.training.augmentation import Augmentation
from DeepIGeoSLib.training.cases import prepare_case
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.modules import make_loss, rate_factor
from DeepIGeoSLib.training.sampling import CropSampler, PNetSamples, RNetSamples, StepSampler
from DeepIGeoSLib.training.settings import AugmentationSettings, TrainingSettings


@pytest.fixture(scope="module")
def heads(
    tmp_path_factory: pytest.TempPathFactory, write_heads: Callable[[Path, int], None]
) -> Path:
    """Three phantoms to train on and one to validate with, in a folder with a split file."""
    root = tmp_path_factory.mktemp("data")
    write_heads(root, 4)
    (root / "other").mkdir()
    with (root / "splits.csv").open("a", newline="") as stream:
        csv.writer(stream).writerows(["other", str(case), "train"] for case in range(4))
    return root


def configuration(heads: Path, folder: Path, **changes: object) -> Path:
    """Write a configuration for a run of seconds."""
    source = {
        "dataset": "heads",
        "image": "{case}_image.nii.gz",
        "label": "{case}_label.nii.gz",
    }
    mapping = {
        "task": "pnet",
        "output": "run",
        "validate_every": 4,
        "checkpoint_every": 4,
        "workers": 0,
        "data": {"root": str(heads), "sources": [source]},
        "grid": {"minimum": [8, 3, 3], "maximum": [16, 4, 4]},
        "optimization": {"steps": 8, "crop": [8, 32, 32], "threads": 1},
        **changes,
    }
    path = folder / f"{mapping['output']}.json"
    path.write_text(json.dumps(mapping))
    return path


@pytest.fixture
def settings(heads: Path, tmp_path: Path) -> TrainingSettings:
    return read_config(configuration(heads, tmp_path))


def test_cases_come_from_the_split(heads: Path, settings: TrainingSettings) -> None:
    assert [c.name for c in find_cases(settings.data, heads, "train")] == ["0", "1", "2"]
    assert [c.name for c in find_cases(settings.data, heads, "val")] == ["3"]
    with pytest.raises(InputError, match="no case for 'test'"):
        find_cases(settings.data, heads, "test")


def test_missing_files_are_named_before_training(
    heads: Path, tmp_path: Path, settings: TrainingSettings
) -> None:
    copy = Path(shutil.copytree(heads, tmp_path / "copy"))
    (copy / "heads" / "1_label.nii.gz").unlink()
    broken = read_config(configuration(copy, tmp_path))
    with pytest.raises(InputError, match=r"1_label\.nii\.gz is missing"):
        find_cases(broken.data, copy, "train")


def test_an_empty_target_is_refused(heads: Path, tmp_path: Path) -> None:
    source = {
        "dataset": "heads",
        "image": "{case}_image.nii.gz",
        "label": "{case}_label.nii.gz",
        "target_labels": [7],
    }
    data = {"root": str(heads), "sources": [source]}
    settings = read_config(configuration(heads, tmp_path, data=data))
    with pytest.raises(InputError, match="no voxel of the target"):
        find_cases(settings.data, heads, "train")[0].load()


BAD_CONFIGURATIONS = {
    "misspelt": ({"optimisation": {}}, "did you mean 'optimization'"),
    "wrong task": ({"task": "znet"}, "task is 'znet'"),
    "no P-Net": ({"task": "rnet"}, r"pnet is \[\], expected at least one P-Net for"),
}


@pytest.mark.parametrize(
    ("changes", "sentence"), BAD_CONFIGURATIONS.values(), ids=BAD_CONFIGURATIONS.keys()
)
def test_bad_configurations_are_explained(
    heads: Path, tmp_path: Path, changes: dict, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        read_config(configuration(heads, tmp_path, **changes))


def test_the_repositorys_configurations_are_valid() -> None:
    folder = Path(__file__).parents[3] / "Configs"
    for path in folder.glob("*.json"):
        if path.stem == "any-structure":
            assert read_any_structure_config(path).sources
        else:
            assert read_config(path).data.sources


def prepared(heads: Path, settings: TrainingSettings) -> list:
    files = find_cases(settings.data, heads, "train")
    return [prepare_case(case, settings.normalization, settings.grid) for case in files]


def test_samples_depend_on_their_number_alone(heads: Path, settings: TrainingSettings) -> None:
    cases = prepared(heads, settings)
    proposals = [[np.zeros((1, *case.target.shape), dtype=np.uint8)] for case in cases]
    for make in (
        lambda: PNetSamples(cases, settings),
        lambda: RNetSamples(cases, proposals, settings),
    ):
        samples, again = make(), make()
        again[3]  # an order of its own
        for number in (5, 2):
            first, second = samples[number], again[number]
            if isinstance(first, dict):
                first, second = list(first.values()), list(second.values())
            assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_crops_are_not_always_the_same(heads: Path, settings: TrainingSettings) -> None:
    samples = PNetSamples(prepared(heads, settings), settings)
    crops = [samples[number][0] for number in range(6)]
    assert crops[0].shape == (1, 8, 32, 32)
    assert all(not torch.equal(crops[0], crop) for crop in crops[1:])
    assert sum(samples[number][1].any().item() for number in range(12)) >= 6


def test_strokes_of_samples_tell_the_truth(heads: Path, settings: TrainingSettings) -> None:
    cases = prepared(heads, settings)
    proposals = [[np.zeros((1, *case.target.shape), dtype=np.uint8)] for case in cases]
    samples = RNetSamples(cases, proposals, settings)
    seen = set()
    for number in range(12):
        sample = {name: value.numpy() for name, value in samples[number].items()}
        target = sample["target"][0] > 0
        assert target[sample["foreground"]].all()
        assert not target[sample["background"]].any()
        assert (sample["maps"][1][sample["foreground"]] == 0).all()
        assert (sample["maps"][0][sample["background"]] == 0).all()
        assert (sample["initial"][sample["foreground"]] == 1).all()
        seen |= {name for name in ("foreground", "background") if sample[name].any()}
    assert seen == {"foreground", "background"}


def test_data_sets_are_drawn_by_weight(heads: Path, tmp_path: Path) -> None:
    sources = [
        {
            "dataset": name,
            "image": "../heads/{case}_image.nii.gz",
            "label": "../heads/{case}_label.nii.gz",
            "weight": weight,
        }
        for name, weight in (("heads", 0.9), ("other", 0.1))
    ]
    settings = read_config(
        configuration(heads, tmp_path, data={"root": str(heads), "sources": sources})
    )
    sampler = CropSampler(prepared(heads, settings), settings)
    drawn = [sampler.cases[sampler.case(sampler.generator(n))].dataset for n in range(600)]
    assert drawn.count("other") / 600 == pytest.approx(0.1, abs=0.05)


def test_augmentation_moves_image_and_masks_together() -> None:
    random = np.random.default_rng(0)
    target = np.zeros((8, 40, 40), dtype=bool)
    target[2:6, 8:20, 15:30] = True
    image = np.where(target, 5.0, 0.0).astype(np.float32)
    augment = Augmentation(AugmentationSettings(intensity=0.0), air=0.0)
    moved_any = False
    for seed in range(8):
        changed, maps = augment(
            image[np.newaxis],
            {"target": target, "soft": image / 5},
            (3.0, 1.0, 1.0),
            seed=int(random.integers(99)),
        )
        agreement = ((changed[0] > 2.5) == maps["target"]).mean()
        assert agreement > 0.985, seed
        assert maps["soft"].dtype == np.float32
        np.testing.assert_allclose(changed[0] / 5, maps["soft"], atol=1e-4)
        moved_any |= not np.array_equal(maps["target"], target)
    assert moved_any


def test_rotations_are_in_degrees() -> None:
    """The re-implementation before this one passed radians: its images hardly turned."""
    bar = np.zeros((3, 101, 101), dtype=np.float32)
    bar[:, 48:53, 10:91] = 1
    settings = AugmentationSettings(
        flip_axes=(), degrees=22.5, tilt_degrees=0.0, scales=(1.0, 1.0), intensity=0.0
    )
    augment = Augmentation(settings, air=0.0)
    angles = []
    for seed in range(12):
        turned, _ = augment(bar[np.newaxis], {}, (3.0, 1.0, 1.0), seed=seed)
        j, i = np.nonzero(turned[0, 1] > 0.5)
        angles.append(abs(np.degrees(np.arctan(np.polyfit(i, j, 1)[0]))))
    assert 10 < max(angles) <= 23


def test_losses_prefer_the_truth() -> None:
    target = torch.zeros(2, 1, 4, 8, 8, dtype=torch.uint8)
    target[:, :, 1:3, 2:6, 2:6] = 1
    right = torch.cat([1.0 - target.float() * 2, target.float() * 2 - 1], dim=1) * 8
    for name in ("dice_ce", "dice", "ce"):
        loss = make_loss(name)
        assert loss(right, target) < 0.01
        assert loss(-right, target) > 0.5


def test_learning_rate_schedules() -> None:
    assert [rate_factor("halving", x) for x in (0, 0.05, 0.1, 0.35)] == [1, 1, 0.5, 0.125]
    assert rate_factor("constant", 0.7) == 1
    assert rate_factor("poly", 0.5) == pytest.approx(0.5**0.9)
    assert rate_factor("cosine", 0.02) == 1
    assert rate_factor("cosine", 1.0) == pytest.approx(0)
    assert rate_factor("cosine", 0.001) < 0.1


def test_samples_go_on_where_a_run_stopped() -> None:
    used = 0
    sampler = StepSampler(4, lambda: used // 2, batch=2)
    assert list(sampler) == list(range(8))
    used = 6
    assert list(sampler) == [6, 7]


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.slow
def test_a_stopped_run_ends_like_one_that_was_not(
    heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    whole = configuration(heads, tmp_path, output="whole")
    assert main(["train", str(whole)]) == 0
    stopped = configuration(heads, tmp_path, output="stopped")
    from lightning.pytorch.callbacks import ModelCheckpoint

    saved = ModelCheckpoint.on_train_batch_end

    def die_after_saving(self, trainer, *arguments):
        saved(self, trainer, *arguments)
        if trainer.global_step == 5:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelCheckpoint, "on_train_batch_end", die_after_saving)
        assert main(["train", str(stopped)]) == 1
    assert "Stopped." in capsys.readouterr().err
    half = torch.load(tmp_path / "stopped" / "last.ckpt", weights_only=True)
    assert half["global_step"] == 4
    assert main(["train", str(stopped)]) == 0
    expected, resumed = (weights_of(tmp_path / n / "last.ckpt") for n in ("whole", "stopped"))
    for key, value in expected.items():
        assert torch.equal(value, resumed[key]), key


@pytest.mark.slow
def test_training_ends_in_a_bundle_that_works(heads: Path, tmp_path: Path) -> None:
    pnet = configuration(heads, tmp_path, output="p", snapshots=[6])
    assert main(["train", str(pnet)]) == 0
    assert (tmp_path / "p" / "step-6.ckpt").is_file()
    rnet = configuration(
        heads,
        tmp_path,
        task="rnet",
        output="r",
        pnet=["p/step-6.ckpt", "p/best.ckpt"],
        bundle={
            "name": "heads",
            "version": "0.1",
            "task": "lesions",
            "modality": "phantom",
            "license": "CC0-1.0",
            "training_data": [{"name": "phantoms", "cases": 3, "license": "CC0-1.0"}],
            "limits": "Phantoms only.",
        },
    )
    assert main(["train", str(rnet)]) == 0
    bundle = load_bundle(tmp_path / "r" / "heads")
    assert bundle.manifest.region == (8, 32, 32)
    assert len(bundle.manifest.metrics) == 2 * 6  # a data set and all, 0 to 5 strokes
    card = (bundle.folder / "README.md").read_text()
    assert "Phantoms only." in card
    volume, truth = head_phantom((12, 64, 56), (12.0, 3.0, 3.0), 3)
    session = InteractiveSession(bundle, device="cpu")
    session.set_volume(volume)
    refined = session.refine(foreground=truth)
    assert (refined.labels[truth] == 1).all()


@pytest.mark.slow
def test_p_net_learns_the_phantoms(heads: Path, tmp_path: Path) -> None:
    optimization = {"steps": 120, "crop": [8, 32, 32], "threads": 2, "learning_rate": 0.004}
    path = configuration(
        heads,
        tmp_path,
        output="learns",
        optimization=optimization,
        validate_every=120,
    )
    assert main(["train", str(path)]) == 0
    with (tmp_path / "learns" / "validation.csv").open() as stream:
        measured = {row[2]: float(row[3]) for row in csv.reader(stream)}
    assert measured["dice"] > 0.7
