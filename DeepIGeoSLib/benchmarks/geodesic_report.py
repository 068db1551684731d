"""What the geodesic benchmark found, for programs and for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from DeepIGeoSLib.benchmarks.geodesic_peers import OURS
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step

FILE_NAME = "geodesic.json"

_PACKAGES = ("numpy", "numba", "torch", "FastGeodis", "GeodisTK", "scikit-image", "SimpleITK")

# Case, compared method, at least so many times faster.
_GOALS = (
    ("brain/sparse/0.5", "FastGeodis, 4 iterations", 10),
    ("cube/sparse/0.5", "FastGeodis, 4 iterations", 13),
    ("fetal/sparse/1", "FastGeodis, 4 iterations", 5),
    ("flair/sparse/1", "FastGeodis, 4 iterations", 5),
    ("brain/sparse/0.5", "FastGeodis to an error of 1e-3", 20),
    ("cube/sparse/0.5", "FastGeodis to an error of 1e-3", 20),
    ("brain/sparse/0.5", "GeodisTK, 4 iterations", 15),
)


def machine() -> dict:
    """Return what the numbers depend on."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def goals(result: dict) -> list[dict]:
    """Return the goals that the measured cases tell something about."""
    found = []
    for case_name, method, wanted in _GOALS:
        row = _row(result, case_name, method)
        ours = _row(result, case_name, OURS)
        if row is not None and ours is not None:
            ratio = float(np.median(row["ratios"])) if row["ratios"] else None
            found.append(
                {
                    "goal": f"{case_name}: faster than {method}",
                    "wanted": f"at least {wanted} times",
                    "measured": ratio,
                    "reached": ratio is not None and ratio >= wanted and not ours["largest_error"],
                }
            )
    found += _equal_error(result)
    found += _strokes(result)
    found += _largest(result)
    return found


def _equal_error(result: dict) -> Iterator[dict]:
    for case in result["cases"]:
        sweeps = _row(result, case["name"], "sweeps, torch, 4 iterations")
        peer = _row(result, case["name"], "FastGeodis, 4 iterations")
        # The two differ in the order of their sums, which may change the last bit.
        if sweeps and peer and sweeps["largest_error"] <= peer["largest_error"] * (1 + 1e-3):
            pairs = zip(peer["seconds"], sweeps["seconds"], strict=False)
            ratio = float(np.median([other / own for other, own in pairs]))
            yield {
                "goal": f"{case['name']}: sweeps (torch, CPU) faster than FastGeodis, same error",
                "wanted": "at least 2.5 times",
                "measured": ratio,
                "reached": ratio >= 2.5,
            }


def _strokes(result: dict) -> Iterator[dict]:
    for row in result["strokes"]:
        name = f"{row['case']}: one more stroke, truncated at {row['cut']:g}"
        if row["case"].startswith("brain") and "fastgeodis_2_iterations" in row:
            ratio = row["fastgeodis_2_iterations"] / row["median"]
            yield {
                "goal": f"{name}, faster than FastGeodis, 2 iterations",
                "wanted": "at least 100 times",
                "measured": ratio,
                "reached": ratio >= 100 and row["equal_to_a_map_computed_anew"],
            }
        yield {
            "goal": f"{name}, in passes over the volume",
            "wanted": "at most 12",
            "measured": row["passes"],
            "reached": row["passes"] <= 12,
        }


def _largest(result: dict) -> Iterator[dict]:
    ours = _row(result, "abdomen/sparse/0.5", OURS)
    if ours is None:
        return
    yield {
        "goal": "abdomen/sparse/0.5: seconds",
        "wanted": "at most 8",
        "measured": ours["median"],
        "reached": ours["median"] <= 8,
    }
    if ours["bytes_per_voxel"] is not None:
        yield {
            "goal": "abdomen/sparse/0.5: bytes for each voxel",
            "wanted": "at most 13",
            "measured": ours["bytes_per_voxel"],
            "reached": ours["bytes_per_voxel"] <= 13,
        }


def _row(result: dict, case_name: str, method: str) -> dict | None:
    for case in result["cases"]:
        for row in case["methods"]:
            if case["name"] == case_name and row["method"] == method:
                return row
    return None


def earlier(path: Path, result: dict) -> dict:
    """Return the cases and strokes that an earlier run has measured, as the new one would.

    Raises:
        InputError: the earlier run used another machine, other packages or other threads, or the
            file is not one of this benchmark.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError:
        found = None
    if not isinstance(found, dict) or not result.keys() <= found.keys():
        raise InputError(f"{path} is no result of this benchmark, so it can't be resumed.")
    for key in ("machine", "threads", "not_installed"):
        if found[key] != result[key]:
            raise InputError(f"{path} was measured with another {key.replace('_', ' ')}.")
    return {"cases": found["cases"], "strokes": found["strokes"]}


def write_json(result: dict, path: Path) -> None:
    """Write everything that was found."""
    with written_in_one_step(path) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n")


def summary(result: dict) -> str:
    """Return tables in Markdown."""
    about = result["machine"]
    installed = {"Python": about["python"], **about["versions"]}
    versions = ", ".join(f"{name} {number}" for name, number in installed.items() if number)
    lines = [
        f"{about['processor']}, {result['threads']} thread(s), {result['clock']} time; {versions}",
        "",
    ]
    for case in result["cases"]:
        size = "x".join(map(str, case["shape"]))
        lines += [
            f"### {case['name']} ({size}, {case['seed_voxels']} seed voxels)",
            "",
            "| method | seconds (range) | times blocks (range) | largest error | mean error "
            "| B/voxel | passes |",
            "|---|---|---|---|---|---|---|",
            *(_line(row) for row in case["methods"]),
            "",
        ]
    for row in result["strokes"]:
        lines += [
            f"One more stroke of 20 voxels in {row['case']}, truncated at {row['cut']:g}: "
            f"{1e3 * row['median']:.1f} ms ({1e3 * min(row['seconds']):.1f} to "
            f"{1e3 * max(row['seconds']):.1f}), {row['passes']:.1f} passes over the volume.",
            "",
        ]
    if result["goals"]:
        lines += ["| goal | wanted | measured | reached |", "|---|---|---|---|"]
        lines += [
            f"| {goal['goal']} | {goal['wanted']} | {goal['measured']:.3g} "
            f"| {'yes' if goal['reached'] else 'no'} |"
            for goal in result["goals"]
        ]
    if result["not_installed"]:
        lines += ["", f"Not installed: {', '.join(result['not_installed'])}."]
    lines += [f"Left out: {reason}." for reason in result["left_out"]]
    return "\n".join(lines)


def _line(row: dict) -> str:
    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    seconds = f"{row['median']:.3f} ({min(row['seconds']):.3f} to {max(row['seconds']):.3f})"
    ratios = ""
    if row["ratios"] and row["method"] != OURS:
        ratios = f"{np.median(row['ratios']):.1f} ({min(row['ratios']):.1f} to "
        ratios += f"{max(row['ratios']):.1f})"
    name = row["method"]
    if "iterations" in row:
        name += f" ({row['iterations']} iterations)"
    return (
        f"| {name} | {seconds} | {ratios} | {number(row['largest_error'], '.3g')} "
        f"| {number(row['mean_error'], '.2g')} | {number(row['bytes_per_voxel'], '.1f')} "
        f"| {row['passes']:.0f} |"
    )
