"""What makes several processes learn the same as one process with all their crops."""

from __future__ import annotations

from typing import Any

import lightning
import torch
import torch.distributed
from torch import nn
from torch.distributed.nn.functional import all_reduce


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalization by the statistics of all processes' crops, on any device.

    torch's own (``SyncBatchNorm``) works on graphics processors only. Weights and statistics have
    the same names as in ``BatchNorm2d`` and ``BatchNorm3d``.
    """

    def _check_input_dim(self, x: torch.Tensor) -> None:
        """Accept any number of axes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize (B, C, ...) along all axes but the channels."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        axes = [0, *range(2, x.ndim)]
        processes = torch.distributed.get_world_size()
        count = processes * x.numel() // x.shape[1]
        mean = all_reduce(values.mean(dim=axes)) / processes
        shape = (1, -1) + (1,) * (x.ndim - 2)
        centered = values - mean.view(shape)
        variance = all_reduce(centered.square().mean(dim=axes)) / processes
        with torch.no_grad():
            self.num_batches_tracked += 1
            unbiased = variance * count / max(1, count - 1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
        normal = centered * torch.rsqrt(variance + self.eps).view(shape)
        return (normal * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)


def share_statistics(network: nn.Module) -> None:
    """Put ``SharedBatchNorm`` in the place of every batch normalization, in place."""
    for name, child in list(network.named_children()):
        if isinstance(child, (nn.BatchNorm2d, nn.BatchNorm3d)):
            shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(network, name, shared)
        else:
            share_statistics(child)


def of_all_processes(
    module: lightning.LightningModule, logits: torch.Tensor, *targets: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Return the logits and targets of all processes' crops, for a loss of the whole batch.

    The Dice of a whole batch is not the mean of the Dice of its parts. Each process gets the
    gradient of its own logits, so that the mean of the processes' gradients is the gradient of one
    process with all crops.
    """
    if module.trainer.world_size == 1:
        return logits, *targets
    gathered: list[Any] = [
        module.all_gather(logits, sync_grads=True),
        *(module.all_gather(target) for target in targets),
    ]
    return tuple(parts.flatten(0, 1) for parts in gathered)
