"""Answers that lean to the class of the newest strokes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.interaction import rounds
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


def bright_box() -> Volume:
    image = np.zeros((8, 40, 40), dtype=np.float32)
    image[2:6, 8:32, 8:32] = 1.0
    image += np.random.default_rng(0).normal(0, 0.02, image.shape).astype(np.float32)
    return Volume(image, spacing=(2.0, 1.0, 1.0))


def session_of(folder: Path, volume: Volume, boldness: float) -> InteractiveSession:
    """Return a session with a bundle that leans so much, over 3 mm."""
    bundle = load_bundle(folder)
    usual = bundle.manifest.interactions
    settings = dataclasses.replace(usual, boldness=boldness, boldness_reach=3.0)
    manifest = dataclasses.replace(bundle.manifest, interactions=settings)
    session = InteractiveSession(dataclasses.replace(bundle, manifest=manifest))
    session.set_volume(volume)
    return session


def millimeters_from(place: tuple[int, int, int], volume: Volume) -> np.ndarray:
    away = np.indices(volume.shape) - np.array(place).reshape(3, 1, 1, 1)
    return np.sqrt(((away * np.array(volume.spacing).reshape(3, 1, 1, 1)) ** 2).sum(axis=0))


@pytest.mark.parametrize("label", ["foreground", "background"])
def test_a_bold_bundle_goes_further_with_a_stroke_but_only_near_it(
    tiny_bundle: Path, label: str
) -> None:
    volume = bright_box()
    adds = label == "foreground"
    initial = np.zeros(volume.shape, dtype=np.float32)
    if not adds:
        initial[2:6, 8:32, 8:32] = 1
    stroke = np.zeros(volume.shape, dtype=bool)
    stroke[3, 12:15, 12:15] = True
    shy, bold = (
        session_of(tiny_bundle, volume, boldness).refine(initial=initial, **{label: stroke})
        for boldness in (0.0, 3.0)
    )
    assert (bold.labels[stroke] == adds).all()
    further = (bold.probability - shy.probability) * (1 if adds else -1)
    assert (further >= -1e-3).all()
    assert further.sum() > 1
    assert np.abs(further[millimeters_from((3, 13, 13), volume) > 14]).max() < 1e-3


def test_older_strokes_lean_no_further(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer leans by distances that are 0 on the newest stroke and on no other."""
    volume = bright_box()
    on_strokes = []

    def spied(answer: np.ndarray, maps: np.ndarray, *rest: object, **options: object) -> np.ndarray:
        on_strokes.append(int((maps[1] == 0).sum()))
        return emboldened(answer, maps, *rest, **options)

    monkeypatch.setattr(rounds, "emboldened", spied)
    first, second = np.zeros((2, *volume.shape), dtype=bool)
    first[3, 14:16, 14:16] = True
    second[3, 20:23, 20:23] = True
    session = session_of(tiny_bundle, volume, 3.0)
    session.refine(foreground=first)
    count = len(on_strokes)
    session.refine(foreground=first | second)
    assert set(on_strokes[:count]) == {first.sum()}
    assert set(on_strokes[count:]) == {second.sum()}
