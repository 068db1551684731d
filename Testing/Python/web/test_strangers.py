"""Who has no token, a wrong one, or that of another server gets nothing from a running server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")

# What a page of another site would do to a server whose cookie the browser has: another port of
# the same computer counts as the same site, so the cookie is sent along.
_ATTACK = """
async site => {
  const socket = new WebSocket(site.replace('http', 'ws') + '/ws');
  const opened = await new Promise(done => {
    socket.onopen = () => done('opened'); socket.onerror = () => done('refused'); });
  const form = new FormData();
  form.append('file', new Blob(['x']), 'x.nii');
  const answers = [];
  for (const [path, how] of [['/upload', {method: 'POST', body: form}], ['/download/.json', {}]])
    answers.push(await fetch(site + path, {credentials: 'include', ...how})
      .then(answer => answer.status, () => 'refused'));
  return [opened, ...answers];
}
"""


@pytest.fixture(scope="module")
def servers(serve: Any, head: Path) -> list[Any]:
    """Two servers side by side, each with a token and a case of its own."""
    return [serve(head), serve(head)]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of another server on this computer, with a page that forbids nothing."""
    (tmp_path / "index.html").write_text("<title>elsewhere</title>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def token_of(server: Any) -> str:
    return server.address.split("token=")[1]


def statuses(server: Any, path: str, tokens: list[str]) -> list[int]:
    """Return what a path answers to each token, in the address and as each server's cookie."""
    from DeepIGeoSLib.web.token import cookie_name

    async def ask() -> list[int]:
        found = []
        async with aiohttp.ClientSession() as session:
            for token in tokens:
                cookie = {"Cookie": f"{cookie_name(token)}={token}"}
                for query, headers in ((f"?token={token}", {}), ("", cookie)):
                    async with session.get(server.site + path + query, headers=headers) as answer:
                        found.append(answer.status)
        return found

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/index.html", "/ws", "/download/.json", "/upload"])
def test_the_token_of_another_server_is_refused(servers: list[Any], path: str) -> None:
    one, other = servers
    assert statuses(one, path, ["", "wrong", token_of(other)]) == [403] * 6


def test_the_socket_of_a_server_opens_with_its_own_token_alone(servers: list[Any]) -> None:
    one, other = servers

    async def answer(server: Any, token: str) -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(f"{server.site}/ws?token={token}"):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    tokens = [token_of(one), token_of(other), ""]
    assert [asyncio.run(answer(one, token)) for token in tokens] == [101, 403, 403]


def test_the_page_of_another_server_reaches_nothing_in_a_browser_that_has_the_cookie(
    servers: list[Any], chromium: Any, elsewhere: str
) -> None:
    server = servers[0]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("#segment")
    own = page.evaluate(_ATTACK.replace("'x.nii'", "'notes.txt'"), server.site)
    assert own == ["opened", 400, 200]  # the same steps work from the page itself
    stranger = context.new_page()
    stranger.goto(elsewhere)
    assert stranger.evaluate(_ATTACK, server.site) == ["refused"] * 3
    context.close()


def test_the_work_of_one_user_is_not_seen_by_the_other(servers: list[Any], visit: Any) -> None:
    one, other = (visit(server) for server in servers)
    for page in (one, other):
        page.wait_until(lambda page=page: page.state("case_title"), "head.nii.gz")
    one.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    one.wait_for_rounds(1)
    other.page.wait_for_timeout(1000)
    assert other.rounds() == 0
    assert other.state("targets") == []
    work = [list((server.private / "work").glob("*/*/state.json")) for server in servers]
    one.wait_until(lambda: len(list((servers[0].private / "work").glob("*/*/state.json"))), 1)
    assert work[1] == []
    assert servers[0].private != servers[1].private
