"""InteractiveSession: one volume, many rounds of strokes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.any_structure.box_marks import in_box
from DeepIGeoSLib.engines import NetworkSource
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.geodesic import warm_up
from DeepIGeoSLib.grid.boxes import Box, bounding_box, whole_box
from DeepIGeoSLib.interaction.bundle_runner import BundleRunner
from DeepIGeoSLib.interaction.draft import Draft, overlaid
from DeepIGeoSLib.interaction.history import History, Reader
from DeepIGeoSLib.interaction.loaded_volume import LoadedVolume
from DeepIGeoSLib.interaction.neighbors import GivenWay, check_neighbors, held_by
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.targets import Target, target_named
from DeepIGeoSLib.volume import Volume


class InteractiveSession:
    """Holds a volume, its segmentation and the rounds that led to it.

    A bundle may know several targets. Each has rounds of its own then, and all calls are about the
    one that ``target`` names; ``propose_all`` returns the proposals of all.

    Every method either completes or leaves the session as it was. A session is used from one
    thread at a time; only ``cancel`` events are set from others.
    """

    def __init__(
        self,
        bundle: NetworkSource,
        *,
        device: str = "auto",
        undo_limit: int = 50,
        memory_budget: int | None = None,
        crf: bool | None = None,
        engine: str = "auto",
        prepare: bool = True,
    ) -> None:
        """Open a session.

        Args:
            bundle: from ``load_bundle``, or what stands in for one.
            device: "auto", or a torch device such as "cpu" or "cuda".
            undo_limit: rounds kept for ``undo``.
            memory_budget: bytes that a network's intermediate results may take; larger volumes are
                computed in overlapping tiles. Half of what is free at the time when None.
            crf: whether the bundle's CRF-Nets follow its networks; what the bundle recommends when
                None.
            engine: "auto" or "torch"; "openvino", for the CPU; or "openvino-int8", for the CPU and
                a bundle with 8-bit networks. OpenVINO gets ready in the background, and the first
                runs wait for it.
            prepare: whether all that strokes need is made ready in the background before the first
                one; where no stroke is to come, that is work for nothing.

        Raises:
            InputError: a CRF is asked for, and the bundle has none; or an engine that is not
                known, not installed, or not for the device.
        """
        self.bundle = bundle
        self._runner = BundleRunner(
            bundle, engine=engine, device=device, memory_budget=memory_budget
        )
        self.crf = crf
        self._undo_limit = undo_limit
        self._device, self._engine, self._memory_budget = device, engine, memory_budget
        self._targets = bundle.manifest.targets or (Target(""),)
        self._chosen = 0
        self._volume: LoadedVolume | None = None
        self._histories: dict[int, History] = {}
        self._given_way = GivenWay()
        self._prepares = prepare
        if prepare:
            warm_up(len(bundle.manifest.channels))  # so that no stroke waits for a compiler

    @property
    def crf(self) -> bool:
        """Whether the bundle's CRF-Nets follow its networks.

        It can be set between rounds and counts from the next one on; set to None, the bundle
        decides. Setting it to True raises InputError when the bundle has none.
        """
        return self._runner.crf

    @crf.setter
    def crf(self, enabled: bool | None) -> None:
        self._runner.set_crf(enabled)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of what the bundle tells apart, in the order of labels; one empty name, if one."""
        return tuple(target.name for target in self._targets)

    @property
    def target(self) -> str:
        """The target that every call is about, the first one to begin with.

        Setting it to a name that the bundle does not know raises InputError.
        """
        return self._targets[self._chosen].name

    @target.setter
    def target(self, name: str) -> None:
        manifest = self.bundle.manifest
        where = f"The bundle {manifest.name}"
        self._chosen = target_named(name, manifest.targets, where) if name else 0

    @property
    def _history(self) -> History | None:
        return self._histories.get(self._chosen)

    @property
    def current(self) -> Segmentation | None:
        """The newest result, or None when there is none yet."""
        return None if self._history is None else self._segmentation(None)

    @property
    def can_undo(self) -> bool:
        """Whether ``undo`` has a round to take back."""
        return self._history is not None and self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether ``redo`` has a round to bring back."""
        return self._history is not None and self._history.can_redo

    def set_volume(self, volume: Volume | Sequence[Volume]) -> None:
        """Take a volume (or one for each channel, on one grid) and forget everything before it.

        Raises:
            InputError: the number of channels is not the bundle's, their grids differ, or a channel
                is constant.
        """
        channels = [volume] if isinstance(volume, Volume) else list(volume)
        wanted = self.bundle.manifest.channels
        if len(channels) != len(wanted):
            raise InputError(
                f"The bundle {self.bundle.manifest.name} needs {len(wanted)} image channels "
                f"({', '.join(wanted)}), but {len(channels)} were given."
            )
        self._volume = LoadedVolume.of(channels, self.bundle.manifest.inputs)
        self.reset()

    @property
    def scribbles(self) -> tuple[np.ndarray, np.ndarray]:
        """The foreground and the background scribbles of the newest result, as they were given.

        Bool, axes (k, j, i). They follow ``undo`` and ``redo``; ``propose`` begins without any.
        """
        if self._history is None:
            return self._loaded().no_scribbles().given_masks()
        return self._history.state.interactions.given_masks()

    def get_ready(self, cancel: threading.Event | None = None) -> None:
        """Do ahead, without any result yet, most of what the first step has to do.

        ``propose`` then returns at once, and a first ``refine`` sooner.

        Args:
            cancel: stops the work when it is set.

        Raises:
            InputError: no volume is set.
            Cancelled: ``cancel`` was set; the session is as before.
        """
        self._runner.get_ready(self._loaded().image, cancel)

    def propose(
        self,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        editable: np.ndarray | None = None,
    ) -> Segmentation:
        """Segment the volume with P-Net, as if no scribble had been given.

        Of several targets, all are proposed, and the result is that of ``target``. Over an earlier
        result this is one more round, which ``undo`` takes back.

        Args:
            progress: called with the share done and a text.
            cancel: stops the work when it is set.
            editable: bool, axes (k, j, i): voxels that may change; all when None.

        Raises:
            InputError: no volume is set, or a wrong shape.
            Cancelled: ``cancel`` was set; the session is as before.
        """
        return self.propose_all(progress, cancel, editable)[self.target]

    def propose_all(
        self,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        editable: np.ndarray | None = None,
    ) -> dict[str, Segmentation]:
        """Segment the volume with P-Net; return the proposal of each target by its name.

        Targets that exclude each other don't overlap. Arguments and errors are those of
        ``propose``.
        """
        image, free = self._loaded().image, self._editable(editable)
        proposals = self._runner.propose(image, progress=progress, cancel=cancel)
        if self._prepares:
            self._runner.prepare(image)
        results, chosen = {}, self._chosen
        for number, proposal in enumerate(proposals):
            self._chosen = number
            results[self.target] = self._take_proposal(proposal, free)
        self._chosen = chosen
        return results

    def adopt(self, probability: np.ndarray, editable: np.ndarray | None = None) -> Segmentation:
        """Take over a proposal of the target that another session has made, as ``propose`` does.

        Args:
            probability: float32 in [0, 1], axes (k, j, i), the volume's shape.
            editable: bool, axes (k, j, i): voxels that may change; all when None.

        Raises:
            InputError: no volume is set, or another shape.
        """
        return self._take_proposal(
            self._loaded().oriented_probability(probability), self._editable(editable)
        )

    def for_target(self, name: str) -> InteractiveSession:
        """Return a session for another target on the same volume, without any result yet.

        Args:
            name: of the target.

        Raises:
            InputError: the bundle has no such target.
        """
        other = InteractiveSession(
            self.bundle,
            device=self._device,
            undo_limit=self._undo_limit,
            memory_budget=self._memory_budget,
            engine=self._engine,
            prepare=self._prepares,
        )
        other.target = name
        other._volume = self._volume
        return other

    def refine(
        self,
        foreground: np.ndarray | None = None,
        background: np.ndarray | None = None,
        initial: np.ndarray | None = None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        region: Box | None = None,
        editable: np.ndarray | None = None,
        box: Box | None = None,
        neighbors: str = "keep",
    ) -> Segmentation:
        """Correct the segmentation by scribbles, or by a box around the target.

        A round starts from the result of the round before (from P-Net's proposal when there is
        none). Voxels outside the region of influence of the strokes that are new keep their values.

        Args:
            foreground: ALL foreground scribbles given so far: bool, axes (k, j, i), or the sorted
                numbers of their voxels in the flattened array.
            background: the same for the background.
            initial: a mask to correct instead, wherever it came from; the volume's shape.
            progress: called with the share done and a text.
            cancel: stops the work when it is set.
            region: slices (k, j, i) of the only box that may change, scribbled voxels apart. Chosen
                around the new strokes when None.
            editable: bool, axes (k, j, i): voxels that may change, scribbles or not; all when None.
            box: slices (k, j, i) around the target, drawn in this round: it is looked for anew in
                the box, and what lies outside stays. Of P-Net's first proposal only what is in the
                box is taken. Scribbles that are new in the same round are answered after the box.
                What of the box lies outside of the volume does not count.
            neighbors: what happens to voxels of the bundle's other targets that exclude this one:
                "keep" (they stay, but those that foreground scribbles mark), "give way" (they lose
                what this target takes) or "overlap". Undo gives back what they lost.

        Returns:
            A segmentation in which every editable foreground scribble is 1 and background one 0.
            Without any scribble and box: the segmentation that the rounds began with.

        Raises:
            InputError: no volume is set, a wrong shape, voxels with both classes at once, a region
                that is not inside the volume, or a box that holds none of its voxels.
            Cancelled: ``cancel`` was set; the session is as before.
        """
        volume = self._loaded()
        check_neighbors(neighbors)
        known = volume.no_scribbles()
        if initial is None and self._history is not None:
            known = self._history.state.interactions
        interactions = known.updated(foreground, background)
        pinned = None if region is None else volume.oriented_region(region)
        boxed = None if box is None else volume.oriented_box(box, pinned)
        free = self._editable(editable)
        start, began_with, begun = self._start(initial, free, boxed, progress, cancel)
        others = self._neighbors(begun)
        if neighbors == "keep" and others:
            new = np.setdiff1d(interactions.foreground, known.foreground, assume_unique=True)
            free = self._beside(others, free, new)
        if interactions.empty and boxed is None:
            draft = Draft(start)
            whole = whole_box(start.shape)
            draft.write(whole, began_with(whole))
        else:
            turned = interactions.turned(volume.orientation)
            draft = self._runner.refine(
                volume.image,
                start,
                interactions=turned,
                changed=turned.changed_from(known.turned(volume.orientation)),
                proposal=began_with,
                region=pinned,
                box=boxed,
                progress=progress,
                cancel=cancel,
            )
        if free is not None:
            draft.restrict(free)
        self._histories.update(begun)
        if self._history is None:
            self._begin(start)
            began_with = None  # the history remembers it better
            if interactions.empty and boxed is None:
                return self._segmentation(bounding_box(start >= 0.5))
        elif initial is not None:
            draft = self._whole(draft.read(whole_box(start.shape)))
        changed = self._rounds().commit(draft, interactions, began_with)
        if neighbors != "overlap":
            self._given_way.take(self._rounds(), changed, others)
        return self._segmentation(changed, draft.box)

    def edit(self, mask: np.ndarray) -> Segmentation:
        """Take over a mask that was changed by hand, as a round of its own.

        The scribbles stay known, so that the next ``refine`` answers only what is new in them.

        Args:
            mask: values above 0 are target; the volume's shape.

        Raises:
            InputError: there is no result yet, or another shape.
        """
        history = self._rounds()
        edited = self._loaded().oriented_mask(mask, "The voxels of the edited mask")
        changed = (history.probability >= 0.5) != edited
        box = bounding_box(changed)
        draft, began_with = Draft(history.probability), history.state.initial
        if box is not None:
            values = edited[box].astype(np.float32)
            draft.write(box, np.where(changed[box], values, draft.read(box)))
            # A round without any scribble goes back to where the rounds began, not behind an edit.
            began_with = overlaid(began_with, box, where=changed[box], values=values)
        return self._segmentation(history.commit(draft, history.state.interactions, began_with))

    def restore(self, mask: np.ndarray | None, interactions: Interactions) -> None:
        """Go on from what an earlier session left: no scribble in it is answered again.

        Args:
            mask: its labels, which become a round of their own; the present ones when None.
            interactions: the scribbles that it had answered.

        Raises:
            InputError: there is no result yet, or another shape.
        """
        if mask is not None and self._history is None:
            restored = self._loaded().oriented_mask(mask, "The voxels of the restored mask")
            self._begin(restored.astype(np.float32))
        elif mask is not None:
            self.edit(mask)
        self._rounds().remember(interactions)

    def undo(self) -> Segmentation:
        """Take the newest round back and return the result before it.

        Raises:
            InputError: there is nothing to undo (see ``can_undo``).
        """
        undone = self._rounds().newest
        changed = self._rounds().undo()
        self._given_way.give_back(undone)
        return self._segmentation(changed)

    def redo(self) -> Segmentation:
        """Bring the round back that was undone last, and return its result.

        Raises:
            InputError: there is nothing to redo (see ``can_redo``).
        """
        redone = self._rounds().newest_undone
        changed = self._rounds().redo()
        self._given_way.take_again(redone)
        return self._segmentation(changed)

    def reset(self) -> None:
        """Forget every result and scribble, of all targets; the volume stays."""
        self._histories = {}
        self._given_way = GivenWay()

    def _loaded(self) -> LoadedVolume:
        if self._volume is None:
            raise InputError("No volume is set; call set_volume first.")
        return self._volume

    def _rounds(self) -> History:
        if self._history is None:
            raise InputError("There is no result yet; call propose or refine first.")
        return self._history

    def _whole(self, probability: np.ndarray) -> Draft:
        """Return a draft of the present result that replaces all of it."""
        draft = Draft(self._rounds().probability)
        draft.write(whole_box(probability.shape), probability)
        return draft

    def _editable(self, editable: np.ndarray | None) -> np.ndarray | None:
        if editable is None:
            return None
        return self._loaded().oriented_mask(editable, "The editable voxels")

    def _where_free(self, proposal: np.ndarray, free: np.ndarray | None) -> np.ndarray:
        """Return a proposal that leaves the present result where it must not change."""
        if free is None:
            return proposal
        before = 0 if self._history is None else self._history.probability
        return np.where(free, proposal, before).astype(np.float32, copy=False)

    def _start(
        self,
        initial: np.ndarray | None,
        free: np.ndarray | None,
        boxed: Box | None,
        progress: Progress | None,
        cancel: threading.Event | None,
    ) -> tuple[np.ndarray, Reader, dict[int, History]]:
        """Return what a round starts from.

        Returns:
            The probability, what the rounds began with, and the rounds of the other targets that
            begin with the same proposal.
        """
        if initial is not None:
            mask = self._loaded().oriented_mask(initial, "The voxels of the initial mask")
            return mask.astype(np.float32), lambda box: mask[box].astype(np.float32), {}
        if self._history is not None:
            return self._history.probability, self._history.state.initial, {}
        proposals = self._runner.propose(self._loaded().image, progress=progress, cancel=cancel)
        probability = self._where_free(proposals[self._chosen], free)
        if boxed is not None:
            probability = np.where(in_box(probability.shape, boxed), probability, np.float32(0))
        begun = {
            number: self._rounds_from(proposal if free is None else np.where(free, proposal, 0))
            for number, proposal in enumerate(proposals)
            if number != self._chosen and number not in self._histories
        }
        return probability, lambda box: probability[box].copy(), begun

    def _take_proposal(self, proposal: np.ndarray, free: np.ndarray | None) -> Segmentation:
        """Begin with a proposal for the chosen target, or make it one more round."""
        probability = self._where_free(proposal, free)
        if self._history is None:
            return self._begin(probability)
        draft, none = self._whole(probability), self._loaded().no_scribbles()
        return self._segmentation(self._history.commit(draft, none, begins=True))

    def _rounds_from(self, probability: np.ndarray) -> History:
        values = np.asarray(probability, dtype=np.float32)
        return History(values, self._loaded().no_scribbles(), self._undo_limit)

    def _neighbors(self, begun: dict[int, History]) -> list[History]:
        """Return the rounds of the targets that exclude the chosen one."""
        own = self._targets[self._chosen]
        histories = {**self._histories, **begun}
        return [
            history
            for number, history in histories.items()
            if number != self._chosen and self._targets[number].excludes(own)
        ]

    def _beside(
        self, others: list[History], free: np.ndarray | None, marked: np.ndarray
    ) -> np.ndarray:
        """Return which voxels may change: no neighbor's, but marked ones (numbers of voxels)."""
        volume = self._loaded()
        marks = np.zeros(volume.shape, dtype=bool)
        marks.flat[marked] = True
        allowed = ~held_by(others) | volume.orientation.apply(marks)
        return allowed if free is None else allowed & free

    def _begin(self, probability: np.ndarray) -> Segmentation:
        """Take over the first result."""
        self._histories[self._chosen] = self._rounds_from(probability)
        return self._segmentation(bounding_box(probability >= 0.5))

    def _segmentation(self, changed: Box | None, region: Box | None = None) -> Segmentation:
        """Return the newest result, turned back to the volume's axes."""
        volume = self._loaded()
        return Segmentation(
            volume.box_in_volume(changed),
            volume.box_in_volume(region or changed),
            self._rounds().snapshot(),
            volume.orientation,
            self.target,
        )
