"""Who gets in: whoever brings the token, to the page, the socket, uploads and downloads alike."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from DeepIGeoSLib.web.token import cookie_name, is_token

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The browser itself then refuses to ask any other server for anything. Vue compiles its templates
# in the page, which counts as evaluation.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' {sockets} data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_log = logging.getLogger(__name__)


def gate(token: str) -> Any:
    """Return the aiohttp middleware that lets in whoever brings the token.

    The first request brings it in its address and gets it as a cookie, which the browser sends
    along with everything the page asks for. A page of another site can make the browser connect,
    but neither knows the token nor gets the cookie sent.
    """
    name = cookie_name(token)

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        in_address = is_token(request.query.get("token"), token)
        if not (in_address or is_token(request.cookies.get(name), token)):
            _log.warning("Refused %s from %s: no or a wrong token", request.path, request.remote)
            return web.Response(
                status=403,
                text="This page needs the token of its address: open the address that deepigeos "
                "web printed, as a whole.",
                headers=_HEADERS,
            )
        if not _is_same_site(request):
            _log.warning("Refused %s from the site %s", request.path, request.headers["Origin"])
            return web.Response(status=403, text="Another site asked for this.", headers=_HEADERS)
        response = await handler(request)
        if response.prepared:  # the socket, which has ended by now
            return response
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = _POLICY.format(sockets=_sockets(request))
        if in_address:
            response.set_cookie(
                name, token, httponly=True, samesite="Strict", secure=_is_encrypted(request)
            )
        return response

    return let_in


def _sockets(request: web.Request) -> str:
    """Return the sockets of this server; older browsers don't count them to 'self'."""
    host = request.headers.get("X-Forwarded-Host", request.host)
    return f"ws://{host} wss://{host}" if re.fullmatch(r"[\w.:\[\]-]+", host) else ""


def _is_encrypted(request: web.Request) -> bool:
    """Return whether the browser speaks TLS, with us or with the proxy in front of us."""
    return request.secure or request.headers.get("X-Forwarded-Proto") == "https"


def _is_same_site(request: web.Request) -> bool:
    """Return whether the page that asks comes from this server, as far as the browser says."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    asked = request.headers.get("X-Forwarded-Host", request.host)
    return urlsplit(origin).netloc == asked
