"""The command ``deepigeos``: reads the arguments, runs a command, reports its result or error.

Exit codes: 0 done, 1 the work failed or was stopped, 2 something given to it can't be used.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from DeepIGeoSLib import __version__
from DeepIGeoSLib.errors import InputError

# Module of each command in ``DeepIGeoSLib.commands``; imported when the parser is built, so those
# modules import nothing heavy themselves.
COMMANDS = ("segment", "refine", "geodesic", "bundles", "train", "evaluate", "benchmark", "demo")

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING, format="%(message)s"
    )
    try:
        with ProgressLine(enabled=not arguments.json) as progress:
            result = arguments.command.run(arguments, progress)
    except (InputError, ModuleNotFoundError) as error:
        return _report_error(arguments, _sentence(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _report_error(arguments, "Stopped.", FAILED)
    except Exception as error:  # the edge of the program: every failure becomes one sentence
        return _report_error(arguments, f"{type(error).__name__}: {error}", FAILED)
    print(json.dumps(result, indent=2) if arguments.json else arguments.command.text(result))
    # A command may have worked and yet have to say that what it looked at is unusable.
    return getattr(arguments.command, "exit_code", lambda _: DONE)(result)


class ProgressLine:
    """Shows progress on one line of a terminal's error output; elsewhere it is silent."""

    def __init__(self, enabled: bool) -> None:
        self._shown = enabled and sys.stderr.isatty()

    def __call__(self, fraction: float, text: str) -> None:
        """Show the share that is done and what is being done."""
        if self._shown:
            sys.stderr.write(f"\r\033[K{fraction:4.0%}  {text}")
            sys.stderr.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepigeos",
        description="Interactive segmentation with geodesic distance maps (DeepIGeoS).",
    )
    parser.add_argument("--version", action="version", version=f"deepigeos {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = import_module(f"DeepIGeoSLib.commands.{name}")
        summary = command.__doc__.splitlines()[0]
        sub = subparsers.add_parser(name, help=summary, description=summary)
        # A command with commands of its own returns their parsers.
        for last in command.add_arguments(sub) or [sub]:
            last.add_argument("--json", action="store_true", help="print the result as JSON")
            last.add_argument("--verbose", action="store_true", help="print what is being done")
            last.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.set_defaults(command=command)
    return parser


def _sentence(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The Python package {error.name!r} is needed for this but not installed; "
            "see 'Installation' in the README."
        )
    return str(error)


def _report_error(arguments: argparse.Namespace, sentence: str, code: int) -> int:
    if arguments.debug:
        traceback.print_exc()
    if arguments.json:
        print(json.dumps({"error": sentence}))
    print(f"deepigeos: {sentence}", file=sys.stderr)
    return code
