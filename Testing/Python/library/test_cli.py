"""The command line does the main job, and answers bad input with one sentence and exit code 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, geodesic_distance, load_bundle
from DeepIGeoSLib.cli import COMMANDS, main

from .conftest import LESION, head_with_lesion


@pytest.fixture
def files(tmp_path: Path, tiny_bundle: Path) -> dict[str, str]:
    """An image, seeds of both classes and a mask on disk."""
    head = head_with_lesion()
    head.write_map(tmp_path / "image.nii.gz", head.array)
    seeds = np.zeros(head.shape, dtype=np.uint8)
    seeds[6, 6:8, 6:8] = 1
    seeds[4, 12, 14] = 2
    head.write_labels(tmp_path / "seeds.nii.gz", seeds)
    mask = np.zeros(head.shape, dtype=bool)
    mask[5:8, 20:26, 4:9] = True
    head.write_labels(tmp_path / "mask.nii.gz", mask)
    names = {name: str(tmp_path / f"{name}.nii.gz") for name in ("image", "seeds", "mask", "out")}
    return {**names, "bundle": str(tiny_bundle), "folder": str(tmp_path)}


def run_json(capsys: pytest.CaptureFixture, *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def expected(files: dict[str, str], action: str, **arguments: object) -> np.ndarray:
    session = InteractiveSession(load_bundle(files["bundle"]), device="cpu")
    session.set_volume(Volume.read(files["image"]))
    return getattr(session, action)(**arguments).labels


def test_segment_writes_what_the_session_proposes(files: dict, capsys) -> None:
    result = run_json(
        capsys, "segment", files["image"], "-o", files["out"], "--bundle", files["bundle"]
    )
    written = Volume.read(files["out"])
    assert np.array_equal(written.array, expected(files, "propose"))
    assert result["voxels"] == np.prod([s.stop - s.start for s in LESION])
    assert result["milliliters"] == pytest.approx(result["voxels"] * 3 / 1000)
    assert written.same_grid(Volume.read(files["image"]))


@pytest.mark.parametrize("with_mask", [False, True])
def test_refine_writes_what_the_session_refines(files: dict, capsys, with_mask: bool) -> None:
    arguments = ["refine", files["image"], "--seeds", files["seeds"], "-o", files["out"]]
    if with_mask:
        arguments += ["--initial", files["mask"]]
    arguments += ["--probability", files["folder"] + "/p.nrrd"]
    run_json(capsys, *arguments, "--bundle", files["bundle"])
    seeds = Volume.read(files["seeds"]).array
    written = Volume.read(files["out"]).array
    options = {"initial": Volume.read(files["mask"]).array > 0} if with_mask else {}
    labels = expected(files, "refine", foreground=seeds == 1, background=seeds == 2, **options)
    assert np.array_equal(written, labels)
    assert (written[seeds == 1] == 1).all()
    assert (written[seeds == 2] == 0).all()
    assert np.array_equal(Volume.read(files["folder"] + "/p.nrrd").array >= 0.5, written)


def test_geodesic_writes_the_distance(files: dict, capsys) -> None:
    arguments = ["geodesic", files["image"], "--seeds", files["seeds"], "-o", files["out"]]
    run_json(capsys, *arguments, "--label", "1", "--weight", "0.5", "--max-distance", "40")
    volume = Volume.read(files["image"])
    seeds = volume.read_labels(files["seeds"]) == 1
    exact = geodesic_distance(volume.array, seeds, volume.spacing, weight=0.5, max_distance=40)
    np.testing.assert_allclose(Volume.read(files["out"]).array, exact, rtol=1e-6)


def test_bundles_are_listed_and_shown(files: dict, capsys) -> None:
    assert main(["bundles"]) == 0
    capsys.readouterr()
    assert main(["bundles", files["bundle"]]) == 0
    shown = capsys.readouterr().out
    assert "bright things" in shown
    assert "Apache-2.0" in shown


def test_evaluate_measures_a_case(files: dict, capsys) -> None:
    arguments = ["evaluate", "--image", files["image"], "--truth", files["mask"]]
    arguments += ["--rounds", "2", "-o", files["folder"] + "/report", "--bundle", files["bundle"]]
    result = run_json(capsys, *arguments)
    curve = result["mean_dice"]["all"]
    assert len(curve) == 3
    assert curve[0] == 0  # the bright lesion is not this mask
    assert curve[2] > 0.3
    names = {path.name for path in Path(files["folder"], "report").iterdir()}
    assert names == {"cases.csv", "curve.png", "summary.json", "table.md"}


def test_demo_on_the_phantom(files: dict, capsys) -> None:
    arguments = ["demo", "--phantom", "-o", files["folder"] + "/demo", "--bundle", files["bundle"]]
    result = run_json(capsys, *arguments)
    assert len(result["dice"]) >= 2
    for path in result["files"]:
        assert Path(path).stat().st_size > 0
    seeds = Volume.read(files["folder"] + "/demo/seeds.nii.gz").array
    refined = Volume.read(files["folder"] + "/demo/refined.nii.gz").array
    assert set(np.unique(seeds)) <= {0, 1, 2}
    assert (refined[seeds == 1] == 1).all()
    assert (refined[seeds == 2] == 0).all()


def test_demo_on_the_shipped_case_takes_its_own_model(files: dict, capsys) -> None:
    result = run_json(capsys, "demo", "-o", files["folder"] + "/demo", "--device", "cpu")
    assert result["bundle"] == "t1-hippocampus"
    assert result["dice"][0] > 0.9
    assert result["dice"][-1] > result["dice"][0]
    picture = Path(files["folder"], "demo", "demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{image}", "--phantom"], "not two of them"),
        (["--seeds", "{seeds}"], "belong to an IMAGE"),
    ],
)
def test_demo_takes_one_sample(files: dict, capsys, arguments: list, sentence: str) -> None:
    given = [argument.format(**files) for argument in arguments]
    assert main(["demo", *given, "-o", files["folder"] + "/demo"]) == 2
    assert sentence in capsys.readouterr().err


def test_demo_on_an_own_volume(files: dict, capsys) -> None:
    arguments = ["demo", files["image"], "--seeds", files["seeds"], "--bundle", files["bundle"]]
    result = run_json(capsys, *arguments, "-o", files["folder"] + "/demo")
    assert result["dice"] == []
    assert result["sample"] == files["image"]


def test_every_command_has_help(capsys) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        assert "usage: deepigeos" in capsys.readouterr().out


BAD_INPUT = {
    "missing image": (["segment", "{folder}/no.nii.gz", "-o", "{out}"], "no.nii.gz does not exist"),
    "missing seeds": (["refine", "{image}", "--seeds", "no.nrrd", "-o", "{out}"], "no.nrrd does"),
    "missing folder": (["segment", "{image}", "-o", "{folder}/x/o.nrrd"], "/x does not exist"),
    "unknown bundle": (["segment", "{image}", "-o", "{out}", "--bundle", "x"], "no bundle 'x'"),
    "unknown format": (
        ["segment", "{image}", "-o", "{folder}/out.xyz"],
        "out.xyz can't be written",
    ),
    "no seeds of a label": (
        ["geodesic", "{image}", "--seeds", "{seeds}", "-o", "{out}", "--label", "9"],
        "no voxel with the label 9",
    ),
    "weight": (
        ["geodesic", "{image}", "--seeds", "{seeds}", "-o", "{out}", "--weight", "2"],
        "weight",
    ),
    "nothing to evaluate": (
        ["evaluate", "--bundle", "{bundle}"],
        "Give either CASES",
    ),
    "missing configuration": (["train", "{folder}/no.json"], "no.json does not exist"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_one_sentence(
    files: dict, capsys, arguments: list[str], sentence: str
) -> None:
    given = [part.format(**files) for part in arguments]
    if given[0] in ("segment", "refine") and "--bundle" not in given:
        given += ["--bundle", files["bundle"]]
    before = sorted(Path(files["folder"]).iterdir())
    assert main(given) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1
    assert sorted(Path(files["folder"]).iterdir()) == before


def test_other_labels_than_seeds_are_refused(files: dict, capsys) -> None:
    volume = Volume.read(files["image"])
    volume.write_labels(files["seeds"], np.full(volume.shape, 5))
    arguments = ["refine", files["image"], "--seeds", files["seeds"], "-o", files["out"]]
    assert main([*arguments, "--bundle", files["bundle"]]) == 2
    assert "holds the labels [5]" in capsys.readouterr().err
    assert not Path(files["out"]).exists()


def test_debug_shows_the_traceback(files: dict, capsys) -> None:
    assert main(["segment", "no.nii.gz", "-o", files["out"], "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_errors_are_json_when_asked(files: dict, capsys) -> None:
    arguments = ["segment", "no.nii.gz", "-o", files["out"], "--bundle", files["bundle"]]
    assert main([*arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": "no.nii.gz does not exist."}


def test_failures_exit_with_one(files: dict, capsys, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("DeepIGeoSLib.volume.Volume.write_labels", fail)
    arguments = ["segment", files["image"], "-o", files["out"], "--bundle", files["bundle"]]
    assert main(arguments) == 1
    assert "the disk is on fire" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that even root can't fill")
def test_a_folder_that_cannot_be_written(files: dict, capsys) -> None:
    arguments = ["segment", files["image"], "-o", "/proc/out.nrrd", "--bundle", files["bundle"]]
    assert main(arguments) == 2
    assert "/proc/out.nrrd can't be written" in capsys.readouterr().err


def test_it_runs_as_a_module(files: dict) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "DeepIGeoSLib", "bundles", files["bundle"]],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert "bright things" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("memory", ["0", "-1", "0.00001"])
def test_a_useless_memory_budget_is_refused(files, memory: str, capsys) -> None:
    output = files["folder"] + "/out.nii.gz"
    arguments = ["segment", files["image"], "--bundle", files["bundle"], "-o", output]
    assert main([*arguments, "--memory", memory]) == 2
    assert re.search("memory (is|budget of)", capsys.readouterr().err)
    assert not Path(output).exists()
