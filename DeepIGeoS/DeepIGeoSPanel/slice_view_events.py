"""Mouse events of the slice views, which come and go with the layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer


class SliceViewEvents:
    """Hands the events of all slice views on, between ``install`` and ``remove``."""

    def __init__(self, handlers: dict[str, Callable[..., Any]], priority: float) -> None:
        """Take what to do.

        Args:
            handlers: names of VTK events, and functions of the slice widget and its interactor.
            priority: the segment editor's own observers have 1.
        """
        self._handlers = handlers
        self._priority = priority
        self._observed = []
        self._layout: Any = None

    def install(self) -> None:
        """Follow the slice views of the layout, and of each one that is chosen later."""
        self.remove()
        self._layout = slicer.app.layoutManager()
        if self._layout is not None:
            self._layout.connect("layoutChanged(int)", self._onLayout)
            self._observeViews()

    def remove(self) -> None:
        """Let go of the views."""
        if self._layout is not None:
            self._layout.disconnect("layoutChanged(int)", self._onLayout)
            self._layout = None
        self._releaseViews()

    def keep(self, interactor: Any, event: object) -> None:
        """Keep an event, while it is handled, from all observers of lower priority."""
        for observed, observedEvent, tag in self._observed:
            if observed is interactor and observedEvent == event:
                interactor.GetCommand(tag).SetAbortFlag(1)

    def _onLayout(self, layout: int) -> None:
        self._releaseViews()
        self._observeViews()

    def _observeViews(self) -> None:
        for name in self._layout.sliceViewNames():
            widget = self._layout.sliceWidget(name)
            interactor = widget.sliceView().interactor()
            for event, handle in self._handlers.items():
                tag = interactor.AddObserver(
                    event,
                    lambda caller, event, widget=widget, handle=handle: handle(widget, caller),
                    self._priority,
                )
                self._observed.append((interactor, event, tag))

    def _releaseViews(self) -> None:
        for interactor, _event, tag in self._observed:
            interactor.RemoveObserver(tag)
        self._observed = []
