"""A round changes what its strokes ask for, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.interaction.requested_changes import Request, connected_changes
from DeepIGeoSLib.interaction.scribbles import Interactions

SHAPE = (1, 2, 3)
BEFORE = np.array([[[0.1, 0.9, 0.5], [0.1, 0.9, 0.5]]], dtype=np.float32)
ANSWER = np.array([[[0.8, 0.2, 0.5], [0.8, 0.2, 0.5]]], dtype=np.float32)
NEAR_FOREGROUND = np.array([[[0.2, 0.2, 0.2], [0.9, 0.9, 0.9]]], dtype=np.float32)
MAPS = np.stack([1 - NEAR_FOREGROUND, NEAR_FOREGROUND])  # background, then foreground


def test_foreground_strokes_only_add() -> None:
    granted = Request(adds=True, removes=False, erases=False).granted(BEFORE, ANSWER, MAPS)
    assert np.array_equal(granted, np.maximum(BEFORE, ANSWER))


def test_background_strokes_only_remove() -> None:
    granted = Request(adds=False, removes=True, erases=False).granted(BEFORE, ANSWER, MAPS)
    assert np.array_equal(granted, np.minimum(BEFORE, ANSWER))


def test_voxels_follow_the_nearer_stroke_where_both_kinds_are_new() -> None:
    granted = Request(adds=True, removes=True, erases=False).granted(BEFORE, ANSWER, MAPS)
    assert np.allclose(granted, [[[0.8, 0.9, 0.5], [0.1, 0.2, 0.5]]])


def test_voxels_as_near_to_both_kinds_stay() -> None:
    even = np.ones((2, *SHAPE), dtype=np.float32)
    granted = Request(adds=True, removes=True, erases=False).granted(BEFORE, ANSWER, even)
    assert np.array_equal(granted, BEFORE)


@pytest.mark.parametrize("adds", [True, False])
def test_a_change_hangs_together_with_a_stroke_that_asks_for_it(adds: bool) -> None:
    before = np.full((1, 1, 7), 0.2, dtype=np.float32)
    before[..., 5] = 0.9  # what only touches it is not added
    answer = np.array([[[0.6, 0.7, 0.3, 0.8, 0.3, 0.9, 0.8]]], dtype=np.float32)
    expected = np.array([[[0.6, 0.7, 0.3, 0.2, 0.3, 0.9, 0.2]]], dtype=np.float32)
    drawn, none = np.zeros((2, 1, 1, 7), dtype=bool)
    drawn[..., 0] = True
    if adds:
        found = connected_changes(before, answer, foreground=drawn, background=none)
    else:
        found = 1 - connected_changes(1 - before, 1 - answer, foreground=none, background=drawn)
    assert np.allclose(found, expected)


def test_an_erased_stroke_frees_both_directions() -> None:
    granted = Request(adds=True, removes=False, erases=True).granted(BEFORE, ANSWER, MAPS)
    assert np.array_equal(granted, ANSWER)


def test_requests_are_read_from_the_strokes() -> None:
    before = Interactions(SHAPE, foreground=np.array([0, 1]))
    after = Interactions(SHAPE, foreground=np.array([1, 2]), background=np.array([4]))
    changed = after.changed_from(before)
    assert Request.of_strokes(changed, after) == Request(adds=True, removes=True, erases=True)
    assert Request.of_strokes(np.array([2]), after) == Request(True, False, False)
    assert Request.of_strokes(np.array([4]), after) == Request(False, True, False)


@pytest.mark.parametrize(
    ("label", "other"), [("foreground", "background"), ("background", "foreground")]
)
def test_a_session_never_takes_what_was_not_asked_for(
    session: InteractiveSession, stroke, label: str, other: str
) -> None:
    before, after = two_rounds(session, stroke, label, other)
    lost, won = (before > after), (after > before)
    assert not (lost if label == "foreground" else won).any()
    assert (won if label == "foreground" else lost).any()


@pytest.mark.parametrize(
    ("label", "other"), [("foreground", "background"), ("background", "foreground")]
)
def test_the_papers_rounds_may_change_anything(
    tiny_bundle: Path, tmp_path: Path, head: Volume, stroke, label: str, other: str
) -> None:
    session = session_that_may_change("any", tiny_bundle, tmp_path, head=head)
    before, after = two_rounds(session, stroke, label, other)
    assert (before > after).any()
    assert (after > before).any()


@pytest.mark.parametrize(
    ("label", "other"), [("foreground", "background"), ("background", "foreground")]
)
def test_a_session_changes_only_what_hangs_together_with_the_stroke(
    tiny_bundle: Path, tmp_path: Path, head: Volume, stroke, label: str, other: str
) -> None:
    session = session_that_may_change("connected", tiny_bundle, tmp_path, head=head)
    before, after = two_rounds(session, stroke, label, other)
    changed, drawn = before != after, stroke(4, 14, 19)
    assert (changed & ~drawn).any()
    numbered, _ = ndimage.label(changed | drawn)
    assert set(np.unique(numbered[changed])) <= set(np.unique(numbered[drawn]))


def session_that_may_change(
    what: str, tiny_bundle: Path, folder: Path, *, head: Volume
) -> InteractiveSession:
    """Return a session on the head with other settings of what a round may change."""
    bundle = Path(shutil.copytree(tiny_bundle, folder / what))
    settings = (bundle / "bundle.json").read_text(encoding="utf-8")
    assert '"asked"' in settings
    (bundle / "bundle.json").write_text(settings.replace('"asked"', f'"{what}"'), encoding="utf-8")
    session = InteractiveSession(load_bundle(bundle), device="cpu")
    session.set_volume(head)
    return session


def two_rounds(
    session: InteractiveSession, stroke, label: str, other: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random mask and what a stroke makes of it, with one of the other class nearby."""
    earlier = stroke(4, 14, 9)
    session.propose()
    session.refine(**{other: earlier})
    mask = np.random.default_rng(2).random(earlier.shape) < 0.5
    mask[earlier] = other == "foreground"
    before = session.edit(mask).labels
    return before, session.refine(**{other: earlier, label: stroke(4, 14, 19)}).labels
