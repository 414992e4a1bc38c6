"""ETags: the version of the row, so that nothing is overwritten unseen, and a digest of the answer, so that a
304 is only given for what the caller really has (casework.md 5, ingest-and-api.md 14)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from rest_framework.request import Request

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_OURS = re.compile(r"([0-9]{1,10})(?:-[0-9a-f]{12})?")
NEVER = -1  # no row has this version: a condition that cannot hold


def etag(version: int, answer: Any) -> str:
    """``"<version>-<digest>"`` of an answer with a ``version``."""
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"))
    return f'"{version}-{hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]}"'


def expected_version(request: Request) -> int | None:
    """The version that ``If-Match`` demands, None without the header or with ``*``.

    ``W/`` is passed over: a proxy that compresses puts it there. The version alone (``"7"``) will do.
    A tag that is not ours, or several, can hold for no row."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    tags = _TAG.findall(given)
    found = _OURS.fullmatch(tags[0]) if len(tags) == 1 else None
    return int(found[1]) if found else NEVER


def unchanged(request: Request, tag: str) -> bool:
    """Whether ``If-None-Match`` names this answer."""
    given = request.headers.get("If-None-Match", "")
    return given.strip() == "*" or tag.strip('"') in _TAG.findall(given)
