"""A place in the numbers of all rows, which a page keeps and nobody can read.

A list that asks "what came since?" remembers the newest number there was when it was made. That number counts what its
reader may not see as well (access.md 4), so it leaves the server sealed, and differently each time: neither what it
says nor whether it has moved can be seen from outside."""

from __future__ import annotations

from soar.lib.crypto import PREFIX, DecryptionError, decrypt, encrypt

SEALED_AT_MOST = 300


def seal(reader: int, number: int) -> str:
    """``number`` for the page of a person, by id; letters, digits, ``-``, ``_`` and ``=``."""
    return encrypt(f"place {reader} {number}").removeprefix(PREFIX)


def unseal(reader: int, text: str) -> int | None:
    """The number that ``seal`` made into ``text`` for this person; None for anything else, and with a lost key."""
    if not text or len(text) > SEALED_AT_MOST:
        return None
    try:
        word, person, number = decrypt(text).split(" ")
    except (DecryptionError, ValueError):
        return None
    return int(number) if (word, person) == ("place", str(reader)) else None
