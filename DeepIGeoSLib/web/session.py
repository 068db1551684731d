"""What one user works on: the volume, the workbench, and what the page shows of both."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.bundles import bundle_for
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.scene import SegmentationLogic, Workbench
from DeepIGeoSLib.scene.headless import publishSlicer
from DeepIGeoSLib.scene.ledger.rounds import Round
from DeepIGeoSLib.scene.surface import TargetSurface
from DeepIGeoSLib.scene.torch_loading import loadTorch
from DeepIGeoSLib.web.brush import Drawn
from DeepIGeoSLib.web.case import ReadCase, add_to_scene, clear_scene, read_case
from DeepIGeoSLib.web.recording import Recording
from DeepIGeoSLib.web.uncertainty import UncertaintyOverlay

_FIRST_MODEL = "any-structure"  # until a volume is opened, see ``bundle_for``

TICK = 0.05  # s between two looks: often enough that a stroke is answered at once

MISSING, TOO_MUCH, ERASER, NO_BRUSH = "missing", "too much", "eraser", "none"


class WebSession:
    """One user at one volume. Everything but ``open`` returns at once, on the scene's thread.

    Attributes:
        bench: does the work.
        case: what was opened, or None.
        recording: what was done since; None without a case.
        brush: MISSING, TOO_MUCH, ERASER or NO_BRUSH.
        diameter: of the brush in mm.
        ball: whether the brush reaches into the slices beside the shown one.
        surface_shown: whether the target's surface is computed.
        uncertainty_shown: whether the uncertainty is laid over the slices.
    """

    def __init__(self, app: Any) -> None:
        """Begin without a volume, in the scene and the views of a ``SlicerApp``."""
        publishSlicer(
            app.scene,
            app.app_logic,
            volumesLogic=app.volumes_logic,
            segmentationsLogic=app.segmentations_logic,
        )
        self._computing = ThreadPoolExecutor(1, "DeepIGeoS")
        self._aside = ThreadPoolExecutor(1, "DeepIGeoS aside")  # a stroke waits for nothing else
        self.bench = Workbench(
            SegmentationLogic(_FIRST_MODEL, executor=self._computing), self._on_changed
        )
        self.bench.options.goToChanges = True
        self.bench.region.visible = False
        self._surface = TargetSurface(self._aside)
        self._uncertainty = UncertaintyOverlay(app.display_manager.show_volume_in_slice_foreground)
        self.case: ReadCase | None = None
        self.recording: Recording | None = None
        self.brush, self.diameter, self.ball = MISSING, 5.0, False
        self.surface_shown = self.uncertainty_shown = False
        self.changed = True  # since somebody has looked
        self._model_chosen = False  # by somebody, and not for the volume's name
        self._rounds: tuple[Round, ...] = ()
        self._model_begun = False

    # The volume

    async def open(self, path: Path, title: str = "") -> None:
        """Read a volume, and work on it instead of the one before.

        Args:
            path: an image, or a DICOM file or folder.
            title: what to call it; the file's name when empty.

        Raises:
            InputError: it can't be read; the one before stays.
        """
        loop = asyncio.get_running_loop()
        case = await loop.run_in_executor(self._aside, read_case, path, title)
        self.close_case()
        self.case = case
        self.recording = Recording(
            {
                "name": case.title,
                "shape": list(case.volume.shape),
                "spacing": list(case.volume.spacing),
                "fingerprint": case.fingerprint,
            }
        )
        if not self._model_chosen:
            self.bench.useModel(bundle_for(case.title))
        self.recording.add("model", name=str(self.bench.logic.bundle))
        self.bench.choose(add_to_scene(case), None, "")
        self._get_ready()
        self._rounds = ()
        self.changed = True

    @property
    def opened(self) -> ReadCase:
        """What is open; raises ``InputError`` where nothing is."""
        if self.case is None:
            raise InputError("No image is open.")
        return self.case

    @property
    def recorded(self) -> Recording:
        """What was done; raises ``InputError`` where nothing is open."""
        if self.recording is None:
            raise InputError("No image is open.")
        return self.recording

    def close_case(self) -> None:
        """Let go of the volume and of what was made of it."""
        self._surface.follow(None, "")
        self._uncertainty.forget()
        self.bench.close()
        clear_scene()
        self.case = self.recording = None

    def stop(self) -> None:
        """End the threads; what they still compute, nobody gets."""
        self.bench.cancel()
        for executor in (self._computing, self._aside):
            executor.shutdown(wait=False, cancel_futures=True)

    def begin_model(self) -> None:
        """Let the model get ready, for this volume and those after it; return at once.

        It takes seconds of all cores. Whoever serves a page calls this when the page is there;
        the first stroke and the first button do so, too.
        """
        if not self._model_begun:
            self._model_begun = True
            self._computing.submit(loadTorch)
            self._get_ready()

    # What the user does

    def use_model(self, name: str) -> None:
        """Use a model from now on; "geodesic" is none."""
        if name != self.bench.logic.bundle:
            self._model_chosen = True
            self.bench.useModel(name)
            self._get_ready()
            self._record("model", name=name)

    def stroke(self, drawn: Drawn) -> None:
        """Take a stroke of the brush."""
        if self.brush == NO_BRUSH or self.case is None:
            return
        points = [[round(part, 3) for part in point] for point in drawn.points]
        normal = [round(part, 6) for part in drawn.normal]
        self.paint(self.brush, points, normal, diameter=self.diameter, ball=self.ball)

    def paint(
        self, brush: str, points: list[Any], normal: list[float], *, diameter: float, ball: bool
    ) -> None:
        """Paint along a line.

        Args:
            brush: MISSING, TOO_MUCH or ERASER.
            points: RAS positions (mm, world).
            normal: of the plane that they were drawn in.
            diameter: mm.
            ball: whether voxels beside the plane belong to the stroke as well.
        """
        self.begin_model()
        radius, across = diameter / 2, np.array(normal)
        if brush == ERASER:
            for foreground in (True, False):
                self.bench.completeStroke(points, radius, foreground, normal=across, erase=True)
        elif ball:
            self.bench.addStroke(points, radius, brush == MISSING)
        else:
            self.bench.completeStroke(points, radius, brush == MISSING, normal=across)
        self._record(
            "stroke", brush=brush, points=points, normal=normal, diameter=diameter, ball=ball
        )

    def act(self, action: str) -> None:
        """Do what a button does.

        Args:
            action: "segment", "refine", "undo", "redo", "next place", "accept", "reopen", "next
                target", "clear strokes" or "cancel".
        """
        self.begin_model()
        bench = self.bench
        {
            "segment": bench.segment,
            "refine": bench.refine,
            "undo": bench.undo,
            "redo": bench.redo,
            "next place": bench.lookAtNextPlace,
            "accept": bench.accept,
            "reopen": bench.reopen,
            "next target": bench.nextLesion,
            "clear strokes": bench.clearStrokes,
            "cancel": bench.cancel,
        }[action]()
        self._record(action)

    def choose_target(self, segment_id: str) -> None:
        """Work on another segment of the segmentation."""
        self.take_up(self.bench.segmentationNode, segment_id)
        self._record("target")

    def take_up(self, segmentation_node: Any, segment_id: str) -> None:
        """Work on a segment that is in the scene already; its rounds are not made now."""
        self.bench.choose(self.bench.volumeNode, segmentation_node, segment_id)
        self._rounds = self.bench.rounds
        self.changed = True

    def set_auto_refine(self, enabled: bool) -> None:
        """Answer each stroke at once, or when Refine is pressed."""
        self.bench.autoRefine = enabled
        self._record("auto refine", enabled=enabled)

    def poll(self) -> None:
        """Bring in what is done; a timer calls it."""
        self.bench.poll()
        if self.surface_shown:
            self._surface.follow(self.bench.segmentationNode, self.bench.segmentId)
        else:
            self._surface.follow(None, "")
        self._uncertainty.follow(self.bench, self.uncertainty_shown)
        rounds, before = self.bench.rounds, self._rounds
        # Of many the oldest is forgotten: their number does not grow with a new one then.
        if len(rounds) > len(before) or (len(rounds) == len(before) and rounds != before):
            self._record("round", changed_ml=rounds[-1].changed, volume_ml=rounds[-1].total)
        self._rounds = rounds

    async def answer_all(self) -> None:
        """Wait until strokes are answered and nothing is computed; cancelling ends it, too."""
        self.poll()
        while self.bench.busy:
            await asyncio.sleep(TICK)
            self.poll()

    def _get_ready(self) -> None:
        """Let the model begin while the user looks: a first stroke waited for its proposal."""
        if self._model_begun and self.bench.volumeNode is not None:
            self.bench.logic.getReady(self.bench.volumeNode)

    def _record(self, action: str, **details: Any) -> None:
        if self.recording is not None:
            self.recording.add(action, segment_id=self.bench.segmentId, **details)
        self.changed = True

    def _on_changed(self) -> None:
        self.changed = True
