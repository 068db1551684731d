"""Voxels that must not change, and the scribbles that a session remembers."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib import InputError, InteractiveSession, load_bundle


@pytest.fixture
def locked(head):
    """Everything but the upper half of the rows may not change."""
    editable = np.zeros(head.shape, dtype=bool)
    editable[:, : head.shape[1] // 2] = True
    return ~editable


def test_a_proposal_stays_out_of_locked_voxels(session, locked):
    free = session.propose().labels
    session.reset()
    held = session.propose(editable=~locked).labels
    assert free[locked].any()
    assert not held[locked].any()
    np.testing.assert_array_equal(held[~locked], free[~locked])


def test_a_later_proposal_keeps_what_locked_voxels_held(session, locked):
    session.propose()
    before = session.edit(locked).labels
    after = session.propose(editable=~locked).labels
    np.testing.assert_array_equal(after[locked], before[locked])


def test_strokes_do_not_change_locked_voxels(session, locked):
    before = session.propose().labels
    stroke = np.zeros(locked.shape, dtype=bool)
    stroke[4, 12:20, 9:12] = True
    assert not before[stroke].any()
    after = session.refine(foreground=stroke, editable=~locked).labels
    np.testing.assert_array_equal(after[locked], before[locked])
    assert after[stroke & ~locked].all()


def test_the_first_refinement_respects_locked_voxels(session, locked):
    stroke = np.zeros(locked.shape, dtype=bool)
    stroke[4, 12:20, 9:12] = True
    assert not session.refine(foreground=stroke, editable=~locked).labels[locked].any()


def test_editable_voxels_of_another_shape_are_refused(session):
    with pytest.raises(InputError, match="editable voxels have the shape"):
        session.propose(editable=np.ones((2, 2, 2), bool))


def test_scribbles_follow_undo_and_redo(session, locked):
    assert not any(mask.any() for mask in session.scribbles)
    session.propose()
    first, second = (np.zeros(locked.shape, dtype=bool) for _ in range(2))
    first[4, 4:6, 6:10] = True
    second[5, 8:10, 6:10] = True
    session.refine(foreground=first)
    session.refine(foreground=first, background=second)
    for mask, expected in zip(session.scribbles, (first, second), strict=True):
        np.testing.assert_array_equal(mask, expected)
    session.undo()
    np.testing.assert_array_equal(session.scribbles[0], first)
    assert not session.scribbles[1].any()
    session.redo()
    np.testing.assert_array_equal(session.scribbles[1], second)


def test_the_region_of_influence_holds_every_change(session, locked):
    before = session.propose().labels
    stroke = np.zeros(locked.shape, dtype=bool)
    stroke[4, 4:6, 6:10] = True
    result = session.refine(foreground=stroke)
    outside = np.ones(locked.shape, dtype=bool)
    outside[result.region] = False
    np.testing.assert_array_equal(result.labels[outside], before[outside])
    assert not outside[stroke].any()


@pytest.fixture
def geodesic(head):
    """A session without any network."""
    opened = InteractiveSession(load_bundle("geodesic"))
    opened.set_volume(head)
    return opened


def test_without_networks_seeds_alone_find_what_they_touch(geodesic, head, lesion):
    foreground, background = (np.zeros(head.shape, dtype=bool) for _ in range(2))
    inside = np.argwhere(lesion)
    foreground[tuple(inside[len(inside) // 2])] = True
    background[:, 5:7, 5:30] = background[:, 24:26, 5:30] = True
    result = geodesic.refine(foreground=foreground, background=background).labels > 0
    assert result[foreground].all()
    assert not result[background].any()
    overlap = 2 * (result & lesion).sum() / (result.sum() + lesion.sum())
    assert overlap > 0.9


def test_without_networks_there_is_nothing_before_the_first_seed(geodesic):
    assert not geodesic.propose().labels.any()
