"""Answers that lean to the class of the newest strokes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.interaction.boldness import emboldened
from DeepIGeoSLib.interaction.requested_changes import Request
from DeepIGeoSLib.interaction.scribbles import Interactions

BOLD = InteractionSettings(boldness=1.5, boldness_reach=8.0, max_distance=32.0)
MILLIMETERS = np.array([0.0, 4.0, 8.0, 32.0], dtype=np.float32)


def leaning(answer: float, *, adds: bool, removes: bool) -> np.ndarray:
    """Return the log-odds that four voxels gain at these distances from both classes."""
    maps = np.stack([MILLIMETERS[::-1], MILLIMETERS])[:, None, None] / np.float32(32)
    given = np.full((1, 1, 4), answer, dtype=np.float32)
    request = Request(adds=adds, removes=removes, erases=False)
    found = emboldened(given, maps, request, settings=BOLD).ravel().astype(float)
    return np.log(found / (1 - found)) - np.log(answer / (1 - answer))


def test_log_odds_are_shifted_by_a_bell_of_the_distance() -> None:
    bell = 1.5 * np.exp(-((MILLIMETERS / 8.0) ** 2))
    for answer in (0.1, 0.5, 0.8):
        added, removed = (leaning(answer, adds=adds, removes=not adds) for adds in (True, False))
        np.testing.assert_allclose(added, bell, atol=1e-4)
        np.testing.assert_allclose(removed, -bell[::-1], atol=1e-4)
        both = leaning(answer, adds=True, removes=True)
        np.testing.assert_allclose(both, bell - bell[::-1], atol=1e-4)


def test_certain_answers_stay_finite() -> None:
    maps = np.zeros((2, 1, 1, 2), dtype=np.float32)
    answer = np.array([[[0.0, 1.0]]], dtype=np.float32)
    found = emboldened(answer, maps, Request(adds=True, removes=False, erases=False), settings=BOLD)
    assert np.isfinite(found).all()
    assert found[0, 0, 0] < 0.01
    assert found[0, 0, 1] > 0.99


def test_scribbles_on_some_voxels_alone() -> None:
    every = Interactions((2, 3, 4)).updated(np.array([1, 5, 9]), np.array([2, 7]))
    some = every.among(np.array([2, 5, 6, 9]))
    assert some.foreground.tolist() == [5, 9]
    assert some.background.tolist() == [2]


@pytest.mark.parametrize("settings", [{"boldness": -1.0}, {"boldness_reach": 0.0}])
def test_values_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(InputError, match=next(iter(settings))):
        InteractionSettings(**settings)


def test_a_bold_bundle_adds_and_removes_more_but_only_at_the_newest_strokes(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    """Everything that a bold bundle changes beyond a shy one lies near the stroke of that round."""
    image = np.zeros((8, 40, 40), dtype=np.float32)
    image[2:6, 8:32, 8:32] = 1.0
    image += np.random.default_rng(0).normal(0, 0.02, image.shape).astype(np.float32)
    volume = Volume(image, spacing=(2.0, 1.0, 1.0))
    bundle = load_bundle(tiny_bundle)
    usual = bundle.manifest.interactions
    changed = {}
    for boldness in (0.0, 3.0):
        settings = dataclasses.replace(usual, boldness=boldness, boldness_reach=3.0)
        manifest = dataclasses.replace(bundle.manifest, interactions=settings)
        session = InteractiveSession(dataclasses.replace(bundle, manifest=manifest))
        session.set_volume(volume)
        first, second = np.zeros((2, *image.shape), dtype=bool)
        first[3, 12:15, 12:15] = True
        second[4, 26:29, 26:29] = True
        before = session.refine(foreground=first)
        after = session.refine(foreground=first, background=second)
        assert after.labels[first].all()
        assert not after.labels[second].any()
        changed[boldness] = before.probability, after.probability
    shy, bold = changed[0.0], changed[3.0]
    assert (bold[0] >= shy[0] - 1e-6).all()
    assert bold[0].sum() > shy[0].sum()
    k, j, i = np.indices(image.shape)
    far = np.sqrt((2 * (k - 3)) ** 2 + (j - 13) ** 2 + (i - 13) ** 2) > 14
    np.testing.assert_allclose(bold[0][far], shy[0][far], atol=1e-3)
