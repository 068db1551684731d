"""What can't be used is refused by name, and nothing is written."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.geodesic import (
    geodesic_distance,
    geodesic_distances,
    set_thread_count,
    thread_count,
)

SHAPE = (4, 5, 6)
IMAGE = np.arange(120.0).reshape(SHAPE)
SEEDS = IMAGE == 60
SPACING = (1, 1, 1)


def with_one(value):
    image = IMAGE.copy()
    image[1, 2, 3] = value
    return image


REFUSED = {
    "NaN": ({"image": with_one(np.nan)}, "image holds NaN"),
    "infinite intensity": ({"image": with_one(-np.inf)}, "image holds NaN or infinite"),
    "too large for float32": ({"image": with_one(1e300)}, "infinite"),
    "complex image": ({"image": IMAGE.astype(complex)}, "image must hold real numbers.*complex"),
    "text": ({"image": IMAGE.astype(str)}, "image must hold real numbers"),
    "image of another shape": ({"image": IMAGE[1:]}, r"image has the shape \(3, 5, 6\)"),
    "channels last": ({"image": np.zeros((*SHAPE, 2))}, r"shape \(4, 5, 6, 2\)"),
    "no channel": ({"image": np.zeros((0, *SHAPE))}, "image has the shape"),
    "seeds as labels": (
        {"seeds": SEEDS * 2},
        "seeds must be.*0 to 2",
    ),
    "negative seeds": ({"seeds": SEEDS * -1}, "hold integers from -1 to 0"),
    "seeds as real numbers": ({"seeds": SEEDS * 1.0}, "seeds must be a bool array.*float64"),
    "one-dimensional": ({"image": IMAGE[0, 0], "seeds": SEEDS[0, 0]}, r"seeds must have the axes"),
    "negative spacing": ({"spacing": (1, -1, 1)}, "spacing must be positive.*-1"),
    "zero spacing": ({"spacing": (1, 1, 0)}, "spacing must be positive"),
    "spacing NaN": ({"spacing": (1, np.nan, 1)}, "spacing must be positive and finite"),
    "two spacings": ({"spacing": (1, 1)}, "spacing must have 3 values"),
    "one number as spacing": ({"spacing": 1}, "spacing must have 3 values"),
    "text as spacing": ({"spacing": "abc"}, "spacing must be numbers"),
    "weight above 1": ({"weight": 1.01}, r"weight must lie in \[0, 1\], but is 1.01"),
    "weight below 0": ({"weight": -0.1}, "weight must lie in"),
    "weight as text": ({"weight": "heavy"}, "weight must be a number, but is 'heavy'"),
    "weight NaN": ({"weight": np.nan}, "weight must lie in"),
    "limit 0": ({"max_distance": 0}, "max_distance must be positive"),
    "limit negative": ({"max_distance": -3}, "max_distance must be positive"),
    "limit infinite": ({"max_distance": np.inf}, "max_distance must be positive and finite"),
    "limit as text": ({"max_distance": "far"}, "max_distance must be a number, but is 'far'"),
    "limit too large for float32": ({"max_distance": 1e39}, "max_distance must be positive and"),
    "limit too small for float32": ({"max_distance": 1e-50}, "max_distance must be positive"),
    "spacing too large for float32": ({"spacing": (1, 1, 1e39), "weight": 0}, "spacing must be"),
    "no engine": ({"engine": None}, "no engine None"),
    "limit NaN": ({"max_distance": np.nan}, "max_distance must be positive"),
    "unknown engine": ({"engine": "fastest"}, "no engine 'fastest'.*blocks"),
    "device of another engine": ({"engine": "dijkstra:cuda"}, "no engine 'dijkstra:cuda'"),
    "unknown device": ({"engine": "sweeps:abacus"}, "'abacus'"),
    "changed without a map": ({"changed_seeds": SEEDS}, "changed_seeds needs"),
    "changed as real numbers": (
        {"out": np.zeros(SHAPE, np.float32), "changed_seeds": SEEDS * 1.0},
        "changed seeds must be a bool array",
    ),
    "changed of another shape": (
        {"out": np.zeros(SHAPE, np.float32), "changed_seeds": SEEDS[1:]},
        "changed seeds have the shape",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(arguments, message):
    given = {"image": IMAGE, "seeds": SEEDS, "spacing": SPACING, **arguments}
    with pytest.raises(ValueError, match=message) as raised:
        geodesic_distance(**given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.zeros(SHAPE), "float32 array.*float64"),
        (np.zeros(SHAPE[::-1], np.float32), "seeds' shape"),
        ([[0.0]], "float32 array.*list"),
        (np.zeros(SHAPE, ">f4"), "float32 array.*>f4"),
    ],
)
def test_refused_output(out, message):
    with pytest.raises(ValueError, match=message):
        geodesic_distance(IMAGE, SEEDS, SPACING, out=out)


def test_output_must_be_writable_and_apart_from_the_image():
    out = np.zeros(SHAPE, dtype=np.float32)
    with pytest.raises(ValueError, match="share memory"):
        geodesic_distance(out, SEEDS, SPACING, out=out)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="writable"):
        geodesic_distance(IMAGE, SEEDS, SPACING, out=out)


def test_output_stays_as_it_was_when_something_is_refused():
    out = np.full(SHAPE, 5, dtype=np.float32)
    with pytest.raises(ValueError, match="NaN"):
        geodesic_distance(with_one(np.nan), SEEDS, SPACING, out=out)
    assert (out == 5).all()


@pytest.mark.parametrize("engine", ["auto", "sweeps", "dijkstra"])
def test_without_seeds_everything_is_as_far_as_can_be(engine):
    nothing = np.zeros(SHAPE, dtype=bool)
    assert np.isposinf(geodesic_distance(IMAGE, nothing, SPACING, engine=engine)).all()
    far = geodesic_distance(IMAGE, nothing, SPACING, max_distance=7, engine=engine)
    assert (far == 7).all()


@pytest.mark.parametrize("shape", [(0, 5, 6), (4, 0)])
def test_an_empty_volume_has_an_empty_map(shape):
    empty = np.zeros(shape)
    assert geodesic_distance(empty, empty > 0, (1,) * len(shape)).shape == shape


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float16", "float64", ">f4"])
def test_any_real_type_is_taken(dtype):
    image = IMAGE.astype(dtype)
    expected = geodesic_distance(image.astype(np.float32), SEEDS, SPACING)
    np.testing.assert_array_equal(geodesic_distance(image, SEEDS, SPACING), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "uint64", ">i2"])
def test_seeds_may_be_integers_0_and_1(dtype):
    first = IMAGE == 7
    expected = geodesic_distance(IMAGE, SEEDS | first, SPACING)
    seeds = (SEEDS | first).astype(dtype)
    np.testing.assert_array_equal(geodesic_distance(IMAGE, seeds, SPACING), expected)
    maps = geodesic_distances(IMAGE, {"a": seeds}, SPACING)
    np.testing.assert_array_equal(maps["a"], expected)
    out = geodesic_distance(IMAGE, first, SPACING)
    geodesic_distance(IMAGE, seeds, SPACING, out=out, changed_seeds=SEEDS.astype(dtype))
    np.testing.assert_array_equal(out, expected)


def test_large_intensities_do_not_look_like_infinite_ones():
    image = np.full(SHAPE, 3e38)
    assert (geodesic_distance(image, SEEDS, SPACING) == 0).all()


def test_classes_must_have_one_shape():
    with pytest.raises(ValueError, match="one shape"):
        geodesic_distances(IMAGE, {"a": SEEDS, "b": SEEDS[1:]}, SPACING)
    with pytest.raises(ValueError, match="b seeds must be a bool array"):
        geodesic_distances(IMAGE, {"a": SEEDS, "b": IMAGE}, SPACING)
    with pytest.raises(ValueError, match=r"a seeds must be.*integers from 0 to 3"):
        geodesic_distances(IMAGE, {"a": SEEDS * 3}, SPACING)
    with pytest.raises(ValueError, match="at least one class"):
        geodesic_distances(IMAGE, {}, SPACING)


@pytest.mark.parametrize("number", [0, -1, 1.5, "2", True])
def test_thread_counts_are_positive_integers(number):
    with pytest.raises(ValueError, match="number of threads"):
        set_thread_count(number)


def test_the_thread_count_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DEEPIGEOS_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.setenv("DEEPIGEOS_THREADS", "many")
    with pytest.raises(ValueError, match="DEEPIGEOS_THREADS"):
        thread_count()
    set_thread_count(2)
    assert thread_count() == 2
    set_thread_count(None)
