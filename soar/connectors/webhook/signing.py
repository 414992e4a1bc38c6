"""Standard Webhooks: an id that stays over all tries, the time of this try, and an HMAC over both and the body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key of ``whsec_<base64>``, or the text itself. Raises ValueError when the base64 is none."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("after whsec_ stands base64") from None


def headers_of(identity: str, timestamp: int, body: bytes, secrets: list[str]) -> dict[str, str]:
    """The three headers; one signature for each secret (two while one replaces the other)."""
    signed = b".".join((identity.encode(), str(timestamp).encode(), body))
    signatures = [
        "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode() for secret in secrets
    ]
    headers = {"webhook-id": identity, "webhook-timestamp": str(timestamp)}
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def github_header(body: bytes, secret: str) -> dict[str, str]:
    """The signature that receivers made for GitHub look for: over the body alone."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.digest(key_of(secret), body, hashlib.sha256).hex()}
