"""Taking Windows paths and registry keys out of free text."""

from __future__ import annotations

import re

from cases.ingest.files import HIVE, HIVES, REGISTRY, WINDOWS, as_file_path, as_registry_key, path_of

Found = dict[tuple[str, str], None]  # an ordered set of (type, value)
HIVE_END = re.compile(rf"(?<![A-Za-z]){HIVE}\Z")
# Backslashes at which something may begin: ``C:\``, ``%TEMP%\``, ``\\host``, ``HKLM\``. A text may be nothing but
# backslashes or drives, so what begins nothing is passed over by the pattern, not looked at one by one.
NAMED = r"(?=\\?[^\\/:*?\"<>|\s,;\x00-\x1f])"
PLACES = rf"(?:(?<=[A-Za-z]:\\)|(?<=[A-Za-z_()0-9]%\\)){NAMED}|(?<!\w\\)\\{{1,3}}(?!\\)(?=[\w.$-])"
HIVE_ENDS = "|".join(rf"(?i:(?<={name}\\)|(?<={name}:\\))" for name in [*HIVES, *HIVES.values()])
SIGN = re.compile(rf"\\(?:{PLACES})")
SIGN_OR_HIVE = re.compile(rf"\\(?:(?:{HIVE_ENDS}){NAMED}|{PLACES})")


def take_paths(text: str, found: Found) -> str:
    """Collect registry keys and Windows paths and give back what is left around them."""
    rest: list[str] = []
    done = 0
    known: dict[str, int] = {}
    hives = "HK" in text or "hk" in text
    search = (SIGN_OR_HIVE if hives else SIGN).search
    sign = search(text)
    while sign:
        at = sign.start()
        hive = HIVE_END.search(text, max(done, at - 21), at) if hives else None
        start = hive.start() if hive else _path_start(text, at, done)
        match = (REGISTRY if hive else WINDOWS).match(text, start) if start >= 0 else None
        if match and (kept := _kept(found, known, bool(hive), match.group())):
            rest.append(text[done:start])
            done = start + kept
        sign = search(text, done if done > at else at + 1)
    return " ".join([*rest, text[done:]]) if rest else text


def _path_start(text: str, at: int, done: int) -> int:
    """Where a path begins whose first backslash is at ``at``: ``C:``, ``%TEMP%`` or ``\\\\host``; else -1."""
    before = text[at - 1] if at > done else " "
    if before == ":":
        if at - 2 < done or not text[at - 2].isalpha():
            return -1
        return -1 if at - 3 >= done and text[at - 3].isalpha() else at - 2
    if before == "%":
        return text.rfind("%", max(done, at - 32), at - 1)
    return at if text.startswith("\\\\", at) and not before.isalnum() else -1


def _kept(found: Found, known: dict[str, int], registry: bool, taken: str) -> int:
    """Add what a pattern took, normalised; how much of it that was, 0 when it is no path after all. ``known``: what
    was taken before, for a text may say one thing a hundred thousand times."""
    if taken not in known:
        raw = path_of(taken)
        value = as_registry_key(raw) if registry else as_file_path(raw)
        known[taken] = len(raw) if "\\" in value and not value.endswith(":") else 0
        if known[taken]:
            found["registry_key" if registry else "file_path", value] = None
    return known[taken]
