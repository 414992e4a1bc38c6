"""MISP: in which events a value stands as an attribute, and its attributes for detection as a feed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import msgspec
from django.utils.translation import gettext_noop as _
from msgspec import Raw, Struct

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.feeds import documents
from soar.connectors.intelligence.feeds.rows import BadFeed, Place, Row
from soar.connectors.intelligence.feeds.source import EFFECT, EVERY, Brought, FeedSource, too_soon
from soar.connectors.intelligence.providers.base import HASHES, Opinion, Provider, Scores, number, part, provider_kind
from soar.connectors.kinds import Setting
from soar.lib.http import Limits

SEARCH = "attributes/restSearch"
MOST_HITS = 100
PAGE = 5000  # attributes at once
MOST_PAGES = 400
FALSE_POSITIVE = "1"  # type of a sighting
YES = {"1", "true"}


class Attributes(Struct):
    """What an answer holds."""

    Attribute: list[Raw] = []


class Page(Struct):
    """An answer; without a hit it may hold an empty list instead."""

    response: Attributes | list[Raw]


class Misp(Provider, FeedSource):
    """The number of events with exactly this value for detection (``to_ids``), against ``malicious_at``."""

    kind = "misp"
    about = HASHES | {"ip", "domain", "url"}
    reading = False  # a feed is read: nobody waits for it

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key as it is, without a word before it; without Accept it answers with its pages."""
        return {"Authorization": str(secrets.get("token", "")), "Accept": "application/json"}, None

    def limits(self) -> Limits:
        """Those of a provider, but more for a page of a feed."""
        if not self.reading:
            return super().limits()
        seconds = max(60, self.account.timeout_seconds)
        return Limits(read=seconds, total=2 * seconds, response_bytes=64 * 1024 * 1024)

    def check(self) -> str:
        """Ask for the version. Raises ConnectorError."""
        version = part(self.fetch("test", "GET", "servers/getVersion"), "version")
        if not version:
            raise ConnectorError(f"{self.account.name} answered without a version.", permanent=True)
        return f"MISP {str(version)[:20]} answers, and takes the key."

    def ask(self, type_: str, value: str) -> Scores | None:
        """Its attributes of this value. Raises ConnectorError."""
        # As a list: a text by itself is taken apart at "&&".
        asked = {"returnFormat": "json", "value": [value], "limit": MOST_HITS, "includeSightings": 1}
        rows = part(self.fetch(f"look up {type_}", "POST", SEARCH, json=asked), "response", "Attribute")
        # "%" in a value stands for anything there, and of domain|ip either half is found.
        found = [one for one in rows if _is(one, type_, value)] if isinstance(rows, list) else []
        if not found:
            return None
        meant = [one for one in found if str(part(one, "to_ids")).lower() in YES]
        names = dict.fromkeys(str(part(one, "Event", "info") or "")[:80] for one in found)
        return {
            "events": len({str(part(one, "event_id")) for one in meant}),
            "mentions": len({str(part(one, "event_id")) for one in found}),
            "false_positives": sum(_doubts(one) for one in found),
            "names": [name for name in names if name][:3],
        }

    def judge(self, scores: Scores) -> Opinion:
        """By the number of events that mean it for detection; a false positive that was seen takes weight away."""
        events, names = number(scores, "events"), ", ".join(map(str, scores.get("names", [])))
        mentions = number(scores, "mentions")
        text = f"in {events} event{'' if events == 1 else 's'} for detection, {mentions} in all"
        text += f": {names}" if names else ""
        if doubts := number(scores, "false_positives"):
            return Opinion("weak" if events else "context", f"{text}; seen as false positive {doubts} times")
        if events and events >= self.threshold("malicious_at", 1):
            return Opinion("malicious", text)
        return Opinion("weak" if events else "context", text)

    def bring(self, etag: str = "", modified: str = "") -> Brought | None:
        """See FeedSource. Always all: what was deleted or is not for detection any more shall be gone."""
        self.reading = True
        return Brought(self._rows())

    def _rows(self) -> Iterator[Row | None]:
        place = Place()
        for number_ in range(1, MOST_PAGES + 1):
            attributes = self._page(number_)
            # What the key may not see is left out after the page was cut: a short page is not the last one.
            if not attributes:
                return
            yield from documents.misp(b'{"Attribute":[' + b",".join(attributes) + b"]}", "", place)
        raise BadFeed(f"The search brings more than {MOST_PAGES * PAGE:,} attributes; ask for fewer days.")

    def _page(self, page: int) -> list[bytes]:
        asked = {"returnFormat": "json", "to_ids": 1, "published": 1, "deleted": 0, "limit": PAGE, "page": page}
        if days := self.threshold("days", 30):
            asked["timestamp"] = f"{days}d"
        answer = self.call("read attributes", "POST", SEARCH, idempotent=True, kept=False, json=asked)
        if sentence := self._refusal(answer):
            raise ConnectorError(sentence, permanent=answer.status != 429, status=answer.status)
        if not answer.ok:
            passing = answer.status >= 500
            text = f"{self.account.name} answered {answer.status}."
            raise ConnectorError(text, permanent=not passing, status=answer.status)
        try:
            found = msgspec.json.decode(answer.body, type=Page).response
        except (msgspec.DecodeError, RecursionError):
            raise ConnectorError(f"{self.account.name} answered with no list of attributes.", permanent=True) from None
        return [bytes(one) for one in found.Attribute] if isinstance(found, Attributes) else []


def _is(row: Any, type_: str, value: str) -> bool:
    """Whether an attribute is the value itself, or one of its two halves is."""
    text = str(part(row, "value") or "")
    if str(part(row, "deleted")).lower() in YES:
        return False
    if type_ == "url":
        return text == value
    return value.casefold() in [one.casefold() for one in (text, *text.split("|"))]


def _doubts(row: Any) -> int:
    seen = part(row, "Sighting")
    return sum(str(part(one, "type")) == FALSE_POSITIVE for one in seen) if isinstance(seen, list) else 0


_KIND = provider_kind(
    Misp,
    "MISP",
    "",
    Setting("malicious_at", _("Events for detection from which it counts as malicious"), form="number", default=1),
    EFFECT,
    Setting("days", _("As a feed: attributes changed in so many days; 0: all"), form="number", default=30),
    EVERY,
)


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    return too_soon(settings)


KIND = dataclasses.replace(_KIND, summary=_("Ratings of values, and a list of values"), rules=problems)
