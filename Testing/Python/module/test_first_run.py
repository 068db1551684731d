"""The first run in a process that really has neither PyTorch nor safetensors."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent

FIRST_RUN = """
    import sys

    for name in ("torch", "safetensors"):
        sys.modules[name] = None  # as if it were not installed
    sys.path[:0] = {folders!r}

    from pathlib import Path

    import pytest
    from desktop import application
    from desktop.python_qt import KEPT
    from desktop.user import LESION, User, head
    from DeepIGeoSLib.scene import startSlicer

    startSlicer()
    import slicer

    with pytest.MonkeyPatch.context() as patch:
        desktop = application.install(patch, Path({folder!r}) / "Slicer.ini")
        desktop.testing = False
        from DeepIGeoS import DeepIGeoSWidget

        slicer.util.addVolumeFromArray(head(), name="flair")
        widget = DeepIGeoSWidget()
        KEPT.append(widget)
        widget.enter()
        user = User(widget)
        assert user.ui.bundleSelector.currentText.startswith("flair-whole-tumor")
        assert "MB" in user.ui.bundleInfoLabel.text
        for button in ("segmentButton", "missingButton"):
            user.click(button)
            assert "install the extension PyTorch" in user.status, user.status
        assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
        user.choose("bundleSelector", "No model: from your strokes alone")
        inside = (slice(5, 6), slice(10, 12), slice(12, 17))
        user.stroke(inside)
        user.stroke((slice(4, 7), slice(20, 22), slice(4, 27)), "tooMuchButton")
        assert user.content()[inside].all(), user.status
        assert desktop.questions == desktop.installed == []
        widget.cleanup()
    print("done")
"""


def test_without_pytorch_the_panel_opens_advises_and_works_from_strokes(root, stand_in, tmp_path):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    folders = [str(root / "DeepIGeoS"), str(HERE), str(root)]
    code = textwrap.dedent(FIRST_RUN).format(folders=folders, folder=str(tmp_path))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("done")
