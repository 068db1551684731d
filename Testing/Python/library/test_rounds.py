"""Rounds cost what they change: drafts, snapshots, and regions that users pin."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from DeepIGeoSLib import InputError, InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.grid.boxes import whole_box
from DeepIGeoSLib.interaction.draft import Draft
from DeepIGeoSLib.interaction.history import History
from DeepIGeoSLib.interaction.scribbles import Interactions

SHAPE = (6, 7, 8)


def random_box(random: np.random.Generator) -> tuple[slice, ...]:
    return tuple(slice(*sorted(random.choice(n + 1, 2, replace=False).tolist())) for n in SHAPE)


def drafted(base: np.ndarray, random: np.random.Generator) -> tuple[Draft, np.ndarray]:
    """Return a draft with overlapping boxes, and what it must amount to."""
    draft, expected = Draft(base), base.copy()
    for _ in range(4):
        box = random_box(random)
        values = random.random(expected[box].shape, dtype=np.float32)
        draft.write(box, values)
        expected[box] = values
    return draft, expected


def test_a_draft_reads_as_if_it_were_written() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        base = random.random(SHAPE, dtype=np.float32)
        untouched = base.copy()
        draft, expected = drafted(base, random)
        box = random_box(random)
        assert np.array_equal(draft.read(box), expected[box])
        assert np.array_equal(base, untouched)


def test_rounds_without_end_take_no_memory_without_end() -> None:
    random = np.random.default_rng(2)
    shape, none = (24, 32, 32), Interactions((24, 32, 32))
    history = History(np.zeros(shape, dtype=np.float32), none, limit=5)
    history.commit(Draft(history.probability), none, begins=True)
    first = history.state.initial
    held = []
    tracemalloc.start()
    try:
        for _ in range(300):
            corner = [random.integers(n - 9) for n in shape]
            box = tuple(slice(start, start + 9) for start in corner)
            draft = Draft(history.probability)
            draft.write(box, random.random((9, 9, 9), dtype=np.float32))
            history.commit(draft, none)
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(held) < 4 * history.probability.nbytes  # 300 boxes hold 9 times as much
    assert not first(whole_box(shape)).any()


def test_history_and_snapshots_tell_the_truth_over_many_rounds() -> None:
    random = np.random.default_rng(1)
    none = Interactions(SHAPE)
    history = History(np.zeros(SHAPE, dtype=np.float32), none, limit=50)
    truths = [history.probability.copy()]
    snapshots = [history.snapshot()]
    place = 0
    for _ in range(60):
        step = random.integers(3)
        if step == 0 and history.can_undo:
            changed, place = history.undo(), place - 1
        elif step == 1 and history.can_redo:
            changed, place = history.redo(), place + 1
        else:
            draft, expected = drafted(history.probability, random)
            del truths[place + 1 :], snapshots[place + 1 :]
            truths.append(expected)
            changed, place = history.commit(draft, none), place + 1
            snapshots.append(history.snapshot())
        assert np.array_equal(history.probability, truths[place])
        assert changed is not None
        for snapshot, truth in zip(snapshots, truths, strict=True):
            box = random_box(random)
            assert np.array_equal(snapshot.read(box), truth[box])
            assert np.array_equal(snapshot.read_labels(), truth >= 0.5)
        assert np.array_equal(history.state.initial(box), truths[0][box])


def test_what_a_snapshot_remembers_does_not_grow_with_undo_and_redo() -> None:
    random = np.random.default_rng(2)
    history = History(np.zeros(SHAPE, dtype=np.float32), Interactions(SHAPE), limit=50)
    snapshot = history.snapshot()
    draft, _ = drafted(history.probability, random)
    history.commit(draft, Interactions(SHAPE))
    once = len(snapshot._overwritten)
    for _ in range(5):
        history.undo()
        history.redo()
    assert len(snapshot._overwritten) == once


def test_rounds_begin_with_the_newest_proposal_and_undo_brings_the_older_one_back() -> None:
    random = np.random.default_rng(3)
    whole = whole_box(SHAPE)
    history = History(random.random(SHAPE, dtype=np.float32), Interactions(SHAPE), limit=50)
    first = history.probability.copy()
    proposal = random.random(SHAPE, dtype=np.float32)
    draft = Draft(history.probability)
    draft.write(whole, proposal)
    history.commit(draft, Interactions(SHAPE), begins=True)
    draft, _ = drafted(history.probability, random)
    history.commit(draft, Interactions(SHAPE))
    assert np.array_equal(history.state.initial(whole), proposal)
    history.undo()
    history.undo()
    assert np.array_equal(history.state.initial(whole), first)


def test_results_are_what_they_were_even_if_read_rounds_later(
    session: InteractiveSession, stroke
) -> None:
    read_at_once = session.propose().labels
    proposed = session.propose()
    session.refine(foreground=stroke(6, 6, 6))
    session.undo()
    session.refine(background=stroke(4, 14, 14))
    assert np.array_equal(proposed.labels, read_at_once)


def test_only_the_pinned_region_changes(session: InteractiveSession, stroke) -> None:
    before = session.propose()
    seeds = stroke(4, 6, 6) | stroke(4, 24, 30)
    region = (slice(2, 7), slice(4, 10), slice(4, 11))
    after = session.refine(foreground=seeds, region=region)
    changed = before.labels != after.labels
    assert changed[region].sum() > stroke(4, 6, 6).sum()
    changed[region] = False
    assert np.array_equal(changed, stroke(4, 24, 30))  # obeyed, and nothing more


def test_a_pinned_region_is_on_the_volumes_own_axes(tiny_bundle, head: Volume, stroke) -> None:
    left_handed_sagittal = np.array(
        [[0, 0, -3.0, 0], [1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1]]
    )
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    session.set_volume(Volume(head.array, ijk_to_ras=left_handed_sagittal))
    before = session.propose()
    region = (slice(2, 6), slice(4, 10), slice(5, 11))
    after = session.refine(foreground=stroke(4, 6, 6), region=region)
    changed = before.probability != after.probability
    assert changed[region].any()
    changed[region] = False
    assert not changed.any()


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 10), slice(0, 5), slice(0, 5)),
        (slice(3, 3), slice(0, 5), slice(0, 5)),
        (slice(-2, 3), slice(0, 5), slice(0, 5)),
    ],
)
def test_a_region_outside_the_volume_is_refused(
    session: InteractiveSession, stroke, region
) -> None:
    before = session.propose().probability
    with pytest.raises(InputError, match=r"region .* not inside the volume.*\(9, 32, 36\)"):
        session.refine(foreground=stroke(4, 6, 6), region=region)
    assert np.array_equal(session.current.probability, before)


def test_a_scribble_is_obeyed_again_after_an_edit_against_it(
    session: InteractiveSession, stroke
) -> None:
    scribble = stroke(6, 6, 6)
    session.refine(foreground=scribble)
    session.edit(np.zeros(scribble.shape, dtype=bool))
    after = session.refine(foreground=scribble, background=stroke(2, 26, 30))
    assert after.labels[scribble].all()
