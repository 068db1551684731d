"""Tell what is left to do before a release.

    python Scripts/check_release.py

Prints a sentence for everything that is not as a release needs it (exit code 1), or "Ready." The
recipe is Docs/releasing.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def unfinished(root: Path) -> list[str]:
    """Return what a release of the repository in a folder lacks, a sentence each."""
    return [
        *contradictions(root),
        *_below_format(root),
        *_not_published(root),
        *_unreleased(root),
    ]


def contradictions(root: Path) -> list[str]:
    """Return where package, CITATION.cff and CHANGELOG.md name different releases."""
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    package = (root / "DeepIGeoSLib/__init__.py").read_text(encoding="utf-8")
    newest = _RELEASE.search(changelog)
    if newest is None:
        return ["CHANGELOG.md has no section of a release."]
    version, date = newest.groups()
    cited = _only(r"^version: (\S+)$", citation)
    day = _only(r'^date-released: "(\S+)"$', citation)
    own = _only(r'^__version__ = "(\S+)"$', package)
    found = []
    if cited != version:
        found.append(
            f"CITATION.cff cites {cited}, the newest release in CHANGELOG.md is {version}."
        )
    if day != date:
        found.append(f"CITATION.cff dates it {day}, CHANGELOG.md {date}.")
    if own != version:
        found.append(f"DeepIGeoSLib.__version__ is {own}, not {version}.")
    return found


def _below_format(root: Path) -> list[str]:
    """Bundles that are written now name the version that reads them: it must become true."""
    package = (root / "DeepIGeoSLib/__init__.py").read_text(encoding="utf-8")
    migration = (root / "DeepIGeoSLib/bundles/migration.py").read_text(encoding="utf-8")
    own = _only(r'^__version__ = "(\S+)"$', package)
    since = _only(r'^FORMAT_SINCE = "(\S+)"$', migration)
    if _numbers(own) < _numbers(since):
        return [f"Bundles say that they need DeepIGeoS {since}, but this becomes {own}."]
    return []


def _not_published(root: Path) -> list[str]:
    entry = (root / "Docs/extension-index/DeepIGeoS.json").read_text(encoding="utf-8")
    if "github.com/OWNER/" in entry:
        return ["The repository's owner is not set: Scripts/set_repository_owner.py."]
    return []


def _unreleased(root: Path) -> list[str]:
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    _, _, rest = changelog.partition("## [Unreleased]\n")
    if not rest:
        return ["CHANGELOG.md has no section [Unreleased]."]
    if rest.partition("\n## [")[0].strip():
        return ["CHANGELOG.md lists changes under [Unreleased]: they get a version and a date."]
    return []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _only(pattern: str, text: str) -> str:
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return found


if __name__ == "__main__":
    sentences = unfinished(ROOT)
    print("\n".join(sentences or ["Ready."]))
    sys.exit(bool(sentences))
