"""Cards (GPUs) and the processes that compute on them: one for each."""

from __future__ import annotations

import ctypes.util
import os
import sys

_DRIVER = "nvcuda" if os.name == "nt" else "cuda"


def cards_for(device: str) -> int:
    """Return how many cards of this computer a run computes on; 0 where on the processor.

    Args:
        device: as the settings have it: "auto", "cuda", "cuda:1", "cpu", ...
    """
    if device.startswith("cuda:"):
        return 1
    # Without a driver there is no card: PyTorch, which takes seconds to load, need not be asked.
    if device not in ("auto", "cuda") or ctypes.util.find_library(_DRIVER) is None:
        return 0
    import torch

    return torch.cuda.device_count()


def device_of_process(device: str) -> str:
    """Return what this process computes on: of several cards the one that has its number.

    Args:
        device: as the settings have it.
    """
    number = process_number()
    if number is None:
        return device
    count = cards_for(device)
    return f"cuda:{number % count}" if count > 1 else device


def process_number() -> int | None:
    """Return the number of this process of a run, from 0 on; None where it has none.

    None is the program itself, and the workers of a scheduler elsewhere, whose cards are told apart
    where they are begun (CUDA_VISIBLE_DEVICES).
    """
    if "distributed" not in sys.modules:
        return None
    from distributed import get_worker

    try:
        name = get_worker().name
    except ValueError:  # no worker
        return None
    return name if isinstance(name, int) else None
