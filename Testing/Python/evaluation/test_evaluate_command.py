"""``deepigeos evaluate``: which cases, which methods, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from DeepIGeoSLib.cli import main
from DeepIGeoSLib.evaluation.rows import read_rows
from DeepIGeoSLib.interaction.session import InteractiveSession

FILES = {"cases.csv", "curve.png", "summary.json", "table.md"}


@pytest.fixture
def cases(write_case: Callable, tmp_path: Path) -> Path:
    """A CSV file of three cases."""
    return write_list(tmp_path / "mine.csv", [write_case(name) for name in ("one", "two", "six")])


def write_list(path: Path, cases: list, uses: tuple[str, ...] = ()) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "label", *(["use"] if uses else [])])
        for number, case in enumerate(cases):
            writer.writerow([case.image.name, case.label.name, *uses[number : number + 1]])
    return path


@pytest.fixture
def evaluate(tiny_bundle: Path, capsys) -> Callable[..., dict]:
    """Run the command with the tiny bundle; return what ``--json`` prints."""

    def run(*arguments: object) -> dict:
        given = ["evaluate", *map(str, arguments), "--bundle", str(tiny_bundle), "--json"]
        assert main(given) == 0
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def refused(tiny_bundle: Path, capsys) -> Callable[..., str]:
    """Run the command, which must end with exit code 2; return its one sentence."""

    def run(*arguments: object) -> str:
        assert main(["evaluate", *map(str, arguments), "--bundle", str(tiny_bundle)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        assert len(captured.err.strip().splitlines()) == 1
        return captured.err

    return run


def test_a_list_of_cases(evaluate: Callable, cases: Path, tmp_path: Path) -> None:
    result = evaluate(cases, "--rounds", 2, "-o", tmp_path / "report")
    assert result["cases"] == 3
    assert list(result["mean_dice"]) == ["mine", "all"]
    assert {path.name for path in (tmp_path / "report").iterdir()} == FILES
    rows = read_rows(tmp_path / "report" / "cases.csv")
    assert [(row.case, row.round) for row in rows] == [
        (case, number) for case in ("one", "two", "six") for number in range(3)
    ]
    assert json.loads((tmp_path / "report" / "summary.json").read_text())["cases"] == 3
    table = (tmp_path / "report" / "table.md").read_text()
    assert table.strip() == result["report"]
    assert "The bundle" not in table
    assert "deepigeos is the bundle tiny 1.0.0." in table


def test_the_tables_are_what_is_printed(cases: Path, tiny_bundle: Path, capsys) -> None:
    assert main(["evaluate", str(cases), "--rounds", "1", "--bundle", str(tiny_bundle)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("# Evaluation with the robot user")
    assert "| data set | cases | automatic | 1 stroke |" in printed.out
    assert printed.err == ""


def test_one_case_with_ten_rounds(evaluate: Callable, write_case: Callable) -> None:
    case = write_case("one")
    result = evaluate("--image", case.image, "--truth", case.label, "--rounds", 10)
    assert len(result["mean_dice"]["all"]) == 11
    assert result["protocol"]["rounds"] == 10
    head = result["table"].splitlines()[0]
    for words in ("1 stroke ", "3 strokes", "5 strokes", "10 strokes"):
        assert words in head
    assert result["methods"]["deepigeos"]["interval_95"]["single case"]["low"] == [None] * 11


def test_the_column_use_chooses(evaluate: Callable, write_case: Callable, tmp_path: Path) -> None:
    listed = [write_case(name) for name in ("one", "two", "six")]
    path = write_list(tmp_path / "mine.csv", listed, ("val", "train", "val"))
    assert evaluate(path, "--rounds", 1)["cases"] == 2
    assert evaluate(path, "--rounds", 1, "--use", "train")["cases"] == 1


def test_a_training_configuration(evaluate: Callable, cases: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    source = {"layout": "csv", "dataset": "mine", "folder": ".", "file": "mine.csv"}
    settings = {"task": "pnet", "output": "run", "data": {"root": ".", "sources": [source]}}
    settings["data"]["split"] = {"validation": 0.34}
    config.write_text(json.dumps(settings))
    result = evaluate(config, "--rounds", 1)
    assert result["cases"] == 1


def test_fewer_cases(evaluate: Callable, cases: Path, tmp_path: Path) -> None:
    assert evaluate(cases, "--rounds", 1, "--at-most", 2)["cases"] == 2
    report = tmp_path / "report"
    evaluate(cases, "--rounds", 1, "--only", "two, one", "-o", report)
    assert {row.case for row in read_rows(report / "cases.csv")} == {"one", "two"}


def test_all_methods_in_one_run(evaluate: Callable, cases: Path, tmp_path: Path) -> None:
    arguments = ["--methods", "all", "--only", "one", "--rounds", 2, "-o", tmp_path / "report"]
    result = evaluate(cases, *arguments)
    measured = {"deepigeos", "no-model", "geodesic", "random-walker", "max-flow", "grow-cut"}
    measured -= set(result["not_measured"])
    assert set(result["methods"]) == measured
    rows = read_rows(tmp_path / "report" / "cases.csv")
    assert {row.method for row in rows} == measured
    assert "see 40 mm around all marks" in result["report"]
    for name in measured - {"deepigeos"}:
        curve = result["methods"][name]["mean_dice"]["all"]
        assert curve[0] == 0
        assert curve[2] > 0.1


def test_the_first_method_is_what_others_are_compared_with(evaluate: Callable, cases: Path) -> None:
    result = evaluate(cases, "--methods", "geodesic,deepigeos", "--rounds", 1, "--margin", 9)
    assert "Compared with geodesic" in result["report"]
    assert "see 9 mm around all marks" in result["report"]
    assert result["mean_dice"] == result["methods"]["geodesic"]["mean_dice"]


def test_a_method_whose_package_is_missing_is_left_out(
    evaluate: Callable, refused: Callable, cases: Path, monkeypatch
) -> None:
    monkeypatch.setattr("DeepIGeoSLib.evaluation.baselines.listing.find_spec", lambda _: None)
    sentence = "the Python package slicer-core is not installed"
    result = evaluate(cases, "--methods", "geodesic,grow-cut", "--rounds", 1, "--only", "one")
    assert result["not_measured"] == {"grow-cut": sentence}
    assert f"Not measured: grow-cut, because {sentence}." in result["report"]
    assert sentence in refused(cases, "--methods", "grow-cut")


def test_switches_are_lines_of_the_table(evaluate: Callable, cases: Path) -> None:
    arguments = ["--maps", "geodesic,euclidean", "--initial", "pnet", "--changes", "asked,any"]
    result = evaluate(cases, "--rounds", 2, "--only", "one", *arguments)
    assert list(result["methods"]) == [
        f"deepigeos initial=pnet maps={maps} changes={changes}"
        for maps in ("geodesic", "euclidean")
        for changes in ("asked", "any")
    ]


def test_other_bundles_are_lines_of_the_table(
    evaluate: Callable, cases: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    other = tmp_path / "one-shot"
    shutil.copytree(tiny_bundle, other)
    result = evaluate(cases, "--rounds", 1, "--only", "one", "--other-bundle", other)
    own, another = result["methods"].values()
    assert list(result["methods"]) == ["deepigeos", f"bundle={other}"]
    assert own["mean_dice"] == another["mean_dice"]
    assert another["difference"]["mean"] == 0


def test_it_goes_on_after_it_was_stopped(
    evaluate: Callable, cases: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    report, calls = tmp_path / "report", []
    propose = InteractiveSession.propose

    def stopped(self: InteractiveSession):
        calls.append(1)
        if len(calls) == 4:  # warming up, two cases, and now the third
            raise KeyboardInterrupt
        return propose(self)

    monkeypatch.setattr(InteractiveSession, "propose", stopped)
    arguments = [cases, "--rounds", 2, "--seed", 3, "-o", report]
    assert main(["evaluate", *map(str, arguments), "--bundle", str(tiny_bundle)]) == 1
    assert "Stopped." in capsys.readouterr().err
    assert {path.name for path in report.iterdir()} == {"unfinished.jsonl"}
    resumed = evaluate(*arguments)
    assert len(calls) == 6  # warming up, and only the third case
    assert {path.name for path in report.iterdir()} == FILES
    evaluate(*arguments)
    assert len(calls) == 10  # what is finished is measured anew when asked for again
    whole = evaluate(cases, "--rounds", 2, "--seed", 3)
    assert resumed["mean_dice"] == whole["mean_dice"]


BAD_INPUT = {
    "method": (["--methods", "geodesic,magic"], "--methods has 'magic'; known are deepigeos, geo"),
    "initial": (["--initial", "rnet"], "--initial has 'rnet'; known are previous, pnet"),
    "maps": (["--maps", "euclid"], "--maps has 'euclid'; known are geodesic, euclidean"),
    "changes": (["--changes", ""], "--changes has ''; known are asked, connected, any"),
    "rounds": (["--rounds", "0"], "--rounds is 0; at least 1"),
    "radius": (["--radius", "-1"], "--radius is -1.0; 0 or more"),
    "seed": (["--seed", "-1"], "--seed is -1; 0 or more"),
    "tolerance": (["--tolerance", "nan"], "--tolerance is nan; 0 or more"),
    "margin": (["--margin", "inf"], "--margin is inf; 0 or more"),
    "name": (["--only", "one,nine"], "--only has 'nine'; the cases are one, two, six"),
    "kind": (["--kinds", "yours"], "--kinds has 'yours'; the kinds are mine."),
    "number": (["--at-most", "0"], "--at-most is 0; at least 1"),
    "folder": (["-o", "{folder}/no/report"], "/no does not exist"),
    "file": (["-o", "{folder}/mine.csv"], "mine.csv is a file; a folder is expected"),
    "unwritable": (["-o", "/proc/report"], "/proc/report can't be made"),
    "bundle": (["--other-bundle", "nothing"], "There is no bundle 'nothing'"),
    "both": (["--image", "a.nii.gz", "--truth", "b.nii.gz"], "Give either CASES"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_one_sentence(
    refused: Callable, cases: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    before = sorted(tmp_path.iterdir())
    given = [part.format(folder=tmp_path) for part in arguments]
    assert sentence in refused(cases, *given)
    assert sorted(tmp_path.iterdir()) == before


def test_cases_that_are_not_there(refused: Callable, cases: Path, tmp_path: Path) -> None:
    assert "no.csv does not exist" in refused(tmp_path / "no.csv")
    assert "no.yaml does not exist" in refused(tmp_path / "no.yaml")
    assert "no.nii does not exist" in refused("--image", "no.nii", "--truth", "no.nii")
    assert "Give either CASES" in refused("--image", "no.nii")
    (tmp_path / "two.nii.gz").unlink()
    assert "mine/two" in refused(cases)
    (tmp_path / "empty.csv").write_text("image,label\n")
    assert "empty.csv lists no case" in refused(tmp_path / "empty.csv")
    (tmp_path / "train.csv").write_text("image,label,use\none.nii.gz,one-truth.nii.gz,train\n")
    assert "lists no case for 'val'" in refused(tmp_path / "train.csv")


def test_without_matplotlib_nothing_is_begun(
    refused: Callable, cases: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("DeepIGeoSLib.evaluation.evaluate.find_spec", lambda _: None)
    assert "needs the Python package matplotlib" in refused(cases, "-o", tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_the_documentation_names_every_option_and_no_other(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    option = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
    real = set(option.findall(capsys.readouterr().out))
    document = Path(__file__).parents[3] / "Docs" / "evaluation.md"
    documented = set(option.findall(document.read_text(encoding="utf-8")))
    assert real - documented == {"--help", "--verbose", "--debug"}
    assert documented <= real


def test_how_objects_are_divided_is_measured_when_asked(evaluate, cases, tmp_path) -> None:
    assert "division" not in evaluate(cases, "--rounds", 1)
    for objects in ("parts", "numbers"):
        found = evaluate(cases, "--rounds", 1, "--objects", objects, "-o", tmp_path / objects)
        assert [row["case"] for row in found["division"]] == ["one", "two", "six"]
        for row in found["division"]:
            assert 0 < row["pixel_error"] < 0.05
            assert 0 < row["rand_error"] < 1
            assert row["warping_error"] == 0  # one object each: only its border is off
        assert "Division into objects" in found["report"]
        with (tmp_path / objects / "division.csv").open(encoding="utf-8") as stream:
            assert [row["case"] for row in csv.DictReader(stream)] == ["one", "two", "six"]
