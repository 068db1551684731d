"""Compare speed and accuracy with other implementations."""

from __future__ import annotations

import argparse
from importlib import import_module
from types import ModuleType

from DeepIGeoSLib.commands.evaluated_cases import add_cases, chosen_cases
from DeepIGeoSLib.errors import Progress

# Module of each benchmark in ``DeepIGeoSLib.benchmarks``. It has a docstring whose first
# line says what is measured, ``add_arguments(parser)`` and ``run_command(arguments, progress)``,
# whose result holds a text for people as ``summary``. With USES_CASES it is given labeled cases as
# ``arguments.chosen_cases``.
BENCHMARKS = ("geodesic", "crf", "interaction", "locality", "scene", "networks", "batch", "web")


def add_arguments(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Declare the arguments of every benchmark; return the benchmarks' parsers."""
    subparsers = parser.add_subparsers(title="benchmarks", metavar="BENCHMARK", required=True)
    parsers = []
    for name in BENCHMARKS:
        benchmark = import_module(f"DeepIGeoSLib.benchmarks.{name}")
        summary = (benchmark.__doc__ or name).splitlines()[0]
        sub = subparsers.add_parser(name, help=summary, description=summary)
        if _uses_cases(benchmark):
            add_cases(sub)
        benchmark.add_arguments(sub)
        sub.set_defaults(benchmark=benchmark)
        parsers.append(sub)
    return parsers


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Run the chosen benchmark."""
    if _uses_cases(arguments.benchmark):
        arguments.chosen_cases = chosen_cases(arguments)
    return arguments.benchmark.run_command(arguments, progress)


def _uses_cases(benchmark: ModuleType) -> bool:
    return getattr(benchmark, "USES_CASES", False)


def text(result: dict) -> str:
    """Return what the user reads."""
    return result["summary"]
