"""A random user walks through the scene; whatever happens, nothing that was promised is broken.

The suite takes a short walk. A long one: ``DEEPIGEOS_WALK=10000 pytest -k random_walk`` (steps).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from heads import User
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

SHAPE = (8, 30, 80)
LESIONS = ((slice(2, 6), slice(8, 18), slice(8, 18)), (slice(2, 6), slice(8, 18), slice(60, 70)))
_STEPS_A_WALK = 25

voxels = st.tuples(st.integers(1, 6), st.integers(3, 26), st.integers(3, 76))
State = tuple[np.ndarray, np.ndarray, np.ndarray]  # target, foreground and background strokes


@dataclass
class Model:
    """What the walk knows of one target: the states it was in, and where it stands."""

    states: list[State]
    at: int = 0
    locked: bool = False
    cleared: bool = field(default=False)

    def push(self, state: State) -> None:
        self.states[self.at + 1 :] = [state]
        self.at += 1


def add_head(name: str):
    import slicer

    array = np.zeros(SHAPE, np.int16)
    array[:, 2:-2, 2:-2] = np.random.default_rng(3).normal(100, 4, SHAPE)[:, 2:-2, 2:-2]
    for lesion in LESIONS:
        array[lesion] = 160
    return slicer.util.addVolumeFromArray(array, ijkToRAS=np.diag([1, 1, 2, 1.0]), name=name)


class Walk(RuleBasedStateMachine):
    """Rules are what a user does; the invariants hold after each of them."""

    choices: tuple = ("geodesic",)

    @initialize()
    def begin(self) -> None:
        import slicer

        slicer.mrmlScene.Clear(0)
        add_head("t1")
        self.user = User(add_head("flair"))
        self.bench = self.user.bench
        self.models: dict[tuple[str, str], Model] = {}
        self.copies = 0
        self.bench.nextLesion()
        self.remember_new()

    # What the walk knows

    @property
    def key(self) -> tuple[str, str]:
        return (self.bench.segmentationNode.GetName(), self.bench.segmentId)

    @property
    def model(self) -> Model:
        return self.models[self.key]

    def now(self) -> State:
        strokes = self.bench.strokes.painted()
        return (self.user.mask(), *strokes)

    def remember_new(self) -> None:
        self.models[self.key] = Model([self.now()])

    def mask_of(self, key: tuple[str, str]) -> np.ndarray:
        import slicer

        from DeepIGeoSLib.scene.nodes import maskFromSegment

        return maskFromSegment(self.user.volume_node, slicer.util.getNode(key[0]), key[1])

    def same(self, first: State, second: State) -> bool:
        return all(map(np.array_equal, first, second))

    def open(self) -> bool:
        return not self.model.locked

    # What a user does

    @precondition(open)
    @rule(start=voxels, along=st.integers(0, 6), foreground=st.booleans(), radius=st.floats(0.5, 3))
    def stroke(self, start, along, foreground, radius) -> None:
        from DeepIGeoSLib.scene.places import boxOfRoi

        before = self.now()
        k, j, i = start
        self.user.stroke(((k, j, i), (k, j, min(i + along, 77))), foreground, radius)
        assert self.bench.message.startswith("Refined"), self.bench.message
        after = self.now()
        changed = before[0] ^ after[0]
        changed[boxOfRoi(self.bench.region.node, self.user.volume_node)] = False
        for painted in after[1:]:
            changed.flat[painted] = False
        assert not changed.any(), "something changed outside of the region of influence"
        self.model.push(after)

    @precondition(open)
    @rule(start=voxels, how=st.sampled_from(["cancel", "undo", "switch"]))
    def stroke_that_is_not_wanted(self, start, how) -> None:
        before, key = self.now(), self.key
        self.user.paint((start, start))
        self.bench.poll()
        if how == "switch":
            own = self.bench.segmentationNode
            self.bench.choose(self.user.volume_node, own, "")
            self.user.settle()
            self.bench.choose(self.user.volume_node, own, key[1])
            self.bench.undo()
        else:
            getattr(self.bench, how)()
        self.user.settle()
        assert self.same(self.now(), before), f"a stroke is left after {how}"

    @precondition(open)
    @rule(start=voxels, box=voxels)
    def stroke_and_edit_at_once(self, start, box) -> None:
        self.user.paint((start, start))
        self.bench.poll()
        part = tuple(slice(place, place + 2) for place in box)
        before = self.user.mask()
        edited = self.user.edit(part, not before[part].all())
        self.user.settle()
        assert self.bench.message.startswith("Refined"), self.bench.message
        assert np.array_equal(self.user.mask()[part], edited[part]) or (
            np.array_equal(edited, before)
        ), "an edit by hand was lost"
        self.forget_states_but_now()

    @precondition(open)
    @rule(box=voxels, size=st.integers(1, 12), value=st.booleans())
    def edit(self, box, size, value) -> None:
        part = tuple(slice(place, place + size) for place in box)
        self.bench.logic.follow(*self.user.place)  # what was there before is known
        edited = self.user.edit(part, value)
        self.bench.followScene()
        self.user.settle()
        assert np.array_equal(self.user.mask(), edited)
        masks = [state[0] for state in self.model.states]
        same = [at for at, mask in enumerate(masks) if np.array_equal(mask, edited)]
        if not same:
            self.model.push(self.now())
        elif self.model.at not in same:
            self.model.at = min(same, key=lambda at: abs(at - self.model.at))

    @precondition(open)
    @rule()
    def undo(self) -> None:
        could, self_at = self.bench.canUndo, self.model.at
        assert could == (self_at > 0), "the button and the rounds disagree"
        assert len(self.bench.rounds) == self_at
        if could:
            self.user.undo()
            self.model.at -= 1
            assert self.same(self.now(), self.model.states[self.model.at]), "undo is not exact"

    @precondition(open)
    @rule()
    def redo(self) -> None:
        if self.model.at + 1 < len(self.model.states) and not self.bench.strokes.areTakenBack:
            assert self.bench.canRedo
            self.user.redo()
            self.model.at += 1
            assert self.same(self.now(), self.model.states[self.model.at]), "redo is not exact"

    @precondition(open)
    @rule()
    def propose(self) -> None:
        if self.bench.logic.bundle == "geodesic":
            return
        self.bench.segment()
        self.user.settle()
        self.forget_states_but_now()

    @rule()
    def next_lesion(self) -> None:
        if len(self.models) < 8:
            if self.user.mask().any():
                self.model.locked = True
            self.bench.nextLesion()
            self.remember_new()

    @rule()
    def lock_or_unlock(self) -> None:
        if self.model.locked:
            self.bench.reopen()
        else:
            self.bench.accept()
        self.model.locked = not self.model.locked

    @rule(number=st.integers(0, 20))
    def choose(self, number) -> None:
        import slicer

        name, segment_id = list(self.models)[number % len(self.models)]
        self.bench.choose(self.user.volume_node, slicer.util.getNode(name), segment_id)
        self.user.settle()

    @rule(number=st.integers(0, 20))
    def delete(self, number) -> None:
        import slicer

        others = [key for key in self.models if key != self.key]
        if others:
            name, segment_id = others[number % len(others)]
            slicer.util.getNode(name).GetSegmentation().RemoveSegment(segment_id)
            del self.models[name, segment_id]

    @rule()
    def clone(self) -> None:
        import slicer

        if len(self.models) > 6:
            return
        own = self.bench.segmentationNode
        self.copies += 1
        copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "copy")
        copy.Copy(own)
        copy.SetAndObserveStorageNodeID(None)  # or both would be saved into one file
        copy.SetName(f"copy {self.copies}")
        for (name, segment_id), model in list(self.models.items()):
            if name == own.GetName():
                clone = Model(list(model.states), model.at, model.locked)
                self.models[copy.GetName(), segment_id] = clone

    @rule()
    def save_and_load(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.user.save_and_load(Path(folder) / "scene.mrb")
            self.user.settle()
        self.leave_out_what_slicer_does_not_save()

    @rule()
    def change_volume(self) -> None:
        import slicer

        other = {"flair": "t1", "t1": "flair"}[self.user.volume_node.GetName()]
        self.user.volume_node = slicer.util.getNode(other)
        self.bench.choose(self.user.volume_node, *self.user.place[1:])
        self.user.settle()

    @rule(number=st.integers(0, 1))
    def change_bundle(self, number) -> None:
        self.bench.useModel(self.choices[number % len(self.choices)])

    def leave_out_what_slicer_does_not_save(self) -> None:
        """Where all segments of a segmentation are empty, Slicer saves only one of them."""
        import slicer

        current = self.key
        for name, segment_id in list(self.models):
            if slicer.util.getNode(name).GetSegmentation().GetSegment(segment_id) is None:
                model = self.models.pop((name, segment_id))
                assert not model.states[model.at][0].any(), "a segment with voxels was lost"
        if current not in self.models:
            self.bench.choose(self.user.volume_node, self.bench.segmentationNode, "")
            self.bench.nextLesion()
            self.remember_new()

    def forget_states_but_now(self) -> None:
        """Take what several rounds have led to for the beginning: they are walked elsewhere."""
        self.bench.logic.reset(*self.user.place)
        self.bench.clearStrokes()
        self.models[self.key] = Model([self.now()])

    # What holds after each of it

    @invariant()
    def nothing_else_changed(self) -> None:
        for key, model in getattr(self, "models", {}).items():
            known = model.states[model.at][0]
            assert np.array_equal(self.mask_of(key), known), f"{key} changed"

    @invariant()
    def every_stroke_is_obeyed(self) -> None:
        if getattr(self, "models", None) and not self.model.locked:
            target, foreground, background = self.now()
            assert target.flat[foreground].all(), "a foreground stroke is not obeyed"
            assert not target.flat[background].any(), "a background stroke is not obeyed"

    @invariant()
    def no_node_is_left_over_and_no_error_is_told(self) -> None:
        import slicer

        from DeepIGeoSLib.scene.seeds import isCompanion, ownerOf

        if not getattr(self, "models", None):
            return
        assert not self.bench.message.startswith("Failed"), self.bench.message
        nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        companions = [node for node in nodes if isCompanion(node)]
        assert len(companions) <= len(nodes) - len(companions)
        assert all(ownerOf(node) is not None for node in companions)
        for node in companions:
            targets = ownerOf(node).GetSegmentation().GetNumberOfSegments()
            assert node.GetSegmentation().GetNumberOfSegments() <= 2 * targets
        assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")) <= 1
        assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.close()


@pytest.fixture
def walk(scene, tiny_bundle):
    """A walk with two bundles."""
    return type("WalkWithBundles", (Walk,), {"choices": ("geodesic", str(tiny_bundle))})


def test_a_random_walk_breaks_no_promise(walk) -> None:
    steps = int(os.environ.get("DEEPIGEOS_WALK", "100"))
    run_state_machine_as_test(
        walk,
        settings=settings(
            max_examples=max(1, steps // _STEPS_A_WALK),
            stateful_step_count=_STEPS_A_WALK,
            deadline=None,
            derandomize=steps <= 100,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
