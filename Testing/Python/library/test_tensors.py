"""Arrays and tensors cross in one place, whatever the array looks like."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.tensors import choose_device, to_array, to_tensor


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_values_and_type_survive(dtype: type) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    again = to_array(to_tensor(array))
    assert again.dtype == array.dtype
    assert np.array_equal(again, array)


def test_awkward_arrays_cross() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    read_only = array.copy()
    read_only.flags.writeable = False
    for awkward in (array[:, ::-1], array.T, array.astype(">f4"), read_only):
        assert np.array_equal(to_array(to_tensor(awkward)), awkward)


def test_results_can_be_written_to() -> None:
    array = to_array(to_tensor(np.zeros(3, dtype=np.float32)).requires_grad_())
    array += 1
    assert array.tolist() == [1, 1, 1]


def test_a_named_device_is_taken() -> None:
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_here_is_named(name: str) -> None:
    with pytest.raises(InputError, match=f"The device '{name}' can't be used"):
        choose_device(name)
