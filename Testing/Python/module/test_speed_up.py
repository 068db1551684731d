"""What runs is told in one line, and numba is offered once."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest


@pytest.fixture
def without_numba(desktop, module, monkeypatch):
    """A Slicer outside of its testing mode, without numba."""
    from DeepIGeoSPanel import speed_up

    desktop.testing = False
    find = importlib.util.find_spec
    monkeypatch.setattr(speed_up.sys, "platform", "linux")
    monkeypatch.setattr(
        speed_up, "_installed", lambda name: name != "numba" and find(name) is not None
    )


def test_what_runs_is_told_and_nothing_is_offered_in_tests(user):
    assert "PyTorch" in user.ui.runsLabel.text
    assert user.ui.offerRow.isHidden()


def test_numba_is_offered_with_size_and_effect_and_installed_beside_the_same_numpy(
    without_numba, user, desktop
):
    assert not user.ui.offerRow.isHidden()
    assert "64 MB" in user.ui.offerLabel.text
    assert "20 times faster" in user.ui.offerLabel.text
    assert "NumPy (slower)" in user.ui.runsLabel.text
    user.ui.offerInstallButton.click()
    assert desktop.installed == [f"numba>=0.60,<0.69 numpy=={np.__version__}"]
    assert user.ui.offerRow.isHidden()


def test_numba_is_offered_once(without_numba, user, module):
    from desktop.python_qt import KEPT

    user.ui.offerLaterButton.click()
    assert user.ui.offerRow.isHidden()
    again = module.DeepIGeoSWidget()
    KEPT.append(again)
    assert again.ui.offerRow.isHidden()
    again.cleanup()
