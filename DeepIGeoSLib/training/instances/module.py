"""What one optimizer step of Mask R-CNN does."""

from __future__ import annotations

from typing import cast

import torch
from scipy import ndimage

from DeepIGeoSLib.networks.mask_rcnn.loss import losses
from DeepIGeoSLib.networks.mask_rcnn.network import MaskRcnn
from DeepIGeoSLib.networks.mask_rcnn.objects import TrueObjects
from DeepIGeoSLib.tensors import to_array
from DeepIGeoSLib.training.modules import NetworkModule


class InstanceModule(NetworkModule):
    """Trains Mask R-CNN on crops with numbered objects."""

    def training_step(
        self, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor], index: int
    ) -> torch.Tensor:
        """Return the sum of the losses of a batch."""
        image, labels, kinds = batch
        if self.network.dimension == 2:  # slices are images of their own
            slices = image.shape[2]
            image = image.movedim(2, 1).flatten(0, 1)
            labels = labels.flatten(0, 1)
            kinds = kinds.repeat_interleave(slices)
        least = self.settings.instances.least_voxels
        objects = [
            true_objects(one, int(kind), least) for one, kind in zip(labels, kinds, strict=True)
        ]
        parts = losses(cast("MaskRcnn", self.network), image, objects)
        total = torch.stack(list(parts.values())).sum()
        self.log("train/loss", total)
        self.log_dict({f"train/{name}": value for name, value in parts.items()})
        return total


def true_objects(labels: torch.Tensor, kind: int, least_voxels: int) -> TrueObjects:
    """Return the objects of a crop.

    Args:
        labels: ([D,] H, W), the number of the object at each voxel.
        kind: of all of them.
        least_voxels: objects with less are no objects.
    """
    array = to_array(labels)
    boxes, numbers = [], []
    for number, box in enumerate(ndimage.find_objects(array), start=1):
        if box is not None and (array[box] == number).sum() >= least_voxels:
            boxes.append([*(part.start for part in box), *(part.stop for part in box)])
            numbers.append(number)
    device = labels.device
    return TrueObjects(
        torch.tensor(boxes, dtype=torch.float32, device=device).reshape(-1, 2 * labels.ndim),
        torch.full((len(boxes),), kind, dtype=torch.long, device=device),
        torch.tensor(numbers, dtype=torch.long, device=device),
        labels.long(),
    )
