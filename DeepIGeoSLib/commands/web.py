"""Open the interactive tool in a browser."""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import os
import sys
from pathlib import Path
from typing import NoReturn

from DeepIGeoSLib.commands.console import say
from DeepIGeoSLib.errors import InputError, Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="an image, a folder of DICOM files, or a folder of cases (default: none, upload one)",
    )
    parser.add_argument("--demo", action="store_true", help="open the case of deepigeos demo")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; with another one than the default, other computers reach the "
        "server (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="to listen at (default: one that is free)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address, and open no browser"
    )
    parser.add_argument(
        "--upload-limit", type=int, default=2048, metavar="MB", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--replay",
        metavar="JSON",
        help="do again on the image PATH what was recorded (the page's download as JSON)",
    )
    parser.add_argument(
        "--private",
        metavar="FOLDER",
        help="where uploads and autosaves are kept (default: the user's folder for data)",
    )


def run(arguments: argparse.Namespace, progress: Progress) -> NoReturn:
    """Serve until Ctrl-C."""
    if arguments.path is not None and arguments.demo:
        raise InputError("Give PATH or --demo, not both.")
    if arguments.replay is not None and (arguments.path is None or Path(arguments.path).is_dir()):
        raise InputError("--replay wants the image that was recorded as PATH.")
    if arguments.upload_limit < 1:
        raise InputError(f"--upload-limit must be at least 1 MB, not {arguments.upload_limit}.")
    _check_packages()
    faulthandler.enable()  # where a library crashes, the log says what was going on
    from DeepIGeoSLib.web.private_folder import private_folder
    from DeepIGeoSLib.web.server import serve
    from DeepIGeoSLib.web.settings import WebSettings
    from DeepIGeoSLib.web.token import new_token

    private = arguments.private
    settings = WebSettings(
        path=None if arguments.path is None else Path(arguments.path),
        host=arguments.host,
        port=arguments.port,
        # In the environment, because everybody on the computer reads the arguments of a program.
        token=os.environ.get("DEEPIGEOS_WEB_TOKEN") or new_token(),
        browser=not arguments.no_browser,
        upload_limit=arguments.upload_limit * 1_000_000,
        demo=arguments.demo,
        replay=None if arguments.replay is None else Path(arguments.replay),
        private=private_folder() if private is None else Path(private),
    )
    serve(settings, _say_ready)
    say(text({}), sys.stdout)
    # Python would take VTK's windows apart now, and wait for ever where one of them is in 3D.
    os._exit(0)


def text(result: dict) -> str:
    """Return what the user reads at the end."""
    return "The server has stopped."


def _say_ready(address: str) -> None:
    say(f"DeepIGeoS is ready: {address}", sys.stdout)


def _check_packages() -> None:
    """Say in one sentence what to install where a package is missing."""
    for package in ("slicer", "trame_slicer", "trame_vuetify", "aiohttp"):
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"The Python package {package} is missing: install the tool for the browser with "
                "pip install deepigeos[web]."
            )
