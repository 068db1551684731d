"""Turn a network into one with 8-bit weights and results, with OpenVINO's and NNCF's help.

Post-training quantization: the ranges of all results are taken from inputs that the network meets
in use; no weight is trained.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.engines.openvino_runtime import Network, OpenVinoRuntime

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork


def quantize(network: SegmentationNetwork, inputs: Sequence[np.ndarray]) -> tuple[bytes, bytes]:
    """Return OpenVINO's description and numbers of the 8-bit version of a network.

    Args:
        network: in evaluation mode, on the CPU.
        inputs: float32 batches (B, C, [D,] H, W), as the network meets them in use.
    """
    os.environ.setdefault("NNCF_CI", "1")  # else NNCF reports its use to its maker
    import nncf

    nncf.set_log_level(logging.ERROR)
    model = OpenVinoRuntime().convert(network, inputs[0].shape[1]).of_any_size()
    with redirect_stdout(io.StringIO()):  # its progress would stand in the command's output
        found = nncf.quantize(
            model.model,
            nncf.Dataset(inputs),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(inputs),
        )
    return Network(found).saved()
