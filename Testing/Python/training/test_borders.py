"""The border weights of U-Net's loss, against hand-computed numbers and a dense reference."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

import torch

from DeepIGeoSLib.data.objects import separated
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.training.border_settings import BorderSettings
from DeepIGeoSLib.training.borders import (
    border_weights,
    class_weights,
    loss_of_borders,
)


def two_bars(gap: int) -> np.ndarray:
    """Two bars of three columns with a gap between them."""
    objects = np.zeros((9, 8 + gap), dtype=np.int32)
    objects[:, 1:4] = 1
    objects[:, 4 + gap : 7 + gap] = 2
    return objects


def dense(objects: np.ndarray, sampling: tuple[float, ...], weight: float, sigma: float):
    """The published formula, from the distances of every voxel to every other one."""
    places = np.argwhere(np.ones(objects.shape, dtype=bool)) * np.array(sampling)
    numbers = objects.ravel()
    expected = np.zeros(numbers.shape)
    for index, place in enumerate(places):
        if numbers[index]:
            continue
        nearest = sorted(
            np.sqrt(((places[numbers == n] - place) ** 2).sum(axis=1)).min()
            for n in np.unique(numbers[numbers > 0])
        )
        if len(nearest) > 1:
            expected[index] = weight * math.exp(-((nearest[0] + nearest[1]) ** 2) / 2 / sigma**2)
    return expected.reshape(objects.shape)


def test_a_gap_of_one_pixel_has_the_published_weight() -> None:
    weights = border_weights(two_bars(1), (1.0, 1.0), BorderSettings())
    assert weights[4, 4] == pytest.approx(10 * math.exp(-((1 + 1) ** 2) / 50))
    # Left of the left bar: 1 to it, 5 to the other one.
    assert weights[4, 0] == pytest.approx(10 * math.exp(-((1 + 5) ** 2) / 50))
    assert weights[4, 2] == 0


def test_a_wide_gap_has_less_weight_and_a_single_object_none() -> None:
    middle = [border_weights(two_bars(g), (1.0, 1.0), BorderSettings()).max() for g in (1, 3, 9)]
    assert middle[0] > middle[1] > middle[2] > 0
    assert not border_weights(two_bars(1) % 2, (1.0, 1.0), BorderSettings()).any()


@pytest.mark.parametrize(
    ("shape", "spacing"), [((14, 17), (1.0, 1.0)), ((4, 9, 8), (3.0, 1.0, 0.5))]
)
@pytest.mark.parametrize("unit", ["voxels", "mm"])
def test_weights_are_those_of_the_formula(
    shape: tuple[int, ...], spacing: tuple[float, ...], unit: str
) -> None:
    objects = np.zeros(shape, dtype=np.int32)
    for number, place in enumerate(np.random.default_rng(2).integers(0, shape, (4, len(shape))), 1):
        objects[tuple(slice(p, p + 2) for p in place)] = number
    settings = BorderSettings(weight=7.0, sigma=2.0, unit=unit)
    sampling = spacing if unit == "mm" else (1.0,) * len(shape)
    np.testing.assert_allclose(
        border_weights(objects, spacing, settings), dense(objects, sampling, 7.0, 2.0), atol=5e-3
    )


def test_classes_count_alike() -> None:
    classes = np.array([[0, 0, 0, 0, 0, 0, 1, 1]])
    weights = class_weights(classes)
    assert weights[0].tolist() == pytest.approx([2 / 3] * 6 + [2.0] * 2)
    assert class_weights(np.zeros((2, 2), int)).tolist() == [[1, 1], [1, 1]]


def test_touching_objects_get_a_gap_and_others_stay() -> None:
    objects = np.array([[1, 1, 2, 2, 0, 3], [1, 1, 2, 2, 0, 3]])
    assert separated(objects).tolist() == [[1, 0, 0, 2, 0, 3]] * 2


def test_the_loss_is_the_weighted_mean_of_the_cross_entropy() -> None:
    torch.manual_seed(0)
    objects = two_bars(1)
    classes = torch.tensor(objects > 0, dtype=torch.uint8)[None, None, None]
    logits = torch.randn(1, 2, 1, *objects.shape, requires_grad=True)
    spacing = torch.ones(1, 3, dtype=torch.float64)
    settings = BorderSettings()
    plain = torch.nn.functional.cross_entropy(logits, classes[:, 0].long())
    found = plain + loss_of_borders(logits, classes, spacing, settings=settings)
    chances = logits.softmax(1)[0, :, 0].detach().numpy()
    entropy = -np.log(np.where(objects > 0, chances[1], chances[0]))
    weights = class_weights(objects > 0) + border_weights(objects, (1.0, 1.0), settings)
    assert float(found.detach()) == pytest.approx((weights * entropy).mean(), rel=1e-5)
    found.backward()
    assert logits.grad.abs().sum() > 0


def test_impossible_borders_are_refused() -> None:
    for wrong in ({"sigma": 0.0}, {"weight": -1.0}):
        with pytest.raises(InputError, match=r"weight is .* and sigma"):
            BorderSettings(**wrong)


def test_a_gap_is_learned_between_numbered_objects_that_touch(tmp_path) -> None:
    from PIL import Image

    from DeepIGeoSLib.data.picture_case import PictureCase
    from DeepIGeoSLib.inputs.normalization import NormalizationSettings
    from DeepIGeoSLib.inputs.working_grid import GridSettings
    from DeepIGeoSLib.training.cases import prepare_case

    labels = np.zeros((24, 24), np.uint8)
    labels[4:20, 4:12], labels[4:20, 12:20] = 7, 9
    image = np.random.default_rng(0).integers(0, 255, labels.shape).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "image.png")
    Image.fromarray(labels).save(tmp_path / "label.png")
    case = PictureCase("cells", "one", tmp_path / "image.png", tmp_path / "label.png")
    grid = GridSettings((1.0,) * 3, (1.0,) * 3)
    for gaps in (False, True):
        prepared = prepare_case(case, NormalizationSettings(threshold=0.0), grid, gaps=gaps)
        wanted = labels > 0
        wanted[4:20, 11:13] &= not gaps
        np.testing.assert_array_equal(prepared.classes[0] > 0, wanted)
