"""The colors of strokes and lesions, as people with any color vision see them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

# What a color becomes in linear RGB for eyes without one kind of cone: Machado, Oliveira and
# Fernandes, IEEE Transactions on Visualization and Computer Graphics 15 (2009), severity 1.
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_XYZ_OF_RGB = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def seen_as(color, eyes):
    """Return the CIE L*a*b* coordinates (D65) of an sRGB color as these eyes see it."""
    rgb = np.array(color)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = _XYZ_OF_RGB @ np.clip(EYES[eyes] @ linear, 0, 1) / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(first, second, eyes):
    """Return the CIE 1976 color difference; 2.3 is just noticeable."""
    return np.linalg.norm(seen_as(first, eyes) - seen_as(second, eyes))


def test_the_distance_is_that_of_known_colors():
    white, red = (1, 1, 1), (1, 0, 0)
    np.testing.assert_allclose(seen_as(white, "normal"), (100, 0, 0), atol=0.02)
    np.testing.assert_allclose(seen_as(red, "normal"), (53.24, 80.09, 67.20), atol=0.02)
    green = (0.1, 0.85, 0.3)  # the strokes that once were green and red
    assert distance(green, (0.95, 0.2, 0.35), "deuteranopia") < 25


@pytest.mark.parametrize("eyes", EYES)
def test_strokes_differ_from_each_other_and_from_every_lesion(running_slicer, eyes):
    from DeepIGeoSLib.scene.colors import LESION_COLORS, SEED_COLORS

    missing, too_much = SEED_COLORS["foreground"], SEED_COLORS["background"]
    assert distance(missing, too_much, eyes) > 45
    assert min(distance(seed, LESION_COLORS[0], eyes) for seed in (missing, too_much)) > 45
    for lesion, seed in itertools.product(LESION_COLORS, SEED_COLORS.values()):
        assert distance(lesion, seed, eyes) > 30, lesion


@pytest.mark.parametrize("eyes", EYES)
def test_lesions_differ_from_each_other(running_slicer, eyes):
    from DeepIGeoSLib.scene.colors import LESION_COLORS

    for first, second in itertools.combinations(LESION_COLORS, 2):
        assert distance(first, second, eyes) > 25


def test_new_lesions_take_the_colors_in_turn_and_seeds_theirs(scene, volume_node):
    from DeepIGeoSLib.scene.colors import LESION_COLORS, SEED_COLORS
    from DeepIGeoSLib.scene.lesions import addLesion, newSegmentation
    from DeepIGeoSLib.scene.seeds import makeSeeds

    node = newSegmentation(volume_node)
    segmentation = node.GetSegmentation()
    ids = [addLesion(node) for _ in LESION_COLORS]
    shown = [segmentation.GetSegment(segment_id).GetColor() for segment_id in ids]
    np.testing.assert_allclose(shown, LESION_COLORS, atol=1e-6)
    segmentation.RemoveSegment(ids[1])
    again = segmentation.GetSegment(addLesion(node)).GetColor()
    np.testing.assert_allclose(again, LESION_COLORS[1], atol=1e-6)
    seeds = makeSeeds(volume_node, node, ids[0])
    colors = seeds.segmentationNode.GetSegmentation()
    for name, segment_id in (
        ("foreground", seeds.foregroundId),
        ("background", seeds.backgroundId),
    ):
        np.testing.assert_allclose(
            colors.GetSegment(segment_id).GetColor(), SEED_COLORS[name], atol=1e-6
        )
