"""Average precision, sensitivity and false objects, by hand and against a plain count."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.instance_metrics import (
    COCO_OVERLAPS,
    ComparedImage,
    compared,
    compared_boxes,
    measure_instances,
)
from DeepIGeoSLib.grid.boxes import bounding_box
from DeepIGeoSLib.instances import Instance, Instances


def instances(shape: tuple[int, int, int], *parts: tuple[float, np.ndarray]) -> Instances:
    found = []
    for score, mask in parts:
        box = bounding_box(mask)
        found.append(Instance("", score, box, mask[box]))
    return Instances(shape, tuple(found))


def row(start: int, stop: int) -> np.ndarray:
    mask = np.zeros((1, 1, 40), dtype=bool)
    mask[..., start:stop] = True
    return mask


def test_overlaps_with_each_true_object() -> None:
    truth = np.zeros((1, 1, 40), dtype=int)
    truth[..., 0:10], truth[..., 20:30] = 7, 300  # numbers may be left out
    found = instances(truth.shape, (0.9, row(0, 8)), (0.8, row(15, 25)), (0.1, row(35, 40)))
    image = compared(found, truth)
    np.testing.assert_allclose(image.overlaps, [[0.8, 0], [0, 5 / 15], [0, 0]])
    measured = measure_instances([image])
    assert measured.ap50 == pytest.approx(0.5)  # one of two, by the surest object
    assert measured.ap == pytest.approx(0.5 * 7 / 10)  # found from 0.5 to 0.8
    assert (measured.sensitivity, measured.false) == (0.5, 2)
    assert (measured.found, measured.true) == (3, 2)


def test_boxes_are_compared_by_what_they_share() -> None:
    truth = np.zeros((1, 20, 20), dtype=int)
    truth[0, 0:10, 0:10] = 4
    truth[0, 2:8, 2:8] = 0  # a ring
    truth[0, 12:16, 10:20] = 9
    ring, beside = truth == 4, np.zeros(truth.shape, dtype=bool)
    beside[0, 14:18, 10:20] = True
    image = compared_boxes(instances(truth.shape, (0.9, ring), (0.8, beside)), truth)
    np.testing.assert_allclose(image.overlaps, [[1, 0], [0, 20 / 60]])
    assert image.scores.tolist() == [0.9, 0.8]


def test_without_background_and_without_objects_there_are_boxes_or_none() -> None:
    whole = np.ones((1, 1, 40), dtype=int)
    found = instances(whole.shape, (0.9, row(0, 20)))
    assert compared_boxes(found, whole).overlaps.tolist() == [[0.5]]
    assert compared_boxes(found, 0 * whole).overlaps.shape == (1, 0)
    assert compared_boxes(instances(whole.shape), whole).overlaps.shape == (0, 1)


def test_average_precision_is_the_area_below_the_falling_curve() -> None:
    # Right, wrong, right, right, wrong of four: precisions 1, 1/2, 2/3, 3/4, 3/5.
    overlaps = np.zeros((5, 4))
    overlaps[0, 0] = overlaps[2, 1] = overlaps[3, 2] = 0.9
    image = ComparedImage(np.array([0.9, 0.8, 0.7, 0.6, 0.5]), overlaps)
    assert measure_instances([image]).ap50 == pytest.approx((1 + 3 / 4 + 3 / 4) / 4)


def test_an_object_is_found_once_and_by_the_surest() -> None:
    image = ComparedImage(np.array([0.5, 0.9]), np.array([[0.9], [0.6]]))
    measured = measure_instances([image])
    assert measured.ap50 == 1.0
    assert measured.false == 1.0
    assert measured.sensitivity == 1.0


def test_scores_of_several_images_are_sorted_together() -> None:
    good = ComparedImage(np.array([0.4]), np.array([[0.9]]))
    bad = ComparedImage(np.array([0.9]), np.array([[0.0]]))
    measured = measure_instances([good, bad])
    assert measured.ap50 == pytest.approx(0.25)  # precision 1/2 at a recall of 1/2
    assert measured.false == 0.5


def test_without_true_or_found_objects() -> None:
    nothing = ComparedImage(np.empty(0), np.empty((0, 0)))
    missed = ComparedImage(np.empty(0), np.empty((0, 3)))
    wrong = ComparedImage(np.array([0.5]), np.empty((1, 0)))
    assert measure_instances([nothing]).ap50 == 1.0
    assert measure_instances([nothing]).sensitivity == 1.0
    assert measure_instances([missed]).ap50 == 0.0
    assert measure_instances([missed]).sensitivity == 0.0
    assert measure_instances([wrong]).ap50 == 0.0
    assert len(COCO_OVERLAPS) == 10


def test_another_shape_is_named() -> None:
    with pytest.raises(InputError, match=r"\(1, 1, 39\)"):
        compared(instances((1, 1, 40)), np.zeros((1, 1, 39), dtype=int))
    with pytest.raises(InputError, match=r"\(1, 1, 39\)"):
        compared_boxes(instances((1, 1, 40)), np.zeros((1, 1, 39), dtype=int))
