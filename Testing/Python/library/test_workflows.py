"""Continuous integration runs what exists, on every system and Python that is promised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("something-*.yml"))


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands(path: Path) -> list[str]:
    """Return every line that a workflow runs."""
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    return [line for step in steps for line in step.get("run", "").splitlines()]


def test_tests_run_on_every_system_and_python_that_is_promised() -> None:
    matrix = read(ROOT / ".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    systems = {name.partition("-")[0] for name in matrix["system"]}
    assert systems == {"ubuntu", "windows", "macos"}
    script = (ROOT / "Scripts/prepare_environment.py").read_text(encoding="utf-8")
    oldest, newest = re.search(r"OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)", script).groups()
    assert matrix["python"] == [f"3.{minor}" for minor in range(int(oldest), int(newest) + 1)]
    assert f'requires-python = ">=3.{oldest}"' in (ROOT / "pyproject.toml").read_text()


def test_lint_documentation_demonstration_and_all_tests_are_run() -> None:
    run = {line for path in WORKFLOWS for line in commands(path)}
    assert {"make lint", "make docs", "make demo", ".ci/run"} <= run


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_exists(path: Path) -> None:
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(path):
        words = line.split()
        if words[0] == "make":
            assert set(words[1:]) <= targets, line
        for word in words:
            if word.startswith(("Scripts/", ".ci/")):
                assert (ROOT / word).is_file(), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}


def test_a_report_of_a_fault_asks_for_what_is_needed_to_find_it() -> None:
    fields = read(ROOT / ".github/ISSUE_TEMPLATE/something-is-wrong.yml")["body"]
    needed = {
        field["id"] for field in fields if field.get("validations", {}).get("required", False)
    }
    assert {"happened", "done", "slicer", "version", "system", "log"} <= needed


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_are_what_github_takes(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    identities = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(identities) == len(set(identities)) >= 3
    for field in form["body"]:
        assert field["type"] in {"markdown", "input", "textarea", "dropdown"}
        assert "label" in field["attributes"] or "value" in field["attributes"]
        if field["type"] == "dropdown":
            assert len(field["attributes"]["options"]) > 1
