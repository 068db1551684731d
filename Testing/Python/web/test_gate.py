"""Nobody gets in without the token: neither to the page nor to the socket or downloads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")

from aiohttp import web  # noqa: E402
from aiohttp.test_utils import TestClient, TestServer  # noqa: E402

from DeepIGeoSLib.web.gate import gate  # noqa: E402
from DeepIGeoSLib.web.token import cookie_name, new_token  # noqa: E402

TOKEN = new_token()
PATHS = ("/", "/ws", "/download/.nii.gz", "/upload", "/missing")


def ask(steps: Any) -> Any:
    """Run steps with a client of a server behind the gate."""

    async def run() -> Any:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(text="inside")

        async def socket(request: web.Request) -> web.WebSocketResponse:
            response = web.WebSocketResponse()
            await response.prepare(request)
            await response.send_str("inside")
            await response.close()
            return response

        app = web.Application(middlewares=[gate(TOKEN)])
        for path in ("/", "/download/.nii.gz", "/upload"):
            app.router.add_route("*", path, answer)
        app.router.add_get("/ws", socket)
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address of numbers
        async with TestClient(TestServer(app), cookie_jar=jar) as client:
            return await steps(client)

    return asyncio.run(run())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", f"?token={TOKEN[:-1]}", "?token=é"]
)
def test_no_or_a_wrong_token_gets_one_sentence(path: str, query: str) -> None:
    async def steps(client: TestClient) -> tuple[int, str]:
        response = await client.get(path + query)
        return response.status, await response.text()

    status, text = ask(steps)
    assert status == 403
    assert "token" in text
    assert "inside" not in text


def test_the_page_brings_its_token_along_as_a_cookie_to_everything() -> None:
    async def steps(client: TestClient) -> list[str]:
        first = await client.get(f"/?token={TOKEN}")
        cookie = first.cookies[cookie_name(TOKEN)]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert not cookie["secure"]
        behind_proxy = {"X-Forwarded-Proto": "https"}
        encrypted = await client.get(f"/?token={TOKEN}", headers=behind_proxy)
        assert encrypted.cookies[cookie_name(TOKEN)]["secure"]
        await client.get(f"/?token={TOKEN}")
        later = await client.get("/download/.nii.gz")
        async with client.ws_connect("/ws") as socket:
            said = await socket.receive_str()
        return [await first.text(), await later.text(), said]

    assert ask(steps) == ["inside"] * 3


@pytest.mark.parametrize("path", ["/upload", "/ws"])
def test_the_page_of_another_site_gets_nothing_even_with_the_cookie(path: str) -> None:
    async def steps(client: TestClient) -> int:
        await client.get(f"/?token={TOKEN}")
        response = await client.get(path, headers={"Origin": "https://elsewhere.example"})
        return response.status

    assert ask(steps) == 403


def test_the_browser_is_told_to_ask_no_other_server() -> None:
    async def steps(client: TestClient) -> str:
        response = await client.get(f"/?token={TOKEN}")
        assert response.headers["Referrer-Policy"] == "no-referrer"
        return response.headers["Content-Security-Policy"]

    policy = ask(steps)
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "*" not in policy
    places = [part for rule in policy.split(";") for part in rule.split()[1:]]
    assert all(part.split("//")[1].startswith("127.0.0.1:") for part in places if "//" in part)
    assert not {"ws:", "wss:"} & set(places)


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43  # 256 bits
    assert len({cookie_name(token) for token in tokens}) == 100
