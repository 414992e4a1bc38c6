"""Signing what leaves the portal with its Ed25519 key (rulings 14, RFC 8032)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from cases.models import SigningKey
from soar.lib import clock
from soar.lib.clock import iso

_LOCK = 0x534F4152_5349474E  # "SOARSIGN": one key is made, however many ask for the first at once


@dataclass(frozen=True, slots=True)
class Signature:
    """``value`` is the signature in hex; the key by its id and its public half, 32 bytes in hex."""

    value: str
    key_id: str
    public_key: str


def active_key() -> SigningKey:
    """The key that signs, made when there is none yet."""
    return SigningKey.objects.filter(active=True).first() or _first()


def sign(message: bytes, key: SigningKey) -> Signature:
    """Sign with ``key``. Raises DecryptionError when its private half cannot be read, ValueError for a retired one."""
    if not key.private_key:
        raise ValueError(f"{key.key_id} is retired: it signs nothing")
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(str(key.private_key)))
    return Signature(private.sign(message).hex(), key.key_id, key.public_key)


def new_key(made_by: str) -> SigningKey:
    """Make a key and its row, in the caller's transaction; the one before it must be retired."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey.objects.create(
        key_id=id_of(public),
        public_key=public.hex(),
        private_key=private.private_bytes_raw().hex(),
        made_at=clock.now(),
        made_by=made_by[:200],
    )


def id_of(public: bytes) -> str:
    """What a key is called: the first 16 hex digits of the SHA-256 of its public half."""
    return hashlib.sha256(public).hexdigest()[:16]


def key_dict(key: SigningKey) -> dict[str, Any]:
    """What everybody may know of a key."""
    return {
        "id": key.key_id,
        "algorithm": "Ed25519",
        "public_key": key.public_key,
        "active": key.active,
        "made_at": iso(key.made_at),
        "made_by": key.made_by,
        "retired_at": iso(key.retired_at),
    }


def alone() -> None:
    """Wait for whoever makes or replaces the key; held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


@transaction.atomic
def _first() -> SigningKey:
    alone()
    return SigningKey.objects.filter(active=True).first() or new_key("Soar")
