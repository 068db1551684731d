"""What the page's buttons, keys and sliders call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from trame_server.utils.asynchronous import create_task

from DeepIGeoSLib.errors import DeepIGeoSError, InputError
from DeepIGeoSLib.samples.sample import hippocampus_file
from DeepIGeoSLib.web.autosave import Autosave
from DeepIGeoSLib.web.case import show_window
from DeepIGeoSLib.web.cases import Cases
from DeepIGeoSLib.web.opened_folder import OpenedFolder
from DeepIGeoSLib.web.replay import replay
from DeepIGeoSLib.web.session import ERASER, MISSING, NO_BRUSH, TOO_MUCH, WebSession
from DeepIGeoSLib.web.views import Views

_log = logging.getLogger(__name__)

# The desktop module's keys; R and V choose the two brushes that have no key there.
KEYS = {
    "Ctrl+Enter": "refine",
    "Z": "undo",
    "Ctrl+Z": "undo",
    "Y": "redo",
    "Ctrl+Y": "redo",
    "N": "next place",
    "E": "next target",
    "Escape": "cancel",
}
_BRUSH_KEYS = {"X": "", "R": ERASER, "V": NO_BRUSH}  # X swaps the two brushes
SHORTCUTS = [*KEYS, *_BRUSH_KEYS, "A"]


class Actions:
    """Turns what happens in the page into calls of the session."""

    def __init__(
        self,
        *,
        state: Any,
        session: WebSession,
        views: Views,
        folder: OpenedFolder | None,
        cases: Cases | None,
        autosave: Autosave,
        after_stroke: Callable[[Callable[[], object]], object],
    ) -> None:
        """Take what the page shows and does.

        Args:
            state: trame's.
            session: what is worked on.
            views: the slices.
            folder: what may be opened by path; nothing when None.
            cases: those of the folder, where it was opened as a list.
            autosave: keeps the work on disk.
            after_stroke: see ``Brush.after_stroke``.
        """
        self._state = state
        self._after_stroke = after_stroke
        self._session = session
        self._views = views
        self._folder = folder
        self._cases = cases
        self._autosave = autosave
        self._opening: asyncio.Lock = asyncio.Lock()

    def act(self, action: str) -> None:
        """Do what a button does; see ``WebSession.act``."""
        self._after_stroke(partial(self._session.act, action))

    def key(self, key: str) -> None:
        """Do what a key does."""
        if key in KEYS:
            self.act(KEYS[key])
        elif key in _BRUSH_KEYS:
            self._after_stroke(partial(self._choose_brush, key))
        elif key == "A":
            self._after_stroke(self.accept_or_reopen)

    def _choose_brush(self, key: str) -> None:
        swapped = TOO_MUCH if self._session.brush == MISSING else MISSING
        with self._state as state:
            state.brush = _BRUSH_KEYS[key] or swapped

    def accept_or_reopen(self) -> None:
        """Lock the target, or unlock it."""
        self._session.act("reopen" if self._session.bench.isAccepted else "accept")

    def choose_target(self, segment_id: str) -> None:
        """Work on another segment."""
        self._session.choose_target(segment_id)

    def toggle_locked(self, segment_id: str) -> None:
        """Work on a segment, and lock or unlock it."""
        self._session.choose_target(segment_id)
        self.accept_or_reopen()

    def toggle_shown(self, segment_id: str) -> None:
        """Show a segment, or hide it."""
        display = self._session.bench.segmentationNode.GetDisplayNode()
        display.SetSegmentVisibility(segment_id, not display.GetSegmentVisibility(segment_id))
        self._session.changed = True

    def open_path(self, asked: str) -> None:
        """Open a file of the opened folder."""
        create_task(self.told(self._open_asked(asked)))

    def open_demo(self) -> None:
        """Open the case that comes with the program."""
        create_task(self.told(self.open(hippocampus_file(), "Hippocampus in T1")))

    def replay(self, asked: str, recording: Path) -> None:
        """Open a file of the opened folder, and do again what was recorded on it."""
        create_task(self.told(self._replay(asked, recording)))

    async def _replay(self, asked: str, recording: Path) -> None:
        await self._open_asked(asked)
        count = await replay(self._session, recording)
        self._session.bench.message = f"Replayed {count} steps of {recording.name}."
        self._session.changed = True

    async def _open_asked(self, asked: str) -> None:
        if self._folder is None:
            raise InputError("No folder was opened: start deepigeos web with one.")
        await self.open(self._folder.resolved(asked))

    async def open(self, path: Path, title: str = "", case: str = "") -> None:
        """Open an image and show it.

        Args:
            path: the image.
            title: what to call it.
            case: its name in the list of cases; "" for others.

        Raises:
            InputError: it can't be read.
        """
        async with self._opening:
            with self._state as state:
                state.opening = True
            try:
                if self._session.case is not None and self._session.bench.segmentationNode:
                    self._autosave.write(self._session)
                await self._session.open(path, title)
            finally:
                with self._state as state:
                    state.opening = False
            self._views.show_volume(self._session.bench.volumeNode)
            low, high = self._session.opened.window
            array = self._session.opened.volume.array
            with self._state as state:
                state.window_min, state.window_max = float(array.min()), float(array.max())
                state.window = [low, high]
                state.problem = state.last_title = ""
            self._begin(case)

    @asynccontextmanager
    async def answered(self) -> AsyncGenerator[None, None]:
        """Wait for the answers of all strokes, and let nothing else be opened meanwhile."""
        async with self._opening:
            await self._session.answer_all()
            yield

    def _begin(self, case: str) -> None:
        """Bring back what there is of the image that was just opened."""
        others = ""
        if self._cases is not None:
            self._cases.current = ""
            others = self._cases.begin(case) if case else ""
        message = ""
        if self._autosave.begin(self._session):
            message = "Your earlier work on this image is back."
        elif case and self._cases is not None and self._cases.show_stored(self._session):
            message = "This is the segmentation that is stored with the case."
        if others:
            message = f"{others} has this case in work, too. {message}".strip()
        self._session.bench.message = message
        self._show_cases()

    def open_case(self, name: str) -> None:
        """Open a case of the list."""
        if name:
            create_task(self.told(self._open_case(name)))

    async def _open_case(self, name: str) -> None:
        cases = self._listed()
        await self.open(cases.image_of(name), name, case=name)

    def next_case(self) -> None:
        """Open the next case that is not accepted yet."""
        create_task(self.told(self._open_beside(1)))

    def previous_case(self) -> None:
        """Open the case before that is not accepted yet."""
        create_task(self.told(self._open_beside(-1)))

    async def _open_beside(self, step: int) -> None:
        name = self._listed().beside(step)
        if not name:
            side = "behind" if step > 0 else "in front of"
            raise InputError(f"There is no open case {side} this one.")
        await self._open_case(name)

    def save_case(self) -> None:
        """Store the segmentation of the open case beside its image."""
        create_task(self.told(self._save_case(accept=False)))

    def finish_case(self) -> None:
        """Store the segmentation and call the case accepted; or reopen an accepted case."""
        create_task(self.told(self._save_case(accept=True)))

    async def _save_case(self, *, accept: bool) -> None:
        cases = self._listed()
        async with self.answered():
            if accept and cases.is_accepted:
                cases.reopen()
                self._session.bench.message = "The case is in work again."
            else:
                path = cases.save(self._session, accept=accept)
                self._session.bench.message = f"Saved as {path.name}."
        self._session.changed = True
        self._show_cases()

    def _listed(self) -> Cases:
        if self._cases is None:
            raise InputError("No folder of cases is open.")
        return self._cases

    def _show_cases(self) -> None:
        if self._cases is not None:
            with self._state as state:
                state.cases = self._cases.listed()
                state.case_name = self._cases.current
                state.case_done = self._cases.is_accepted

    def open_last(self) -> None:
        """Go on with the image that was opened last."""
        last = self._autosave.last()
        if last is None:
            self.tell("The image that was opened last is not there any more.")
        else:
            create_task(self.told(self.open(*last)))

    async def told(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something; what goes wrong is one sentence in the page, and the whole in the log."""
        try:
            await work
        except DeepIGeoSError as error:
            self.tell(str(error))
        except Exception:
            _log.exception("Something in the page failed")
            self.tell("Something went wrong; nothing was changed. The log has the details.")

    def tell(self, problem: str) -> None:
        """Show a sentence about what went wrong."""
        _log.warning("%s", problem)
        with self._state as state:
            state.problem = problem

    def show_window(self, low: float, high: float) -> None:
        """Show intensities from black (low) to white (high)."""
        node = self._session.bench.volumeNode
        if node is not None:
            show_window(node, low, high)
