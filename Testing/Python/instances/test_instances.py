"""Objects: from cells to voxels, who owns a voxel, tables, and what a bundle finds."""

from __future__ import annotations

import csv
import dataclasses
import json
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from DeepIGeoSLib import Volume, load_bundle
from DeepIGeoSLib.bundles import BundleManifest
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.errors import Cancelled, InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.inputs.working_grid import GridSettings
from DeepIGeoSLib.instances import Instance, Instances, components, find_instances
from DeepIGeoSLib.instances.cells import pasted
from DeepIGeoSLib.instances.settling import Claim, settled
from DeepIGeoSLib.instances.table import rows_of, write_table
from DeepIGeoSLib.networks import INSTANCES, NetworkSettings
from DeepIGeoSLib.networks.mask_rcnn.objects import FoundObjects

SMALL = {"features": [8, 8, 12, 12, 16], "pyramid": 8, "hidden": 16, "kinds": ["cell", "debris"]}


def box(*parts: tuple[int, int]) -> Box:
    return tuple(slice(*part) for part in parts)


def test_cells_are_read_at_the_middle_of_each_voxel() -> None:
    cells = np.array([0.0, 1.0], dtype=np.float32).reshape(1, 1, 2)
    place, values = pasted(cells, (0, 1, 2), (1, 3, 6), shape=(1, 4, 10))
    assert place == box((0, 1), (1, 3), (2, 6))
    np.testing.assert_allclose(values[0], np.tile([0, 0.25, 0.75, 1], (2, 1)))
    place, values = pasted(
        cells, (0, 0, -2), (1, 1, 2), shape=(1, 1, 10)
    )  # reaches over the border
    assert place == box((0, 1), (0, 1), (0, 2))
    np.testing.assert_allclose(values[0, 0], [0.75, 1])
    assert pasted(cells, (0, 0, 2.6), (1, 1, 3.4), shape=(1, 1, 10)) is None  # holds no middle


def claim(score: float, place: Box, value: float = 0.9) -> Claim:
    shape = [part.stop - part.start for part in place]
    return Claim("", score, place, np.full(shape, value, dtype=np.float32))


def test_a_voxel_goes_to_the_object_that_claims_it_most() -> None:
    first = claim(0.9, box((0, 1), (0, 4), (0, 6)), 0.7)
    second = claim(0.8, box((0, 1), (0, 4), (4, 12)), 0.9)
    found = settled([first, second], (1, 4, 12))
    assert [one.voxels for one in found.found] == [16, 32]
    labels = found.labels()
    assert labels[0, 0].tolist() == [1] * 4 + [2] * 8
    assert found.found[0].box == box((0, 1), (0, 4), (0, 4))
    assert found.mask().sum() == 48


def test_an_object_found_twice_counts_once_and_touching_ones_stay_apart() -> None:
    once, again = box((0, 1), (0, 4), (0, 6)), box((0, 1), (0, 4), (1, 7))
    beside, faint = box((0, 1), (0, 4), (6, 12)), box((0, 1), (5, 6), (0, 4))
    claims = [claim(0.9, once), claim(0.8, again), claim(0.7, beside), claim(0.6, faint, 0.4)]
    found = settled(claims, (1, 6, 12))
    assert [one.score for one in found.found] == [0.9, 0.7]
    assert found.labels()[0, 0].tolist() == [1] * 6 + [2] * 6
    assert settled([], (1, 2, 3)).labels().tolist() == [[[0, 0, 0], [0, 0, 0]]]


def test_connected_parts_are_the_objects_of_a_mask() -> None:
    probability = np.zeros((3, 8, 8))
    probability[0, 0:2, 0:2] = 0.9
    probability[1, 2, 2] = 0.6  # hangs on by a corner
    probability[2, 6:8, 5:8] = 0.8
    probability[0, 7, 0] = 1.0
    found = components(probability, least_voxels=2)
    assert [one.voxels for one in found.found] == [5, 6]
    assert [round(one.score, 2) for one in found.found] == [0.84, 0.8]


def test_hundreds_of_objects_are_numbered_and_listed(tmp_path: Path) -> None:
    mask = np.zeros((1, 1), dtype=bool)[None] | True
    many = tuple(
        Instance(
            "cell", 1 - n / 1000, box((0, 1), (n // 30, n // 30 + 1), (n % 30, n % 30 + 1)), mask
        )
        for n in range(0, 600, 2)
    )
    found = Instances((1, 20, 30), many)
    volume = Volume(np.ones(found.shape), spacing=(2.0, 0.5, 0.5))
    for name in ("numbers.nii.gz", "numbers.seg.nrrd"):
        volume.write_numbers(tmp_path / name, found.labels())
    np.testing.assert_array_equal(volume.read_labels(tmp_path / "numbers.nii.gz"), found.labels())
    with pytest.raises(InputError, match="can't hold 70000 objects"):
        volume.write_numbers(tmp_path / "more.nii.gz", np.full(found.shape, 70000))
    rows = rows_of(found, volume.spacing)
    assert rows[1] == {
        "number": 2,
        "kind": "cell",
        "score": 0.998,
        "voxels": 1,
        "milliliters": 0.0005,
        "k": 0.0,
        "j": 0.0,
        "i": 2.0,
    }
    write_table(tmp_path / "table.csv", rows)
    with (tmp_path / "table.csv").open(newline="") as stream:
        read = list(csv.DictReader(stream))
    assert len(read) == 300
    assert read[-1]["number"] == "300"


class Painted:
    """Stands in for Mask R-CNN: it finds what it was told, wherever the image was padded."""

    def __init__(self, dimension: int, answers: list[FoundObjects]) -> None:
        self.dimension = dimension
        self.multiple_of = (16,) * dimension
        self.options = SimpleNamespace(kinds=("cell", "debris"))
        self.answers = answers
        self.seen: list[tuple[int, ...]] = []

    def to(self, device: object) -> Painted:
        return self

    def eval(self) -> Painted:
        return self

    def parameters(self):
        yield torch.zeros(1)

    def detect(self, x: torch.Tensor, least_score: float | None) -> list[FoundObjects]:
        self.seen.append(tuple(x.shape))
        return [self.answers[len(self.seen) - 1]]


def objects(*places: list[float], kind: int = 0, size: tuple[int, ...] = (4, 4)) -> FoundObjects:
    return FoundObjects(
        torch.tensor(places).reshape(len(places), -1),
        torch.linspace(0.9, 0.8, len(places)),
        torch.full((len(places),), kind),
        torch.ones(len(places), *size),
    )


@pytest.fixture
def manifest(tiny_bundle: Path) -> BundleManifest:
    """Of a bundle that finds objects."""
    return dataclasses.replace(
        load_bundle(tiny_bundle).manifest,
        name="cells",
        networks={INSTANCES: NetworkSettings("mask-rcnn", 2, dict(SMALL))},
        grid=GridSettings(minimum=(1.0, 1.0, 1.0), maximum=(1.0, 1.0, 1.0)),
        crf=None,
        region=None,
    )


def source(manifest: BundleManifest, network: object) -> SimpleNamespace:
    return SimpleNamespace(manifest=manifest, has_networks=True, network=lambda role: network)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(50, 100, shape).astype(np.float32)


def test_a_2d_network_finds_the_objects_of_each_slice_where_they_lie(
    manifest: BundleManifest,
) -> None:
    # 20 x 24 pixels are padded to 32 x 32: 6 rows before, 4 columns before.
    nothing = FoundObjects(torch.zeros(0, 4), *torch.zeros(2, 0), torch.zeros(0, 4, 4))
    answers = [objects([8.0, 5.0, 12.0, 9.0]), nothing, objects([6.0, 4, 9, 8], kind=1)]
    network = Painted(2, answers)
    volume = Volume(noise(3, 20, 24), ijk_to_ras=np.diag([-1.0, -1.0, 1.0, 1.0]))
    found = find_instances(source(manifest, network), volume)
    assert network.seen == [(1, 1, 32, 32)] * 3
    assert [(one.box, one.kind) for one in found.found] == [
        (box((0, 1), (2, 6), (1, 5)), "cell"),
        (box((2, 3), (0, 3), (0, 4)), "debris"),
    ]


@pytest.mark.parametrize("signs", [(-1, -1, 1), (1, 1, 1), (1, -1, -1)])
def test_objects_come_back_whatever_way_the_volume_is_stored(
    manifest: BundleManifest, signs: tuple[int, int, int]
) -> None:
    three = NetworkSettings("mask-rcnn", 3, dict(SMALL))
    manifest = dataclasses.replace(manifest, networks={INSTANCES: three})
    network = Painted(3, [objects([4.0, 6, 8, 8, 10, 20], size=(2, 4, 4))])
    volume = Volume(noise(16, 32, 32), ijk_to_ras=np.diag([*map(float, signs), 1.0]))
    (one,) = find_instances(source(manifest, network), volume).found
    wanted = []
    sizes = [(16, 4, 8), (32, 6, 10), (32, 8, 20)]
    for (size, start, stop), sign, own in zip(sizes, signs[::-1], (1, -1, -1), strict=True):
        wanted.append((start, stop) if sign == own else (size - stop, size - start))
    assert one.box == box(*wanted)
    assert one.mask.shape == (4, 4, 12)
    assert one.mask.all()


def test_a_coarser_working_grid_is_undone(manifest: BundleManifest) -> None:
    grid = GridSettings(minimum=(1.0, 2.0, 2.0), maximum=(1.0, 2.0, 2.0))
    manifest = dataclasses.replace(manifest, grid=grid)
    network = Painted(2, [objects([4.0, 6.0, 8.0, 10.0])])
    volume = Volume(noise(1, 64, 64), ijk_to_ras=np.diag([-1.0, -1.0, 1.0, 1.0]))
    (one,) = find_instances(source(manifest, network), volume).found
    assert network.seen == [(1, 1, 32, 32)]
    assert one.box == box((0, 1), (8, 16), (12, 20))


def test_a_stopped_search_finds_nothing(manifest: BundleManifest) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        find_instances(source(manifest, Painted(2, [])), Volume(noise(1, 32, 32)), cancel=stop)


def test_what_finds_nothing_by_itself_is_named(manifest: BundleManifest) -> None:
    with pytest.raises(InputError, match="geodesic finds nothing by itself"):
        find_instances(load_bundle("geodesic"), Volume(noise(1, 8, 8)))
    volumes = [Volume(noise(1, 8, 8))] * 2
    with pytest.raises(InputError, match=r"cells needs 1 channel\(s\).*2 were given"):
        find_instances(source(manifest, Painted(2, [])), volumes)


@pytest.fixture
def bundle(manifest: BundleManifest, tmp_path: Path) -> Path:
    """An untrained Mask R-CNN that finds nothing, as a bundle."""
    torch.manual_seed(0)
    settings = manifest.networks[INSTANCES]
    network = settings.build(INSTANCES)
    network.boxes.kinds.bias.data[0] = 50.0
    write_bundle(tmp_path / "cells", manifest, {INSTANCES: network}, card="# Cells\n")
    return tmp_path / "cells"


def test_no_object_at_all_is_an_empty_result(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    image, out, table = (tmp_path / name for name in ("a.nii.gz", "out.nii.gz", "objects.csv"))
    volume = Volume(noise(1, 20, 24))  # smaller than the strides
    volume.write_map(image, volume.array)
    arguments = ["segment", str(image), "--bundle", str(bundle), "--instances"]
    assert main([*arguments, "-o", str(out), "--table", str(table), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["objects"] == []
    assert not Volume.read(image).read_labels(out).any()
    assert table.read_text().splitlines() == ["number,kind,score,voxels,milliliters,k,j,i"]
    assert main([*arguments, "-o", str(out)]) == 0
    assert "no objects, 0.0 ml" in capsys.readouterr().out


def test_a_bundle_of_objects_segments_and_lets_strokes_correct(bundle: Path) -> None:
    from DeepIGeoSLib import InteractiveSession
    from DeepIGeoSLib.bundles import proposes

    assert proposes(bundle)
    session = InteractiveSession(load_bundle(bundle), device="cpu")
    session.set_volume(Volume(noise(2, 40, 40)))
    assert session.propose().probability.shape == (2, 40, 40)
    foreground = np.zeros((2, 40, 40), dtype=bool)
    foreground[1, 10:14, 10:14] = True
    refined = session.refine(foreground=foreground, background=np.zeros_like(foreground))
    assert refined.labels[foreground].all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--table", "t.csv"], "--table goes with --instances"),
        (["--score", "0.5"], "--score goes with --instances"),
        (["--instances", "--score", "2"], "--score is 2"),
        (["--instances", "--probability", "p.nii.gz"], "--probability does not go with"),
        (["--instances", "--crf"], "--crf does not go with"),
        (["--instances", "--engine", "openvino"], "engine torch"),
    ],
)
def test_options_that_do_not_go_together_are_named(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = str(tmp_path / "out.nii.gz")
    assert main(["segment", str(tmp_path / "none.nii.gz"), "-o", out, *options]) == 2
    assert message in capsys.readouterr().err
