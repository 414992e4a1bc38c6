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
    return f'"{version}-{_digest(answer)}"'


def facts_tag(answer: dict[str, Any], passing: tuple[str, ...] = ()) -> str:
    """``"<digest>-<digest>"`` of an answer without a version: first of what people change, so that a counter or a check
    of health that moves (``passing``) makes no edit stale, then of the whole."""
    lasting = {name: value for name, value in answer.items() if name not in passing}
    return f'"{_digest(lasting)}-{_digest(answer)}"'


def named(request: Request, tag: str) -> bool:
    """Whether ``If-Match`` names a thing with this tag of ``facts_tag``, whatever passes on it."""
    wanted = tag.strip('"').partition("-")[0]
    return any(one.partition("-")[0] == wanted for one in _TAG.findall(request.headers.get("If-Match", "")))


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


def _digest(answer: Any) -> str:
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
