"""From a configuration to a bundle that answers strokes in a session."""

import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.any_structure.box_marks import PERHAPS
from DeepIGeoSLib.any_structure.channels import CHANNELS
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.training.any_structure import samples as module_of_samples
from DeepIGeoSLib.training.any_structure.images import RealImage
from DeepIGeoSLib.training.any_structure.run import train_any_structure
from DeepIGeoSLib.training.any_structure.samples import AnyStructureSamples, WindowSampler
from DeepIGeoSLib.training.any_structure.settings import read_any_structure_config
from DeepIGeoSLib.training.any_structure.windows import cut

CONFIG = {
    "task": "any-structure",
    "output": "run",
    "root": "images",
    "sources": [{"images": "*.nii.gz", "mask": "_mask.nii.gz", "license": "CC0"}],
    "windows": [
        {"shape": [8, 32, 32], "batch": 2, "share": 0.5},
        {"shape": [1, 32, 32], "batch": 2, "share": 0.5},
    ],
    "features": [4, 8, 8, 8],
    "checkpoint_every": 2,
    "workers": 0,
    "made_up": 1,
    "optimization": {"steps": 4, "threads": 1},
    "logging": {"tensorboard": False},
    "bundle": {
        "name": "tiny",
        "version": "0.1.0",
        "task": "any structure",
        "modality": "any",
        "license": "CC0",
        "limits": "None.",
    },
}


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(2):
        mask = np.zeros((14, 50, 60), dtype=np.uint8)
        mask[4:10, 15:30, 20:40] = 1 + number
        image = random.normal(size=mask.shape).astype(np.float32) + 3 * (mask > 0)
        volume = Volume(image, spacing=(2.5, 1, 1))
        volume.write_labels(folder / f"case{number}_mask.nii.gz", mask)
        write_image(volume, folder / f"case{number}.nii.gz")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def write_image(volume, path):
    image = SimpleITK.GetImageFromArray(volume.array)
    image.SetSpacing((1.0, 1.0, 2.5))
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    SimpleITK.WriteImage(image, str(path))


def real_image(flat=False):
    random = np.random.default_rng(4)
    labels = np.zeros((1 if flat else 20, 70, 70), dtype=np.int32)
    labels[:, 20:45, 25:50] = 2
    image = random.normal(size=labels.shape).astype(np.float32) + labels
    return RealImage(image, labels, (1.0 if flat else 3.0, 1.0, 1.0), (2,))


@pytest.mark.parametrize("size", [0, 1])
def test_samples_fit_together_and_depend_on_their_number_alone(config, size):
    settings = read_any_structure_config(config)
    samples = AnyStructureSamples([[real_image()], [real_image(flat=True)]], settings)
    shape = settings.windows[size].shape
    for index in range(25):
        sample = samples[index, size]
        assert tuple(sample["channels"].shape) == (len(CHANNELS), *shape)
        target, foreground = sample["target"].numpy(), sample["foreground"].numpy()
        background = sample["background"].numpy()
        assert target.any()
        # An outline may miss the border by a pixel; strokes are right.
        assert not (foreground & ~ndimage.binary_dilation(target)).any()
        assert not (background & target).any()
        if sample["boxed"].any():
            assert not (target & ~sample["boxed"].numpy()).any()
            assert (sample["mask"].numpy()[sample["boxed"].numpy()] == PERHAPS).all()
        assert (foreground | background).any()
        assert (sample["mask"].numpy()[foreground] == 1).all()
        again = samples[index, size]
        assert all((sample[key] == again[key]).all() for key in sample)


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("regions", [0.0, 1.0])
def test_windows_of_every_size_show_real_images(config, monkeypatch, size, regions):
    """Volumes serve windows of several slices, and with their slices those of one."""
    config.write_text(json.dumps({**CONFIG, "synthetic": 0.0, "regions": regions}))
    settings = read_any_structure_config(config)
    volume, picture = real_image(), real_image(flat=True)
    samples = AnyStructureSamples([[volume], [picture]], settings)
    shown = []
    monkeypatch.setattr(module_of_samples, "made_up_structure", None)
    for name in ("_with_mask", "_with_region"):
        monkeypatch.setattr(
            module_of_samples, name, noting(getattr(module_of_samples, name), shown)
        )
    for index in range(12):
        samples[index, size]
    assert {name for name, _ in shown} == {"_with_region" if regions else "_with_mask"}
    if size == 0:
        assert all(real is volume for _, real in shown)
    else:
        assert {real is picture for _, real in shown} == {True, False}
        assert all(real.flat for _, real in shown)


def noting(function, shown):
    def note(real, *arguments):
        shown.append((function.__name__, real))
        return function(real, *arguments)

    return note


def test_images_without_masks_serve_only_where_none_are_needed(config):
    settings = read_any_structure_config(config)
    unlabeled = RealImage(real_image().image, None, (3.0, 1.0, 1.0))
    samples = AnyStructureSamples([[unlabeled]], settings)
    assert [bool(samples._sources[False, masks]) for masks in (False, True)] == [True, False]


def test_windows_show_image_and_target_at_the_same_place():
    real = real_image()
    truth = real.labels == 2
    bright = RealImage(truth.astype(np.float32), real.labels, real.spacing, (2,))
    for seed in range(15):
        image, inside, spacing = cut(bright, truth, (8, 32, 32), random=np.random.default_rng(seed))
        assert image.shape == inside.shape == (8, 32, 32)
        np.testing.assert_array_equal(image >= 0.5, inside)
        assert spacing[0] >= 1
        assert spacing[1:] == (1, 1)


def test_a_run_that_goes_on_sees_the_steps_that_are_left(config):
    settings = read_any_structure_config(config)
    whole = list(WindowSampler(settings, 0))
    assert len(whole) == 4
    assert list(WindowSampler(settings, 2)) == whole[2:]
    numbers = [number for step in whole for number, _ in step]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("windows", [], "windows is"),
        ("regions", 0.9, "synthetic \\+ regions is"),
        ("rounds", 0, "rounds is 0"),
        ("average", 1.0, "average is 1.0"),
    ],
)
def test_wrong_settings_are_named(config, key, value, message):
    config.write_text(json.dumps({**CONFIG, key: value}))
    with pytest.raises(InputError, match=message):
        read_any_structure_config(config)


def test_a_pattern_that_finds_nothing_is_named(config):
    wrong = {**CONFIG, "sources": [{"images": "x*.nii.gz", "license": "CC0"}]}
    config.write_text(json.dumps(wrong))
    with pytest.raises(InputError, match=r"x\*.nii.gz finds no image"):
        train_any_structure(read_any_structure_config(config), config.parent)


def test_training_ends_in_a_bundle_that_answers_strokes_from_nothing(config):
    command = [sys.executable, "-m", "DeepIGeoSLib", "train", str(config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bundle = load_bundle(json.loads(done.stdout)["bundle"])
    assert bundle.manifest.for_any_structure
    assert bundle.manifest.training_data[0].cases == 2

    session = InteractiveSession(bundle, device="cpu")
    random = np.random.default_rng(0)
    volume = Volume(random.normal(size=(14, 50, 60)).astype(np.float32), spacing=(2.5, 1, 1))
    session.set_volume(volume)
    foreground = np.zeros(volume.shape, dtype=bool)
    background = foreground.copy()
    foreground[7, 20:23, 30:33] = True
    first = session.refine(foreground=foreground)
    assert (first.labels[foreground] == 1).all()
    background[7, 40:43, 50:53] = True
    second = session.refine(foreground=foreground, background=background)
    assert (second.labels[foreground] == 1).all()
    assert (second.labels[background] == 0).all()
    assert session.undo().labels.sum() == first.labels.sum()
    mask = np.zeros(volume.shape, dtype=np.uint8)
    mask[2:6, 5:15, 5:15] = 1
    third = session.refine(foreground=foreground, background=background, initial=mask)
    assert (third.labels[foreground] == 1).all()
    assert (third.labels[background] == 0).all()
    assert not session.propose().labels.any()
