"""Compare speed and accuracy with other implementations."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of every benchmark."""
    from DeepIGeoSLib.evaluation.benchmarks import geodesic

    benchmarks = parser.add_subparsers(title="benchmarks", metavar="BENCHMARK", required=True)
    sub = benchmarks.add_parser("geodesic", help="geodesic distance maps")
    geodesic.add_arguments(sub)
    sub.set_defaults(benchmark=geodesic)


def run(arguments: argparse.Namespace, progress: Callable[[float, str], None]) -> dict:
    """Run the chosen benchmark."""
    return arguments.benchmark.run_command(arguments, progress)


def text(result: dict) -> str:
    """Return the benchmark's summary."""
    return result["summary"]
