"""Networks with 8-bit weights and results, as a bundle holds them for OpenVINO.

OpenVINO describes a network in XML and keeps its numbers apart. Both lie as bytes in one
safetensors file, so that a bundle's rules hold for them, too, and readers that don't know them pass
them over.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_DESCRIPTION, _NUMBERS = "description", "numbers"


def quantized_key(role: str) -> str:
    """Return the name, in a manifest's weights, of the 8-bit version of a network."""
    return f"{role}-int8"


def save_quantized(path: Path, description: bytes, numbers: bytes) -> None:
    """Write OpenVINO's description and numbers of a network."""
    from safetensors.numpy import save

    parts = {_DESCRIPTION: description, _NUMBERS: numbers}
    # Its own ``save_file`` makes files that only their owner can read.
    path.write_bytes(save({k: np.frombuffer(v, dtype=np.uint8) for k, v in parts.items()}))


def load_quantized(path: Path) -> tuple[bytes, bytes]:
    """Return OpenVINO's description and numbers of a network.

    Raises:
        KeyError: the file holds something else.
        SafetensorError: it is not a safetensors file.
    """
    from safetensors.numpy import load_file

    parts = load_file(path)
    return parts[_DESCRIPTION].tobytes(), parts[_NUMBERS].tobytes()
