"""The network class of today's rival, to compare the cost of a stroke with.

nnInteractive answers an interaction by at least one run of a residual-encoder U-Net on 192^3
voxels, on a graphics card. Its weights are not needed to measure time; nnU-Net's own package
builds the architecture (preset ResEnc-L, image and seven interaction channels).
"""

from __future__ import annotations

import time
from typing import Any

_SIZE = 192
_FEATURES = (32, 64, 128, 256, 320, 320)
_BLOCKS = (1, 3, 4, 6, 6, 6)


def measured_unet(size: int = _SIZE) -> dict[str, Any] | None:
    """Return what a run of the network takes on the CPU, with random weights.

    Args:
        size: voxels of the cube's edge; a multiple of 32.

    Returns:
        ``size``, ``parameters``, ``seconds`` and ``processor_seconds``; None where the package
        dynamic-network-architectures is not installed.
    """
    try:
        from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet
    except ImportError:
        return None
    import torch
    from torch import nn

    network = ResidualEncoderUNet(
        input_channels=8,
        n_stages=len(_FEATURES),
        features_per_stage=_FEATURES,
        conv_op=nn.Conv3d,
        kernel_sizes=3,
        strides=(1, *[2] * (len(_FEATURES) - 1)),
        n_blocks_per_stage=_BLOCKS,
        num_classes=2,
        n_conv_per_stage_decoder=1,
        conv_bias=True,
        norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={"affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
    ).eval()
    x = torch.zeros(1, 8, size, size, size)
    with torch.inference_mode():
        wall, processor = time.perf_counter(), time.process_time()
        network(x)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {
        "size": size,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "seconds": wall,
        "processor_seconds": processor,
    }
