"""Signing in as a service account: a claim signed with its key is exchanged for an access token (RFC 7523)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils.translation import gettext as _

from soar.lib import clock

SCOPE = "https://www.googleapis.com/auth/iam"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SPAN = 3600  # seconds that a claim may be good for at most
API, SIGN_IN = "iam.", "oauth2."


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """What Google gives for a key of a service account."""

    email: str
    key_id: str
    private_key: str


def read(text: str) -> KeyFile:
    """The parts of a key file. Raises ValueError with a sentence for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise ValueError(_('This is no key file of a service account (JSON with "type": "service_account").'))
    parts = [found.get(name) for name in ("client_email", "private_key_id", "private_key")]
    if not all(isinstance(one, str) and one for one in parts):
        raise ValueError(_("The key file lacks client_email, private_key_id or private_key."))
    email, key_id, private_key = map(str, parts)
    _key(private_key)
    return KeyFile(email, key_id, private_key)


def place(url: str) -> str:
    """The address that gives tokens for the API at ``url``: Google's own beside it, or the same (a stand-in)."""
    parts = urlsplit(url)
    if not parts.netloc.startswith(API):
        return url
    return urlunsplit((parts.scheme, SIGN_IN + parts.netloc.removeprefix(API), "", "", ""))


def assertion(key: KeyFile, audience: str) -> str:
    """The signed claim. Raises ValueError for a key that cannot sign."""
    now = int(clock.now().timestamp())
    claims = {"iss": key.email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + SPAN}
    head = {"alg": "RS256", "typ": "JWT", "kid": key.key_id}
    told = f"{_encoded(head)}.{_encoded(claims)}"
    return f"{told}.{_text(_key(key.private_key).sign(told.encode(), PKCS1v15(), SHA256()))}"


def _key(text: str) -> RSAPrivateKey:
    try:
        found = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, RSAPrivateKey):
        raise ValueError(_("The private key of the key file cannot be read."))
    return found


def _encoded(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
