"""Making and reading tokens: shown once, stored as a digest, compared in constant time by the index."""

from __future__ import annotations

import hashlib
import secrets

PREFIX_LENGTH = 12


def new_token(kind: str) -> tuple[str, str, bytes]:
    """A new token ``<kind>_<random>``: the token itself, its prefix for lists, its SHA-256 digest."""
    token = f"{kind}_{secrets.token_urlsafe(32)}"
    return token, token[:PREFIX_LENGTH], digest(token)


def digest(token: str) -> bytes:
    """The SHA-256 digest under which a token is stored. 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
