"""The hash chain of timeline entries. Pure: the same functions write, verify and stand in the export's own
verifier (rulings 14)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)


def canonical_time(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds: ``2026-03-12T09:41:07.000000Z``."""
    if at.tzinfo is not UTC:  # as the database gives it; to turn it takes as long as to hash it
        at = at.astimezone(UTC)
    if at.year < 1000:  # whose year was written without noughts before it
        return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{at.isoformat(timespec='microseconds')[:26]}Z"


def entry_hash(
    previous: bytes | None,
    *,
    id: int,
    subject: str,
    kind: str,
    actor: dict[str, Any],
    occurred_at: datetime,
    recorded_at: datetime,
    text: str,
    data: dict[str, Any],
) -> bytes:
    """SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8) of
    ``[previous, id, subject, kind, actor, occurred_at, recorded_at, text, data]``.

    ``previous`` is the hash before it in hex, or null for the first entry; ``subject`` is the number
    (``ALR-7``, ``INC-3``); ``actor`` is ``{"id", "name", "type"}``."""
    rest = after_id(
        subject=subject,
        kind=kind,
        actor=actor,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        text=text,
        data=data,
    )
    head = f'"{previous.hex()}"' if previous else "null"
    return hashlib.sha256(f"[{head},{id},{rest}".encode()).digest()


def after_id(
    *,
    subject: str,
    kind: str,
    actor: dict[str, Any],
    occurred_at: datetime,
    recorded_at: datetime,
    text: str,
    data: dict[str, Any],
) -> str:
    """The canonical text behind the id, to its end: for a statement that draws the id itself."""
    fields = [subject, kind, actor, canonical_time(occurred_at), canonical_time(recorded_at), text, data]
    return _CANONICAL.encode(fields)[1:]


def settled(data: Any) -> Any:
    """Plain JSON as the database gives it back: it keeps 1e20 as a whole number, and the sign of -0.0 not at all.
    What is hashed must be what will be read."""
    if isinstance(data, dict):
        return {str(key): settled(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [settled(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data
