"""The whole tool in a real browser: mouse, pixels, server, and what is on disk afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DeepIGeoSLib.volume import Volume


@pytest.fixture(scope="module")
def running(serve: Any, head: Path) -> Any:
    """A server with the head opened."""
    return serve(head)


def voxels_on(volume: Volume, event: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """Return the voxels (k, j, i) that the line of a recorded stroke goes through."""
    points = np.array(event["points"]).T
    ijk = (np.linalg.inv(volume.ijk_to_ras) @ np.vstack([points, np.ones(points.shape[1])]))[:3]
    return tuple(np.rint(ijk[::-1]).astype(int))


def far_from(volume: Volume, event: dict[str, Any], voxels: int) -> np.ndarray:
    """Return which voxels of the slices are farther than that from a recorded stroke."""
    far = np.ones(volume.shape, dtype=bool)
    near = [slice(max(0, p.min() - voxels), p.max() + voxels) for p in voxels_on(volume, event)]
    far[tuple(near)] = False
    return far


def test_segment_correct_undo_redo_save_and_go_on_after_a_crash(
    running: Any, visit: Any, serve: Any, head: Path, tmp_path: Path
) -> None:
    volume = Volume.read(head)
    page = visit(running)
    page.wait_until(lambda: page.page.inner_text("#case-title"), "head.nii.gz")

    page.choose_model("flair-whole-tumor")
    page.page.click("#segment:not([disabled])")
    page.wait_for_rounds(1)
    proposed = page.labels(volume, tmp_path)

    page.stroke(0, [(0.38, 0.4), (0.4, 0.42), (0.42, 0.44)])
    page.wait_for_rounds(2)
    (missing,) = page.strokes()
    assert missing["brush"] == "missing"
    added = page.labels(volume, tmp_path)
    assert added[voxels_on(volume, missing)].all()
    assert (added >= proposed).all()
    far = far_from(volume, missing, 20)
    assert np.array_equal(added[far], proposed[far])

    page.page.click("#brush-too-much")
    page.stroke(2, [(0.48, 0.5), (0.5, 0.52), (0.54, 0.52)])
    page.wait_for_rounds(3)
    too_much = page.strokes()[1]
    assert too_much["brush"] == "too much"
    assert abs(np.dot(too_much["normal"], missing["normal"])) < 0.1  # another view
    removed = page.labels(volume, tmp_path)
    assert not removed[voxels_on(volume, too_much)].any()
    assert (removed <= added).all()
    far = far_from(volume, too_much, 20)
    assert np.array_equal(removed[far], added[far])

    page.page.click("#undo")
    page.wait_for_rounds(2)
    assert np.array_equal(page.labels(volume, tmp_path), added)
    page.page.keyboard.press("y")
    page.wait_for_rounds(3)
    assert np.array_equal(page.labels(volume, tmp_path), removed)

    saved = running.private / "work"
    page.wait_until(lambda: len(list(saved.glob("*/*/state.json"))), 1)
    page.page.wait_for_timeout(2500)  # the state after redo: a second without a change
    running.kill()
    page.page.wait_for_selector("#ended")
    assert "start deepigeos web again" in page.page.inner_text("#ended")
    again = visit(serve(head, private=running.private))
    again.wait_for_rounds(3)
    assert np.array_equal(again.labels(volume, tmp_path), removed)
    again.page.keyboard.press("z")
    again.wait_for_rounds(2)
    assert np.array_equal(again.labels(volume, tmp_path), added)
