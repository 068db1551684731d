"""The scripted module outside of Slicer: a real scene, real Qt widgets, a stand-in for the rest."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE_FOLDER = ROOT / "DeepIGeoS"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def stand_in() -> Any:
    """The imitated application, or a skip where Qt can't be loaded."""
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    try:
        from PySide6 import QtWidgets  # noqa: F401
    except ImportError as error:
        pytest.skip(f"PySide6 can't be loaded: {error}")
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    from desktop import application

    return application


@pytest.fixture
def desktop(
    running_slicer: Any, stand_in: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    """The application around the scene: see ``desktop.application.Desktop``."""
    running_slicer.scene.Clear(0)
    yield stand_in.install(monkeypatch, tmp_path / "Slicer.ini")
    running_slicer.scene.Clear(0)


@pytest.fixture
def module(desktop: Any, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module file, executed as Slicer does."""
    monkeypatch.syspath_prepend(str(MODULE_FOLDER))
    for name in list(sys.modules):  # a copy: threads of earlier tests may still import
        if name.partition(".")[0] == "DeepIGeoSPanel":
            monkeypatch.delitem(sys.modules, name)
    specification = importlib.util.spec_from_file_location(
        "DeepIGeoS", MODULE_FOLDER / "DeepIGeoS.py"
    )
    loaded = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "DeepIGeoS", loaded)
    specification.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def volume_node(desktop):
    """A head with a bright lesion, in the scene before the panel is opened."""
    import slicer
    from desktop.user import head

    return slicer.util.addVolumeFromArray(head(), ijkToRAS=np.diag([1, 1, 3, 1.0]), name="flair")


@pytest.fixture
def head(stand_in):
    """The voxels of a noisy head with a bright lesion."""
    from desktop.user import head

    return head()


@pytest.fixture
def lesion():
    from desktop.user import LESION, SHAPE

    mask = np.zeros(SHAPE, bool)
    mask[LESION] = True
    return mask


@pytest.fixture
def widget(module, desktop, tiny_bundle, monkeypatch):
    """The opened panel, with the tiny model."""
    from DeepIGeoSLib import bundles

    monkeypatch.setattr(bundles, "list_bundles", lambda: [str(tiny_bundle)])
    from desktop.python_qt import KEPT

    widget = module.DeepIGeoSWidget()
    KEPT.append(widget)
    widget.enter()
    widget.parent.isEntered = True
    desktop.widgets["DeepIGeoS"] = widget
    yield widget
    desktop.widgets["DeepIGeoS"].cleanup()


@pytest.fixture
def user(widget):
    """Whoever sits in front of it."""
    from desktop.user import User

    return User(widget)


@pytest.fixture
def hold(user):
    """Keep the worker from starting anything until the event is set."""
    release, begun = threading.Event(), threading.Event()
    user.panel._worker.submit(lambda: (begun.set(), release.wait(20)))
    begun.wait(20)
    yield release
    release.set()
