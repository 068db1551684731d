"""Benchmarks are worth having without their pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from DeepIGeoSLib.benchmarks import geodesic_plot, interaction_plot


@pytest.mark.parametrize("module", [geodesic_plot, interaction_plot])
def test_without_matplotlib_nothing_is_drawn_and_it_is_said(
    module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("DeepIGeoSLib.benchmarks.drawing.find_spec", lambda name: None)
    module.plot({"cases": [{}]}, tmp_path / "plot.png")
    assert not list(tmp_path.iterdir())
    assert "matplotlib is not installed" in caplog.text
