"""Find the objects of a volume with the networks of a bundle."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from DeepIGeoSLib.engines import NetworkSource
from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.errors import InputError, Progress, stop_if
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.inputs.working_grid import WorkingGrid
from DeepIGeoSLib.instances.cells import pasted
from DeepIGeoSLib.instances.components import components
from DeepIGeoSLib.instances.result import Instance, Instances
from DeepIGeoSLib.instances.settling import Claim, settled
from DeepIGeoSLib.interaction.loaded_volume import LoadedVolume
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.networks import INSTANCES
from DeepIGeoSLib.tensors import choose_device, to_array, to_tensor
from DeepIGeoSLib.volume import Volume

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.mask_rcnn.network import MaskRcnn
    from DeepIGeoSLib.networks.mask_rcnn.objects import FoundObjects

# Parts of a mask below this are specks, where no network knows objects.
_LEAST_VOXELS = 4


def find_instances(
    bundle: NetworkSource,
    channels: Volume | Sequence[Volume],
    *,
    device: str = "auto",
    least_score: float | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Instances:
    """Return the objects of a volume.

    A bundle with Mask R-CNN finds and draws each object for itself; a 2D network does so in each
    slice alone. Of any other bundle that segments by itself, the connected parts of its answer are
    the objects.

    Args:
        bundle: from ``load_bundle``.
        channels: the image, or one volume for each channel of the bundle.
        device: "auto", or a torch device such as "cpu" or "cuda".
        least_score: of an object; what the bundle recommends when None.
        progress: called with the share done and a text.
        cancel: stops the work when it is set.

    Returns:
        The objects, the surest first; none at all is a result like others.

    Raises:
        InputError: the bundle finds nothing by itself, or the image does not fit it.
        Cancelled: ``cancel`` was set.
    """
    volumes = [channels] if isinstance(channels, Volume) else list(channels)
    manifest = bundle.manifest
    if manifest.for_any_structure or not bundle.has_networks:
        raise InputError(
            f"The bundle {manifest.name} finds nothing by itself; choose one that segments "
            "automatically."
        )
    if len(volumes) != len(manifest.channels):
        raise InputError(
            f"The bundle {manifest.name} needs {len(manifest.channels)} channel(s) "
            f"({', '.join(manifest.channels)}), but {len(volumes)} were given."
        )
    if not manifest.for_instances:
        session = InteractiveSession(bundle, device=device)
        session.set_volume(volumes)
        proposal = session.propose(progress=progress, cancel=cancel)
        return parts_as_objects(proposal.probability, least_score)
    finder = ObjectFinder(bundle, device=device, least_score=least_score)
    return finder.find(volumes, progress=progress, cancel=cancel)


def parts_as_objects(probability: np.ndarray, least_score: float | None = None) -> Instances:
    """Return the connected parts of a segmentation as objects; specks are none.

    Args:
        probability: axes (k, j, i).
        least_score: of a part: its mean probability.
    """
    instances = components(probability, _LEAST_VOXELS)
    kept = [one for one in instances.found if one.score >= (least_score or 0)]
    return Instances(instances.shape, tuple(kept))


class ObjectFinder:
    """A network for objects that is opened once, for many volumes.

    Attributes:
        kinds: names of the classes of objects; one empty name for a single class.
    """

    def __init__(
        self, bundle: NetworkSource, *, device: str = "auto", least_score: float | None = None
    ) -> None:
        """Open the network of a bundle that has one for objects; see ``find_instances``."""
        network = bundle.network(INSTANCES).to(choose_device(device)).eval()
        self._network = cast("MaskRcnn", network)
        self._inputs = bundle.manifest.inputs
        self._least_score = least_score
        self.kinds = tuple(self._network.options.kinds) or ("",)

    def find(
        self,
        channels: Sequence[Volume],
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Instances:
        """Return the objects of a volume, one volume for each channel; see ``find_instances``."""
        loaded = LoadedVolume.of(list(channels), self._inputs)
        grid = loaded.image.grid(loaded.image.tissue_box)
        values = loaded.image.on(grid, cancel)
        claims = []
        for k, share, found, before in _answers(self._network, values, self._least_score, cancel):
            claims += _claims(found, before, k, self.kinds, grid, loaded.image.shape)
            if progress is not None:
                progress(share, f"{len(claims)} objects")
        claims.sort(key=lambda claim: -claim.score)
        stop_if(cancel)
        turned = settled(claims, loaded.image.shape)
        return Instances(
            loaded.shape,
            tuple(
                Instance(
                    one.kind,
                    one.score,
                    loaded.box_in_volume(one.box),
                    np.ascontiguousarray(loaded.orientation.invert(one.mask)),
                )
                for one in turned.found
            ),
        )


def _answers(
    network: MaskRcnn,
    values: np.ndarray,
    least_score: float | None,
    cancel: threading.Event | None,
) -> Iterator[tuple[int | None, float, FoundObjects, list[int]]]:
    """Yield a slice's number (None in 3D), the share done, its objects, and what padding added."""
    import torch

    multiple = three((1, *network.multiple_of)[-3:])
    padded = PaddedChannels(values, multiple)
    before = [part.start for part in padded.content_within([slice(0, n) for n in padded.shape])]
    device = next(network.parameters()).device
    flat = network.dimension == 2
    slices = padded.shape[0] if flat else 1
    for k in range(slices):
        stop_if(cancel)
        part = slice(k, k + 1) if flat else slice(0, padded.shape[0])
        read = padded.read([part, *(slice(0, n) for n in padded.shape[1:])])
        x = to_tensor(read[:, 0] if flat else read, device)[None]
        with torch.inference_mode():
            found = network.detect(x, least_score)[0]
        yield k if flat else None, (k + 1) / slices, found, before


def _claims(
    found: FoundObjects,
    before: Sequence[int],
    k: int | None,
    names: Sequence[str],
    grid: WorkingGrid,
    shape: Sequence[int],
) -> Iterator[Claim]:
    """Yield the objects on the volume's oriented grid."""
    boxes, scores = to_array(found.boxes.float()), to_array(found.scores.float())
    kinds, masks = to_array(found.kinds), to_array(found.masks.float())
    scale = np.array(grid.box_shape) / grid.shape
    corner = np.array([part.start for part in grid.box])
    for box, score, kind, mask in zip(boxes, scores, kinds, masks, strict=True):
        starts, stops = np.split(box, 2)
        if k is not None:
            starts, stops, mask = np.array([k, *starts]), np.array([k + 1, *stops]), mask[None]
        starts, stops = ((place - before) * scale + corner for place in (starts, stops))
        drawn = pasted(mask, starts, stops, shape=shape)
        if drawn is not None:
            yield Claim(names[int(kind)], float(score), *drawn)
