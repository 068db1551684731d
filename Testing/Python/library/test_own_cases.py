"""Learning from one's own cases, in a process of its own."""

from __future__ import annotations

import csv
import itertools
import json
import time
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, load_bundle
from DeepIGeoSLib.networks import ARCHITECTURES
from DeepIGeoSLib.samples.phantom import head_phantom
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.own_cases import LearningFolder
from DeepIGeoSLib.training.own_run import LearningRun


@pytest.fixture
def gathered(tmp_path: Path) -> LearningFolder:
    """Three small phantoms to learn from."""
    folder = LearningFolder(tmp_path / "learning")
    for seed in range(3):
        volume, lesion = head_phantom((8, 32, 28), (12.0, 6.0, 6.0), seed)
        folder.add("my head", volume, lesion)
    return folder


def test_cases_get_names_of_their_own_and_are_written_exactly(gathered):
    from DeepIGeoSLib import Volume

    assert gathered.names == ["my-head", "my-head-2", "my-head-3"]
    volume, lesion = head_phantom((8, 32, 28), (12.0, 6.0, 6.0), 1)
    written = Volume.read(gathered.folder / "cases/my-head-2.nii.gz")
    np.testing.assert_array_equal(written.array, volume.array)
    assert written.same_grid(volume)
    labels = written.read_labels(gathered.folder / "cases/my-head-2_seg.nii.gz")
    np.testing.assert_array_equal(labels > 0, lesion)


def test_a_folder_of_pairs_is_added_whole_or_not_at_all(gathered, tmp_path):
    other = LearningFolder(tmp_path / "other")
    assert sorted(other.add_folder(gathered.folder / "cases")) == gathered.names
    gathered.remove("my-head")
    assert gathered.names == ["my-head-2", "my-head-3"]
    with pytest.raises(InputError, match="has no pair"):
        other.add_folder(tmp_path)


def test_an_empty_segment_is_refused(gathered):
    volume, lesion = head_phantom((8, 32, 28), (12.0, 6.0, 6.0))
    with pytest.raises(InputError, match="nothing to learn from"):
        gathered.add("empty", volume, lesion & False)


def test_what_can_not_be_configured_is_explained(gathered, tiny_bundle, tmp_path):
    with pytest.raises(InputError, match="letters, digits"):
        gathered.configure(str(tiny_bundle), "a/b", 2)
    few = LearningFolder(tmp_path / "few")
    with pytest.raises(InputError, match="at least 2"):
        few.configure(str(tiny_bundle), "few", 2)


def test_one_head_in_four_is_kept_aside(gathered, tiny_bundle):
    gathered.configure(str(tiny_bundle), "mine", 2)
    rows = (gathered.folder / "splits.csv").read_text().split()
    assert [row.rpartition(",")[2] for row in rows[1:]] == ["train", "val", "train"]


def uses_of(folder: LearningFolder) -> dict[str, str]:
    with (folder.folder / "splits.csv").open(encoding="utf-8") as stream:
        return {row["case"]: row["use"] for row in csv.DictReader(stream)}


@pytest.mark.parametrize("order", sorted(set(itertools.permutations("abbbc"))))
def test_cases_of_one_head_stay_on_one_side(tmp_path, tiny_bundle, order):
    heads = {
        name: head_phantom((8, 32, 28), (12.0, 6.0, 6.0), seed) for seed, name in enumerate("abc")
    }
    folder, names = LearningFolder(tmp_path / "learning"), {}
    for number, head in enumerate(order):
        volume, lesion = heads[head]
        names[folder.add(f"{number} case", volume, np.roll(lesion, number, 2))] = head
    folder.configure(str(tiny_bundle), "mine", 2)
    sides = {names[case]: use for case, use in uses_of(folder).items()}
    assert uses_of(folder) == {case: sides[head] for case, head in names.items()}
    assert sorted(sides.values()) == ["train", "train", "val"]


def test_an_image_stored_in_another_order_is_the_same_head(gathered, tiny_bundle):
    from DeepIGeoSLib import Volume

    volume, lesion = head_phantom((8, 32, 28), (12.0, 6.0, 6.0), 1)
    turned = volume.ijk_to_ras @ np.array(
        [[-1, 0, 0, 27], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )
    other = Volume(volume.array[:, :, ::-1], ijk_to_ras=turned)
    name = gathered.add("turned", other, lesion[:, :, ::-1])
    gathered.configure(str(tiny_bundle), "mine", 2)
    assert uses_of(gathered)[name] == uses_of(gathered)["my-head-2"] == "val"


def test_lesions_of_one_head_alone_are_too_few(tmp_path, tiny_bundle):
    folder = LearningFolder(tmp_path / "learning")
    volume, lesion = head_phantom((8, 32, 28), (12.0, 6.0, 6.0))
    for _ in range(3):
        folder.add("head", volume, lesion)
    with pytest.raises(InputError, match="All 3 cases are of one image"):
        folder.configure(str(tiny_bundle), "mine", 2)


def test_cases_of_an_earlier_version_have_heads_as_well(gathered, tiny_bundle):
    for path in (gathered.folder / "cases").glob("*.sha256"):
        path.unlink()
    gathered.configure(str(tiny_bundle), "mine", 2)
    assert list(uses_of(gathered).values()) == ["train", "val", "train"]


def waited(run: LearningRun) -> LearningRun:
    end = time.monotonic() + 300
    while run.running:
        assert time.monotonic() < end, "still training"
        time.sleep(0.2)
    return run


@pytest.mark.slow
def test_a_run_ends_in_a_bundle_and_a_comparison(gathered, tiny_bundle):
    path = gathered.configure(str(tiny_bundle), "mine", 2)
    mapping = json.loads(path.read_text())
    mapping["optimization"]["threads"] = 1
    path.write_text(json.dumps(mapping))
    run = waited(LearningRun(path, str(tiny_bundle)))
    assert run.problem is None
    assert load_bundle(run.bundle).manifest.name == "mine"
    (row,) = run.comparison
    assert row.case == "my-head-2"
    assert 0 <= row.after <= 1
    assert 0 <= row.before <= 1
    assert len(run.losses) >= 1
    assert run.progress[0] == 1
    with pytest.raises(InputError, match="a model 'mine' already"):
        gathered.configure(str(tiny_bundle), "mine", 2)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_new_network_of_each_architecture_is_configured(gathered, tiny_bundle, architecture):
    path = gathered.configure(str(tiny_bundle), "mine", 2, architecture=architecture)
    settings = read_config(path)
    assert settings.network.architecture == architecture
    assert settings.network.dimension == 3
    assert settings.task == ("instances" if architecture == "mask-rcnn" else "both")


def test_images_of_few_slices_are_seen_slice_by_slice(gathered, tiny_bundle):
    volume, lesion = head_phantom((4, 32, 28), (12.0, 6.0, 6.0), 7)
    gathered.add("thin", volume, lesion)
    settings = read_config(gathered.configure(str(tiny_bundle), "mine", 2, architecture="unet"))
    assert settings.network.dimension == 2
    assert settings.optimization.crop == (1, 32, 32)


def test_an_architecture_that_does_not_exist_is_refused(gathered, tiny_bundle):
    with pytest.raises(InputError, match="no architecture 'v-net'"):
        gathered.configure(str(tiny_bundle), "mine", 2, architecture="v-net")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["multi-scale", "mask-rcnn"])
def test_a_new_network_learns_without_a_model(gathered, architecture):
    path = gathered.configure("geodesic", "mine", 2, architecture=architecture)
    run = waited(LearningRun(path, "geodesic"))
    assert run.problem is None
    manifest = load_bundle(run.bundle).manifest
    assert {network.architecture for network in manifest.networks.values()} == {architecture}
    (row,) = run.comparison
    assert row.before is None
    assert 0 <= row.after <= 1
    assert run.losses


@pytest.mark.slow
def test_cancel_ends_the_process_and_leaves_nothing(gathered, tiny_bundle):
    run = LearningRun(gathered.configure(str(tiny_bundle), "mine", 1000), str(tiny_bundle))
    run.cancel()
    assert not run.running
    assert run.problem is None
    assert run.bundle is None
    assert not run.folder.exists()


@pytest.mark.slow
def test_a_failed_run_says_why(gathered, tiny_bundle):
    path = gathered.configure(str(tiny_bundle), "mine", 2)
    (gathered.folder / "cases/my-head_seg.nii.gz").unlink()
    run = waited(LearningRun(path, str(tiny_bundle)))
    assert "my-head" in run.problem
    assert run.bundle is None
