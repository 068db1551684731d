"""What was answered stays answered: in later rounds, other lesions, clones, files, other grids."""

from __future__ import annotations

from math import cos, sin

import numpy as np
import pytest
from heads import ELSEWHERE, FIRST, IN_FIRST, IN_SECOND, SECOND, User, two_lesions


@pytest.fixture
def user(scene) -> User:
    """A user with the first lesion found by one stroke."""
    user = User(two_lesions())
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    assert user.mask()[FIRST].all()
    yield user
    user.bench.close()


def kinds(user: User) -> list[str]:
    return [done.kind for done in user.bench.rounds]


@pytest.mark.parametrize("reloaded", [False, True])
@pytest.mark.parametrize(
    "erased", [(slice(7, 9),) * 1 + FIRST[1:], FIRST], ids=["two slices", "with its stroke"]
)
def test_an_edit_by_hand_far_from_a_stroke_stays(user, tmp_path, reloaded, erased) -> None:
    edited = user.edit(erased, False)
    if reloaded:
        user.save_and_load(tmp_path / "scene.mrb")
    user.stroke(IN_SECOND)
    after = user.mask()
    assert after[SECOND].all()
    assert np.array_equal(after[..., :200], edited[..., :200])


def test_erasing_a_stroke_by_hand_takes_it_away_and_undo_brings_it_back(user) -> None:
    strokes, before = user.strokes(), user.mask()
    user.edit((slice(4, 9), *FIRST[1:]), False)
    user.stroke(IN_SECOND)
    assert not user.strokes()[0][4:, ..., :200].any()
    user.undo()
    user.undo()
    assert np.array_equal(user.strokes()[0], strokes[0])
    assert np.array_equal(user.mask(), before)


def test_rounds_and_their_undo_are_saved_with_the_scene(user, tmp_path) -> None:
    first, strokes = user.mask(), user.strokes()
    user.stroke(IN_SECOND)
    second = user.mask()
    rounds = user.bench.rounds
    user.save_and_load(tmp_path / "scene.mrb")
    assert user.bench.rounds == rounds
    assert not user.bench.busy
    user.undo()
    assert np.array_equal(user.mask(), first)
    assert all(map(np.array_equal, user.strokes(), strokes))
    user.save_and_load(tmp_path / "again.mrb")
    user.redo()
    assert np.array_equal(user.mask(), second)


def test_a_lesion_begun_from_seeds_is_not_filled_by_a_model_after_loading(scene, tmp_path) -> None:
    from DeepIGeoSLib.scene.lesions import isGrownFromSeeds

    user = User(two_lesions())
    user.bench.nextLesion()
    user.save_and_load(tmp_path / "scene.mrb")
    assert isGrownFromSeeds(*user.place[1:])
    user.bench.close()


def test_undo_reaches_back_over_many_other_lesions(user) -> None:
    one, target = user.mask(), user.bench.segmentId
    user.stroke(IN_SECOND)
    own = user.bench.segmentationNode
    for number in range(7):
        other = own.GetSegmentation().AddEmptySegment("", f"other {number}")
        user.bench.choose(user.volume_node, own, other)
        place = 100 + 20 * number
        user.stroke(((2, 45, place), (2, 45, place + 1)))
    user.bench.choose(user.volume_node, own, target)
    user.undo()
    assert np.array_equal(user.mask(), one)


def test_another_source_volume_and_another_bundle_answer_nothing_twice(user, tiny_bundle) -> None:
    edited = user.edit((slice(7, 9), *FIRST[1:]), False)
    own, target = user.place[1:]
    user.volume_node = two_lesions("t1")
    user.bench.choose(user.volume_node, own, target)
    user.settle()
    assert np.array_equal(user.mask(), edited)
    user.bench.useModel(tiny_bundle)
    user.stroke(IN_SECOND)
    assert np.array_equal(user.mask()[..., :200], edited[..., :200])
    assert kinds(user) == ["refined", "edited", "refined"]


def test_the_list_of_rounds_and_undo_end_together(user, monkeypatch) -> None:
    monkeypatch.setattr("DeepIGeoSLib.scene.ledger.rounds.ROUNDS_KEPT", 3)
    for column in range(100, 300, 40):
        user.stroke(((5, 45, column), (5, 45, column + 2)))
    assert len(user.bench.rounds) == 3
    for _ in range(3):
        assert user.bench.canUndo
        user.undo()
    assert not user.bench.canUndo
    assert user.bench.rounds == ()
    assert "reaches back" in user.bench.undoHint


def test_where_memory_ends_undo_is_off_and_says_why(user, monkeypatch) -> None:
    monkeypatch.setattr("DeepIGeoSLib.scene.ledger.book.MEMORY_BUDGET", 0)
    user.stroke(ELSEWHERE)
    assert not user.bench.canUndo
    assert user.bench.rounds == ()
    assert "no room" in user.bench.undoHint
    before = user.mask()
    user.stroke(IN_SECOND)
    assert np.array_equal(user.mask()[..., :200], before[..., :200])


def test_a_damaged_ledger_is_left_out_and_the_segment_stays(user, tmp_path) -> None:
    before = user.mask()
    segment = user.bench.segmentationNode.GetSegmentation().GetSegment(user.bench.segmentId)
    segment.SetTag("DeepIGeoS.Ledger", "bm9uc2Vuc2U=")
    user.save_and_load(tmp_path / "scene.mrb")
    assert user.bench.rounds == ()
    assert np.array_equal(user.mask(), before)


def test_a_copied_segmentation_has_strokes_of_its_own(user, scene) -> None:
    own, target = user.place[1:]
    before, strokes = user.mask(), user.strokes()
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "copy")
    copy.Copy(own)
    user.bench.choose(user.volume_node, copy, target)
    assert all(map(np.array_equal, user.strokes(), strokes)), "shown as soon as it is chosen"
    user.stroke(IN_SECOND)
    assert user.mask()[SECOND].all()
    assert np.array_equal(user.strokes()[0][..., :200], strokes[0][..., :200])
    user.bench.choose(user.volume_node, own, target)
    assert all(map(np.array_equal, user.strokes(), strokes))
    assert np.array_equal(user.mask(), before)
    scene.RemoveNode(copy)
    assert all(map(np.array_equal, user.strokes(), strokes))


def test_a_copy_of_an_accepted_segment_shows_its_strokes_when_it_is_reopened(user, scene) -> None:
    own, target = user.place[1:]
    strokes = user.strokes()
    user.bench.accept()
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "copy")
    copy.Copy(own)
    user.bench.choose(user.volume_node, copy, target)
    user.bench.reopen()
    assert all(map(np.array_equal, user.strokes(), strokes))


def test_a_stroke_in_a_reopened_segment_waits_for_its_answer_elsewhere(user) -> None:
    own, target = user.place[1:]
    user.bench.accept()
    user.bench.reopen()
    user.bench.options.autoRefine = False
    user.paint(IN_SECOND)
    strokes = user.strokes()
    user.bench.choose(user.volume_node, own, "")
    user.bench.choose(user.volume_node, own, target)
    assert all(map(np.array_equal, user.strokes(), strokes))


def test_rounds_can_be_undone_after_the_strokes_were_deleted(user, scene) -> None:
    before = user.mask()
    scene.RemoveNode(user.bench.seeds.segmentationNode)
    user.undo()
    assert not user.mask().any()
    user.redo()
    assert np.array_equal(user.mask(), before)


def test_strokes_stay_on_their_voxels_when_a_transform_is_hardened(scene) -> None:
    import slicer

    move = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = np.array([[0, -1, 0, 7.0], [1, 0, 0, -5.0], [0, 0, 1, 2.0], [0, 0, 0, 1]])
    move.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    volume = two_lesions()
    volume.SetAndObserveTransformNodeID(move.GetID())
    user = User(volume)
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    strokes, first = user.strokes()[0], user.mask()
    volume.HardenTransform()
    user.bench.segmentationNode.HardenTransform()
    assert np.array_equal(user.strokes()[0], strokes)
    user.stroke(IN_SECOND)
    assert (user.strokes()[0] | ~strokes).all()
    assert user.mask()[SECOND].all()
    assert np.array_equal(user.mask()[..., :200], first[..., :200])
    user.undo()
    assert np.array_equal(user.mask(), first)
    user.bench.close()


@pytest.mark.parametrize(
    "moved",
    [
        np.diag([-1, 1, 1, 1.0]),
        np.array([[0.9, -0.1, 0, 3], [0.1, 0.9, 0, 0], [0, 0, 1.2, 0], [0, 0, 0, 1]]),
    ],
    ids=["mirrored", "turned and stretched"],
)
def test_a_transform_that_is_set_and_hardened_later_takes_strokes_along(user, scene, moved) -> None:
    import slicer

    before, strokes = user.mask(), user.strokes()
    move = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    move.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    for node in user.place[:2]:
        node.SetAndObserveTransformNodeID(move.GetID())
        node.HardenTransform()
    assert np.array_equal(user.mask(), before)
    assert all(map(np.array_equal, user.strokes(), strokes))
    user.stroke(IN_SECOND)
    assert np.array_equal(user.mask()[..., :200], before[..., :200])
    user.undo()
    assert np.array_equal(user.mask(), before)


def test_strokes_go_with_a_segmentation_that_is_moved_alone(user, scene) -> None:
    import slicer

    before, strokes = user.mask(), user.strokes()[0]
    move = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = np.eye(4)
    moved[0, 3] = 10
    move.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    own = user.bench.segmentationNode
    own.SetAndObserveTransformNodeID(move.GetID())
    own.HardenTransform()
    assert np.array_equal(user.mask(), np.roll(before, 10, axis=2))
    assert np.array_equal(user.strokes()[0], np.roll(strokes, 10, axis=2))
    user.stroke(IN_SECOND)
    assert np.array_equal(user.mask()[..., :200], np.roll(before, 10, axis=2)[..., :200])


def test_strokes_stay_in_the_patient_when_the_segmentation_is_resampled(user) -> None:
    import slicer
    from vtk import VTK_UNSIGNED_CHAR

    strokes = user.strokes()
    own, target = user.place[1:]
    fine = slicer.vtkOrientedImageData()
    fine.SetExtent(0, 719, 0, 119, 0, 11)
    fine.SetSpacing(0.5, 0.5, 3)
    fine.SetOrigin(-0.25, -0.25, 0)
    fine.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    converter = slicer.vtkSegmentationConverter
    own.GetSegmentation().SetConversionParameter(
        converter.GetReferenceImageGeometryParameterName(),
        converter.SerializeImageGeometry(fine),
    )
    resampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        own.GetBinaryLabelmapInternalRepresentation(target), fine, resampled
    )
    slicer.modules.segmentations.logic().SetBinaryLabelmapToSegment(resampled, own, target)
    user.settle()
    assert all(map(np.array_equal, user.strokes(), strokes))
    user.stroke(IN_SECOND)
    assert "another grid" in user.bench.message


@pytest.mark.parametrize("signs", [(-1, 1, 1), (1, -1, 1), (-1, -1, -1)])
def test_a_reversed_lattice_is_worked_on_saved_and_loaded_as_any_other(
    scene, tmp_path, signs
) -> None:
    i, j, k = signs
    user = User(two_lesions(matrix=np.diag([i, j, 3 * k, 1.0])))
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    before, strokes = user.mask(), user.strokes()
    assert before[FIRST].all()
    user.save_and_load(tmp_path / "scene.mrb")
    # Slicer saves left-handed volumes with their slices the other way around.
    assert np.array_equal(user.mask(), before[::-1])
    assert all(np.array_equal(a, b[::-1]) for a, b in zip(user.strokes(), strokes, strict=True))
    user.stroke(IN_SECOND)
    assert user.mask()[SECOND].all()
    assert np.array_equal(user.mask()[..., :200], before[::-1, :, :200])
    user.undo()
    assert np.array_equal(user.mask(), before[::-1])
    user.bench.close()


def test_labels_stored_along_reversed_axes_are_the_same_segment(user) -> None:
    import slicer
    from vtk import VTK_UNSIGNED_CHAR
    from vtk.util.numpy_support import vtk_to_numpy

    before = user.mask()
    slices, rows, columns = before.shape
    turned = slicer.vtkOrientedImageData()
    turned.SetDimensions(columns, rows, slices)
    matrix = np.diag([-1, -1, 3, 1.0])
    matrix[:2, 3] = columns - 1, rows - 1
    turned.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix))
    turned.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    stored = vtk_to_numpy(turned.GetPointData().GetScalars())
    stored[:] = before[:, ::-1, ::-1].ravel()
    own, target = user.place[1:]
    slicer.modules.segmentations.logic().SetBinaryLabelmapToSegment(turned, own, target)
    user.settle()
    assert np.array_equal(user.mask(), before)
    user.stroke(IN_SECOND)
    assert user.mask()[SECOND].all()
    assert np.array_equal(user.mask()[..., :200], before[..., :200])


def test_deleting_a_segment_or_a_segmentation_deletes_its_strokes(user, scene) -> None:
    own, first = user.place[1:]
    seeds = user.bench.seeds.segmentationNode
    user.bench.nextLesion()
    user.stroke(IN_SECOND)
    assert seeds.GetSegmentation().GetNumberOfSegments() == 4
    own.GetSegmentation().GetSegment(user.bench.segmentId).SetName("renamed")
    own.GetSegmentation().RemoveSegment(first)
    assert seeds.GetSegmentation().GetNumberOfSegments() == 2
    assert user.strokes()[0].any()
    assert not user.bench.strokes.unanswered, (
        "removing the strokes of another target is no new stroke"
    )
    scene.RemoveNode(own)
    assert seeds.GetScene() is None


def test_what_another_workbench_tidies_away_is_no_stroke(user) -> None:
    """The panel and the Segment Editor's effect each have a workbench in one scene."""
    from DeepIGeoSLib.scene.seed_keeper import SeedKeeper
    from DeepIGeoSLib.scene.seed_watch import SeedWatch

    own, first = user.place[1:]
    keeper = SeedKeeper(lambda _: None, SeedWatch(lambda: None).own)
    keeper.start()
    user.bench.nextLesion()
    user.stroke(IN_SECOND)
    user.bench.strokes._keeper.stop()  # so that the other one does it
    own.GetSegmentation().RemoveSegment(first)
    keeper.stop()
    assert user.strokes()[0].any()
    assert not user.bench.strokes.unanswered


def test_cropping_the_segmentation_keeps_the_strokes_where_they_are(user) -> None:
    import slicer

    strokes = user.strokes()[0]
    cropped = two_lesions("cropped")
    voxels = slicer.util.arrayFromVolume(cropped)[2:, 10:, 10:].copy()
    matrix = np.diag([1, 1, 3, 1.0])
    matrix[:3, 3] = (10, 10, 6)
    small = slicer.util.addVolumeFromArray(voxels, ijkToRAS=matrix, name="small")
    own, target = user.place[1:]
    own.SetReferenceImageGeometryParameterFromVolumeNode(small)
    before = user.mask()
    user.volume_node = small
    user.bench.choose(small, own, target)
    user.settle()
    assert np.array_equal(user.strokes()[0], strokes[2:, 10:, 10:])
    assert np.array_equal(user.mask(), before[2:, 10:, 10:])
    assert not user.bench.canUndo
    assert "another grid" in user.bench.undoHint


def test_a_new_segmentation_under_a_transform_is_the_same_after_loading(scene, tmp_path) -> None:
    import slicer

    turned = np.array(
        [[cos(0.2), -sin(0.2), 0, 5], [sin(0.2), cos(0.2), 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]]
    )
    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turned))
    volume = two_lesions()
    volume.SetAndObserveTransformNodeID(parent.GetID())
    user = User(volume)
    user.bench.nextLesion()
    user.stroke(IN_FIRST)
    before, strokes = user.mask(), user.strokes()
    user.save_and_load(tmp_path / "scene.mrb")
    assert np.array_equal(user.mask(), before)
    assert all(map(np.array_equal, user.strokes(), strokes))
    user.stroke(IN_SECOND)
    assert user.mask()[SECOND].all()
    assert np.array_equal(user.mask()[..., :200], before[..., :200])
    user.bench.close()
