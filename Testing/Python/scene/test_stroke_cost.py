"""What a stroke costs on the scene's thread follows from its region, not from the volume."""

from __future__ import annotations

import tracemalloc

import numpy as np
from heads import FIRST, IN_FIRST, User, two_lesions


def test_a_stroke_reads_and_writes_nothing_as_large_as_the_volume(scene) -> None:
    import slicer

    user = User(two_lesions())
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    voxels = slicer.util.arrayFromVolume(user.volume_node).size
    peaks = []
    for row in (40, 44, 48):
        tracemalloc.start()
        user.paint(((5, row, 24), (5, row, 30)))
        user.bench.poll()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        user.worker.go_on()
        tracemalloc.start()
        user.bench.poll()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert len(user.bench.rounds) == 4
    assert max(peaks) < voxels  # one byte for each voxel would be the smallest mask
    user.bench.close()


def test_the_segment_is_read_as_a_whole_only_after_somebody_else_changed_it(
    scene, monkeypatch
) -> None:
    from DeepIGeoSLib.scene.ledger import book

    reads = []
    original = book.labelsOfSegment
    monkeypatch.setattr(
        book, "labelsOfSegment", lambda *place: (reads.append(place), original(*place))[1]
    )
    user = User(two_lesions())
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    reads.clear()
    user.stroke(((5, 45, 24), (5, 45, 30)))
    user.undo()
    user.redo()
    assert not reads
    user.edit((slice(8, 9), *FIRST[1:]), False)
    user.stroke(((5, 45, 40), (5, 45, 44)))
    assert len(reads) == 1
    user.bench.close()


def test_a_thick_stroke_is_made_of_balls(scene) -> None:
    from DeepIGeoSLib.scene.stroke import strokeBox

    volume = two_lesions()
    start, end, radius = np.array([20.3, 25, 15]), np.array([60, 31, 18.0]), 9.5
    box, stroke = strokeBox(volume, [tuple(start), tuple(end)], radius)
    k, j, i = np.meshgrid(*[np.arange(part.start, part.stop) for part in box], indexing="ij")
    places = np.stack([i, j, 3 * k], axis=-1)
    along = np.clip((places - start) @ (end - start) / np.sum((end - start) ** 2), 0, 1)
    distance = np.linalg.norm(places - start - along[..., None] * (end - start), axis=-1)
    assert stroke[distance < radius - 0.1].all()
    assert not stroke[distance > radius + 1e-6].any()


def test_the_benchmark_measures_each_stroke(running_slicer) -> None:
    from DeepIGeoSLib.scene.stroke_cost import StrokeCase, strokeMilliseconds

    spent = strokeMilliseconds(StrokeCase((24, 60, 60), (2, 1, 1), 10, 3, 50), strokes=2)
    assert len(spent) == 2
    assert min(spent) > 0
