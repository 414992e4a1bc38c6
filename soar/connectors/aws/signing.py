"""AWS Signature Version 4: the headers that sign a request. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """``token``: of temporary credentials, "" for lasting ones."""

    key_id: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.key_id!r})"


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    *,
    region: str,
    service: str,
    at: datetime,
) -> dict[str, str]:
    """``headers`` with ``X-Amz-Date`` and ``Authorization`` (and the session's token). The host is taken from ``url``.

    ``at``: aware. All headers that are given are signed, so they must be sent as they are."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    full = {**headers, "X-Amz-Date": stamp}
    if credentials.token:
        full["X-Amz-Security-Token"] = credentials.token
    names, request = canonical(method, url, full, body)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = signing_key(credentials.secret, stamp[:8], region, service)
    signature = _hmac(key, "\n".join((ALGORITHM, stamp, scope, digest))).hex()
    full["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return full


def canonical(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """The names of the signed headers, and the request in the form that is signed."""
    parts = urlsplit(url)
    lines = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    lines["host"] = parts.netloc
    names = ";".join(sorted(lines))
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in parse_qsl(parts.query, keep_blank_values=True))
    request = "\n".join(
        (
            method.upper(),
            quote(parts.path or "/", safe="/-_.~%"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{lines[name]}" for name in sorted(lines)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    return names, request


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")
