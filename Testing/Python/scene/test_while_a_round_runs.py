"""What a user does while a stroke is being answered."""

from __future__ import annotations

import numpy as np
import pytest
from heads import ELSEWHERE, FIRST, IN_FIRST, IN_SECOND, SECOND, User, two_lesions


@pytest.fixture
def user(scene) -> User:
    """A user with one answered stroke, and another whose answer is under way."""
    user = User(two_lesions())
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    user.before = user.mask(), *user.strokes()
    user.paint(IN_SECOND)
    user.bench.poll()
    assert user.bench.busy
    yield user
    user.bench.close()


def shows(user: User, state) -> bool:
    return all(map(np.array_equal, (user.mask(), *user.strokes()), state))


def test_undo_takes_back_that_stroke_and_only_that_and_redo_brings_both_back(user) -> None:
    user.undo()
    assert shows(user, user.before)
    assert len(user.bench.rounds) == 1
    user.redo()
    assert user.mask()[SECOND].all()
    assert user.strokes()[0][5, 26, 324:331].all()


def test_a_cancelled_stroke_does_not_stay_painted_as_if_answered(user) -> None:
    user.bench.cancel()
    user.settle()
    assert "Cancelled" in user.bench.message
    assert shows(user, user.before)
    user.stroke(ELSEWHERE)
    assert not user.mask()[SECOND].any()


@pytest.mark.parametrize("box", [(slice(8, 9), slice(50, 53), slice(50, 53)), SECOND])
def test_an_edit_by_hand_is_kept(user, box) -> None:
    edited = user.edit(box, True)
    user.settle()
    assert user.mask()[box].all()
    assert user.mask()[SECOND].all()
    assert [done.kind for done in user.bench.rounds] == ["refined", "edited", "refined"]
    user.undo()
    assert np.array_equal(user.mask(), edited)
    user.undo()
    assert shows(user, user.before)


def test_an_answer_to_what_was_undone_elsewhere_is_refused(user) -> None:
    import slicer

    slicer.modules.segmentations.logic().ClearSegment(*user.place[1:])
    user.settle()
    assert "taken back to another state" in user.bench.message
    assert not user.mask().any()


def test_what_is_deleted_meanwhile_is_told(user, scene) -> None:
    scene.RemoveNode(user.bench.seeds.segmentationNode)
    user.settle()
    assert "strokes were deleted" in user.bench.message
    assert np.array_equal(user.mask(), user.before[0])


@pytest.mark.parametrize(
    ("gone", "told"),
    [("target", "no segment with the ID"), ("segmentation", "no longer"), ("volume", "no longer")],
)
def test_a_place_that_is_gone_is_told(user, scene, gone, told) -> None:
    volume, own, target = user.place
    if gone == "target":
        own.GetSegmentation().RemoveSegment(target)
    else:
        scene.RemoveNode(own if gone == "segmentation" else volume)
    user.settle()
    assert told in user.bench.message
    assert "NoneType" not in user.bench.message


def test_a_lesion_left_while_its_stroke_was_answered_answers_it_later(user) -> None:
    own, target = user.place[1:]
    user.bench.nextLesion()
    user.settle()
    assert np.array_equal(user.mask(target), user.before[0])
    user.bench.choose(user.volume_node, own, target)
    user.bench.reopen()
    user.settle()
    assert shows(user, user.before)


def test_the_editors_undo_of_the_first_round_takes_its_strokes_along(scene) -> None:
    import slicer

    user = User(two_lesions())
    own = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    own.CreateDefaultDisplayNodes()
    own.SetReferenceImageGeometryParameterFromVolumeNode(user.volume_node)
    target = own.GetSegmentation().AddEmptySegment("", "tumor")
    history = slicer.vtkSegmentationHistory()
    history.SetSegmentation(own.GetSegmentation())
    history.SetMaximumNumberOfStates(10)
    user.bench.logic._writer._saveStateForUndo = history.SaveState
    user.bench.choose(user.volume_node, own, target)
    user.stroke(IN_FIRST)
    after = user.mask(), *user.strokes()
    history.RestorePreviousState()
    user.bench.followScene()
    user.settle()
    assert not user.mask().any()
    assert not user.strokes()[0].any()
    assert user.bench.rounds == ()
    history.RestoreNextState()
    user.bench.followScene()
    user.settle()
    assert shows(user, after)
    assert user.mask()[FIRST].all()
    user.bench.close()
