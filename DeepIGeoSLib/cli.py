"""The command ``deepigeos``: reads the arguments, runs a command, reports its result or error.

Exit codes: 0 done, 1 the work failed or was stopped, 2 something given to it can't be used.

Everything but this file is imported inside ``main``: a package that can't be imported, or Ctrl-C
while it is, ends in a sentence as every other failure does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from DeepIGeoSLib.commands.ctrl_c import CtrlC

# Module of each command in ``DeepIGeoSLib.commands``.
COMMANDS = (
    "segment",
    "refine",
    "batch",
    "geodesic",
    "bundles",
    "train",
    "evaluate",
    "report",
    "benchmark",
    "demo",
    "web",
)

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(argv: Sequence[str] | None = None, ctrl_c: CtrlC | None = None) -> int:
    """Run the command line; return the exit code.

    Args:
        argv: the arguments; those of the process when None.
        ctrl_c: tells the caller afterwards whether Ctrl-C was pressed.
    """
    from DeepIGeoSLib.commands.ctrl_c import CtrlC

    given = list(sys.argv[1:] if argv is None else argv)
    with ctrl_c or CtrlC() as ctrl_c:
        try:
            return _run(given)
        except (Exception, KeyboardInterrupt) as error:  # every failure becomes one sentence
            sentence, code = _explained(error, ctrl_c.pressed)
            return _report(given, sentence, code)


def _run(given: list[str]) -> int:
    import json
    import logging

    from DeepIGeoSLib.commands.console import ProgressLine, say
    from DeepIGeoSLib.commands.long_progress import LongProgress

    arguments = _parser(given).parse_args(given)
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING, format="%(message)s"
    )
    is_long = getattr(arguments.command, "LONG", False)
    shown = LongProgress(events=arguments.json) if is_long else ProgressLine(not arguments.json)
    with shown as progress:
        result = arguments.command.run(arguments, progress)
    text = json.dumps(result, indent=2) if arguments.json else arguments.command.text(result)
    say(text, sys.stdout)
    # A command may have worked and yet have to say that what it looked at is unusable.
    return getattr(arguments.command, "exit_code", lambda _: DONE)(result)


def _parser(given: list[str]) -> argparse.ArgumentParser:
    """Return the parser of the command that is called, or of all where none is."""
    import argparse
    from importlib import import_module

    from DeepIGeoSLib import __version__

    parser = argparse.ArgumentParser(
        prog="deepigeos",
        description="Interactive segmentation with geodesic distance maps (DeepIGeoS).",
    )
    parser.add_argument("--version", action="version", version=f"deepigeos {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in given[:1] if given[:1] and given[0] in COMMANDS else COMMANDS:
        command = import_module(f"DeepIGeoSLib.commands.{name}")
        summary = (command.__doc__ or name).splitlines()[0]
        sub = subparsers.add_parser(name, help=summary, description=summary)
        # A command with commands of its own returns their parsers.
        for last in command.add_arguments(sub) or [sub]:
            last.add_argument("--json", action="store_true", help="print the result as JSON")
            last.add_argument("--verbose", action="store_true", help="print what is being done")
            last.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.set_defaults(command=command)
    return parser


def _explained(error: BaseException, stopped: bool) -> tuple[str, int]:
    """Return a sentence for an error, and the exit code."""
    from DeepIGeoSLib.errors import DeepIGeoSError, InputError

    if stopped or isinstance(error, KeyboardInterrupt):
        return "Stopped.", FAILED
    if isinstance(error, InputError):
        return str(error), BAD_INPUT
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return (
            f"The Python package {error.name!r} is needed for this but not installed; "
            "see 'Installation' in the README."
        ), BAD_INPUT
    if isinstance(error, ImportError):
        return (
            f"The Python package {error.name or '(unknown)'!r} can't be imported ({error}); "
            "install it again."
        ), BAD_INPUT
    if isinstance(error, DeepIGeoSError):  # a sentence of the library's own
        return str(error), FAILED
    return f"{type(error).__name__}: {error}", FAILED


def _report(given: list[str], sentence: str, code: int) -> int:
    import json
    import traceback

    from DeepIGeoSLib.commands.console import one_line, say

    if "--debug" in given:
        traceback.print_exc()
    if "--json" in given:
        say(json.dumps({"error": sentence}), sys.stdout)
    say(f"deepigeos: {one_line(sentence)}", sys.stderr)
    return code
