"""Taking Windows paths and registry keys out of free text."""

from __future__ import annotations

import re

from cases.ingest.files import HIVE, REGISTRY, WINDOWS, as_file_path, as_registry_key, path_of

Found = dict[tuple[str, str], None]  # an ordered set of (type, value)
HIVE_END = re.compile(rf"(?<![A-Za-z]){HIVE}\Z")


def take_paths(text: str, found: Found) -> str:
    """Collect registry keys and Windows paths and give back what is left around them."""
    rest: list[str] = []
    done = 0
    hives = "HK" in text or "hk" in text
    at = text.find("\\")
    while at != -1:
        hive = HIVE_END.search(text, max(done, at - 21), at) if hives else None
        start = hive.start() if hive else _path_start(text, at, done)
        match = (REGISTRY if hive else WINDOWS).match(text, start) if start >= 0 else None
        end = _keep(found, "registry_key" if hive else "file_path", match) if match else 0
        if end:
            rest.append(text[done:start])
            done = end
        at = text.find("\\", max(end, at + 1))
    return " ".join([*rest, text[done:]]) if rest else text


def _path_start(text: str, at: int, done: int) -> int:
    """Where a path begins whose first backslash is at ``at``: ``C:``, ``%TEMP%`` or ``\\\\host``; else -1."""
    before = text[at - 1] if at > done else " "
    if before == ":":
        drive = text[max(done, at - 3) : at - 1]
        return at - 2 if drive[-1:].isalpha() and not drive[:-1].isalpha() else -1
    if before == "%":
        return text.rfind("%", max(done, at - 32), at - 1)
    return at if text.startswith("\\\\", at) and not before.isalnum() else -1


def _keep(found: Found, kind: str, match: re.Match[str]) -> int:
    """Add what a pattern took, normalised; where it ended, or 0 when it is no path after all."""
    raw = path_of(match.group())
    value = as_registry_key(raw) if kind == "registry_key" else as_file_path(raw)
    if "\\" not in value or value.endswith(":"):
        return 0
    found[kind, value] = None
    return match.start() + len(raw)
