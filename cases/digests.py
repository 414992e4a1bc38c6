"""Short digests under which long texts are unique: an index entry of 16 bytes instead of a long one."""

from __future__ import annotations

import hashlib


def value_digest(value: str) -> bytes:
    """The 16 bytes under which a value is unique within its type, or a key within its source."""
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest()
