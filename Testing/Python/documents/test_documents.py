"""What the documents point to exists, and every decision is a record that the index lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "Docs").rglob("*.md")])
RECORDS = sorted((ROOT / "Docs/decisions").glob("*.md"))

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"Date: (?P<date>20\d\d-\d\d-\d\d)\. Status: (?P<status>.+)\.\n\n(?P<reason>.{20})"
)
_STATUS = re.compile(r"accepted|replaced by \[(\d+)\]\((\d{4})-[\w-]+\.md\)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    return re.sub(r"^(```.*?^```|    .*?$)", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub and mkdocs give the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.M)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"\s+", "-", heading) for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{link} in {name(page)}"
        if anchor:
            assert anchor in anchors(target), f"{link} in {name(page)}"


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_a_decision_has_number_date_status_and_reason(record: Path) -> None:
    head = _HEAD.match(record.read_text(encoding="utf-8"))
    assert head, "the form is that of the other records"
    assert record.name.startswith(f"{int(head['number']):04d}-")
    status = _STATUS.fullmatch(head["status"])
    assert status, head["status"]
    if status[1]:
        (newer,) = record.parent.glob(f"{int(status[1]):04d}-*.md")
        assert status[2] in newer.name
        assert f"]({record.name})" in newer.read_text(encoding="utf-8")


def test_the_index_lists_every_decision_in_order() -> None:
    listed = []
    for number, record in enumerate(RECORDS, start=1):
        head = _HEAD.match(record.read_text(encoding="utf-8"))
        assert int(head["number"]) == number, "no number is left out or given twice"
        status = head["status"].replace("](", "](decisions/")
        link = f"[{number}](decisions/{record.name})"
        listed.append(f"| {link} | {head['title']} | {head['date']} | {status} |")
    index = (ROOT / "Docs/decisions.md").read_text(encoding="utf-8")
    assert [line for line in index.splitlines() if re.match(r"\| \[\d", line)] == listed


_PATH = re.compile(r"`((?:DeepIGeoS|DeepIGeoSLib|Testing|Docs|Configs|Scripts)/[\w./-]*)`")
_NAMED_IN = re.compile(r"`(\w[\w.]*)`[^`|]{0,24}?`(DeepIGeoS(?:Lib)?/[\w/]+\.py)`")


# The others tell how things were.
OF_TODAY = [page for page in PAGES if page.name != "CHANGELOG.md" and page not in RECORDS]


@pytest.mark.parametrize("page", OF_TODAY, ids=name)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    paths = set(_PATH.findall(page.read_text(encoding="utf-8")))
    assert page.name != "ARCHITECTURE.md" or len(paths) > 80
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_the_tests_that_hold_the_promises_exist() -> None:
    text = (ROOT / "Docs/reliability.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`(\w+/test_\w+\.py)`", text))
    assert len(paths) > 15
    assert not [path for path in paths if not (ROOT / "Testing/Python" / path).is_file()]


def test_every_room_is_on_the_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.parent for path in (ROOT / "DeepIGeoSLib").glob("*/*.py")}
    assert len(rooms) > 10
    assert not [name(room) for room in rooms if f"`{name(room)}/`" not in text]


def test_every_room_has_a_page_in_the_reference() -> None:
    rooms = {path.parent.name for path in (ROOT / "DeepIGeoSLib").glob("*/*.py")}
    assert not {
        room
        for room in rooms - {"commands", "benchmarks", "web"}  # of the command line
        if f"::: DeepIGeoSLib.{room}" not in (ROOT / f"Docs/api/{room}.md").read_text()
    }


def test_names_are_in_the_files_that_the_map_says_hold_them() -> None:
    text = " ".join((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split())
    pairs = [(words, path) for words, path in _NAMED_IN.findall(text) if "/" not in words]
    assert len(pairs) > 15
    for words, path in pairs:
        source = (ROOT / path).read_text(encoding="utf-8")
        for word in words.split("."):
            assert re.search(rf"\b(class|def) {word}\b|^{word}\b", source, re.MULTILINE), (
                f"{words} is not in {path}"
            )
