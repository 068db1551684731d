"""The secret in the address of the page."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

# 256 bits: nobody guesses it, however long the server runs.
_BYTES = 32


def new_token() -> str:
    """Return a new secret, made of letters that may stand in an address."""
    return secrets.token_urlsafe(_BYTES)


def is_token(given: str | None, token: str) -> bool:
    """Return whether what somebody brings is the secret; takes as long for any answer."""
    return given is not None and hmac.compare_digest(given.encode(), token.encode())


def cookie_name(token: str) -> str:
    """Return the name of the cookie of a server.

    Cookies belong to an address without its port: servers side by side would take each other's.
    """
    return f"deepigeos-{sha256(token.encode()).hexdigest()[:12]}"
