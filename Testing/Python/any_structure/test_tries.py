"""What of the network's answer in one window counts."""

import numpy as np

from DeepIGeoSLib.any_structure.channels import Strokes
from DeepIGeoSLib.any_structure.tries import try_window
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

SHAPE = (1, 192, 192)
GRID = WorkingGrid(tuple(slice(0, size) for size in SHAPE), SHAPE, (1.0, 1.0, 1.0))


def marked(j, i):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[0, j - 2 : j + 3, i - 2 : i + 3] = True
    return mask


def answered(before, answer, seen):
    return try_window(
        np.zeros(SHAPE, dtype=np.float32),
        before.astype(np.float32),
        seen,
        grid=GRID,
        whole=SHAPE,
        network=lambda channels: np.full(SHAPE, answer, dtype=np.float32),
    ).after


def test_a_background_stroke_removes_what_is_nearer_to_it_and_what_no_stroke_claims():
    foreground, background = marked(10, 10), marked(150, 150)
    none = np.zeros(SHAPE, dtype=bool)
    after = answered(np.ones(SHAPE), 0.0, Strokes(foreground, background, none, background))
    assert after[0, 20, 20] == 1  # beside the foreground stroke
    assert after[0, 140, 140] == 0  # beside the background stroke
    assert after[0, 10, 185] == 0  # far from both: a leak of any size goes
    assert (after[foreground] == 1).all()


def test_even_odds_are_enough_to_add():
    new, none = marked(60, 60), np.zeros(SHAPE, dtype=bool)
    after = answered(np.zeros(SHAPE), 0.55, Strokes(new, none, new, none))
    assert after[0, 100, 100] >= 0.5
