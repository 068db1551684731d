"""What the compiled solver takes from the inside of numba and LLVM does what its name says.

A new version of numba is tried with these (``make test-numba``): where one fails, the words of the
solver have to be said in another way.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is not installed")

from numba import njit

from DeepIGeoSLib.geodesic import lanes, pointers
from DeepIGeoSLib.geodesic.lanes import WIDTH

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint64, np.uint8])
def test_numbers_behind_a_pointer_are_read_and_written(dtype) -> None:
    @njit
    def run(array):
        address = pointers.pointer(array)
        pointers.ask_for(address, 10**6)  # nothing needs to be there
        later = pointers.moved(address, 3)
        pointers.put(later, 1, pointers.item(address, 2))
        return pointers.item(later, 0)

    array = np.arange(8).astype(dtype)
    assert run(array) == 3
    assert array.tolist() == [0, 1, 2, 3, 2, 5, 6, 7]


def test_integers_are_exchanged_joined_and_lowered_in_one_step() -> None:
    @njit
    def run(numbers, bits):
        address = pointers.pointer(numbers)
        before = (
            pointers.exchange(address, 0, np.int32(7)),
            pointers.lower(address, 1, np.int32(-5)),
            pointers.lower(address, 2, np.int32(99)),
        )
        return before, pointers.join(pointers.pointer(bits), 0, np.uint64(0b0110))

    numbers, bits = np.array([1, 2, 3], dtype=np.int32), np.array([0b0011], dtype=np.uint64)
    assert run(numbers, bits) == ((1, 2, 3), 0b0011)
    assert numbers.tolist() == [7, -5, 3]
    assert bits.tolist() == [0b0111]


def test_bits_are_numbers_and_back() -> None:
    @njit
    def run(number, members):
        bits = pointers.as_integer(number)
        return bits, pointers.as_number(bits), pointers.smallest_member(members)

    bits, number, member = run(np.float32(1.5), np.uint64(0b1010000))
    assert bits == np.float32(1.5).view(np.int32)
    assert number == 1.5
    assert member == 4


def vectors(count: int) -> np.ndarray:
    return RANDOM.normal(size=(count, WIDTH)).astype(np.float32)


@njit
def _of_one(vector, out, other):
    one, two = lanes.load(pointers.pointer(vector), 0), lanes.load(pointers.pointer(other), 0)
    results = pointers.pointer(out)
    lanes.store(results, 0, lanes.scaled(one, np.float32(2)))
    lanes.store(results, 1 * WIDTH, lanes.moved_up(one, two))
    lanes.store(results, 2 * WIDTH, lanes.moved_down(one, two))
    lanes.store(results, 3 * WIDTH, lanes.minimum(one, two))
    lanes.store(results, 4 * WIDTH, lanes.where_less(one, two, lanes.spread(np.float32(9))))
    lanes.store(results, 5 * WIDTH, lanes.first_lanes(one, 5, two))
    lanes.store(results, 6 * WIDTH, lanes.cost(np.float32(3), one, two))
    lanes.store(results, 7 * WIDTH, lanes.relaxed(one, two, lanes.spread(np.float32(-1))))
    squares = lanes.plus_square(lanes.spread(np.float32(4)), one, two)
    lanes.store(results, 8 * WIDTH, squares)
    lanes.store(results, 9 * WIDTH, lanes.magnitude(np.float32(3), squares))
    return lanes.less(one, two), lanes.least(one), lanes.lane(one, 11)


def test_sixteen_lanes_are_what_numpy_says() -> None:
    one, two = vectors(2)
    out = np.zeros((10, WIDTH), dtype=np.float32)
    less, least, eleventh = _of_one(one, out.reshape(-1), two)
    squares = np.float32(4) + (one - two) ** 2
    expected = [
        one * 2,
        np.concatenate([two[:1], one[:-1]]),
        np.concatenate([one[1:], two[-1:]]),
        np.minimum(one, two),
        np.where(one < two, one, np.float32(9)),
        np.concatenate([one[:5], two[5:]]),
        3 + np.abs(one - two),
        np.minimum(two - 1, one),
        squares,
        3 + np.sqrt(squares),
    ]
    np.testing.assert_array_equal(out, np.stack(expected))
    assert less == sum(1 << n for n in range(WIDTH) if one[n] < two[n])
    assert least == one.min()
    assert eleventh == one[11]
