"""CRF-Net(f), (fu) and (g): mean-field inference as a recurrent network.

Wang et al., DeepIGeoS, TPAMI 2018. Each voxel is connected to the voxels of a window around it.
With the network's scores U, the pairwise potentials K and the label compatibility M, an iteration
is

    Q = softmax(L),   m_i = sum of K_ij Q_j over the window,   L = U - strength * M m,

starting from L = U. K is not normalized by its sum, and neighbors outside the image don't count. In
CRF-Net(fu) scribbled voxels are one-hot: they send messages, but receive none.

Messages are added up neighbor by neighbor, so memory does not grow with the window.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from DeepIGeoSLib.crf.pairwise import PairwiseNet, pairwise_function
from DeepIGeoSLib.crf.settings import CrfSettings, check_window

# The score of a scribbled voxel's own class, and minus that of the others, as in the author's code.
SCRIBBLE_SCORE = 1000.0

NO_SCRIBBLE = -1

# From (B, classes, [D,] H, W) to the same.
Messages = Callable[[torch.Tensor], torch.Tensor]


AnyCRFNet = TypeVar("AnyCRFNet", bound="CRFNet")


class CRFNet(nn.Module):
    """A mean-field CRF behind a network's scores, in 2D or 3D (as many axes as the window has).

    Attributes:
        pairwise: the pairwise function, see ``pairwise``.
        compatibility: trainable (classes, classes), shared by all iterations; what a class costs
            (row) next to another (column). It starts as Potts: 1 between different classes.
    """

    def __init__(
        self,
        window: Sequence[int],
        *,
        channels: int = 1,
        classes: int = 2,
        pairwise: nn.Module | None = None,
        iterations: int = 10,
        training_iterations: int = 5,
        strength: float = 1.0,
    ) -> None:
        """Make a CRF-Net.

        Args:
            window: odd numbers of voxels, one for each axis of the image.
            channels: of the image.
            classes: number of labels.
            pairwise: a module like ``PairwiseNet``, which is the default.
            iterations: in evaluation mode.
            training_iterations: in training mode.
            strength: factor of all pairwise potentials.

        Raises:
            InputError: a window without a middle or without neighbors.
        """
        super().__init__()
        check_window(tuple(window))
        self.window = tuple(window)
        self.pairwise = PairwiseNet(channels) if pairwise is None else pairwise
        self.compatibility = nn.Parameter(1 - torch.eye(classes))
        self.iterations = iterations
        self.training_iterations = training_iterations
        self.strength = strength

    @classmethod
    def of(
        cls: type[AnyCRFNet], settings: CrfSettings, channels: int = 1, classes: int = 2
    ) -> AnyCRFNet:
        """Return the CRF-Net that settings describe, for images (k, j, i) of so many channels."""
        return cls(
            settings.window,
            channels=channels,
            classes=classes,
            pairwise=pairwise_function(settings, channels),
            iterations=settings.iterations,
            training_iterations=settings.training_iterations,
            strength=settings.strength,
        )

    def forward(
        self,
        scores: torch.Tensor,
        image: torch.Tensor,
        spacing: torch.Tensor,
        scribbles: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return scores (logits) after the last iteration.

        Args:
            scores: (B, classes, [D,] H, W), the network's logits.
            image: (B, channels, [D,] H, W); no gradient flows into it.
            spacing: mm between voxels along each axis: (axes,), or (B, axes).
            scribbles: integers (B, [D,] H, W): the class of scribbled voxels, ``NO_SCRIBBLE``
                elsewhere. They stay one-hot, and no gradient flows into their scores.

        Returns:
            (B, classes, [D,] H, W), in the precision of ``scores`` but at least float32.
        """
        with torch.autocast(scores.device.type, enabled=False):
            scores = scores if scores.dtype == torch.float64 else scores.float()
            spacing = spacing.to(scores).expand(len(scores), -1)
            messages = self.messages(image.detach().to(scores.dtype), spacing)
            free = None
            if scribbles is not None:
                scores, free = _constrained(scores, scribbles)
            result = scores
            for _ in range(self.training_iterations if self.training else self.iterations):
                received = messages(result.softmax(dim=1))
                cost = torch.einsum("ab,nb...->na...", self.compatibility, received)
                change = cost if free is None else cost * free
                result = scores - self.strength * change
        return result

    def offsets(self) -> Iterator[tuple[int, ...]]:
        """Yield the neighbors of a voxel, in voxels along each axis."""
        for offset in product(*(range(-(size // 2), size // 2 + 1) for size in self.window)):
            if any(offset):
                yield offset

    def messages(self, image: torch.Tensor, spacing: torch.Tensor) -> Messages:
        """Return the function from probabilities to the sum of K_ij Q_j for every class and voxel.

        Args:
            image: (B, channels, [D,] H, W).
            spacing: mm, (B, axes).
        """
        return functools.partial(
            self._messages, image=self._padded(image, "replicate"), spacing=spacing
        )

    def _messages(
        self, probabilities: torch.Tensor, image: torch.Tensor, spacing: torch.Tensor
    ) -> torch.Tensor:
        shape = probabilities.shape[2:]
        padded = self._padded(probabilities, "constant")
        own = _moved(image, (0,) * len(shape), shape)
        total = torch.zeros_like(probabilities)
        for offset in self.offsets():
            place = torch.tensor(offset, dtype=spacing.dtype, device=spacing.device)
            distance = (place * spacing).norm(dim=1)
            arguments = (own, image, padded, distance, offset)
            if torch.is_grad_enabled():
                # The pairwise network's features of all neighbors would be most of the memory.
                share = checkpoint(
                    self._message, *arguments, use_reentrant=False, preserve_rng_state=False
                )
                total = total + share
            else:
                total += self._message(*arguments)
        return total

    def _message(
        self,
        own: torch.Tensor,
        image: torch.Tensor,
        probabilities: torch.Tensor,
        distance: torch.Tensor,
        offset: tuple[int, ...],
    ) -> torch.Tensor:
        """Return K_ij Q_j of the neighbor j that lies at an offset from each voxel i."""
        shape = own.shape[2:]
        potential = self.pairwise(own - _moved(image, offset, shape), distance)
        return potential[:, None] * _moved(probabilities, offset, shape)

    def _padded(self, values: torch.Tensor, mode: str) -> torch.Tensor:
        """Add half a window around (B, C, ...): zeros, or repeated border values."""
        widths = [size // 2 for size in reversed(self.window) for _ in (0, 1)]
        return functional.pad(values, widths, mode=mode)


def _constrained(
    scores: torch.Tensor, scribbles: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scores that fix scribbled voxels, and 1 where voxels are free, 0 where scribbled."""
    free = (scribbles == NO_SCRIBBLE)[:, None]
    classes = torch.arange(scores.shape[1], device=scores.device)
    own = scribbles[:, None] == classes.reshape(-1, *[1] * (scribbles.ndim - 1))
    fixed = torch.where(own, SCRIBBLE_SCORE, -SCRIBBLE_SCORE).to(scores.dtype)
    return torch.where(free, scores, fixed), free.to(scores.dtype)


def _moved(padded: torch.Tensor, offset: Sequence[int], shape: Sequence[int]) -> torch.Tensor:
    """Return the view of a padded tensor whose element i is the neighbor of i at the offset."""
    for axis, (step, size) in enumerate(zip(offset, shape, strict=True), start=2):
        middle = (padded.shape[axis] - size) // 2
        padded = padded.narrow(axis, middle + step, size)
    return padded
