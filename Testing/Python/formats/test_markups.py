"""Markups files of Slicer: points and boxes, whichever axes they count along."""

from __future__ import annotations

import json

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.markups import read_points, read_roi


def written(folder, *markups):
    path = folder / "F.mrk.json"
    path.write_text(json.dumps({"markups": list(markups)}))
    return path


def points(axes, *positions):
    control = [{"position": position, "positionStatus": "defined"} for position in positions]
    control.append({"position": [0, 0, 0], "positionStatus": "undefined"})
    return {"type": "Fiducial", "coordinateSystem": axes, "controlPoints": control}


ROI = {
    "type": "ROI",
    "coordinateSystem": "LPS",
    "center": [10, 20, 30],
    "orientation": [0, -1, 0, 1, 0, 0, 0, 0, 1],  # its first axis runs along P
    "size": [4, 6, 8],
}


def test_points_are_ras_and_only_those_that_were_placed(tmp_path):
    assert read_points(written(tmp_path, points("LPS", [1, 2, 3]))).tolist() == [[-1, -2, 3]]
    assert read_points(written(tmp_path, points("RAS", [1, 2, 3]))).tolist() == [[1, 2, 3]]


def test_a_turned_box_has_its_corners(tmp_path):
    corners = read_roi(written(tmp_path, ROI, points("LPS", [1, 2, 3])))

    assert corners.shape == (8, 3)
    assert np.allclose(corners.min(axis=0), [-13, -22, 26])
    assert np.allclose(corners.max(axis=0), [-7, -18, 34])


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ({**ROI, "size": [1, 2]}, "3 numbers are expected"),
        ({**ROI, "center": ["a", 1, 2]}, "3 numbers are expected"),
        ({**ROI, "coordinateSystem": "IJK"}, "LPS and RAS are known"),
        (points("LPS"), "0 ROI boxes"),
    ],
)
def test_a_box_that_makes_no_sense_is_named(tmp_path, markup, words):
    with pytest.raises(InputError, match=words):
        read_roi(written(tmp_path, markup))


@pytest.mark.parametrize("text", ["", "[]", '{"markups": 3}', '{"markups": [1]}'])
def test_other_files_are_named(tmp_path, text):
    path = tmp_path / "F.mrk.json"
    path.write_text(text)

    with pytest.raises(InputError, match="is no markups file"):
        read_points(path)


def test_missing_files_and_files_without_points_are_named(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        read_points(tmp_path / "no.mrk.json")
    with pytest.raises(InputError, match="holds no point"):
        read_points(written(tmp_path, points("LPS")))
