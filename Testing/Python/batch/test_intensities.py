"""Images with other intensities than the training data are flagged; the others are not."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Volume, load_bundle
from DeepIGeoSLib.bundles.intensities import (
    KnownIntensities,
    intensities_are_unlike,
    known_intensities,
    signature_of,
)
from DeepIGeoSLib.errors import BundleError
from DeepIGeoSLib.inputs.normalization import NormalizationSettings


def head(tail: float, seed: int) -> np.ndarray:
    """Air, and tissue whose bright tail reaches so far."""
    random = np.random.default_rng(seed)
    voxels = np.zeros((12, 40, 40))
    tissue = random.normal(100, 10, (10, 30, 30))
    bright = random.random(tissue.shape) < 0.05
    tissue[bright] += 10 * tail * random.random(np.count_nonzero(bright))
    voxels[1:11, 5:35, 5:35] = tissue
    return voxels


def test_what_lies_within_the_training_data_is_like_it() -> None:
    settings = NormalizationSettings()
    signatures = [signature_of(head(tail, tail), settings) for tail in (4, 5, 6, 7, 8)]
    known = KnownIntensities.of(signatures)
    assert known.cases == 5
    assert not any(known.are_unlike(one) for one in signatures)
    assert not known.are_unlike(signature_of(head(6, 99), settings))
    # Ten times as bright is the same image, and so is one with an offset.
    assert not known.are_unlike(signature_of(10 * head(6, 99), settings))


def test_other_tails_another_share_of_tissue_and_inverted_contrast_are_unlike_it() -> None:
    settings = NormalizationSettings()
    known = KnownIntensities.of([signature_of(head(t, t), settings) for t in (4, 5, 6, 7, 8)])
    image = head(6, 99)
    assert known.are_unlike(signature_of(head(0, 1), settings))
    assert known.are_unlike(signature_of(image[1:11, 5:35, 5:35], settings))
    inverted = np.where(image > 0, 300 - image, 0)
    assert known.are_unlike(signature_of(inverted, settings))


@pytest.fixture
def knowing(tiny_bundle, tmp_path) -> Path:
    """A bundle that knows what it has learned from."""
    folder = shutil.copytree(tiny_bundle, tmp_path / "knowing")
    settings = load_bundle(folder).manifest.normalization
    known = KnownIntensities.of([signature_of(head(t, t), settings) for t in (4, 6, 8)])
    (folder / "intensities.json").write_text(json.dumps(known.__dict__))
    return folder


def test_a_bundle_says_what_it_knows_or_nothing(knowing, tiny_bundle) -> None:
    assert not intensities_are_unlike(head(6, 99), load_bundle(knowing))
    assert intensities_are_unlike(head(0, 1), load_bundle(knowing))
    assert known_intensities(load_bundle(tiny_bundle)) is None
    assert not intensities_are_unlike(head(0, 1), load_bundle(tiny_bundle))
    (knowing / "intensities.json").write_text('{"cases": 1, "low": [0], "high": [1]}')
    with pytest.raises(BundleError, match="5 numbers"):
        known_intensities(load_bundle(knowing))


def test_a_batch_run_flags_them(knowing, tmp_path) -> None:
    from DeepIGeoSLib.batch import Workers, run_batch

    (tmp_path / "in").mkdir()
    for name, tail in (("like", 6), ("unlike", 0)):
        voxels = head(tail, 99).astype(np.float32)
        Volume(voxels).write_map(tmp_path / "in" / f"{name}.nii.gz", voxels)
    result = run_batch(tmp_path / "in", tmp_path / "out", bundle=knowing, workers=Workers(count=0))
    flags = {record.name: record.flags for record in result.records}
    assert "intensities unlike the training data" in flags["unlike"]
    assert "intensities unlike the training data" not in flags["like"]


def test_real_heads_that_were_held_back_are_like_it_and_another_part_is_not(data) -> None:
    bundle = load_bundle("flair-whole-tumor")
    with (data / "splits.csv").open(newline="") as stream:
        held_back = [
            row["case"]
            for row in csv.DictReader(stream)
            if row["dataset"] == "lgg_flair_kaggle3m" and row["use"] == "val"
        ]
    folder = data / "lgg_flair_kaggle3m/cases"
    for name in held_back[:3]:
        array = Volume.read(folder / f"{name}_flair.nii.gz").array
        assert not intensities_are_unlike(array, bundle), name
    other = Volume.read(data / "msd_hippocampus/images/hippocampus_001.nii.gz")
    assert intensities_are_unlike(other.array, bundle)
