"""The rules by which an answer to a stroke is chosen, their signs, and how they are fitted."""

import dataclasses

import numpy as np
import pytest

from DeepIGeoSLib.any_structure.choice import SIGNS, AnswerChoice, SignRule
from DeepIGeoSLib.any_structure.refining import answer_strokes, windows_tried
from DeepIGeoSLib.any_structure.signs import signs
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.zoom import SLICE_WINDOW
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.bundles.checks import check_manifest
from DeepIGeoSLib.classical.answering import answer_strokes as answer_without_network
from DeepIGeoSLib.errors import BundleError
from DeepIGeoSLib.training.any_structure.choice_fitting import fitted_choice
from DeepIGeoSLib.training.any_structure.images import RealImage
from DeepIGeoSLib.training.any_structure.made_up import made_up_images
from DeepIGeoSLib.training.any_structure.rule_fitting import Seen, rule_for

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
    empty = np.zeros(image.shape, dtype=np.float32)
    tries = windows_tried(
        image, SPACING, empty.__getitem__, strokes=voxels(stroke), network=network
    )
    return [one for one in tries if one.sure == 0.5]


def test_an_object_larger_than_a_window_is_cut_off_there_and_whole_in_a_coarser_one():
    half = SIZE // 3
    values = signs(tried(half))
    assert (values[:, WHICH["cut off"]] > 0).tolist() == [True, True, False]


def test_an_object_that_fits_into_all_windows_is_the_same_in_all():
    values = signs(tried(SLICE_WINDOW[1] // 4))
    assert (values[:, WHICH["cut off"]] == 0).all()
    assert (values[:, WHICH["agreement"]] > 0.95).all()
    # Sizes are those in the volume, whatever the pixels of the window.
    np.testing.assert_allclose(
        np.expm1(values[:, WHICH["size"]]), SLICE_WINDOW[1] ** 2 / 4, rtol=0.05
    )
    assert values[:, WHICH["zoom"]].tolist() == [0, 1, 2]
    assert values[:, WHICH["in the middle"]] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("half", "windows"), [(SLICE_WINDOW[1] // 4, 2), (SIZE // 3, 3)])
def test_a_target_is_corrected_in_no_window_coarser_than_one_that_holds_it(half, windows):
    image, stroke = square(half)
    none, empty = np.zeros_like(stroke), np.zeros_like(image)
    removing = StrokeVoxels.of_masks(Strokes(none, stroke, none, stroke))
    for strokes, target, wanted in (
        (removing, image, windows),
        (voxels(stroke), image, windows),
        (voxels(stroke), empty, 3),  # where nothing was found yet, anything may be meant
        (voxels(stroke), stroke.astype(np.float32), 3),  # nothing but the stroke
    ):
        tries = windows_tried(image, SPACING, target.__getitem__, strokes=strokes, network=alike)
        assert sum(one.sure == 0.5 for one in tries) == wanted


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


def test_a_stroke_beside_the_border_of_what_it_adds_is_not_in_its_middle():
    image, _ = square(40)
    middle = SIZE // 2
    empty = np.zeros(image.shape, dtype=np.float32)
    found = []
    for away in (0, 20, 36):
        stroke = np.zeros(image.shape, dtype=bool)
        stroke[0, middle, middle + away] = True
        tries = windows_tried(
            image, SPACING, empty.__getitem__, strokes=voxels(stroke), network=alike
        )
        found.append(signs(tries)[0, WHICH["in the middle"]])
    # The square ends 40 pixels from its middle.
    np.testing.assert_allclose(found, [1, 0.5, 0.1], atol=0.03)


def rule(name, weight):
    small = tuple(0.01 if sign == name else 0.0 for sign in SIGNS)  # where tanh is a line
    one = SignRule((0.0,) * len(SIGNS), (1.0,) * len(SIGNS), (small,), (0.0,), (weight,))
    return AnswerChoice(one, one, one)


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
        strokes=voxels(stroke),
        network=alike,
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
        strokes=voxels(stroke),
        network=alike,
        choice=rule("cut off", weight),
    )
    found = np.count_nonzero(values >= 0.5)
    assert (found == pytest.approx(np.count_nonzero(image), rel=0.05)) == whole


@pytest.mark.parametrize(
    ("purpose", "expected"), [("begin", "grown"), ("add", "network"), ("remove", "network")]
)
def test_each_purpose_has_a_rule_of_its_own(purpose, expected):
    image, stroke = square(100)
    there = np.zeros(image.shape, dtype=np.float32)
    if purpose != "begin":
        there[0, : SIZE // 2 - 20] = 1
    if purpose == "remove":
        there[:] = 1
    none = np.zeros_like(stroke)
    marked = (none, stroke, none, stroke) if purpose == "remove" else (stroke, none, stroke, none)
    strokes = StrokeVoxels.of_masks(Strokes(*marked))
    better, worse = rule("without a network", 1.0).begin, rule("without a network", -1.0).begin

    def network(channels):
        return np.full(channels.shape[1:], float(purpose != "remove"), dtype=np.float32)

    box, values = answer_strokes(
        image,
        SPACING,
        lambda box: there[box].copy(),
        strokes=strokes,
        network=network,
        choice=AnswerChoice(better, worse, worse),
    )
    alone, grown = answer_without_network(
        image, SPACING, lambda box: there[box].copy(), strokes=strokes
    )
    same = box == alone and np.array_equal(values, grown)
    assert same == (expected == "grown")


def test_the_fitted_rule_prefers_what_was_right():
    """Squares of all sizes: the less of an answer is cut off, the better it is."""
    images = []
    for half in (30, 120, 250, 330):
        image, _ = square(half)
        images.append(RealImage(image, (image > 0).astype(np.int32), SPACING, (1,)))
    choice = fitted_choice([images], alike)
    for half in (200, 300):
        assert choice.best(signs(tried(half)), "begin") == 2


def test_a_rule_finds_the_sign_that_tells_good_answers():
    random = np.random.default_rng(0)
    seen = []
    for _ in range(60):
        values = random.normal(size=(4, len(SIGNS)))
        dice = 0.5 + 0.1 * np.tanh(values[:, WHICH["contrast"]])
        seen.append(Seen("add", values, dice, before=0.4))
    found = rule_for(seen)
    weights = np.abs(np.array(found.weights) @ np.array(found.hidden))
    assert int(weights.argmax()) == WHICH["contrast"]
    chosen = [one.dice[np.argmax(found.expected(one.signs))] for one in seen]
    assert np.mean(chosen) > np.mean([one.dice.max() for one in seen]) - 0.005


def test_a_rule_knows_that_signs_depend_on_each_other():
    """A large answer is right where it stands out, a small one where it does not."""
    random = np.random.default_rng(0)
    seen = []
    for _ in range(200):
        values = random.normal(size=(4, len(SIGNS)))
        fits = np.sign(values[:, WHICH["size"]] * values[:, WHICH["contrast"]])
        seen.append(Seen("add", values, 0.5 + 0.1 * fits, before=0.5))
    found = rule_for(seen)
    chosen = [one.dice[np.argmax(found.expected(one.signs))] for one in seen]
    assert np.mean(chosen) > 0.58


def test_damage_counts_twice():
    seen = Seen("add", np.zeros((3, len(SIGNS))), np.array([0.4, 0.5, 0.6]), before=0.5)
    np.testing.assert_allclose(seen.gains, np.array([-0.2, 0.0, 0.1]) + 0.1 / 3)


def test_a_purpose_that_never_occurred_has_a_rule_that_prefers_nothing():
    assert set(rule_for([]).weights) == {0.0}


def test_made_up_images_hold_a_structure_and_are_the_same_each_time():
    images, again = made_up_images(6, seed=1), made_up_images(6, seed=1)
    assert {one.flat for one in images} == {True, False}
    for one, same in zip(images, again, strict=True):
        assert (one.image == same.image).all()
        assert one.values == (1,)
        assert 40 <= np.count_nonzero(one.labels) < one.labels.size
        assert min(one.image.shape[1:]) >= 80
        assert min(one.spacing) == 1


def test_without_masks_there_is_no_rule():
    image, _ = square(30)
    assert fitted_choice([[RealImage(image, None, SPACING)]], alike) is None


@pytest.mark.parametrize(("length", "scale"), [(1, 1.0), (len(SIGNS), 0.0)])
def test_a_rule_that_can_not_be_used_is_named(tmp_path, length, scale):
    row = (0.0,) * length
    wrong = SignRule(row, (scale,) * length, (row,), (0.0,), (1.0,))
    right = rule("size", 1.0).begin
    choice = AnswerChoice(right, right, wrong)
    manifest = dataclasses.replace(load_bundle("any-structure").manifest, answer_choice=choice)
    with pytest.raises(BundleError, match=f"answer_choice needs {len(SIGNS)} numbers"):
        check_manifest(manifest, tmp_path / "bundle.json")


def test_a_rule_whose_units_do_not_match_is_named(tmp_path):
    right = rule("size", 1.0).begin
    wrong = dataclasses.replace(right, offsets=(0.0, 1.0))
    choice = AnswerChoice(right, wrong, right)
    manifest = dataclasses.replace(load_bundle("any-structure").manifest, answer_choice=choice)
    with pytest.raises(BundleError, match="as many offsets and weights as rows of hidden"):
        check_manifest(manifest, tmp_path / "bundle.json")
