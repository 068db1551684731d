"""A correction without a network does not flood what looks alike."""

import numpy as np

from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.classical.answering import probability_after

SHAPE = (8, 80, 80)


def test_a_stroke_in_even_tissue_adds_no_more_than_a_few_times_what_is_there() -> None:
    image = np.random.default_rng(0).normal(100, 1, SHAPE).astype(np.float32)
    lesion = np.zeros(SHAPE, dtype=bool)
    lesion[2:6, 20:30, 20:30] = True
    image[lesion] += 60
    stroke = np.zeros(SHAPE, dtype=bool)
    stroke[4, 60:62, 40:52] = True
    none = np.zeros(SHAPE, dtype=bool)
    seen = Strokes(lesion | stroke, none, stroke, none)
    after = (
        probability_after(image, (1.0, 1.0, 1.0), before=lesion.astype(np.float32), strokes=seen)
        >= 0.5
    )
    assert after[stroke].all()
    assert after[lesion].all()
    assert np.count_nonzero(after) <= 6 * np.count_nonzero(lesion | stroke)
