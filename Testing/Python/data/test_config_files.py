"""Configurations in YAML, and templates that can't drift from the code."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import DataSettings, SourceSettings
from DeepIGeoSLib.settings import from_mapping, read_mapping, to_mapping
from DeepIGeoSLib.settings.docs import field_docs, summary
from DeepIGeoSLib.settings.files import parse_yaml
from DeepIGeoSLib.training.any_structure.settings import read_any_structure_config
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.examples import OTHER_SOURCES, config_template, example
from DeepIGeoSLib.training.settings import TrainingSettings

ROOT = Path(__file__).parents[3]
TASKS = ("pnet", "rnet")


@pytest.mark.parametrize("task", TASKS)
def test_a_template_reads_back_as_what_it_shows(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["train", "--print-config", task]) == 0
    path = tmp_path / "mine.yaml"
    path.write_text(capsys.readouterr().out)
    assert read_config(path) == example(task)


def shown_keys(text: str, kind: type) -> set[str]:
    """Return the fields of a dataclass whose keys stand in a template."""
    return {f.name for f in dataclasses.fields(kind) if re.search(rf"^[ #]*{f.name}:", text, re.M)}


def dataclasses_of(kind: object) -> Iterator[type]:
    """Yield the dataclasses that a configuration is made of."""
    if dataclasses.is_dataclass(kind):
        yield kind
        for hint in typing.get_type_hints(kind).values():
            yield from dataclasses_of(hint)
    for argument in typing.get_args(kind):
        yield from dataclasses_of(argument)


ALL_KINDS = sorted(set(dataclasses_of(TrainingSettings)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.__name__)
def test_every_key_is_explained_and_shown(kind: type) -> None:
    assert summary(kind).endswith(".")
    documented = field_docs(kind)
    for field in dataclasses.fields(kind):
        hint = typing.get_type_hints(kind)[field.name]
        assert field.name in documented or dataclasses.is_dataclass(hint), field.name
    names = {field.name for field in dataclasses.fields(kind)}
    assert shown_keys(config_template("rnet"), kind) == names


def test_the_comments_are_the_docstrings() -> None:
    text = " ".join(line.strip(" #") for line in config_template("pnet").splitlines())
    for kind in (TrainingSettings, DataSettings):
        for explanation in field_docs(kind).values():
            assert explanation.replace("``", "") in text


def test_the_layouts_in_comments_are_valid() -> None:
    """Uncommented, they are the examples; every layout is there."""
    lines = config_template("pnet").splitlines()
    start = next(i for i, line in enumerate(lines) if "Other choices of layout" in line)
    block = []
    for line in lines[start + 1 :]:
        if not line.startswith("    # "):
            break
        block.append(line.removeprefix("    # "))
    read = parse_yaml("\n".join(block), "block")
    mapping = {"root": ".", "sources": read}
    assert from_mapping(DataSettings, mapping, "block").sources == OTHER_SOURCES
    shown = {type(example("pnet").data.sources[0]), *(type(source) for source in OTHER_SOURCES)}
    assert shown == set(typing.get_args(SourceSettings))


def test_an_unknown_task_is_named(capsys: pytest.CaptureFixture) -> None:
    assert main(["train", "--print-config", "pnett"]) == 2
    assert "did you mean 'pnet'?" in capsys.readouterr().err
    assert main(["train"]) == 2
    assert "--print-config pnet prints one" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "Configs").glob("*.json")))
def test_yaml_and_json_say_the_same(name: str, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    mapping = json.loads((ROOT / "Configs" / name).read_text())
    path = tmp_path / "same.yml"
    path.write_text(yaml.safe_dump(mapping))
    read = read_any_structure_config if mapping["task"] == "any-structure" else read_config
    assert read(path) == read(ROOT / "Configs" / name)


def test_numbers_without_a_point_are_numbers() -> None:
    text = "a: 1e-3\nb: 2E5\nc: -3e+2\nd: 12\ne: '1e-3'\nf: 1_e3"
    assert parse_yaml(text, "t") == {
        "a": 0.001,
        "b": 2e5,
        "c": -300.0,
        "d": 12,
        "e": "1e-3",
        "f": "1_e3",
    }


def test_anchors_and_merges_work() -> None:
    text = "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3"
    assert parse_yaml(text, "t")["b"] == {"k": 3, "l": 2}


BAD_FILES = {
    "YAML: not closed": ("x.yaml", "a: [1", "is not valid YAML"),
    "YAML: twice": ("x.yaml", "a: 1\nb: 2\na: 3", "has the key 'a' twice"),
    "YAML: objects": ("x.yml", "a: !!python/object/apply:os.getcwd []", "is not valid YAML"),
    "YAML: deep": ("x.yml", "[" * 3000, "(nested too deeply|is not valid YAML)"),
    "JSON: not closed": ("x.json", '{"a": 1', "is not valid JSON"),
    "JSON: twice": ("x.json", '{"a": 1, "a": 2}', "has the key 'a' twice"),
    "JSON: deep": ("x.json", "[" * 100_000, "nested too deeply"),
    "no text": ("x.json", b"\xff\xfe\x00", "can't be read as text"),
}


@pytest.mark.parametrize(("name", "content", "sentence"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_files_are_explained(
    tmp_path: Path, name: str, content: str | bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=sentence):
        read_mapping(path)


def test_yaml_without_its_package_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "x.yaml"
    path.write_text("a: 1")
    with pytest.raises(InputError, match="the Python package PyYAML is not installed: install it"):
        read_mapping(path)


FOLDERS = {"layout": "folders", "dataset": "d"}
BAD_DATA = {
    "layout": ([{"layout": "folder", "dataset": "d"}], "layout is 'folder', .*mean 'folders'"),
    "layout's type": ([{"layout": 3, "dataset": "d"}], r"sources\[0\]: layout is 3"),
    "key": ([FOLDERS, {"layout": "brats", "dataset": "e", "modality": 1}], r"\[1\].*'modalities'"),
    "key of another layout": ([{**FOLDERS, "classes": ["x"]}], "unknown key 'classes'"),
    "no source": ([], "sources is empty"),
    "same name": ([FOLDERS, FOLDERS], "two sources are named 'd'"),
    "no name": ([{"layout": "folders"}], "lacks the key 'dataset'"),
    "empty name": ([{**FOLDERS, "dataset": ""}], "dataset is empty"),
    "weight": ([{**FOLDERS, "weight": 0}], r"sources\[0\]: weight is 0, expected a number above"),
    "infinite": ([{**FOLDERS, "weight": float("inf")}], "weight is inf, expected a finite number"),
    "pattern": ([{**FOLDERS, "image": "x.nii"}], "must stand for the case's name"),
    "absolute": ([{**FOLDERS, "image": "/x/{case}"}], "a path from the data set's folder"),
    "patient": ([{**FOLDERS, "patient": "("}], "patient is no regular expression"),
    "slices": ([{**FOLDERS, "slices": {"every": 0}}], r"slices: every and least_voxels must be"),
    "region": ([{"layout": "brats", "dataset": "d", "region": "all"}], "region is 'all'"),
    "modalities": ([{"layout": "brats", "dataset": "d", "modalities": []}], "modalities is empty"),
    "channels": (
        [FOLDERS, {**FOLDERS, "dataset": "e", "other_channels": ["{case}"]}],
        "the source 'e' gives images of 2 channels, but 'd' gives 1",
    ),
}


@pytest.mark.parametrize(("sources", "sentence"), BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_sources_are_explained(sources: list, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        from_mapping(DataSettings, {"root": ".", "sources": sources}, "file")


def test_a_share_is_between_nothing_and_everything() -> None:
    mapping = {"root": ".", "sources": [FOLDERS], "split": {"validation": 1.0}}
    with pytest.raises(InputError, match="file: split: validation is 1, expected a share"):
        from_mapping(DataSettings, mapping, "file")


def test_sources_survive_a_round_trip() -> None:
    data = DataSettings(root=".", sources=(*example("pnet").data.sources, *OTHER_SOURCES))
    assert from_mapping(DataSettings, to_mapping(data), "file") == data


def test_the_configurations_in_the_guide_are_valid(tmp_path: Path) -> None:
    guide = (ROOT / "Docs" / "training.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    layouts = set()
    for block in blocks:
        (tmp_path / "x.yaml").write_text(block)
        layouts |= {type(source) for source in read_config(tmp_path / "x.yaml").data.sources}
    assert layouts == set(typing.get_args(SourceSettings))


WRONG_VALUES = {
    "steps": ({"optimization": {"steps": 0}}, "optimization.steps is 0, expected at least 1"),
    "crop": ({"optimization": {"crop": [0, 8, 8]}}, r"crop is \[0, 8, 8\], expected at least 1"),
    "rate": ({"optimization": {"learning_rate": 0}}, "learning_rate is 0.0, expected a number"),
    "decay": ({"optimization": {"weight_decay": -1}}, "weight_decay is -1.0, expected at least 0"),
    "workers": ({"workers": -1}, "workers is -1"),
    "channels": (
        {"bundle": {**dict.fromkeys(("name", "version", "task", "modality"), ""), "channels": []}},
        r"bundle.channels is \[\], expected 1 name",
    ),
    "seed": ({"seed": -1}, "seed is -1"),
    "every": ({"validate_every": 0}, "validate_every is 0, expected at least 1"),
    "axes": ({"augmentation": {"flip_axes": [3]}}, r"flip_axes is \[3\]"),
    "scales": ({"augmentation": {"scales": [1.2, 0.8]}}, "scales is .*, expected a smaller"),
    "probability": ({"augmentation": {"intensity": 1.5}}, "intensity is 1.5"),
    "grid": ({"grid": {"minimum": [2, 2, 2]}}, r"grid: minimum is \[2.0, 2.0, 2.0\]"),
    "clip": ({"normalization": {"clip": [1, 1]}}, "clip is"),
    "weights": ({"simulation": {"initial": {"pnet": 0}}}, "initial is"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
def test_values_out_of_range_are_named(tmp_path: Path, changes: dict, sentence: str) -> None:
    mapping = {"task": "pnet", "output": "r", "data": {"root": ".", "sources": [FOLDERS]}}
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**mapping, **changes}))
    with pytest.raises(InputError, match=sentence):
        read_config(path)


def test_all_values_out_of_range_are_named_at_once(tmp_path: Path) -> None:
    mapping = {"task": "pnet", "output": "r", "data": {"root": ".", "sources": [FOLDERS]}}
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**mapping, "seed": -1, "optimization": {"steps": 0}}))
    with pytest.raises(InputError, match=r"seed is -1.*; optimization\.steps is 0"):
        read_config(path)


def test_a_configuration_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(3 * 2**30)
    with pytest.raises(InputError, match=r"huge\.json is larger than 16777216 bytes"):
        read_mapping(path)
