"""A session with several targets: proposals by name, rounds of one, and what neighbors keep."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.bundles import BundleError

from .conftest import BESIDE


def stroke(head: Volume, *parts: slice) -> np.ndarray:
    mask = np.zeros(head.shape, dtype=bool)
    mask[parts] = True
    return mask


def test_every_target_is_proposed_by_its_name(
    beside: InteractiveSession, rim: np.ndarray, core: np.ndarray
) -> None:
    proposals = beside.propose_all()
    assert list(proposals) == ["rim", "core"] == list(beside.targets)
    assert [proposal.target for proposal in proposals.values()] == ["rim", "core"]
    np.testing.assert_array_equal(proposals["rim"].labels > 0, rim)
    np.testing.assert_array_equal(proposals["core"].labels > 0, core)


def test_targets_in_each_other_overlap(
    nested: InteractiveSession, rim: np.ndarray, core: np.ndarray
) -> None:
    proposals = nested.propose_all()
    np.testing.assert_array_equal(proposals["whole"].labels > 0, rim | core)
    np.testing.assert_array_equal(proposals["core"].labels > 0, core)


def test_one_target_is_proposed_as_ever(tiny_bundle: Path, head: Volume) -> None:
    session = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    session.set_volume(head)
    assert session.targets == ("",)
    (alone,) = session.propose_all().values()
    np.testing.assert_array_equal(alone.probability, session.propose().probability)
    with pytest.raises(InputError, match="tiny has no target 'rim'"):
        session.target = "rim"


def test_strokes_refine_the_chosen_target_alone(
    beside: InteractiveSession, head: Volume, core: np.ndarray
) -> None:
    before = {name: result.labels for name, result in beside.propose_all().items()}
    beside.target = "core"
    background = stroke(head, slice(4, 5), slice(13, 16), slice(15, 18))
    refined = beside.refine(background=background)
    assert refined.target == "core"
    assert (refined.labels[background] == 0).all()
    beside.target = "rim"
    np.testing.assert_array_equal(beside.current.labels, before["rim"])
    assert not beside.scribbles[1].any()
    beside.target = "core"
    np.testing.assert_array_equal(beside.undo().labels > 0, core)


def test_neighbors_keep_their_voxels_but_those_that_strokes_mark(
    beside: InteractiveSession, head: Volume, rim: np.ndarray, core: np.ndarray
) -> None:
    beside.propose_all()
    beside.target = "core"
    marked = stroke(head, slice(4, 5), slice(14, 17), slice(10, 12))
    assert rim[marked].all()
    refined = beside.refine(foreground=marked).labels > 0
    np.testing.assert_array_equal(refined, core | marked)
    beside.target = "rim"
    np.testing.assert_array_equal(beside.current.labels > 0, rim & ~marked)
    beside.target = "core"
    beside.undo()
    beside.target = "rim"
    np.testing.assert_array_equal(beside.current.labels > 0, rim)
    beside.target = "core"
    beside.redo()
    beside.target = "rim"
    np.testing.assert_array_equal(beside.current.labels > 0, rim & ~marked)


def test_neighbors_give_way_or_overlap_where_it_is_asked(
    beside: InteractiveSession, head: Volume, rim: np.ndarray
) -> None:
    marked = stroke(head, slice(4, 5), slice(14, 17), slice(10, 12))
    results = {}
    for rule in ("keep", "give way", "overlap"):
        beside.reset()
        beside.propose_all()
        beside.target = "core"
        own = beside.refine(foreground=marked, neighbors=rule).labels > 0
        beside.target = "rim"
        results[rule] = own, beside.current.labels > 0
    grown, left = results["give way"]
    assert grown.sum() > results["keep"][0].sum()
    assert not (grown & left).any()
    np.testing.assert_array_equal(left, rim & ~grown)
    overlapping, whole = results["overlap"]
    np.testing.assert_array_equal(overlapping, grown)
    np.testing.assert_array_equal(whole, rim)
    with pytest.raises(InputError, match="neighbors is 'push'"):
        beside.refine(foreground=marked, neighbors="push")


def test_a_first_stroke_begins_all_targets(
    beside: InteractiveSession, head: Volume, rim: np.ndarray
) -> None:
    beside.target = "core"
    marked = stroke(head, slice(4, 5), slice(14, 17), slice(10, 12))
    beside.refine(foreground=marked)
    beside.target = "rim"
    np.testing.assert_array_equal(beside.current.labels > 0, rim & ~marked)


def test_targets_in_each_other_take_nothing_from_each_other(
    nested: InteractiveSession, head: Volume, rim: np.ndarray, core: np.ndarray
) -> None:
    nested.propose_all()
    nested.target = "core"
    marked = stroke(head, slice(4, 5), slice(14, 17), slice(10, 12))
    assert nested.refine(foreground=marked).labels[marked].all()
    nested.target = "whole"
    np.testing.assert_array_equal(nested.current.labels > 0, rim | core)


def test_a_session_of_its_own_goes_on_with_one_target(
    beside: InteractiveSession, core: np.ndarray
) -> None:
    proposal = beside.propose_all()["core"]
    own = beside.for_target("core")
    assert own.current is None
    own.adopt(proposal.probability)
    np.testing.assert_array_equal(own.current.labels > 0, core)
    own.edit(~core)
    nothing = np.zeros(core.shape, dtype=bool)
    np.testing.assert_array_equal(own.adopt(proposal.probability, nothing).labels > 0, ~core)
    with pytest.raises(InputError, match="The probability has the shape"):
        own.adopt(proposal.probability[1:])
    beside.target = "core"
    np.testing.assert_array_equal(beside.current.labels > 0, core)


def test_bundles_name_their_targets(bundle_of, tmp_path: Path) -> None:
    folder = bundle_of(BESIDE)
    manifest = load_bundle(folder).manifest
    assert manifest.targets == BESIDE
    assert manifest.format_version == 3
    mapping = json.loads((folder / "bundle.json").read_text())
    assert mapping["targets"][0] == {"name": "rim", "classes": [1], "color": [200, 10, 20]}
    for targets, sentence in (
        ([{"name": "rim", "classes": [1, 2]}, {"name": "x", "classes": [2, 3]}], "share some"),
        ([{"name": "a\x1b[2J"}], "no text"),
        ([{"name": "rim", "classes": [1]}], "does not hold the weights"),
    ):
        broken = tmp_path / f"broken-{sentence[:5].strip()}"
        broken.mkdir()
        for path in folder.iterdir():
            (broken / path.name).write_bytes(path.read_bytes())
        (broken / "bundle.json").write_text(json.dumps({**mapping, "targets": targets}))
        with pytest.raises(BundleError, match=sentence):
            load_bundle(broken).network("pnet")


def test_bundles_of_older_formats_have_one_target(tiny_bundle: Path, tmp_path: Path) -> None:
    mapping = json.loads((tiny_bundle / "bundle.json").read_text())
    del mapping["targets"]
    mapping["format_version"] = 2
    for path in tiny_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "bundle.json").write_text(json.dumps(mapping))
    assert load_bundle(tmp_path).manifest.targets == ()
