"""Taking secrets out of what is logged, recorded and shown (connectors.md 1)."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

DOTS = "••••"
# Shorter ones would take ordinary words out of every record.
SHORTEST_SECRET = 4
TEXT_AT_MOST = 4_000
ITEMS_AT_MOST = 200
DEPTH_AT_MOST = 8
SENSITIVE = re.compile(
    r"authorization|cookie|passw|passphrase|secret|token|api[-_ ]?key|auth[-_ ]?key|x-apikey|private[-_ ]?key|"
    r"access[-_ ]?key|credential|signature|session[-_ ]?id|^sig$",
    re.IGNORECASE,
)


# A source's token may stand in the path (ingest-and-api.md 6), and Django writes the path of what it refuses.
IN_PATH = re.compile(r"(/ingest/[^/\s]+/)[^/\s]+")


class HideTokens(logging.Filter):
    """Takes the tokens of sources out of the paths in log lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; a line with a token in it is written with dots in its place."""
        text = record.getMessage()
        clean = IN_PATH.sub(rf"\1{DOTS}", text)
        if clean != text:
            record.msg, record.args = clean, None
        return True


class Redactor:
    """Knows some secrets and takes them, and whatever stands under a telling name, out of records."""

    def __init__(self, secrets: Iterable[object] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(str(secret))}
        # Longest first: a secret that holds another one goes as a whole.
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, value: str, at_most: int = TEXT_AT_MOST) -> str:
        """``value`` without the secrets, cut (with a note) behind ``at_most`` characters."""
        value = value.replace("\x00", "").encode(errors="replace").decode()  # the database holds no NUL, no surrogates
        clean = self._pattern.sub(DOTS, value) if self._pattern else value
        return clean if len(clean) <= at_most else f"{clean[:at_most]}… ({len(clean)} characters)"

    def url(self, value: str) -> str:
        """``value`` without user name, password and the values of telling parameters."""
        parts = urlsplit(value)
        host = parts.netloc.rpartition("@")[2]
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = urlencode([(key, DOTS if SENSITIVE.search(key) else item) for key, item in pairs], safe=DOTS)
        return self.text(urlunsplit((parts.scheme, host, parts.path, query, "")))

    def headers(self, value: Mapping[str, str]) -> dict[str, str]:
        """Headers without what signs in."""
        return {key: DOTS if SENSITIVE.search(key) else self.text(item) for key, item in value.items()}

    def data(self, value: Any, depth: int = 0) -> Any:
        """JSON-like ``value`` as JSON that may be kept: secrets out, long texts and lists cut, keys as text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth >= DEPTH_AT_MOST:
            return "…"
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._member(key, item, depth) for key, item in _some(list(value.items()))}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.data(item, depth + 1) for item in _some(list(value))]
        return self.text(str(value))

    def _member(self, key: object, item: Any, depth: int) -> Any:
        return DOTS if item and SENSITIVE.search(str(key)) else self.data(item, depth + 1)


def _some(items: Sequence[Any]) -> Sequence[Any]:
    return items[:ITEMS_AT_MOST]


def _forms(secret: str) -> set[str]:
    """A secret as it may stand in an address, a JSON text or a Basic header."""
    if len(secret) < SHORTEST_SECRET:
        return set()
    encoded = base64.b64encode(secret.encode()).decode("ascii")
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    return {secret, quote(secret, safe=""), quote_plus(secret), encoded, escaped}
