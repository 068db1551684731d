"""The report of a run: right numbers, nothing unsafe, readable in a browser without a network."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.batch import CaseRecord, State, TargetRecord
from DeepIGeoSLib.batch.journal import Journal, Run, read_run
from DeepIGeoSLib.batch.report import (
    attention_of,
    compare_runs,
    needs_a_look,
    write_report,
)
from DeepIGeoSLib.batch.report.agreement import Pair, agreements_of, limits_of, pairs_with_truth
from DeepIGeoSLib.batch.report.pictures import keep_thumbnail
from DeepIGeoSLib.batch.report.plot import bland_altman
from DeepIGeoSLib.batch.report.tables import csv_table, markdown
from DeepIGeoSLib.batch.report.thumbnail import thumbnail
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.evaluation.metrics import measure
from DeepIGeoSLib.worklist import Worklist

# A name that must stay a name, in a page, in Markdown and in a spreadsheet.
NASTY = "<img src=x onerror=alert(1)>&\"'"

SHAPE, SPACING = (6, 20, 24), (2.0, 1.0, 1.0)


def block(low: int, high: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[2:4, low:high, 5:15] = True
    return mask


def record(name: str, result: np.ndarray, truth: np.ndarray | None = None, **more: Any):
    """A case that is done."""
    target = TargetRecord(
        name="tumor",
        label=1,
        milliliters=result.sum() * 2 / 1000,
        lesions=int(result.any()),
        measured=None if truth is None else measure(result, truth, SPACING),
    )
    return CaseRecord(name=name, state=State.DONE, images=(), targets=(target,), **more)


def failed(name: str, reason: str) -> CaseRecord:
    return CaseRecord(name=name, state=State.FAILED, images=("a",), reason=reason)


def test_what_needs_a_look_most_comes_first() -> None:
    right = record("right", block(5, 10), block(5, 10))
    off = record("off", block(5, 10), block(8, 13))
    empty = record("empty", block(0, 0), flags=("empty",))
    border = record("border", block(0, 5), flags=("touches the border of the image",))
    torn = failed("torn", "is not whole")
    rows = list(csv.DictReader(io.StringIO(csv_table([right, off, empty, border, torn]))))
    assert [row["case"] for row in rows] == ["torn", "empty", "off", "border", "right"]
    assert attention_of(right) == 0
    assert attention_of(torn) == 1
    assert attention_of(off) == pytest.approx(1 - 0.4)  # the Dice of two of five rows
    assert [needs_a_look(r) for r in (right, off, empty)] == [False, True, True]


def test_uncertainty_puts_cases_in_order_without_any_truth() -> None:
    sure, unsure, lost = (
        CaseRecord(
            name="x",
            state=State.DONE,
            images=(),
            targets=(
                TargetRecord(
                    name="t", label=1, milliliters=ml, lesions=1, uncertain_milliliters=part
                ),
            ),
        )
        for ml, part in ((10.0, 0.1), (10.0, 5.0), (0.0, 1.0))
    )
    assert attention_of(sure) < attention_of(unsure) < attention_of(lost)


def test_volumes_and_limits_of_agreement_by_hand() -> None:
    records = [
        record(str(n), block(2, 2 + n), block(2, 2 + m)) for n, m in ((5, 4), (6, 6), (4, 7))
    ]
    (pairs,) = pairs_with_truth(records).values()
    # A row of the block is 2 x 10 voxels of 2 mm3: 0.04 ml.
    assert [pair.difference for pair in pairs] == pytest.approx([0.04, 0.0, -0.12])
    assert [pair.reference for pair in pairs] == pytest.approx([0.16, 0.24, 0.28])
    limits = limits_of(pairs)
    assert limits.bias == pytest.approx(-0.08 / 3)
    spread = np.std([0.04, 0.0, -0.12], ddof=1)
    assert limits.high - limits.bias == pytest.approx(1.96 * spread)
    (agreement,) = agreements_of(records)
    assert agreement.cases == 3
    assert agreement.dice == pytest.approx((8 / 9 + 1 + 8 / 11) / 3)
    assert agreement.volume_difference_ml == pytest.approx(0.04)
    assert limits_of(pairs[:2]) is None


def test_points_lie_where_their_numbers_are() -> None:
    plot = bland_altman([Pair("a", 3.0, 1.0), Pair("b", 4.0, 4.0), Pair("c", 1.0, 3.0)])
    left, top, right, bottom = plot.area
    (xa, ya, _), (xb, yb, _), (xc, yc, _) = plot.points
    assert yb == pytest.approx((top + bottom) / 2)
    assert yb - ya == pytest.approx(yc - yb)
    assert ya < yb < yc  # more is up
    assert xb - left == pytest.approx((right - left) / 1.05, abs=0.1)
    assert xa == pytest.approx(xc)
    assert xa - left == pytest.approx((xb - left) / 2, abs=0.1)
    same = bland_altman([Pair(n, 0.0, 0.0) for n in "abc"])  # nothing found, nothing there
    assert len({y for _, y, _ in same.points}) == 1


def test_the_thumbnail_shows_the_slice_and_the_outline() -> None:
    from PIL import Image

    array = np.random.default_rng(0).normal(100, 5, (10, 60, 60))
    volume = Volume(array, spacing=(3, 1, 1))
    labels = np.zeros(array.shape, np.uint8)
    labels[4, 20:30, 40:50] = 1
    picture = np.asarray(Image.open(io.BytesIO(thumbnail(volume, labels)))).astype(int)
    whole = picture[:, :180]
    yellow = (whole[..., 0] > 150) & (whole[..., 1] > 150) & (whole[..., 2] < 120)
    rows, columns = np.nonzero(yellow)
    # i points to the patient's right, which is at the left of the picture; j to the front, up.
    assert columns.min() == pytest.approx(180 * 10 / 60, abs=2)
    assert columns.max() == pytest.approx(180 * 20 / 60, abs=2)
    assert rows.min() == pytest.approx(180 * 30 / 60, abs=2)
    assert rows.max() == pytest.approx(180 * 40 / 60, abs=2)
    assert picture.shape[1] > 200  # and the target closer
    alone = thumbnail(volume, labels * 0)
    assert Image.open(io.BytesIO(alone)).width == 180


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Five cases with files; one has a flag, one a nasty name, one failed."""
    return make_run(tmp_path / "run", 0)


def make_run(folder: Path, shift: int) -> Path:
    folder.mkdir()
    image = np.random.default_rng(1).normal(100, 10, SHAPE)
    records = []
    for number, name in enumerate(("a", "deep/b", "c", NASTY)):
        truth, result = block(4, 10), block(4 + number, 10 + number - shift)
        volume = Volume(image + 50 * truth, spacing=SPACING)
        path = folder / f"case-{number}.nii.gz"
        volume.write_labels(path, result)
        volume.write_map(folder / f"image-{number}.nii.gz", volume.array)
        flags = ("uncertain",) if name == "c" else ()
        made = record(name, result, truth, flags=flags, outputs={"labels": path.name})
        fields = {**made.__dict__, "images": (str(folder / f"image-{number}.nii.gz"),)}
        records.append(CaseRecord(**fields))
    records.append(failed("torn", f"torn.nii {NASTY} is not whole."))
    run = Run("cohort", "0.1", f"tiny {shift}", "ab" * 32, {"format": ".nii.gz"})
    with Journal(folder) as journal:
        journal.begin(run, {one.name: "stamp" for one in records})
        journal.note(records, {})
    return folder


def test_the_command_writes_page_table_and_text(run_folder, capsys) -> None:
    assert main(["report", str(run_folder)]) == 0
    assert "4 cases done, 1 failed, 2 need a look" in capsys.readouterr().out
    html = (run_folder / "report.html").read_text(encoding="utf-8")
    assert NASTY not in html
    assert "onerror=alert(1)&gt;" in html
    assert "deep/<wbr>b" in html  # a long name is broken where its parts end
    begun = str(read_run(run_folder).begun)
    assert f"<dd>{begun[:10]} {begun[11:16]} UTC</dd>" in html
    assert html.count("data:image/jpeg;base64,") == 4
    for elsewhere in ("http://", "https://", "//cdn", "@import", "url("):
        assert elsewhere not in html
    text = (run_folder / "report.md").read_text(encoding="utf-8")
    assert "4 cases done, 1 failed, 2 need a look." in text
    assert "\\<img src=x" in text
    assert "| tumor | 4 | 0.750" in text
    rows = list(csv.DictReader((run_folder / "report.csv").open(newline="", encoding="utf-8")))
    assert {row["case"] for row in rows} == {"a", "deep/b", "c", NASTY, "torn"}
    (first,) = (row for row in rows if row["case"] == "a")
    assert float(first["dice"]) == 1
    assert float(first["milliliters"]) == pytest.approx(0.24)


def test_the_worklist_takes_its_order_from_the_table(tmp_path) -> None:
    run = make_run(tmp_path / "run", 0)
    write_report(run, [record("1", block(1, 2)), record("=y", block(1, 1), flags=("empty",))])
    images = tmp_path / "images"
    images.mkdir()
    for name in ("1", "=y", "z"):
        Volume(np.random.default_rng(0).random(SHAPE)).write_map(
            images / f"{name}.nii.gz", np.random.default_rng(0).random(SHAPE)
        )
    assert [case.name for case in Worklist(images, run).cases] == ["=y", "1", "z"]


def test_a_spreadsheet_computes_nothing() -> None:
    table = csv_table([failed("=1+1", "-2"), failed("@x", "fine")])
    assert "'=1+1" in table
    assert "'-2" in table
    assert "'@x" in table


def test_markdown_shows_names_as_they_are() -> None:
    text = markdown("a|b", [failed("x | y", "two\nlines *bold*")], [("Model", "tiny")])
    assert "x \\| y" in text
    assert "two lines \\*bold\\*" in text


def test_a_picture_that_was_kept_is_shown_and_one_without_files_is_none(run_folder) -> None:
    before = write_report(run_folder, [record("new", block(2, 4))]).html.read_text()
    assert before.count("data:image/jpeg") == 0
    volume = Volume(np.random.default_rng(0).random(SHAPE), spacing=SPACING)
    keep_thumbnail(run_folder, "new", volume, labels=block(2, 4))
    after = write_report(run_folder, [record("new", block(2, 4))]).html.read_text()
    assert after.count("data:image/jpeg") == 1


def test_two_runs_are_compared_case_by_case(tmp_path, capsys) -> None:
    first, second = make_run(tmp_path / "first", 0), make_run(tmp_path / "second", 2)
    cases = {case.name: case for case in compare_runs(first, second, tmp_path / "c.html")}
    case = cases["a"]  # six rows and four of them
    assert case.overlap == pytest.approx(2 * 4 / 10)
    assert case.milliliters == pytest.approx((0.24, 0.16))
    assert case.gain == pytest.approx(0.8 - 1)
    assert main(["report", str(first), str(second)]) == 0
    assert "4 cases compared" in capsys.readouterr().out
    html = (second / "comparison.html").read_text(encoding="utf-8")
    assert NASTY not in html
    assert "cases worse in the second" in html


def test_what_can_not_be_reported_is_explained(run_folder, tmp_path, capsys) -> None:
    for given, words in (
        ([str(tmp_path)], "holds no results of a batch run"),
        ([str(run_folder)] * 3, "one or two are expected"),
        ([str(run_folder), "-o", "x.html"], "-o is for comparing"),
        ([str(run_folder)] * 2 + ["-o", str(tmp_path / "x.pdf")], "no name of a page"),
    ):
        assert main(["report", *given]) == 2
        assert words in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    with Journal(other) as journal:
        journal.begin(Run("c", "0", "t", "a", {}), {"q": "s"})
        journal.note([record("q", block(1, 2))], {})
    with pytest.raises(InputError, match="no case in common"):
        compare_runs(run_folder, other, tmp_path / "c.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, as far as it is here."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not os.path.exists(path):
        pytest.skip("Chromium is not here (/usr/bin/chromium, or set CHROMIUM)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, run_folder) -> Iterator[Any]:
    """The report in a browser that has no network, and what went wrong or was asked for."""
    write_report(run_folder, _records(run_folder))
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda message: page.troubles.append(message.text))
    page.on("dialog", lambda dialog: page.troubles.append(dialog.message))
    page.on("request", lambda asked: page.troubles.append(asked.url))
    page.context.set_offline(True)
    page.goto((run_folder / "report.html").as_uri())
    yield page
    page.close()


def _records(folder: Path) -> list[CaseRecord]:
    from DeepIGeoSLib.batch import read_records

    return read_records(folder)


def names_shown(page: Any) -> list[str]:
    return page.locator("table.cases tbody tr:visible .name").all_text_contents()


def test_a_browser_shows_it_and_asks_for_nothing(opened) -> None:
    asked = [t for t in opened.troubles if not t.startswith("data:image/jpeg")]
    assert [t.rpartition("/")[2] for t in asked] == ["report.html"]
    widths = opened.locator("table.cases img").evaluate_all("all => all.map(i => i.naturalWidth)")
    assert all(width > 0 for width in widths)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 1280
    background = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    opened.emulate_media(color_scheme="light")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") != background


def test_cases_are_found_and_sorted_by_clicks(opened) -> None:
    assert names_shown(opened) == ["c", NASTY, "deep/b", "a"]
    opened.get_by_role("button", name="uncertain 1").click()
    assert names_shown(opened) == ["c"]
    opened.get_by_role("button", name="All 4").click()
    opened.get_by_placeholder("Find a case").fill("DEEP")
    assert names_shown(opened) == ["deep/b"]
    opened.get_by_placeholder("Find a case").fill("")
    dice = opened.locator("table.cases").get_by_role("columnheader", name="Dice", exact=True)
    dice.click()
    assert names_shown(opened)[0] == "a"
    dice.click()
    assert names_shown(opened)[0] == NASTY


def test_a_narrow_screen_scrolls_tables_not_the_page(opened) -> None:
    opened.set_viewport_size({"width": 420, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 420
