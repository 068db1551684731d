"""What of the network's answer in one window counts."""

import numpy as np
import pytest

from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.tries import try_window
from DeepIGeoSLib.any_structure.votes import Votes
from DeepIGeoSLib.any_structure.zoom import Lattice
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

SHAPE = (1, 192, 192)
GRID = WorkingGrid(tuple(slice(0, size) for size in SHAPE), SHAPE, (1.0, 1.0, 1.0))


def marked(j, i):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[0, j - 2 : j + 3, i - 2 : i + 3] = True
    return mask


def answered(before, answer, seen, which=0):
    return try_window(
        np.zeros(SHAPE, dtype=np.float32),
        before.astype(np.float32),
        seen,
        image=np.zeros(SHAPE, dtype=np.float32),
        grid=GRID,
        votes=Votes(None, None),
        lattice=Lattice.of(SHAPE, (1.0, 1.0, 1.0)),
        network=lambda channels: np.full(SHAPE, answer, dtype=np.float32),
    )[which].after


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


@pytest.mark.parametrize(
    ("answer", "taken"),
    [(0.55, [True, False, False]), (0.9, [True, True, False]), (0.99, [True] * 3)],
)
def test_what_the_network_is_sure_of_is_an_answer_of_its_own(answer, taken):
    new, none = marked(60, 60), np.zeros(SHAPE, dtype=bool)
    strokes = Strokes(new, none, new, none)
    found = [answered(np.zeros(SHAPE), answer, strokes, which)[0, 100, 100] for which in range(3)]
    assert [probability >= 0.5 for probability in found] == taken
    strokes = Strokes(none, new, none, new)
    kept = [answered(np.ones(SHAPE), 1 - answer, strokes, which)[0, 100, 100] for which in range(3)]
    assert [probability < 0.5 for probability in kept] == taken


def test_what_a_coarse_answer_adds_ends_at_the_edges_of_the_image_in_its_own_voxels():
    shape = (1, 384, 384)
    j, i = np.indices(shape)[1:]
    disk = (j - 190) ** 2 + (i - 200) ** 2 < 90**2
    image = np.where(disk, 3, 1).astype(np.float32)
    lattice = Lattice.of(shape, (1.0, 1.0, 1.0))
    new = (np.abs(j - 190) < 5) & (np.abs(i - 200) < 5)
    drawn = StrokeVoxels.of_masks(Strokes(new, np.zeros_like(new), new, np.zeros_like(new)))
    grid = lattice.grids(drawn.around)[-1]
    assert grid.shape == (1, 192, 192)
    pixels, nothing = image[:, ::2, ::2], np.zeros(grid.shape, dtype=np.float32)
    seen = drawn.on(grid)
    one = try_window(
        pixels,
        nothing,
        seen,
        image=image,
        votes=Votes(None, None),
        grid=grid,
        lattice=lattice,
        network=lambda channels: disk[:, ::2, ::2].astype(np.float32),
    )[0]
    box, values = one.in_volume(lambda box: np.zeros(shape, dtype=np.float32)[box], drawn)
    found = np.zeros(shape, dtype=bool)
    found[box] = values >= 0.5
    np.testing.assert_array_equal(found, disk)
