"""A patient is never on both sides, the seed decides, and given splits are kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DeepIGeoSLib import InputError
from DeepIGeoSLib.data import LabeledCase, find_cases
from DeepIGeoSLib.data.discovery import discover
from DeepIGeoSLib.data.split import SplitSettings, read_split_file, split


def case(patient: str, number: int = 0, dataset: str = "d", use: str = "") -> LabeledCase:
    name = f"{patient}_{number}"
    return LabeledCase(dataset, name, Path("i"), Path("l"), patient=patient, use=use)


def sides(cases: list[LabeledCase]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for entry in cases:
        found[entry.patient].add(entry.use)
    return found


def test_the_share_of_patients_is_validated_with() -> None:
    cases = [case(f"p{number}", part) for number in range(50) for part in range(3)]
    divided, problems = split(cases, {}, SplitSettings(validation=0.2))
    assert not problems
    assert [c.name for c in divided] == [c.name for c in cases]
    held_out = [patient for patient, uses in sides(divided).items() if uses == {"val"}]
    assert len(held_out) == 10


def test_the_seed_decides() -> None:
    cases = [case(f"p{number}") for number in range(20)]
    first, again, other = (split(cases, {}, SplitSettings(seed=s))[0] for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert split(cases[::-1], {}, SplitSettings(seed=1))[0] == first[::-1]


def test_a_new_patient_moves_at_most_one_other() -> None:
    cases = [case(f"p{number}") for number in range(21)]
    before, _ = split(cases[:20], {}, SplitSettings())
    after, _ = split(cases, {}, SplitSettings())
    assert sum(a != b for a, b in zip(before, after, strict=False)) <= 1


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["x", "y", "z"])), min_size=1),
    st.integers(0, 99),
    st.floats(0.05, 0.9),
)
def test_no_patient_is_on_both_sides(drawn: list[tuple[str, str]], seed: int, share: float) -> None:
    cases = [case(patient, n, dataset) for n, (patient, dataset) in enumerate(drawn)]
    divided, problems = split(cases, {}, SplitSettings(validation=share, seed=seed))
    assert not problems
    assert all(len(uses) == 1 for uses in sides(divided).values())
    for name in {dataset for _, dataset in drawn}:
        own = sides([c for c in divided if c.dataset == name])
        assert {"train"} in own.values()  # validation never takes all patients of a data set


def test_two_patients_are_one_for_each_side() -> None:
    divided, _ = split([case("a"), case("b")], {}, SplitSettings(validation=0.01))
    assert {c.use for c in divided} == {"train", "val"}


def test_a_patient_follows_the_side_that_is_given() -> None:
    fixed = [case("a", 0, "fixed", use="val"), case("b", 0, "fixed", use="train")]
    others = [case(patient, n, "open") for n, patient in enumerate("abcdef")]
    divided, _ = split(fixed + others, {}, SplitSettings(validation=0.3))
    uses = sides(divided)
    assert (uses["a"], uses["b"]) == ({"val"}, {"train"})


def test_a_given_split_with_a_patient_on_both_sides_is_a_problem() -> None:
    cases = [case("a", 0), case("a", 1), case("b")]
    listed = {"d": {"a_0": "train", "a_1": "val", "b_0": "train"}}
    _, (problem,) = split(cases, listed, SplitSettings())
    assert problem.fatal
    assert problem.where == "d/a_1"
    assert problem.text == "The patient 'a' is on both sides of the split."
    listed["d"]["a_1"] = "demo"
    assert not split(cases, listed, SplitSettings())[1]


def test_cases_that_a_given_split_leaves_out_stay_out() -> None:
    kept, _ = split([case("a"), case("b")], {"d": {"a_0": "val"}}, SplitSettings())
    assert [(c.name, c.use) for c in kept] == [("a_0", "val")]


def test_what_the_layout_says_goes_before_the_split_file() -> None:
    (kept,), _ = split([replace(case("a"), use="val")], {"d": {"a_0": "train"}}, SplitSettings())
    assert kept.use == "val"


def test_patients_are_found_by_pattern(pairs: Path, settings) -> None:
    for pattern in (r"^p\d+", r"^(p\d+)_", "p[0-9]"):
        data = settings(pairs, {"layout": "folders", "dataset": "heads", "patient": pattern})
        train, val = (find_cases(data, pairs, use) for use in ("train", "val"))
        assert {c.patient for c in train} | {c.patient for c in val} == {"p0", "p1", "p2"}
        assert len(val) == 2  # both scans of one patient
        assert not {c.patient for c in train} & {c.patient for c in val}


def test_a_case_without_patient_is_a_problem(pairs: Path, settings) -> None:
    source = {"layout": "folders", "dataset": "heads", "patient": "p[01]"}
    data = settings(pairs, source)
    problems = discover(data, pairs).problems
    assert {problem.where for problem in problems} == {"heads/p2_0", "heads/p2_1"}
    with pytest.raises(InputError, match="'p\\[01\\]' finds no patient in the case's name"):
        find_cases(data, pairs, "train")


def test_a_patient_column_names_patients(pairs: Path, settings) -> None:
    rows = ["image,label,patient"]
    rows += [f"images/p{n}_{m}.nii.gz,labels/p{n}_{m}.nii.gz,Q{m}" for n in (0, 1) for m in (0, 1)]
    (pairs / "heads" / "cases.csv").write_text("\n".join(rows))
    data = settings(pairs, {"layout": "csv", "dataset": "heads"})
    assert len({c.patient for c in find_cases(data, pairs, "val")}) == 1
    assert len(find_cases(data, pairs, "val")) == 2


BAD_SPLITS = {
    "missing": (None, r"The split file .*mine\.csv does not exist"),
    "no column": ("dataset,case\na,b\n", "lacks the column 'use'; it has dataset, case"),
    "two uses": ("dataset,case,use\na,b,train\na,b,val\n", "gives the case a/b two uses"),
    "no text": (b"\x89PNG dataset", "is not UTF-8 text"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_SPLITS.values(), ids=BAD_SPLITS.keys())
def test_bad_split_files_are_explained(
    pairs: Path, settings, content: str | bytes | None, sentence: str
) -> None:
    if content is not None:
        raw = content if isinstance(content, bytes) else content.encode()
        (pairs / "mine.csv").write_bytes(raw)
    data = settings(pairs, {"layout": "folders", "dataset": "heads"}, splits="mine.csv")
    with pytest.raises(InputError, match=sentence):
        find_cases(data, pairs, "train")


def test_a_split_file_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """Excel writes a byte order mark, people write spaces."""
    path = tmp_path / "s.csv"
    path.write_text("dataset, case ,use\nd, a ,train\n", encoding="utf-8-sig")
    assert read_split_file(path) == {"d": {"a": "train"}}


def test_listed_cases_that_are_not_there_are_named(pairs: Path, settings) -> None:
    (pairs / "splits.csv").write_text("dataset,case,use\nheads,p0_0,train\nheads,p9_9,val\n")
    data = settings(pairs, {"layout": "folders", "dataset": "heads"})
    with pytest.raises(InputError, match="heads/p9_9: The split file lists this case, but it is"):
        find_cases(data, pairs, "train")
