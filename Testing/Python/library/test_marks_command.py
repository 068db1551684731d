"""`deepigeos refine` takes clicks, boxes and outlines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.interaction.clicks import clicked

SHAPE = (9, 32, 40)
# Along no axis of the patient, and 3 mm between slices.
OBLIQUE = np.array(
    [[0.8, -0.6, 0.0, 12.0], [0.6, 0.8, 0.0, -7.0], [0.0, 0.0, 3.0, 5.0], [0.0, 0.0, 0.0, 1.0]]
)
BOX = (slice(2, 7), slice(8, 24), slice(10, 28))


@pytest.fixture
def case(tmp_path):
    k, j, i = np.ogrid[:9, :32, :40]
    ball = (3 * (k - 4)) ** 2 + (j - 16) ** 2 + (i - 19) ** 2 <= 36
    noise = np.random.default_rng(0).normal(0, 1, SHAPE)
    volume = Volume((100 * ball + noise).astype(np.float32), ijk_to_ras=OBLIQUE)
    volume.write_map(tmp_path / "image.nrrd", volume.array)
    return tmp_path


def refine(case, capsys, *arguments):
    out = str(case / "out.nrrd")
    words = ["refine", str(case / "image.nrrd"), "-o", out, "--bundle", "geodesic", *arguments]
    assert main([*words, "--json"]) == 0, capsys.readouterr().err
    return Volume.read(out).array > 0


def expected(case, **marks):
    session = InteractiveSession(load_bundle("geodesic"))
    session.set_volume(Volume.read(case / "image.nrrd"))
    return session.refine(**marks).labels > 0


def markups_file(case, **markup):
    path = case / "F.mrk.json"
    path.write_text(json.dumps({"markups": [markup]}))
    return str(path)


def ras(place):
    return (OBLIQUE @ [*place[::-1], 1])[:3]


def test_clicks_are_small_strokes(case, capsys):
    spacing = Volume.read(case / "image.nrrd").spacing
    inside = clicked(SHAPE, spacing, [(4, 16, 19), (3, 15, 18)])
    beside = clicked(SHAPE, spacing, [(4, 30, 19)])

    labels = refine(
        case, capsys, "--click", "4,16,19", "--click", "3,15,18", "--background-click", "4,30,19"
    )

    assert np.array_equal(labels, expected(case, foreground=inside, background=beside))


def test_points_of_slicer_are_clicks(case, capsys):
    position = (ras((4, 16, 19)) + 0.2).tolist()
    points = [{"position": position, "positionStatus": "defined"}]
    path = markups_file(case, type="Fiducial", coordinateSystem="RAS", controlPoints=points)

    with_file = refine(case, capsys, "--click", path)

    assert np.array_equal(with_file, refine(case, capsys, "--click", "4,16,19"))


def test_a_box_is_one(case, capsys):
    assert np.array_equal(refine(case, capsys, "--box", "2:7,8:24,10:28"), expected(case, box=BOX))


def test_a_roi_of_slicer_is_a_box(case, capsys):
    middle = ras([(part.start + part.stop - 1) / 2 for part in BOX])
    path = markups_file(
        case,
        type="ROI",
        coordinateSystem="RAS",
        center=middle.tolist(),
        orientation=(OBLIQUE[:3, :3] / [1, 1, 3]).ravel().tolist(),
        size=[18, 16, 15],
    )

    assert np.array_equal(refine(case, capsys, "--box", path), expected(case, box=BOX))


def test_clicks_that_touch_each_other_keep_their_middles(case, capsys):
    labels = refine(case, capsys, "--click", "4,16,19", "--background-click", "4,17,19")

    assert labels[4, 16, 19]
    assert not labels[4, 17, 19]


def test_outlines_count_as_their_areas_when_asked(case, capsys):
    ring = np.zeros(SHAPE, dtype=np.uint8)
    away = np.hypot(*np.ogrid[-16:16, -19:21])
    ring[4][(away > 3.5) & (away < 5)] = 1
    Volume.read(case / "image.nrrd").write_labels(case / "ring.nrrd", ring)
    disk = np.zeros(SHAPE, dtype=bool)
    disk[4] = away < 5

    labels = refine(case, capsys, "--seeds", str(case / "ring.nrrd"), "--outlines")

    assert np.array_equal(labels, expected(case, foreground=disk))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing is marked"),
        (["--click", "4,16"], "--click is '4,16'"),
        (["--background-click", "a,b,c"], "--background-click is 'a,b,c'"),
        (["--click", "4,16,99"], "is not in the volume"),
        (["--box", "1:2,3:4"], "--box is '1:2,3:4'"),
        (["--box", "1:2,3:4,5"], "--box is"),
        (["--box", "5:2,3:4,5:9"], "holds no voxel"),
        (["--box", "50:52,3:4,5:9"], "outside of the volume"),
        (["--box", "no.mrk.json"], "no.mrk.json can't be read"),
    ],
)
def test_marks_that_make_no_sense_are_named(case, capsys, words, said):
    out = case / "out.nrrd"

    code = main(
        ["refine", str(case / "image.nrrd"), "-o", str(out), "--bundle", "geodesic", *words]
    )

    assert code == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
