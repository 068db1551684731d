"""A user in front of the panel."""

from __future__ import annotations

import time

import numpy as np

from .event_loop import run_until

SHAPE = (10, 28, 32)  # (k, j, i)
LESION = (slice(4, 7), slice(8, 16), slice(10, 20))


def head():
    """Return the voxels of a noisy head with a bright lesion."""
    voxels = np.zeros(SHAPE, np.int16)
    inside = (slice(1, 9), slice(2, 26), slice(2, 30))
    voxels[inside] = np.random.default_rng(7).normal(100, 4, SHAPE)[inside]
    voxels[LESION] = 160
    return voxels


class User:
    """What a user does and sees."""

    def __init__(self, widget):
        self.widget, self.ui, self.panel = widget, widget.ui, widget.panel

    @property
    def status(self):
        return self.ui.statusLabel.text

    def click(self, name, wait=True):
        button = getattr(self.ui, name)
        assert button.isEnabled(), f"{name} is disabled"
        button.click()
        if wait:
            self.wait()

    def stroke(self, box, name="missingButton", wait=True):
        self.click(name, wait=False)
        self.ui.seedEditor.stroke(box)
        if wait:
            self.wait()

    def wait(self):
        """Let the event loop run, as the application does, until nothing is computed any more."""
        begun = time.monotonic()

        def idle():
            # Long enough for the panel's timer to tick twice, and so to begin what it has noticed.
            return time.monotonic() - begun > 0.12 and not self.panel.workbench.busy

        run_until(idle)

    def content(self, segment_id=None):
        from DeepIGeoSLib.scene.nodes import maskFromSegment

        bench = self.panel.workbench
        return maskFromSegment(
            bench.volumeNode, bench.segmentationNode, segment_id or bench.segmentId
        )

    def choose(self, selector, text):
        box = getattr(self.ui, selector)
        index = box.findText(text)
        assert index >= 0, f"{selector} has no {text!r}"
        box.setCurrentIndex(index)
        box.activated.emit(index)
