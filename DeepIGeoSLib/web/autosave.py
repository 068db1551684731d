"""Keeping the work on a volume on disk, so that a crash or a closed page loses nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import slicer

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.scene.seeds import SEEDS_ROLE, makeSeeds
from DeepIGeoSLib.web.private_folder import make_private
from DeepIGeoSLib.web.results import save_node
from DeepIGeoSLib.web.session import WebSession

_SEGMENTATION, _STROKES = "segmentation.seg.nrrd", "strokes.seg.nrrd"
_RECORDING, _STATE = "interactions.json", "state.json"
_LAST = "last.json"

# Seconds without a change before a state is written: a stroke and its answer are one state.
_QUIET = 1.0


class Autosave:
    """Writes the state of a session after each change, and brings it back.

    A volume is known by its voxels: it finds its state again from wherever it is opened. Each
    state is a folder of its own, named last in one step; a crash while one is written leaves the
    one before.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder to write to, which only this user can read."""
        self._folder = folder
        self._written: tuple[Any, ...] | None = None
        self._changed: tuple[tuple[Any, ...], float] | None = None

    def begin(self, session: WebSession) -> bool:
        """Follow a volume that was just opened; bring back what was done on it.

        Returns:
            Whether there was anything.

        Raises:
            InputError: what was saved is damaged; it is put aside.
        """
        make_private(self._folder)
        found = self._newest(session)
        if found is not None:
            self._restore(session, found)
        self._written, self._changed = _state(session), None
        self._note_last(session)
        return found is not None

    def keep_up(self, session: WebSession) -> bool:
        """Write the state if it has changed and is quiet; return whether it was written.

        Raises:
            InputError: it can't be written.
        """
        if session.case is None or session.bench.segmentationNode is None:
            return False
        state = _state(session)
        if state == self._written:
            return False
        now = time.monotonic()
        if self._changed is None or self._changed[0] != state:
            self._changed = (state, now)
        if now - self._changed[1] < _QUIET or session.bench.busy:
            return False
        self.write(session)
        return True

    def write(self, session: WebSession) -> None:
        """Write the state now.

        Raises:
            InputError: it can't be written.
        """
        state = _state(session)
        self._written = state  # also where it fails: not again at each tick of the timer
        place = make_private(self._folder / session.opened.fingerprint)
        new = make_private(place / f"{time.time_ns():020d}")
        bench = session.bench
        save_node(bench.segmentationNode, new / _SEGMENTATION)
        if bench.seeds is not None:
            save_node(bench.seeds.segmentationNode, new / _STROKES)
        (new / _RECORDING).write_text(session.recorded.text(), encoding="utf-8")
        facts = {"target": bench.segmentId, "model": str(bench.logic.bundle)}
        with written_in_one_step(new / _STATE) as temporary:  # last: a state without it is no state
            temporary.write_text(json.dumps(facts), encoding="utf-8")
        for old in place.iterdir():
            if old != new:
                shutil.rmtree(old, ignore_errors=True)

    def last(self) -> tuple[Path, str] | None:
        """Return file and title of the volume opened last, if it is still there."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads((self._folder / _LAST).read_text(encoding="utf-8"))
            path = Path(found["path"])
            if path.exists():
                return path, str(found["title"])
        return None

    def forget(self, session: WebSession) -> None:
        """Remove what is saved of the opened volume."""
        shutil.rmtree(self._folder / session.opened.fingerprint, ignore_errors=True)

    def _restore(self, session: WebSession, folder: Path) -> None:
        try:
            _restored(session, folder)
        except InputError as error:
            aside = self._folder / f"damaged-{folder.name}"
            folder.rename(aside)
            self._written = None
            raise InputError(
                f"What was saved of this image is damaged ({error}), so the work begins anew; the "
                f"files are kept in {aside}."
            ) from error

    def _newest(self, session: WebSession) -> Path | None:
        place = self._folder / session.opened.fingerprint
        states = sorted(place.glob(f"*/{_STATE}")) if place.is_dir() else []
        return states[-1].parent if states else None

    def _note_last(self, session: WebSession) -> None:
        case = session.opened
        with written_in_one_step(self._folder / _LAST) as temporary:
            text = json.dumps({"path": str(case.path.resolve()), "title": case.title})
            temporary.write_text(text, encoding="utf-8")


def _state(session: WebSession) -> tuple[Any, ...]:
    """Return what changes whenever there is something new to write."""
    bench = session.bench
    nodes = [bench.segmentationNode]
    if bench.seeds is not None:
        nodes.append(bench.seeds.segmentationNode)
    changes = [node.GetSegmentation().GetMTime() for node in nodes if node is not None]
    count = len(session.recorded.events) if session.recording else 0
    return (session.opened.fingerprint if session.case else "", bench.segmentId, count, *changes)


def _restored(session: WebSession, folder: Path) -> None:
    """Put a state into the scene, and work on it."""
    try:
        facts = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        target, model = str(facts["target"]), str(facts["model"])
        recording = (folder / _RECORDING).read_text(encoding="utf-8")
        segmentation = _loaded(folder / _SEGMENTATION)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError("a file is missing or can't be read") from error
    volume = session.bench.volumeNode
    segmentation.SetName(f"{volume.GetName()} segmentation")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    if (folder / _STROKES).is_file():
        strokes = _loaded(folder / _STROKES)
        strokes.SetName(f"{segmentation.GetName()} seeds")
        segmentation.SetNodeReferenceID(SEEDS_ROLE, strokes.GetID())
        makeSeeds(volume, segmentation, target)
    session.use_model(model)
    session.take_up(segmentation, target)
    session.recorded.go_on_from(recording)
    session.recorded.add("restored", segment_id=target)


def _loaded(path: Path) -> Any:
    node = slicer.util.loadSegmentation(str(path))
    node.CreateDefaultDisplayNodes()
    return node
