"""The only crossing between NumPy and torch, and the choice of the device.

Both directions go through DLPack, because torch 2.2 (the last one for Intel Macs) was compiled
against NumPy 1 and its own ``from_numpy`` and ``numpy`` fail next to NumPy 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    import torch


def to_tensor(array: np.ndarray, device: str | torch.device = "cpu") -> torch.Tensor:
    """Return a tensor with the values of ``array``.

    The memory is shared where it can be (contiguous, writable, on the CPU). A negative stride would
    abort the process inside torch 2.2 and a read-only array can't be exported, so such arrays are
    copied.
    """
    import torch

    # DLPack knows neither foreign byte orders nor zero-dimensional NumPy scalars.
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    if not native.flags.writeable:
        native = native.copy()
    return torch.from_dlpack(native).to(device)


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """Return a writable array with the values of ``tensor``; the result owns its memory."""
    return np.from_dlpack(tensor.detach().cpu().contiguous()).copy()


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called ``name``; "auto" takes CUDA, else Apple's MPS, else the CPU.

    Raises:
        InputError: there is no such device, or this computer lacks it.
    """
    import torch

    if name != "auto":
        try:
            torch.empty(0, device=name)
        except (RuntimeError, AssertionError) as error:  # AssertionError: built without CUDA
            raise InputError(
                f"The device {name!r} can't be used: PyTorch knows none of this name, or this "
                "computer lacks it; auto is the best one that there is."
            ) from error
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
