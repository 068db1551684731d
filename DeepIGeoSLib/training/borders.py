"""The weights of U-Net's loss: narrow gaps between objects count more (Ronneberger et al., 2015).

w(x) = w_c(x) + w0 exp(-(d1(x) + d2(x))^2 / (2 sigma^2)), where w_c balances the classes and d1 and
d2 are the distances to the nearest object and to the second nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from DeepIGeoSLib.targets import IGNORED, in_targets
from DeepIGeoSLib.tensors import to_array, to_tensor
from DeepIGeoSLib.training.border_settings import BorderSettings

# Farther than so many sigma, the weight of a border has fallen below w0 / 2000.
_FAR = 4.0


def border_weights(
    objects: np.ndarray, spacing: Sequence[float], settings: BorderSettings
) -> np.ndarray:
    """Return the second part of the weights, w0 exp(...); without two objects it is 0.

    Args:
        objects: whole numbers, axes ([k,] j, i): 0 outside, another number for every object.
        spacing: mm along the same axes.
        settings: w0, sigma and their unit.

    Returns:
        float32, the shape of ``objects``; 0 inside of objects.
    """
    sampling = tuple(spacing) if settings.unit == "mm" else (1.0,) * objects.ndim
    far = _FAR * settings.sigma
    nearest = np.full(objects.shape, np.inf, dtype=np.float32)
    second = nearest.copy()
    margins = [int(np.ceil(far / size)) + 1 for size in sampling]
    for number, box in enumerate(ndimage.find_objects(objects), start=1):
        if box is None:
            continue
        around = tuple(
            slice(max(0, own.start - margin), own.stop + margin)
            for own, margin in zip(box, margins, strict=True)
        )
        distance = ndimage.distance_transform_edt(
            objects[around] != number, sampling=sampling
        ).astype(np.float32)
        first, other = nearest[around], second[around]
        np.minimum(other, np.maximum(first, distance), out=other)
        np.minimum(first, distance, out=first)
    weights = settings.weight * np.exp(-((nearest + second) ** 2) / (2 * settings.sigma**2))
    return np.where(objects > 0, 0, weights).astype(np.float32)


def class_weights(classes: np.ndarray) -> np.ndarray:
    """Return the first part of the weights: classes that are there count alike, 1 on average.

    Voxels that are ``IGNORED`` have no weight, and no part in the average.
    """
    counted = classes != IGNORED
    weights = np.zeros(classes.shape, dtype=np.float32)
    numbers, places, counts = np.unique(classes[counted], return_inverse=True, return_counts=True)
    weights[counted] = (counted.sum() / (len(numbers) * counts))[places.reshape(-1)]
    return weights


def loss_of_borders(
    logits: torch.Tensor, classes: torch.Tensor, spacing: torch.Tensor, *, settings: BorderSettings
) -> torch.Tensor:
    """Return what the weights add to the mean cross-entropy of a batch.

    An object is a connected part of what is not background.

    Args:
        logits: (B, classes, k, j, i).
        classes: class numbers (B, 1, k, j, i), ``IGNORED`` where no label counts.
        spacing: mm along (k, j, i) of each crop, (B, 3).
        settings: of the weights.
    """
    extra = []
    for own, size in zip(classes[:, 0], spacing, strict=True):
        numbers = to_array(own)
        objects, _ = ndimage.label(in_targets(numbers))
        weights = border_weights(objects, size.tolist(), settings)
        extra.append(weights + (class_weights(numbers) - 1 if settings.balance else 0))
    entropy = nn.functional.cross_entropy(
        logits, classes[:, 0].long(), ignore_index=IGNORED, reduction="none"
    )
    return (to_tensor(np.stack(extra), logits.device) * entropy).mean()
