"""Pictures as cases: in gray and in colors, with label pictures as results and as truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib.batch import FindingRules, Workers, WorkSettings, plan_batch, run_batch
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.cli import main

pytest.importorskip("torch", reason="torch is not installed")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

HERE = Workers(count=0)
TRUTHS = FindingRules(images=("{case}.png",), truth="truth/{case}.png")


def a_picture(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noise in black with a bright square (uint8, rows and columns), and where that is."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((40, 48), dtype=np.uint8)
    pixels[2:-2, 2:-2] = rng.normal(100, 4, (36, 44)).round()
    square = np.zeros(pixels.shape, dtype=bool)
    j, i = rng.integers(6, 20, 2)
    square[j : j + 10, i : i + 12] = True
    pixels[square] = 200
    return pixels, square


def colored(pixels: np.ndarray) -> np.ndarray:
    """Return a picture of other colors and the same brightness, nearly."""
    return np.stack([pixels, pixels, np.minimum(pixels, 190)], axis=-1)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of a gray PNG and a color JPEG and PNG, with truths that have palettes."""
    folder = tmp_path / "pictures"
    (folder / "truth").mkdir(parents=True)
    for number, name in enumerate(("gray.png", "photo.jpg", "color.png")):
        pixels, square = a_picture(number)
        image = Image.fromarray(pixels if number == 0 else colored(pixels))
        image.save(folder / name, quality=98, dpi=(300, 300))
        truth = Image.fromarray(square.astype(np.uint8), mode="P")
        truth.putpalette([0, 0, 0, 128, 0, 0])
        truth.save(folder / "truth" / f"{Path(name).stem}.png")
    return folder


def numbers_in(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def in_colors(bundle: Path, folder: Path, channels: Sequence[str] = ("red", "green", "blue")):
    """Write a bundle that adds the colors up and does then what the given one does."""
    import torch

    from DeepIGeoSLib.networks import build_network

    tiny = load_bundle(bundle)
    networks = {}
    for role in ("pnet", "rnet"):
        known = tiny.network(role)
        networks[role] = build_network("dilated", role, image_channels=3)
        state = known.state_dict()
        first = next(name for name, value in state.items() if value.ndim > 2)
        weight = state[first]
        state[first] = torch.cat([weight[:, :1] / 3] * 3 + [weight[:, 1:]], dim=1)
        networks[role].load_state_dict(state)
    manifest = dataclasses.replace(tiny.manifest, name="colors", channels=tuple(channels))
    write_bundle(folder, manifest, networks, card="# For tests\n")
    return folder


@pytest.mark.parametrize("colors", [False, True])
def test_every_picture_of_a_folder_gets_a_label_picture(
    pictures: Path, tiny_bundle: Path, tmp_path: Path, colors: bool
):
    bundle = in_colors(tiny_bundle, tmp_path / "bundle") if colors else tiny_bundle
    images = tmp_path / "images"
    images.mkdir()
    for path in pictures.glob("*.*"):
        path.rename(images / path.name)
    result = run_batch(images, tmp_path / "out", bundle=bundle, workers=HERE)
    assert [record.name for record in result.records] == ["color", "gray", "photo"]
    for record in result.records:
        assert record.reason == ""
        assert record.outputs["labels"] == f"{record.name}.png"
        labels = numbers_in(tmp_path / "out" / record.outputs["labels"])
        truth = numbers_in(pictures / "truth" / f"{record.name}.png")
        assert labels.shape == truth.shape
        # JPEG blurs the border of the square
        assert np.count_nonzero(labels != truth) <= (0 if record.name != "photo" else 12)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64") >= 3


def test_the_numbers_of_a_palette_are_the_truth(pictures: Path, tiny_bundle: Path, tmp_path: Path):
    given = {"bundle": tiny_bundle, "workers": HERE, "report": False, "rules": TRUTHS}
    result = run_batch(pictures, tmp_path / "out", **given)
    assert [record.name for record in result.records] == ["color", "gray"]
    for record in result.records:
        assert record.targets[0].measured is not None
        assert record.targets[0].measured.dice == 1.0


def test_pictures_beside_volumes_are_no_cases(pictures: Path, tiny_bundle: Path, tmp_path: Path):
    from cohorts import a_head

    volume, _ = a_head(0)
    volume.write_map(pictures / "head.nii.gz", volume.array)
    plan = plan_batch(pictures, tmp_path / "out", bundle=tiny_bundle, workers=HERE)
    assert [case.name for case in plan.cases] == ["head"]


def test_a_label_picture_of_a_volume_is_a_problem_before_any_work(
    tiny_bundle: Path, tmp_path: Path
):
    from cohorts import a_head

    (tmp_path / "images").mkdir()
    volume, _ = a_head(0)
    volume.write_map(tmp_path / "images" / "head.nii.gz", volume.array)
    plan = plan_batch(
        tmp_path / "images",
        tmp_path / "out",
        bundle=tiny_bundle,
        settings=WorkSettings(format=".png"),
        workers=HERE,
    )
    assert "keeps no place in a patient" in str(plan.problems[0])


def test_one_picture_is_what_a_bundle_for_colors_segments(
    pictures: Path, tiny_bundle: Path, tmp_path: Path
):
    bundle = in_colors(tiny_bundle, tmp_path / "bundle")
    output = tmp_path / "labels.png"
    given = ["segment", str(pictures / "color.png"), "-o", str(output), "--bundle", str(bundle)]
    assert main(given) == 0
    assert np.array_equal(numbers_in(output), numbers_in(pictures / "truth" / "color.png"))


def test_a_volume_is_no_picture_in_colors(tiny_bundle: Path, tmp_path: Path, capsys):
    from cohorts import a_head

    bundle = in_colors(tiny_bundle, tmp_path / "bundle")
    volume, _ = a_head(0)
    volume.write_map(tmp_path / "head.nii.gz", volume.array)
    given = [str(tmp_path / "head.nii.gz"), "-o", str(tmp_path / "labels.nii.gz")]
    assert main(["segment", *given, "--bundle", str(bundle)]) == 2
    assert "head.nii.gz is no picture" in capsys.readouterr().err


def test_no_directions_are_written_on_a_picture(pictures: Path, monkeypatch: pytest.MonkeyPatch):
    from DeepIGeoSLib import Volume
    from DeepIGeoSLib.batch.report import thumbnail as drawn

    picture = Volume.read(pictures / "gray.png")
    volume = Volume(picture.array, ijk_to_ras=picture.ijk_to_ras)
    labels = picture.array > 150
    shown = drawn.thumbnail(picture, labels)
    assert shown != drawn.thumbnail(volume, labels)
    monkeypatch.setattr(drawn, "_letter", lambda *arguments: None)
    assert shown == drawn.thumbnail(volume, labels)


def test_brightness_is_that_of_pillow(tmp_path: Path):
    from DeepIGeoSLib import Volume

    pixels = np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    read = Volume.read(tmp_path / "noise.png", component="brightness").array[0]
    assert np.array_equal(read, np.asarray(Image.fromarray(pixels).convert("L")))
