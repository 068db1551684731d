"""Strokes on oblique views, against what the view showed below the brush."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

TILTED = np.array([np.sin(0.35), 0.0, np.cos(0.35)])
PATH = ((6.0, 9.0), (14.0, 13.0), (22.0, 10.0))  # mm in the plane
RADIUS = 3.0


@pytest.fixture
def place(volume_node):
    """The plane through the middle of the volume, and a stroke in it."""
    from DeepIGeoSLib.scene.places import worldPosition

    along = np.cross(TILTED, (0, 1, 0))
    along /= np.linalg.norm(along)
    across = np.cross(TILTED, along)
    origin = np.array(worldPosition(volume_node, (5, 14, 16)))
    middle = np.mean(PATH, axis=0)

    def at(flat):
        return origin + (np.asarray(flat) - middle) @ np.vstack([along, across])

    return at


def seen_mask(volume_node, points, radius, normal):
    """Return what ``seenBox`` finds as a mask of the whole volume."""
    from DeepIGeoSLib.scene.nodes import shapeOf
    from DeepIGeoSLib.scene.seen_stroke import seenBox

    mask = np.zeros(shapeOf(volume_node), bool)
    box, found = seenBox(volume_node, points, radius, normal=normal)
    mask[box] = found
    return mask


def distance_to(flat, path):
    """Return the distance of points in the plane from a path."""
    found = np.full(len(flat), np.inf)
    for start, end in itertools.pairwise(path):
        start, way = np.array(start), np.subtract(end, start)
        share = np.clip((flat - start) @ way / (way @ way), 0, 1)
        found = np.minimum(found, np.linalg.norm(flat - start - share[:, None] * way, axis=1))
    return found


def winds_around(corners, points):
    """Return which points an outline goes around: the angles to its corners add up to a turn."""
    ways = np.subtract(corners, points[:, None]) @ (1, 1j)
    return np.abs(np.angle(np.roll(ways, -1, axis=1) / ways).sum(axis=1)) > np.pi


def shown(volume_node, mask, positions):
    """Return what a view with nearest neighbors shows of a mask, at RAS positions."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    matrix = np.linalg.inv(slicer.util.arrayFromVTKMatrix(matrix))
    voxels = np.rint(positions @ matrix[:3, :3].T + matrix[:3, 3]).astype(int)[:, ::-1]
    inside = np.all((voxels >= 0) & (voxels < mask.shape), axis=1)
    return mask[tuple(voxels[inside].T)]


@pytest.mark.parametrize("volume_node", ["aligned", "oblique", "left-handed"], indirect=True)
def test_the_view_shows_the_whole_stroke_and_nothing_else(volume_node, place):
    from DeepIGeoSLib.scene.seen_stroke import voxelsAt

    mask = seen_mask(volume_node, [tuple(place(point)) for point in PATH], RADIUS, TILTED * 5)
    pixels = np.random.default_rng(3).uniform((0, 0), (28, 20), (60000, 2))
    distance = distance_to(pixels, PATH)
    assert shown(volume_node, mask, place(pixels[distance < RADIUS - 0.4])).mean() > 0.99
    assert shown(volume_node, mask, place(pixels[distance < RADIUS])).mean() > 0.98
    # No voxel is wider than 3.4 mm across its diagonal.
    assert not shown(volume_node, mask, place(pixels[distance > RADIUS + 3.4])).any()
    assert ndimage.label(mask, np.ones((3, 3, 3)))[1] == 1
    # Each voxel of it is cut by the plane below the brush; what is missing hardly is.
    fine = np.stack(np.meshgrid(np.arange(0, 28, 0.05), np.arange(0, 20, 0.05)), -1).reshape(-1, 2)
    below = voxelsAt(volume_node, place(fine[distance_to(fine, PATH) <= RADIUS]))
    area = np.zeros(mask.shape)
    np.add.at(area, tuple(below.T), 1)
    assert not (mask & (area == 0)).any()
    assert area[~mask].sum() <= 0.02 * area.sum()


def test_a_disk_one_pixel_thick_becomes_stripes_there(volume_node, place):
    from DeepIGeoSLib.scene.places import worldPosition

    mask = seen_mask(volume_node, [tuple(place(point)) for point in PATH], RADIUS, TILTED)
    voxels = np.argwhere(mask)
    centers = np.array([worldPosition(volume_node, tuple(voxel)) for voxel in voxels])
    away = np.abs((centers - place(PATH[0])) @ TILTED)
    thin = np.zeros_like(mask)
    thin[tuple(voxels[away <= 0.5].T)] = True
    assert ndimage.label(thin, np.ones((3, 3, 3)))[1] > 1  # what a thin brush would have left
    assert ndimage.label(mask, np.ones((3, 3, 3)))[1] == 1


def test_a_click_with_a_thin_brush_is_one_voxel(volume_node):
    from DeepIGeoSLib.scene.places import worldPosition

    point = worldPosition(volume_node, (5, 14, 16))
    mask = seen_mask(volume_node, [point], 0.1, TILTED)
    assert np.argwhere(mask).tolist() == [[5, 14, 16]]


def test_what_lies_outside_of_the_volume_is_left_out(volume_node):
    from DeepIGeoSLib.scene.places import worldPosition

    outside = worldPosition(volume_node, (5, 14, 60))
    assert not seen_mask(volume_node, [outside], 3.0, TILTED).any()
    border = worldPosition(volume_node, (5, 14, 31))
    mask = seen_mask(volume_node, [outside, border], 3.0, (0, 0, 1))
    assert mask[:, :, 28:].any()
    assert not mask[:, :, :28].any()


@pytest.mark.parametrize("volume_node", ["aligned", "oblique", "left-handed"], indirect=True)
def test_the_view_shows_a_filled_outline_and_nothing_else(volume_node, place):
    from DeepIGeoSLib.scene.nodes import shapeOf
    from DeepIGeoSLib.scene.seen_stroke import seenOutline

    corners = np.array([(4, 5), (23, 4), (24, 16), (14, 9), (5, 15)], float)  # not convex
    mask = np.zeros(shapeOf(volume_node), bool)
    box, found = seenOutline(volume_node, [tuple(place(point)) for point in corners], TILTED)
    mask[box] = found
    pixels = np.random.default_rng(3).uniform((0, 0), (28, 20), (60000, 2))
    inside = winds_around(corners, pixels)
    assert shown(volume_node, mask, place(pixels[inside])).mean() > 0.99
    ends = np.roll(corners, -1, axis=0)
    beside = [distance_to(pixels, [start, end]) for start, end in zip(corners, ends, strict=True)]
    # No voxel is wider than 3.4 mm across its diagonal.
    outside = ~inside & (np.min(beside, axis=0) > 3.4)
    assert outside.any()
    assert not shown(volume_node, mask, place(pixels[outside])).any()
    assert ndimage.label(mask, np.ones((3, 3, 3)))[1] == 1


def test_a_mouse_that_reports_often_costs_no_more_samples(volume_node, place, monkeypatch):
    from DeepIGeoSLib.scene import seen_stroke

    counts = []
    found = seen_stroke.voxelsAt

    def counting(node, points):
        counts.append(len(points))
        return found(node, points)

    monkeypatch.setattr(seen_stroke, "voxelsAt", counting)
    for events in (3, 3000):
        way = np.linspace(6, 22, events)
        points = [tuple(place((x, 9))) for x in way]
        seen_stroke.seenBox(volume_node, points, RADIUS, normal=TILTED)
    step = 0.25 * 0.9  # of the samples in mm, of voxels that are 0.9 mm wide
    area = (2 * RADIUS * 16 + np.pi * RADIUS**2) / step**2
    assert counts[0] == pytest.approx(area, rel=0.2)
    assert counts[1] <= counts[0] + 2 * 3000  # and the points of the path itself
