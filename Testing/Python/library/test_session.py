"""An interactive session obeys every stroke, loses nothing, and can be taken back."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Cancelled, InputError, InteractiveSession, Volume, load_bundle

from .conftest import LESION, head_with_lesion


def test_opening_a_session_prepares_the_distance_maps_in_the_background(
    tiny_bundle: Path, monkeypatch
) -> None:
    """Strokes must not wait for the compiler, and opening must not, either."""
    begun, opened = queue.Queue(), threading.Event()

    def prepare(channels: int) -> None:
        begun.put(channels)
        assert opened.wait(60)

    monkeypatch.setattr("DeepIGeoSLib.geodesic.solvers._prepare", prepare)
    InteractiveSession(load_bundle(tiny_bundle))
    opened.set()
    assert begun.get(timeout=60) == 1


def test_propose_finds_the_bright_lesion(session: InteractiveSession, lesion: np.ndarray) -> None:
    result = session.propose()
    assert result.labels.dtype == np.uint8
    assert result.probability.dtype == np.float32
    assert np.array_equal(result.labels > 0, lesion)
    assert result.changed_box == LESION


def test_uncertainty_is_the_bits_that_a_label_would_tell(
    session: InteractiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = session.propose()
    # Worked out by hand: a fair coin tells one bit, a coin of 1 to 3 tells 2 - 3/4 log2(3).
    bits = {0.0: 0.0, 0.25: 0.811278, 0.5: 1.0, 0.75: 0.811278, 1.0: 0.0}
    chances = np.array(list(bits), dtype=np.float32).reshape(1, 1, 5)
    monkeypatch.setattr(type(result), "probability", chances)
    assert result.uncertainty.dtype == np.float32
    np.testing.assert_allclose(result.uncertainty.ravel(), list(bits.values()), atol=3e-5)


def test_every_scribbled_voxel_gets_its_label(session: InteractiveSession, stroke) -> None:
    foreground, background = stroke(1, 5, 5), stroke(4, 12, 14)
    refined = session.refine(foreground=foreground, background=background)
    assert (refined.labels[foreground] == 1).all()
    assert (refined.labels[background] == 0).all()


def test_random_scribbles_are_obeyed_over_many_rounds(session: InteractiveSession) -> None:
    random = np.random.default_rng(3)
    shape = session.propose().labels.shape
    foreground, background = np.zeros((2, *shape), dtype=bool)
    for _ in range(4):
        foreground |= (random.random(shape) < 0.0003) & ~background
        background |= (random.random(shape) < 0.0003) & ~foreground
        refined = session.refine(foreground=foreground, background=background)
        assert (refined.labels[foreground] == 1).all()
        assert (refined.labels[background] == 0).all()
        assert np.array_equal(refined.labels, refined.probability >= 0.5)


def test_strokes_pull_their_surroundings_along(session: InteractiveSession, stroke) -> None:
    initial = session.propose()
    seeds = stroke(6, 6, 6)
    refined = session.refine(foreground=seeds)
    assert refined.labels.sum() > initial.labels.sum() + seeds.sum()


def test_voxels_outside_the_region_of_influence_are_untouched(tiny_bundle: Path) -> None:
    array = np.random.default_rng(0).normal(100, 4, (16, 120, 120)).astype(np.float32)
    array[6:9, 90:100, 90:100] = 160
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    session.set_volume(Volume(array, spacing=(3, 1, 1)))
    initial = session.propose()
    seeds = np.zeros(array.shape, dtype=bool)
    seeds[8, 20:23, 20:23] = True
    refined = session.refine(foreground=seeds)
    changed = refined.probability != initial.probability
    assert changed.any()
    assert not changed[:, 50:, :].any()
    assert not changed[:, :, 50:].any()


def test_changed_box_is_the_smallest_box_of_changed_labels(
    session: InteractiveSession, stroke
) -> None:
    before = session.propose()
    after = session.refine(foreground=stroke(6, 6, 6))
    changed = before.labels != after.labels
    outside = changed.copy()
    outside[after.changed_box] = False
    assert not outside.any()
    inside = changed[after.changed_box]
    for axis in range(3):
        profile = inside.any(axis=tuple(a for a in range(3) if a != axis))
        assert profile[0]
        assert profile[-1]


def test_no_scribbles_return_the_initial_segmentation(
    session: InteractiveSession, nothing: np.ndarray, stroke
) -> None:
    initial = session.propose()
    for seeds in ({}, {"foreground": nothing}, {"foreground": nothing, "background": nothing}):
        assert np.array_equal(session.refine(**seeds).probability, initial.probability)
    session.refine(foreground=stroke(6, 6, 6))
    assert np.array_equal(session.refine().probability, initial.probability)


def test_refine_proposes_first_when_nothing_is_there(
    tiny_bundle: Path, head: Volume, stroke
) -> None:
    results = []
    for propose_first in (True, False):
        session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
        session.set_volume(head)
        if propose_first:
            session.propose()
        results.append(session.refine(foreground=stroke(6, 6, 6)).probability)
    assert np.array_equal(*results)
    assert np.array_equal(session.undo().labels, session.propose().labels)


def test_any_mask_can_be_corrected(session: InteractiveSession, nothing, stroke) -> None:
    mask = nothing.copy()
    mask[5:8, 20:28, 4:10] = True
    wrong = stroke(6, 22, 6)
    refined = session.refine(background=wrong, initial=mask)
    assert (refined.labels[wrong] == 0).all()
    kept = mask & (refined.labels == 1)
    assert kept.any()
    assert not (refined.labels[LESION] > 0).any()  # the proposal plays no part
    assert np.array_equal(session.refine(initial=mask).labels > 0, mask)
    assert np.array_equal(session.refine(initial=mask.astype(np.uint8) * 7).labels > 0, mask)


def test_hand_edits_are_kept_where_no_new_stroke_reaches(
    session: InteractiveSession, nothing, stroke
) -> None:
    seeds = stroke(6, 6, 6)
    refined = session.refine(foreground=seeds)
    by_hand = refined.labels.copy()
    by_hand[1:3, 22:28, 5:12] = 1
    by_hand[LESION] = 0
    edited = session.edit(by_hand)
    assert np.array_equal(edited.labels, by_hand)
    assert np.array_equal(session.refine(foreground=seeds).labels, by_hand)
    again = session.refine(foreground=seeds | stroke(2, 24, 28))
    assert (again.labels[1:3, 22:28, 5:12] == 1).all()
    session.undo()
    session.undo()
    assert np.array_equal(session.undo().probability, refined.probability)
    with pytest.raises(InputError, match="edited mask"):
        session.edit(np.zeros((1, 1, 1)))


def test_rounds_go_on_from_the_result_before(session: InteractiveSession, stroke) -> None:
    first_stroke, second_stroke = stroke(6, 6, 6), stroke(2, 24, 28)
    first = session.refine(foreground=first_stroke)
    second = session.refine(foreground=first_stroke | second_stroke)
    gained = (first.labels == 1) & ~first_stroke
    assert (second.labels[gained] == 1).all()


def test_undo_and_redo_walk_through_the_rounds(session: InteractiveSession, stroke) -> None:
    results = [session.propose()]
    seeds = stroke(6, 6, 6)
    results.append(session.refine(foreground=seeds))
    results.append(session.refine(foreground=seeds, background=stroke(4, 12, 14)))
    for expected in results[-2::-1]:
        assert np.array_equal(session.undo().probability, expected.probability)
    assert not session.can_undo
    with pytest.raises(InputError, match="no round to undo"):
        session.undo()
    for expected in results[1:]:
        assert np.array_equal(session.redo().probability, expected.probability)
    with pytest.raises(InputError, match="no round to redo"):
        session.redo()


def test_a_round_after_undo_is_as_if_the_undone_one_had_never_been(
    tiny_bundle: Path, head: Volume, stroke
) -> None:
    first, wrong, second = stroke(6, 6, 6), stroke(1, 24, 5), stroke(2, 24, 28)
    sessions = [InteractiveSession(load_bundle(tiny_bundle), device="cpu") for _ in range(2)]
    for session in sessions:
        session.set_volume(head)
        session.refine(foreground=first)
    sessions[0].refine(foreground=first | wrong)
    sessions[0].undo()
    assert sessions[0].can_redo
    results = [session.refine(foreground=first | second).probability for session in sessions]
    assert np.array_equal(*results)
    assert not sessions[0].can_redo


def test_proposing_again_can_be_undone(session: InteractiveSession, stroke) -> None:
    session.propose()
    refined = session.refine(foreground=stroke(6, 6, 6))
    session.propose()
    assert np.array_equal(session.undo().probability, refined.probability)


def test_old_rounds_are_forgotten_beyond_the_limit(tiny_bundle: Path, head: Volume, stroke) -> None:
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu", undo_limit=2)
    session.set_volume(head)
    seeds = stroke(6, 6, 6)
    for k in (1, 2, 3, 4):
        seeds = seeds | stroke(k, 22, 26)
        session.refine(foreground=seeds)
    session.undo()
    session.undo()
    assert not session.can_undo


def test_reset_keeps_the_volume(session: InteractiveSession, stroke) -> None:
    initial = session.propose()
    session.refine(foreground=stroke(6, 6, 6))
    session.reset()
    assert session.current is None
    assert not session.can_undo
    assert np.array_equal(session.propose().probability, initial.probability)


def test_results_belong_to_the_caller(session: InteractiveSession, stroke) -> None:
    initial = session.propose()
    kept = initial.probability.copy()
    initial.probability[:] = 0.7
    assert np.array_equal(session.current.probability, kept)
    session.refine(foreground=stroke(6, 6, 6))
    assert (initial.probability == np.float32(0.7)).all()


@pytest.mark.parametrize("action", ["propose", "refine"])
def test_cancel_leaves_everything_as_it_was(
    session: InteractiveSession, stroke, action: str
) -> None:
    session.propose()
    before = session.refine(foreground=stroke(6, 6, 6))
    cancel = threading.Event()

    def cancel_halfway(fraction: float, text: str) -> None:
        cancel.set()

    arguments = {} if action == "propose" else {"foreground": stroke(2, 24, 28)}
    with pytest.raises(Cancelled):
        getattr(session, action)(progress=cancel_halfway, cancel=cancel, **arguments)
    assert np.array_equal(session.current.probability, before.probability)
    after = session.refine(foreground=stroke(6, 6, 6) | stroke(2, 24, 28))
    assert (after.labels[stroke(2, 24, 28)] == 1).all()


def test_cancel_of_a_first_refine_leaves_no_result(session: InteractiveSession, stroke) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        session.refine(foreground=stroke(6, 6, 6), cancel=cancel)
    assert session.current is None


def test_bad_input_leaves_everything_as_it_was(session: InteractiveSession, stroke) -> None:
    before = session.refine(foreground=stroke(6, 6, 6))
    with pytest.raises(InputError, match="have the shape"):
        session.refine(foreground=np.zeros((2, 2, 2), dtype=bool))
    with pytest.raises(InputError, match="foreground and background scribbles at once"):
        session.refine(foreground=stroke(2, 9, 9), background=stroke(2, 9, 9))
    with pytest.raises(InputError, match="initial mask"):
        session.refine(initial=np.zeros((2, 2, 2), dtype=bool))
    assert np.array_equal(session.current.probability, before.probability)


def test_progress_ends_at_one(session: InteractiveSession, stroke) -> None:
    for action in (session.propose, lambda **kw: session.refine(foreground=stroke(6, 6, 6), **kw)):
        reported = []
        action(progress=lambda *report, to=reported: to.append(report))
        fractions = [fraction for fraction, _ in reported]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert all(text for _, text in reported)


def test_a_session_needs_a_volume(tiny_bundle: Path) -> None:
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    for action in (session.propose, session.refine):
        with pytest.raises(InputError, match="set_volume first"):
            action()
    for action in (session.undo, session.redo):
        with pytest.raises(InputError, match="no result yet"):
            action()


def test_unusable_volumes_are_named_and_the_old_one_stays(session: InteractiveSession) -> None:
    initial = session.propose()
    constant = Volume(np.full((4, 5, 6), 3.0), name="constant.nii.gz")
    with pytest.raises(InputError, match=r"constant\.nii\.gz can't be segmented.*constant"):
        session.set_volume(constant)
    with pytest.raises(InputError, match="needs 1 image channels"):
        session.set_volume([head_with_lesion(), head_with_lesion()])
    assert np.array_equal(session.current.probability, initial.probability)


def test_contradictions_are_placed_on_the_volumes_own_axes(tiny_bundle: Path, head) -> None:
    matrix = head.ijk_to_ras @ np.diag([-1.0, -1.0, 1.0, 1.0])
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    session.set_volume(Volume(head.array, ijk_to_ras=matrix))
    both = np.zeros(head.shape, dtype=bool)
    both[5, 17, 13] = True
    with pytest.raises(InputError, match=r"= \(5, 17, 13\)"):
        session.refine(foreground=both, background=both)


@pytest.mark.parametrize(
    "signs", [(1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, 1)], ids=["RAS", "LPS", "RPI", "LAS"]
)
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_the_answer_does_not_depend_on_how_the_volume_is_stored(
    tiny_bundle: Path, head: Volume, stroke, signs: tuple[int, ...], order: tuple[int, ...]
) -> None:
    """The same head, stored with permuted and flipped axes, gets the same labels."""
    seeds = stroke(6, 6, 6)
    reference = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    reference.set_volume(head)
    expected = reference.refine(foreground=seeds)

    flips = tuple(slice(None, None, sign) for sign in signs)
    stored = head.array[flips].transpose(order)
    columns = head.ijk_to_ras[:3, :3][:, ::-1] * np.array(signs)
    matrix = np.eye(4)
    matrix[:3, :3] = columns[:, list(order)][:, ::-1]
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    session.set_volume(Volume(stored, ijk_to_ras=matrix))
    refined = session.refine(foreground=seeds[flips].transpose(order))
    np.testing.assert_allclose(
        refined.probability, expected.probability[flips].transpose(order), atol=1e-5
    )
    box = tuple(refined.changed_box)
    changed = refined.labels != session.undo().labels
    assert changed[box].sum() == changed.sum() > 0


@pytest.mark.parametrize(
    "spacing", [(100.0,) * 3, (0.0005,) * 3, (0.001, 1.0, 1000.0), (60.0, 0.3, 0.3), (1000.0,) * 3]
)
def test_strokes_are_answered_whatever_the_spacing(spacing: tuple[float, float, float]) -> None:
    array = np.random.default_rng(0).normal(100, 5, (32, 64, 64))
    lesion = (slice(12, 20), slice(24, 40), slice(24, 40))
    array[lesion] = 200
    truth = np.zeros(array.shape, dtype=bool)
    truth[lesion] = True
    inside, outside = np.zeros_like(truth), np.zeros_like(truth)
    inside[16, 30:34, 32] = outside[16, 5:60, 50] = True
    session = InteractiveSession(load_bundle("geodesic"), engine="torch")
    session.set_volume(Volume(array, spacing=spacing))
    labels = session.refine(foreground=inside, background=outside).labels > 0
    assert 2 * (labels & truth).sum() / (labels.sum() + truth.sum()) > 0.8


def test_a_spacing_that_can_not_be_true_is_named_with_the_volume() -> None:
    session = InteractiveSession(load_bundle("geodesic"), engine="torch")
    volume = Volume(np.arange(60.0).reshape(3, 4, 5), spacing=(1.0, 1.0, 5000.0), name="wrong.nrrd")
    with pytest.raises(InputError, match=r"wrong\.nrrd can't be segmented\. The spacing"):
        session.set_volume(volume)
