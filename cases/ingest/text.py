"""Text as senders really send it: visible, lossless repairs and plain text of any JSON value.

PostgreSQL cannot store NUL characters and UTF-8 has no lone surrogates; both are made visible instead of
being refused or dropped (ingest-and-api.md 10).
"""

from __future__ import annotations

import json
from typing import Any

NUL_SIGN = "\u2400"  # SYMBOL FOR NULL, the visible stand-in for U+0000
DEEPEST = 64  # levels of nesting that are read (ingest-and-api.md 10); the API refuses deeper bodies
HUGE_BITS = 12_000  # Python refuses to print integers beyond 4,300 digits (about 14,000 bits)


def words(text: str) -> tuple[str, ...]:
    """The words of ``text``; long tables of names read better so than as lists of quoted strings."""
    return tuple(text.split())


def clean_text(text: str) -> tuple[str, bool]:
    """``text`` fit for UTF-8 and PostgreSQL, and whether it had to be repaired.

    NUL becomes the sign U+2400, a lone surrogate its escape (``\\ud83d``): both stay readable.
    """
    if text.isascii() and "\0" not in text:
        return text, False
    repaired = text.replace("\0", NUL_SIGN).encode("utf-8", "backslashreplace").decode("utf-8")
    return repaired, repaired != text


def clean_json(value: Any, depth: int = 0) -> tuple[Any, int]:
    """A JSON value that PostgreSQL can keep as ``jsonb``, and how many texts (keys too) were repaired.

    Infinities and NaN become their names, huge integers hexadecimal text. Levels beyond DEEPEST become text.
    """
    if isinstance(value, str):
        text, repaired = clean_text(value)
        return text, int(repaired)
    if isinstance(value, dict) and depth < DEEPEST:
        return _clean_dict(value, depth)
    if isinstance(value, list) and depth < DEEPEST:
        pairs = [clean_json(item, depth + 1) for item in value]
        return [item for item, _ in pairs], sum(count for _, count in pairs)
    if value is None or isinstance(value, bool):
        return value, 0
    if isinstance(value, int | float) and _plain_number(value):
        return value, 0
    return clean_text(as_text(value))[0], 1


def _clean_dict(value: dict[Any, Any], depth: int) -> tuple[dict[str, Any], int]:
    out: dict[str, Any] = {}
    repaired = 0
    for key, item in value.items():
        clean_key, changed = clean_text(str(key))
        out[clean_key], count = clean_json(item, depth + 1)
        repaired += count + changed
    return out, repaired


def _plain_number(value: int | float) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= HUGE_BITS
    return value - value == 0  # false for the infinities and NaN


def as_text(value: Any) -> str:
    """Any JSON value as text, without loss: text as it is, numbers in digits, the rest as compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):  # a huge integer or endless nesting inside
        return json.dumps(clean_json(value)[0], ensure_ascii=False)


def _number(value: int | float) -> str:
    if isinstance(value, int):
        return str(value) if value.bit_length() <= HUGE_BITS else hex(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def cut(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters, with an ellipsis when it was longer."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
