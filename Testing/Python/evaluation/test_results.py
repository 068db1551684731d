"""Tables, summaries and files say what can be worked out by hand from a few rounds."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.markdown import dice_table, markdown
from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.rows import COLUMNS, read_rows, write_rows
from DeepIGeoSLib.evaluation.summary import summarize
from DeepIGeoSLib.users.robot_user import RobotUser

from .conftest import DICE, make_row


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def table_with(report: str, column: str) -> dict[str, dict[str, str]]:
    """The table of a report that has a column, by its first cells."""
    tables = [cells(part) for part in report.split("\n\n") if part.startswith("|")]
    head, _, *lines = next(table for table in tables if column in table[0])
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines}


def test_mean_curves(results: EvaluationResults) -> None:
    curves = results.mean_curves()
    assert curves["A"] == pytest.approx([0.55, 0.75, 0.80])
    assert curves["B"] == pytest.approx([0.90, 0.95, 1.00])
    assert curves["all"] == pytest.approx([2.0 / 3, 2.45 / 3, 2.6 / 3])
    assert results.mean_curves("other")["all"] == pytest.approx([0, 0.6, 2.3 / 3])


def test_the_share_of_worse_rounds(results: EvaluationResults) -> None:
    assert results.share_of_worse_rounds() == pytest.approx(1 / 6)  # a2 fell once
    assert results.share_of_worse_rounds("other") == 0


def test_seconds(results: EvaluationResults) -> None:
    # Proposals took 1, 4 and 7 s, answers 2, 3, 5, 6, 8 and 9 s.
    seconds = results.seconds_per_round()
    assert seconds["proposal"] == 4
    assert seconds["stroke"] == 5.5
    assert seconds["stroke_95"] == pytest.approx(8.75)


def test_the_difference_is_paired(results: EvaluationResults) -> None:
    differences = [-0.3, 0.1, -0.1]
    mean, low, high = results.difference("other")
    assert mean == pytest.approx(-0.1)
    means = [np.mean(drawn) for drawn in itertools.product(differences, repeat=3)]
    expected = np.percentile(means, [2.5, 97.5], method="inverted_cdf")
    assert (low, high) == pytest.approx(tuple(expected), abs=0.03)
    assert results.difference("own") == pytest.approx((0, 0, 0))


def test_methods_without_a_common_case_are_not_compared() -> None:
    rows = (make_row("own", "A", "a1", 0, 0.5), make_row("other", "A", "a2", 0, 0.5))
    with pytest.raises(InputError, match="no case in common"):
        EvaluationResults(rows).difference("other")


def test_rows_in_any_order_give_the_same(results: EvaluationResults, rows: tuple) -> None:
    mixed = [rows[0], *np.random.default_rng(0).permutation(np.array(rows[1:], dtype=object))]
    curves = EvaluationResults(tuple(mixed)).mean_curves()
    for group, curve in results.mean_curves().items():
        assert curves[group] == pytest.approx(curve)


def test_cases_with_different_numbers_of_rounds_are_refused(rows: tuple) -> None:
    with pytest.raises(InputError, match="1 and 2 rounds"):
        EvaluationResults(rows[:-1])
    with pytest.raises(InputError, match="no measured round"):
        EvaluationResults(())


def test_the_dice_table(results: EvaluationResults, one_method: EvaluationResults) -> None:
    head, _, *lines = cells(dice_table(one_method))
    assert head == ["data set", "cases", "automatic", "1 stroke", "2 strokes"]
    assert lines == [
        ["A", "2", "0.550", "0.750", "0.800"],
        ["B", "1", "0.900", "0.950", "1.000"],
        ["all", "3", "0.667", "0.817", "0.867"],
    ]
    both = cells(dice_table(results))
    assert both[0][2] == "method"
    assert ["A", "2", "own", "0.550", "0.750", "0.800"] in both
    assert ["all", "3", "other", "0.000", "0.600", "0.767"] in both


def test_many_rounds_are_not_all_shown_but_the_last_is() -> None:
    rows = tuple(make_row("own", "A", "a", number, number / 20) for number in range(13))
    head, _, line = cells(dice_table(EvaluationResults(rows)))
    numbers = [title.split()[0] for title in head[2:]]
    assert numbers == ["automatic", "1", "2", "3", "5", "10", "12"]
    assert line[2:] == ["0.000", "0.050", "0.100", "0.150", "0.250", "0.500", "0.600"]


def test_the_effort(results: EvaluationResults) -> None:
    effort = table_with(results.report(), "worse rounds")
    # Own: a1 is there after 2 strokes, a2 never (counts as 2), b1 at once.
    assert effort["own"]["NoC@85 (reached)"] == "1.3 (2/3)"
    assert effort["other"]["NoC@85 (reached)"] == "1.7 (1/3)"
    assert effort["own"]["NoC@90 (reached)"] == "1.3 (2/3)"
    assert effort["own"]["worse rounds"] == "16.7 %"
    assert effort["own"]["automatic s"] == "4.00"
    assert effort["own"]["answer s"] == "5.50"


def test_a_single_method_is_shown_by_data_set(one_method: EvaluationResults) -> None:
    effort = table_with(one_method.report(), "worse rounds")
    assert {group: line["worse rounds"] for group, line in effort.items()} == {
        "A": "25.0 %",
        "B": "0.0 %",
        "all": "16.7 %",
    }
    assert effort["A"]["automatic s"] == "2.50"
    agreement = table_with(one_method.report(), "ASSD mm")
    assert agreement["B"]["Dice (95 %)"] == "1.000"
    assert agreement["A"]["Dice (95 %)"] == "0.800 (0.700 to 0.900)"


def with_effects(rows: tuple, effects: dict[str, list[tuple[float, float]]]) -> tuple:
    """The rows, of which the marks of some cases fix and destroy what is given here."""
    return tuple(
        row if row.round == 0 else dataclasses.replace(row, fixed=fixed, collateral=collateral)
        for row in rows
        for fixed, collateral in [effects[row.case][row.round - 1] if row.round else (0, 0)]
    )


EFFECTS = {
    "a1": [(0.2, 0.0), (0.6, 0.3)],
    "a2": [(0.4, 0.5), (0.8, 0.1)],
    "b1": [(0.9, 0.1), (1.0, float("inf"))],
}


def test_what_strokes_brought(rows: tuple) -> None:
    results = EvaluationResults(with_effects(rows, EFFECTS))
    assert results.fixed("own") == pytest.approx(0.7)  # the median of .2 .4 .6 .8 .9 1
    assert results.fixed("own", "A") == pytest.approx(0.5)
    assert results.fixed("own", number=1) == pytest.approx(0.4)
    assert results.collateral("own", "A") == pytest.approx(0.225)
    assert results.collateral("own", number=1) == pytest.approx(0.2)
    effort = table_with(results.report(), "worse rounds")
    assert effort["own"]["fixed"] == "0.70"
    assert effort["own"]["collateral"] == "inf"
    summary = json.loads(json.dumps(summarize(results), allow_nan=False))
    assert summary["fixed"] == pytest.approx(0.7)
    own = summary["methods"]["own"]
    assert own["fixed"]["median_of_each_stroke"] == pytest.approx([0.4, 0.8])
    assert own["collateral"] == {"mean": None, "mean_of_each_stroke": [pytest.approx(0.2), None]}


def test_without_a_mark_nothing_was_brought() -> None:
    results = EvaluationResults(
        (make_row("own", "A", "a", 0, 1.0), make_row("own", "A", "a", 1, 1.0))
    )
    assert results.fixed("own") is None
    assert table_with(results.report(), "worse rounds")["A"]["fixed"] == ""


def test_from_empty_masks_every_kind_counts_once(rows: tuple) -> None:
    results = EvaluationResults(rows, RobotUser("disk"), from_empty=True)
    # Kind A has two cases, kind B one.
    assert results.mean_curves()["all"] == pytest.approx([1.45 / 2, 1.7 / 2, 1.8 / 2])
    assert results.mean_curves()["A"] == pytest.approx([0.55, 0.75, 0.80])
    assert results.difference("other")[0] == pytest.approx((-0.1 - 0.1) / 2)
    head, _, *lines = cells(dice_table(results))
    assert head == ["kind", "cases", "method", "1 stroke", "2 strokes"]
    assert ["mean over kinds", "3", "own", "0.850", "0.900"] in lines
    report = results.report()
    assert "Every method begins with an empty mask." in report
    assert "a flat disk of 3 mm radius around the middle of it" in report
    assert "automatic" not in report
    assert summarize(results)["protocol"]["radius_mm"] == 3.0


def test_the_agreement(results: EvaluationResults) -> None:
    agreement = table_with(results.report(), "ASSD mm")
    assert agreement["own"]["Dice (95 %)"].startswith("0.867 (0.7")
    assert agreement["own"]["ASSD mm"] == "1.00"  # the median of 1, 3 and 0
    assert agreement["own"]["HD95 mm"] == "3.0"
    assert agreement["own"]["surface Dice 2 mm"] == "0.433"
    assert agreement["own"]["volume off by"] == "10.0 %"
    difference = table_with(results.report(), "95 %")
    assert set(difference) == {"other"}
    assert difference["other"]["Dice"] == "-0.100"


def test_an_empty_result_is_infinitely_far() -> None:
    results = EvaluationResults(
        (make_row("own", "A", "a", 0, 0.0), make_row("own", "A", "a", 1, 0))
    )
    assert table_with(results.report(), "ASSD mm")["A"]["ASSD mm"] == "inf"


def test_the_report_says_what_was_done(rows: tuple) -> None:
    results = EvaluationResults(
        rows,
        RobotUser("click", radius=2, seed=8),
        tolerance=3.0,
        not_measured={"grow-cut": "it rains"},
        notes=("Own is ours.",),
    )
    report = results.report()
    for words in (
        "3 cases, 2 rounds.",
        "one click into the largest wrong region: a ball of 2 voxels radius around a place (drawn "
        "with the seed 8) of it, as far as it is wrong there.",
        "Own is ours.",
        "surface Dice 3 mm",
        "2 clicks",
        "Not measured: grow-cut, because it rains.",
    ):
        assert words in report


def test_the_summary_is_strict_json(results: EvaluationResults) -> None:
    summary = json.loads(json.dumps(summarize(results), allow_nan=False))
    assert summary["cases"] == 3
    assert summary["mean_dice"]["all"] == pytest.approx([2.0 / 3, 2.45 / 3, 2.6 / 3])
    assert summary["protocol"] == {
        "mode": "stroke",
        "rounds": 2,
        "radius_voxels": 3.0,
        "seed": None,
        "first": "stroke",
        "tolerance_mm": 2.0,
        "from_empty": False,
    }
    own, other = summary["methods"]["own"], summary["methods"]["other"]
    assert own["strokes_to_reach"]["0.85"] == {
        "mean": pytest.approx(4 / 3),
        "cases_that_reach": 2,
    }
    assert own["share_of_worse_rounds"] == pytest.approx(1 / 6)
    assert own["interval_95"]["B"] == {"low": [None] * 3, "high": [None] * 3}  # a single case
    low, high = own["interval_95"]["A"]["low"], own["interval_95"]["A"]["high"]
    assert low == pytest.approx([0.5, 0.7, 0.7])
    assert high == pytest.approx([0.6, 0.8, 0.9])
    assert other["medians"]["assd_mm"] == [None, pytest.approx(5), pytest.approx(2)]
    assert other["difference"]["mean"] == pytest.approx(-0.1)


def test_rows_survive_a_file(rows: tuple, tmp_path: Path) -> None:
    rows = with_effects(rows, EFFECTS)
    write_rows(rows, tmp_path / "cases.csv")
    assert read_rows(tmp_path / "cases.csv") == list(rows)
    assert (tmp_path / "cases.csv").read_text().splitlines()[0] == ",".join(COLUMNS)


def test_tables_that_are_not_rounds_are_refused(rows: tuple, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    with pytest.raises(InputError, match="does not exist"):
        read_rows(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="lacks dataset, case"):
        read_rows(path)
    write_rows(rows, path)
    path.write_text(path.read_text().replace("29", "many", 1))
    with pytest.raises(InputError, match=r"damaged line 3.*many"):
        read_rows(path)


def test_a_markdown_table_is_aligned() -> None:
    table = markdown(["a", "long title"], [["1", "2"], ["three", "4"]])
    assert len({len(line) for line in table.splitlines()}) == 1
    assert table.splitlines()[1] == "| ----- | ---------- |"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    """Draw results and return the figure, which is not written."""
    figure = pytest.importorskip("matplotlib.figure")
    from DeepIGeoSLib.evaluation.plot import draw_curves

    def draw(results: EvaluationResults):
        kept = []
        monkeypatch.setattr(figure.Figure, "savefig", lambda self, _: kept.append(self))
        draw_curves(results, Path("curve.png"))
        return kept[0]

    return draw


def test_the_picture_has_a_panel_for_each_data_set_and_a_line_for_each_method(
    results: EvaluationResults, drawn
) -> None:
    figure = drawn(results)
    assert [axes.get_title() for axes in figure.axes] == [
        "A (2 cases)",
        "B (1 case)",
        "all (3 cases)",
    ]
    for axes, group in zip(figure.axes, ("A", "B", "all"), strict=True):
        lines = {line.get_label(): line for line in axes.get_lines()}
        assert set(lines) == {"own", "other"}
        for method, line in lines.items():
            assert line.get_ydata() == pytest.approx(results.mean_curves(method)[group])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["own", "other"]


def test_the_picture_shows_what_strokes_brought(rows: tuple, drawn) -> None:
    figure = drawn(EvaluationResults(with_effects(rows, EFFECTS)))
    assert [axes.get_title() for axes in figure.axes[3:]] == [
        "fixed (median)",
        "collateral (mean; top: or more)",
    ]
    fixed, collateral = (axes.get_lines()[0].get_ydata() for axes in figure.axes[3:])
    assert fixed == pytest.approx([0.4, 0.8])
    assert collateral == pytest.approx([0.2, 1.0])  # infinity ends at the top


def test_many_kinds_are_drawn_below_one_another(drawn) -> None:
    kinds = [f"kind {number}" for number in range(8)]
    rows = tuple(make_row("own", kind, "a", n, n / 2) for kind in kinds for n in range(2))
    figure = drawn(EvaluationResults(rows, from_empty=True))
    assert [axes.get_title() for axes in figure.axes] == [
        *(f"{kind} (1 case)" for kind in kinds),
        "mean over kinds (8 cases)",
    ]
    assert figure.get_figwidth() < 30


def test_with_one_method_the_picture_shows_the_cases(one_method: EvaluationResults, drawn) -> None:
    figure = drawn(one_method)
    curves = [tuple(line.get_ydata()) for line in figure.axes[0].get_lines()]
    assert DICE["own"][("A", "a1")] in curves
    assert DICE["own"][("A", "a2")] in curves


def test_many_long_names_leave_room_for_the_curves(drawn) -> None:
    names = [f"deepigeos initial=previous maps=geodesic changes={number}" for number in range(9)]
    rows = [
        make_row(name, "A", case, number, 0.5 + 0.1 * number)
        for name in names
        for case in ("a1", "a2")
        for number in range(4)
    ]
    figure = drawn(EvaluationResults(tuple(rows)))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    panel, whole = axes.get_window_extent(), figure.get_window_extent()
    assert panel.width > 0.6 * whole.width
    assert panel.height > 0.4 * whole.height
    legend = figure.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= whole.width
    assert legend.y1 < panel.y0
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
    assert len(styles) == 9


def test_what_matters_is_inside_the_picture(results: EvaluationResults, drawn) -> None:
    bottom, top = drawn(results).axes[0].get_ylim()
    assert 0 < bottom <= 0.4  # the lowest mean is 0.45, but for proposals of nothing
    assert top >= 1


def test_the_picture_is_a_png(results: EvaluationResults, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from DeepIGeoSLib.evaluation.plot import draw_curves

    draw_curves(results, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
