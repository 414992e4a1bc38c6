"""The dedup key of a payload that carries no id of its own (ruling 16)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from cases.ingest.text import DEEPEST, as_text
from cases.ingest.when import ISO_START

TIME_KEY = re.compile(
    r"(?i:(?:time|timestamp|datetime)$|(?:^|[_.@-])(?:date|at|on|ts|epoch|when|seen)$)"
    r"|[a-z](?:Date|At|Seen|Received|Ingested)$"
)
known: dict[str, bool] = {}  # answers of _is_time by key; keys of payloads repeat endlessly
MOST_KNOWN = 5_000


def canonical_key(body: Any) -> str:
    """SHA-256 (hex) of ``body`` as canonical JSON (sorted keys, no spaces, UTF-8) without its times.

    Left out at every level: keys that name a time (``timestamp``, ``created_at``, ``startsAt``, ``_time`` ...)
    and texts that are an ISO date with a time of day. Numbers count as their text (``3.0``, ``3`` and
    ``"3"`` are one); nothing else is changed, so another severity, host or count makes another key.
    """
    text = json.dumps(_without_times(body, 0), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _without_times(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return None if ISO_START.match(value) and len(value) < 40 else value
    if depth > DEEPEST:
        return as_text(value)
    if isinstance(value, dict):
        return {str(key): _without_times(item, depth + 1) for key, item in value.items() if not _is_time(str(key))}
    if isinstance(value, list):
        return [_without_times(item, depth + 1) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return as_text(value)
    return value


def _is_time(key: str) -> bool:
    if key not in known:
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[key] = TIME_KEY.search(key) is not None
    return known[key]
