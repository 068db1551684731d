"""Starting the server: the page behind its gate, uploads, and downloads."""

from __future__ import annotations

import logging
import os
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from DeepIGeoSLib.errors import DeepIGeoSError, InputError
from DeepIGeoSLib.web.gate import gate
from DeepIGeoSLib.web.opened_folder import OpenedFolder
from DeepIGeoSLib.web.settings import WebSettings
from DeepIGeoSLib.web.uploads import received, remove_others, remove_upload, without_folder

if TYPE_CHECKING:
    from DeepIGeoSLib.web.cases import Cases

_log = logging.getLogger(__name__)


def serve(settings: WebSettings, say: Callable[[str], object]) -> None:
    """Serve the tool until Ctrl-C.

    Args:
        settings: where, and for whom.
        say: gets the address of the page as soon as it can be opened.

    Raises:
        InputError: the path does not exist, or the port is taken.
    """
    _quieten()
    _share_processor()
    from trame.app import get_server

    from DeepIGeoSLib.web.app import WebApp
    from DeepIGeoSLib.web.autosave import Autosave
    from DeepIGeoSLib.web.results import KINDS, result_name, write_result

    folder, cases, first = _what_to_open(settings)
    server = get_server("deepigeos", client_type="vue3")
    app = WebApp(server, folder=folder, cases=cases, autosave=Autosave(settings.private / "work"))

    def on_bind(bound: Any) -> None:
        bound.app.middlewares.append(gate(settings.token))
        bound.app.router.add_post("/upload", upload)
        bound.app.router.add_get("/download/{ending}", download)

    async def upload(request: web.Request) -> web.Response:
        try:
            uploads = settings.private / "uploads"
            path, title = await received(request, uploads, settings.upload_limit)
            try:
                await app.actions.open(path, title)
            except DeepIGeoSError as error:
                remove_upload(uploads, path)
                raise InputError(without_folder(str(error), uploads)) from error
            remove_others(uploads, path)
        except DeepIGeoSError as error:
            _log.warning("An upload was refused: %s", error)
            return web.Response(status=400, text=str(error))
        except ConnectionError:  # cancelled, or the page was closed; nobody gets the answer
            _log.warning("An upload was broken off")
            return web.Response(status=400)
        return web.Response(text="")

    async def download(request: web.Request) -> web.StreamResponse:
        ending = request.match_info["ending"]
        if ending not in KINDS:
            raise web.HTTPNotFound
        with tempfile.TemporaryDirectory(prefix="deepigeos-") as folder:
            try:
                async with app.actions.answered():
                    name = result_name(app.session, ending)
                    write_result(app.session, Path(folder) / name)
                content = (Path(folder) / name).read_bytes()
            except DeepIGeoSError as error:
                _log.warning("A download was refused: %s", error)
                said = str(error).replace(f"{folder}{os.sep}", "")
                return web.Response(
                    status=400, text=without_folder(said, settings.private / "uploads")
                )
        encoded = f"attachment; filename*=UTF-8''{quote(name)}"  # a header is no place for umlauts
        return web.Response(body=content, headers={"Content-Disposition": encoded})

    def on_ready(**_: Any) -> None:
        address = f"http://{settings.host}:{server.port}/?token={settings.token}"
        say(address)
        if settings.browser:
            webbrowser.open(address)
        if first is not None and settings.replay is not None:
            app.actions.replay(first, settings.replay)
        elif first is not None:
            app.actions.open_path(first)
        elif cases is not None:
            app.actions.next_case()
        elif settings.demo:
            app.actions.open_demo()

    server.controller.on_server_bind.add(on_bind)
    server.controller.on_server_ready.add(on_ready)
    try:
        server.start(
            host=settings.host,
            port=settings.port,
            open_browser=False,
            show_connection_info=False,
            timeout=0,
        )
    except OSError as error:
        raise InputError(
            f"The server can't listen at {settings.host}:{settings.port}: {error.strerror}."
        ) from error
    finally:
        app.close()


def _what_to_open(
    settings: WebSettings,
) -> tuple[OpenedFolder | None, Cases | None, str | None]:
    """Return the opened folder, its list of cases, and the image in it to begin with.

    A folder that is one DICOM series is an image and no list.
    """
    path = settings.path
    if path is None:
        return None, None, None
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    path = path.resolve()
    if not path.is_dir():
        return OpenedFolder(path.parent), None, path.name
    from DeepIGeoSLib.web.cases import Cases

    folder = OpenedFolder(path)
    cases = Cases(folder)
    if cases.is_one_series:
        return folder, None, "."
    return folder, cases, None


def _share_processor() -> None:
    """Let threads of PyTorch that have nothing to do sleep; it must not be loaded yet.

    They would turn in circles for a while, on the cores that draw the views and run the browser: a
    stroke took eight times as long on two cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _quieten() -> None:
    """Keep the web server from writing to the terminal, and from reading our arguments."""
    os.environ["WSLINK_READY_MSG"] = ""
    os.environ["TRAME_ARGS"] = "--server"
    # The first one's lines hold the token, those of the others tell how templates are compiled.
    for name in ("aiohttp.access", "trame_client", "trame_server", "wslink"):
        logging.getLogger(name).setLevel(logging.WARNING)
