"""An alert that is too large to be stored, cut to fit. Pure."""

from __future__ import annotations

from typing import Any

from cases.ingest.reading import DEPTH_AT_MOST, ITEM_AT_MOST, encoded
from cases.ingest.text import cut

ROOM = ITEM_AT_MOST - 64 * 1024
STEPS = (65_536, 16_384, 4_096, 1_024, 256, 64)  # characters of a text, and members of a list, that stay


def fitted(payload: dict[str, Any]) -> dict[str, Any] | None:
    """``payload`` no larger than an alert may be: the longest texts and lists lose their ends, no more of them than
    needed. None if that does not help."""
    for most in STEPS:
        small: dict[str, Any] = _cut(payload, most, 0)
        if len(encoded(small).encode()) <= ROOM:
            return small
    return None


def _cut(value: Any, most: int, depth: int) -> Any:
    if isinstance(value, str):
        return cut(value, most)
    if depth > DEPTH_AT_MOST:  # refused for its depth anyway
        return value
    if isinstance(value, list):
        return [_cut(one, most, depth + 1) for one in value[:most]]
    if isinstance(value, dict):
        return {key: _cut(one, most, depth + 1) for key, one in value.items()}
    return value
