"""Answers without a network: exact where the image is plain, local, and obedient."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.classical.answering import answer_strokes, probability_after
from DeepIGeoSLib.errors import Cancelled

SHAPE, MM = (12, 60, 90), (3.0, 1.0, 1.0)
FIRST = (slice(3, 9), slice(20, 34), slice(10, 24))
SECOND = (slice(3, 9), slice(20, 34), slice(60, 74))


def mask(*boxes, shape=SHAPE) -> np.ndarray:
    voxels = np.zeros(shape, dtype=bool)
    for box in boxes:
        voxels[box] = True
    return voxels


def image(*boxes, noise=4.0) -> np.ndarray:
    voxels = np.random.default_rng(7).normal(100, noise, SHAPE).astype(np.float32)
    for box in boxes:
        voxels[box] = 160
    return voxels


def after(voxels, before, *, foreground=(), background=(), old_foreground=()) -> np.ndarray:
    new, too_much, old = mask(*foreground), mask(*background), mask(*old_foreground)
    strokes = Strokes(new | old, too_much, new, too_much)
    return probability_after(voxels, MM, before=before.astype(np.float32), strokes=strokes) >= 0.5


def stroke_in(box) -> tuple:
    """Return a short line in the middle of a box."""
    k, j, i = ((part.start + part.stop) // 2 for part in box)
    return (k, slice(j - 1, j + 2), slice(i - 3, i + 4))


@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_a_plain_box_is_exact_after_one_stroke_and_its_twin_stays_out(noise) -> None:
    voxels = image(FIRST, SECOND, noise=noise)
    result = after(voxels, mask(), foreground=[stroke_in(FIRST)])
    assert np.array_equal(result, mask(FIRST))


def test_a_plain_rectangle_in_a_picture_is_exact() -> None:
    truth = np.zeros((1, 200, 200), dtype=bool)
    truth[0, 50:120, 60:150] = True
    stroke = np.zeros_like(truth)
    stroke[0, 70:73, 80:90] = True
    none = np.zeros_like(truth)
    strokes = Strokes(stroke, none, stroke, none)
    picture = np.where(truth, 160, 100).astype(np.float32)
    result = probability_after(picture, (1, 1, 1), before=none.astype(np.float32), strokes=strokes)
    assert np.array_equal(result >= 0.5, truth)


def test_a_second_lesion_is_added_and_the_first_stays_as_it_was() -> None:
    edited = mask(FIRST)
    edited[5, 22:24, 12:14] = False
    result = after(image(FIRST, SECOND), edited, foreground=[stroke_in(SECOND)])
    assert np.array_equal(result, edited | mask(SECOND))


def test_a_background_stroke_removes_what_it_lies_in_and_nothing_else() -> None:
    result = after(
        image(FIRST, SECOND),
        mask(FIRST, SECOND),
        background=[stroke_in(SECOND)],
        old_foreground=[stroke_in(FIRST)],
    )
    assert np.array_equal(result, mask(FIRST))


def test_strokes_of_both_classes_are_answered_in_one_round() -> None:
    result = after(
        image(FIRST, SECOND),
        mask(FIRST),
        foreground=[stroke_in(SECOND)],
        background=[stroke_in(FIRST)],
    )
    assert np.array_equal(result, mask(SECOND))


@pytest.mark.parametrize("seed", range(4))
def test_every_stroke_is_obeyed_wherever_it_lies(seed) -> None:
    random = np.random.default_rng(seed)
    kinds = random.random(SHAPE)
    foreground, background = kinds < 0.002, kinds > 0.998
    result = probability_after(
        image(FIRST),
        MM,
        before=random.random(SHAPE).astype(np.float32),
        strokes=Strokes(foreground, background, foreground, background),
    )
    assert (result[foreground] == 1).all()
    assert (result[background] == 0).all()
    assert 0 <= result.min() <= result.max() <= 1


@pytest.mark.parametrize("value", [0.0, -1000.0])
def test_a_constant_image_has_an_answer(value) -> None:
    stroke = stroke_in(FIRST)
    result = after(np.full(SHAPE, value, np.float32), mask(), foreground=[stroke])
    assert result[stroke].all()


def test_nothing_changes_outside_a_pinned_region() -> None:
    region = (slice(2, 8), slice(10, 30), slice(5, 20))
    strokes = StrokeVoxels.of_masks(Strokes(*[mask(stroke_in(FIRST)), mask()] * 2))
    before = np.zeros(SHAPE, dtype=np.float32)
    strokes = StrokeVoxels(*(v[v[:, 2] < 20] for v in vars(strokes).values()))
    box, values = answer_strokes(
        image(FIRST), MM, lambda part: before[part].copy(), strokes=strokes, region=region
    )
    for part, allowed in zip(box, region, strict=True):
        assert allowed.start <= part.start < part.stop <= allowed.stop
    assert (values >= 0.5).any()


def test_a_cancelled_answer_stops() -> None:
    cancel = threading.Event()
    cancel.set()
    strokes = StrokeVoxels.of_masks(Strokes(*[mask(stroke_in(FIRST)), mask()] * 2))
    with pytest.raises(Cancelled):
        answer_strokes(
            image(FIRST),
            MM,
            lambda part: mask()[part].astype(np.float32),
            strokes=strokes,
            cancel=cancel,
        )
