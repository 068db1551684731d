"""CRF-Net for training on the processor: the same numbers and gradients at a fraction of the cost.

The pairwise network is evaluated on the entries of tables instead of on all pairs; messages are
linear in the entries, so their gradient is collected there and goes on into the network.
"""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from DeepIGeoSLib.crf.crfnet import CRFNet, Messages
from DeepIGeoSLib.crf.mean_field import compiled_kernels
from DeepIGeoSLib.crf.pairwise_tables import neighbors
from DeepIGeoSLib.geodesic import thread_count
from DeepIGeoSLib.tensors import to_array, to_tensor

_STEPS = 4096


class TableCRFNet(CRFNet):
    """A ``CRFNet`` whose pairwise function is tabulated in every step, where that is possible.

    That is for images of one channel and three axes, on the processor and with numba; elsewhere it
    is a ``CRFNet``. Between the entries of the tables, 1/4096 of twice the image's range apart, the
    pairwise function counts as linear.
    """

    def plain(self) -> CRFNet:
        """Return a copy for use, which makes no tables by itself; in evaluation mode."""
        copied = CRFNet(
            self.window,
            classes=len(self.compatibility),
            pairwise=copy.deepcopy(self.pairwise),
            iterations=self.iterations,
            training_iterations=self.training_iterations,
            strength=self.strength,
        )
        copied.load_state_dict(self.state_dict())
        return copied.eval()

    def messages(self, image: torch.Tensor, spacing: torch.Tensor) -> Messages:
        """See ``CRFNet.messages``."""
        possible = image.shape[1] == 1 and image.ndim == 5 and image.device.type == "cpu"
        kernels = compiled_kernels()
        if not possible or kernels is None:
            return super().messages(image, spacing)
        jobs = [self._job(kernels, *of) for of in zip(image, spacing, strict=True)]

        def send(probabilities: torch.Tensor) -> torch.Tensor:
            sent = [
                _Messages.apply(sample, values, job)
                for sample, (values, job) in zip(probabilities, jobs, strict=True)
            ]
            return torch.stack(sent)

        return send

    def _job(
        self, kernels: ModuleType, image: torch.Tensor, spacing: torch.Tensor
    ) -> tuple[torch.Tensor, _Job]:
        """Return the tables of a sample (distances, entries) and what doesn't change with them."""
        reach = max(float(image.max() - image.min()), 1e-3)
        offsets, distances, table_of = neighbors(self, spacing.tolist())
        differences = torch.linspace(-reach, reach, _STEPS + 1, dtype=image.dtype)
        values = self.pairwise(
            differences.expand(len(distances), 1, -1), torch.tensor(distances).to(image)
        )
        values = torch.cat([values, values[:, -1:]], dim=1)
        scaled = to_array(self._padded(image[None], "replicate")[0, 0]) * (_STEPS / (2 * reach))
        return values, _Job(kernels, scaled, table_of, offsets, [size // 2 for size in self.window])


@dataclass(frozen=True)
class _Job:
    """The constants of an image's messages, see ``kernels.send``."""

    kernels: ModuleType
    image: np.ndarray
    table_of: np.ndarray
    offsets: np.ndarray
    margin: list[int]

    def padded(self, values: torch.Tensor) -> np.ndarray:
        widths = [width for width in reversed(self.margin) for _ in (0, 1)]
        return to_array(functional.pad(values.detach(), widths))


class _Messages(torch.autograd.Function):
    """Sums of K_ij Q_j over the window, of probabilities (classes, k, j, i) and tables."""

    @staticmethod
    def forward(
        ctx: Any, probabilities: torch.Tensor, tables: torch.Tensor, job: _Job
    ) -> torch.Tensor:
        ctx.save_for_backward(probabilities, tables)
        ctx.job = job
        return _sent(job, job.image, tables, probabilities)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        probabilities, tables = ctx.saved_tensors
        job: _Job = ctx.job
        # What voxel i gets from j at difference i - j, j gets back from i: the image's sign turns.
        returned = _sent(job, -job.image, tables, gradient)
        gradient_array, old = to_array(gradient), job.padded(probabilities)
        parts = np.zeros((thread_count(), *tables.shape), dtype=old.dtype)
        _in_parts(
            lambda part, count: job.kernels.collect(
                job.image, gradient_array, job.table_of, job.offsets, old, part, count, parts[part]
            )
        )
        return returned, to_tensor(parts.sum(axis=0)), None


def _sent(job: _Job, image: np.ndarray, tables: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    messages = np.zeros(tuple(values.shape), dtype=image.dtype)
    entries, old = to_array(tables), job.padded(values)
    _in_parts(
        lambda part, count: job.kernels.send(
            image, entries, job.table_of, job.offsets, old, messages, part, count
        )
    )
    return to_tensor(messages)


def _in_parts(work: Any) -> None:
    """Run ``work(part, parts)`` for every part, one thread for each."""
    count = thread_count()
    with ThreadPoolExecutor(count) as pool:
        for job in [pool.submit(work, part, count) for part in range(count)]:
            job.result()
