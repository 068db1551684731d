"""The rule by which a first stroke chooses its zoom, its signs, and how it is fitted."""

import dataclasses

import numpy as np
import pytest

from DeepIGeoSLib.any_structure.channels import Strokes
from DeepIGeoSLib.any_structure.refining import answer_strokes, windows_tried
from DeepIGeoSLib.any_structure.signs import signs
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.zoom import SLICE_WINDOW, Lattice
from DeepIGeoSLib.any_structure.zoom_choice import SIGNS, ZoomChoice
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.bundles.checks import check_manifest
from DeepIGeoSLib.errors import BundleError
from DeepIGeoSLib.training.any_structure.images import RealImage
from DeepIGeoSLib.training.any_structure.zoom_fitting import fitted_choice

SIZE = 4 * SLICE_WINDOW[1]
SPACING = (1.0, 1.0, 1.0)
WHICH = {name: number for number, name in enumerate(SIGNS)}


def square(half):
    """A bright square in the middle of a slice, as an image and a stroke in its middle."""
    image = np.zeros((1, SIZE, SIZE), dtype=np.float32)
    middle = SIZE // 2
    image[0, middle - half : middle + half, middle - half : middle + half] = 1
    stroke = np.zeros(image.shape, dtype=bool)
    stroke[0, middle - 3 : middle + 3, middle - 3 : middle + 3] = True
    return image, stroke


def alike(channels):
    """A network that takes what looks like the stroke."""
    return (np.abs(channels[1]) < 0.5).astype(np.float32)


def voxels(stroke):
    none = np.zeros_like(stroke)
    return StrokeVoxels.of_masks(Strokes(stroke, none, stroke, none))


def tried(half, network=alike):
    image, stroke = square(half)
    lattice = Lattice.of(image.shape, SPACING)
    strokes = voxels(stroke)
    grids = [lattice.grid(strokes.around, zoom) for zoom in lattice.zooms(strokes.around)]
    empty = np.zeros(image.shape, dtype=np.float32)
    return windows_tried(image, lattice, grids, empty.__getitem__, strokes, network)


def test_an_object_larger_than_a_window_is_cut_off_there_and_whole_in_a_coarser_one():
    half = SIZE // 3
    values = signs(tried(half))
    assert (values[:, WHICH["cut off"]] > 0).tolist() == [True, True, False]


def test_an_object_that_fits_into_all_windows_is_the_same_in_all():
    values = signs(tried(SLICE_WINDOW[1] // 4))
    assert (values[:, WHICH["cut off"]] == 0).all()
    assert (values[:, WHICH["agreement"]] > 0.95).all()
    # A pixel that is twice as large covers four times the area.
    added = np.expm1(values[:, WHICH["size"]])
    np.testing.assert_allclose(added[:-1] / added[1:], 4, rtol=0.05)


def test_agreement_is_the_dice_of_what_two_zooms_changed():
    half = SIZE // 3  # the finest window shows 1 / 4 of the coarser one, all of it inside
    values = signs(tried(half))
    fine, coarse = SLICE_WINDOW[1] ** 2 / 4, SLICE_WINDOW[1] ** 2
    strokes = 3**2
    expected = 2 * (fine - strokes) / (fine + coarse - 2 * strokes)
    assert values[1, WHICH["agreement"]] == pytest.approx(expected, rel=0.02)
    assert values[0, WHICH["agreement"]] == values[1, WHICH["agreement"]]


def test_contrast_tells_an_edge_from_none():
    edge = signs(tried(20))[0, WHICH["contrast"]]
    invented = signs(tried(SIZE // 3, lambda channels: disk(channels[0].shape)))
    assert edge >= 1
    assert invented[0, WHICH["contrast"]] < 0.01


def disk(shape):
    y, x = np.indices(shape[1:])
    middle = (shape[1] - 1) / 2
    return ((y - middle) ** 2 + (x - middle) ** 2 < 20**2)[np.newaxis].astype(np.float32)


def rule(name, weight):
    weights = [weight if sign == name else 0.0 for sign in SIGNS]
    return ZoomChoice((0.0,) * len(SIGNS), (1.0,) * len(SIGNS), tuple(weights))


@pytest.mark.parametrize("size", [2, 6, 30])
def test_a_coarse_answer_hangs_together_with_a_stroke_of_any_size(size):
    image, _ = square(SIZE // 3)
    stroke = np.zeros(image.shape, dtype=bool)
    stroke[0, SIZE // 2 + 1 : SIZE // 2 + 1 + size, SIZE // 2 + 1 : SIZE // 2 + 1 + size] = True
    empty = np.zeros(image.shape, dtype=np.float32)
    _, values = answer_strokes(
        image,
        SPACING,
        empty.__getitem__,
        voxels(stroke),
        alike,
        choice=rule("cut off", -1.0),
    )
    assert np.count_nonzero(values >= 0.5) == pytest.approx(np.count_nonzero(image), rel=0.05)


@pytest.mark.parametrize(("weight", "whole"), [(-1.0, True), (1.0, False)])
def test_the_rule_decides_the_first_stroke(weight, whole):
    half = SIZE // 3
    image, stroke = square(half)
    empty = np.zeros(image.shape, dtype=np.float32)
    _, values = answer_strokes(
        image,
        SPACING,
        empty.__getitem__,
        voxels(stroke),
        alike,
        choice=rule("cut off", weight),
    )
    found = np.count_nonzero(values >= 0.5)
    assert (found == pytest.approx(np.count_nonzero(image), rel=0.05)) == whole


def test_later_strokes_follow_the_networks_confidence_not_the_rule():
    image, stroke = square(SIZE // 3)
    state = image.copy()
    state[0, : SIZE // 2] = 0

    def answered(choice):
        return answer_strokes(
            image, SPACING, state.__getitem__, voxels(stroke), alike, choice=choice
        )

    one, other = answered(rule("cut off", -1.0)), answered(None)
    assert one[0] == other[0]
    np.testing.assert_array_equal(one[1], other[1])


def test_the_fitted_rule_prefers_what_was_right():
    """Squares of all sizes: the smaller cut off, the better; so the rule has to find."""
    images = []
    for half in (30, 120, 250, 330):
        image, _ = square(half)
        images.append(RealImage(image, (image > 0).astype(np.int32), SPACING, (1,)))
    choice = fitted_choice([images], alike)
    assert choice.weights[WHICH["cut off"]] < 0
    for half in (200, 300):
        assert int(np.argmax(choice.expected(signs(tried(half))))) == 2


def test_without_masks_there_is_no_rule():
    image, _ = square(30)
    assert fitted_choice([[RealImage(image, None, SPACING)]], alike) is None


@pytest.mark.parametrize(
    "choice",
    [
        ZoomChoice((0.0,), (1.0,), (1.0,)),
        ZoomChoice((0.0,) * len(SIGNS), (0.0,) * len(SIGNS), (1.0,) * len(SIGNS)),
    ],
)
def test_a_rule_that_can_not_be_used_is_named(tmp_path, choice):
    manifest = dataclasses.replace(load_bundle("any-structure").manifest, zoom_choice=choice)
    with pytest.raises(BundleError, match="zoom_choice needs 5 numbers"):
        check_manifest(manifest, tmp_path / "bundle.json")
