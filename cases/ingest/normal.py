"""What every normaliser returns: one alert in the portal's own words, whatever product sent it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cases.ingest.digest import canonical_key
from cases.ingest.text import clean_json, clean_text, cut
from soar.lib.hidden import shown

__all__ = ["LIMITS", "Found", "NormalAlert", "canonical_key", "clean_text", "finish"]

# Characters kept of each text; the raw payload keeps everything (ingest-and-api.md 10).
LIMITS = {
    "title": 500,
    "description": 100_000,
    "source_ref": 255,
    "detection_model": 255,
    "hostname": 255,
    "username": 255,
    "source_ip": 45,
    "tlp": 20,
    "source_state": 100,
}
LONGEST_KEY = 255
LONGEST_LINK = 2_000
MOST_TAGS, LONGEST_TAG = 100, 100
MOST_TECHNIQUES = 100
MOST_NOTES = 50


class Found(NamedTuple):
    """An observable as it was found; ``highlighted`` when the source itself points at it (ruling 2)."""

    type: str
    value: str
    role: str = "text"
    highlighted: bool = False


class NormalAlert(msgspec.Struct, kw_only=True):
    """One alert after reading.

    Empty text means that the source does not say. ``severity`` None means the source's default, an empty
    ``dedup_key`` the digest of the body (``canonical_key``). Times are aware and in UTC: ``occurred_at`` is the
    alert's own time, ``first_seen`` and ``last_seen`` those of the events behind it. ``determination`` is set
    only from a verdict of the source; ``closed`` only together with one (ingest-and-api.md 8a). ``only_state``
    alerts never create: they set ``source_state`` of the alert with the same key. ``notes`` tell repairs.
    """

    title: str
    description: str = ""
    severity: str | None = None
    source_ref: str = ""
    dedup_key: str = ""
    detection_model: str = ""
    occurred_at: datetime | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    hostname: str = ""
    username: str = ""
    source_ip: str = ""
    tags: list[str] = msgspec.field(default_factory=list)
    techniques: list[str] = msgspec.field(default_factory=list)
    tlp: str = ""
    external_link: str = ""
    source_state: str = ""
    determination: str | None = None
    closed: bool = False
    only_state: bool = False
    observables: list[Found] = msgspec.field(default_factory=list)
    assets: list[dict[str, Any]] = msgspec.field(default_factory=list)
    entities: list[dict[str, Any]] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)


def finish(alert: NormalAlert) -> NormalAlert:
    """``alert`` itself, its texts repaired and cut to LIMITS, each change told in its notes."""
    for name, limit in LIMITS.items():
        value = getattr(alert, name)
        if value:
            setattr(alert, name, _fit(name, value, limit, alert.notes))
    alert.dedup_key = _key(alert.dedup_key, alert.notes)
    alert.external_link = _link(alert.external_link, alert.notes)
    alert.tags = _words(alert.tags, MOST_TAGS, "tags", alert.notes)
    alert.techniques = _words(alert.techniques, MOST_TECHNIQUES, "techniques", alert.notes)
    alert.assets, alert.entities = _storable(alert.assets), _storable(alert.entities)
    if alert.notes:
        alert.notes = [cut(clean_text(note)[0], 500) for note in dict.fromkeys(alert.notes)][:MOST_NOTES]
    return alert


def _is_plain(value: str, limit: int) -> bool:
    """Whether nothing needs doing; nearly all texts of nearly all alerts, so asked first."""
    return len(value) <= limit and value.isascii() and value.isprintable()


def _storable(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``facts`` as PostgreSQL can keep them; Python's own notation betrays NUL and surrogates."""
    shown = repr(facts) if facts else ""
    return [clean_json(one)[0] for one in facts] if "\\x00" in shown or "\\ud" in shown else facts


def _fit(name: str, value: str, limit: int, notes: list[str]) -> str:
    if _is_plain(value, limit):
        return value.strip()
    text, repaired = clean_text(value)
    text = _shown(name, text.strip(), notes)
    if name not in {"description"} and not text.isprintable():
        text = " ".join(text.split())
    if repaired:
        notes.append(f"{name} held characters that cannot be stored; they are shown by signs")
    if len(text) > limit:
        notes.append(f"{name} was cut at {limit:,} characters")
        text = cut(text, limit)
    return text


def _shown(name: str, text: str, notes: list[str]) -> str:
    """Characters that turn a text round or cannot be seen become signs: a title must read as what it is."""
    seen = shown(text)
    if seen != text:
        notes.append(f"{name} held characters that cannot be seen or turn the text round; they are shown by signs")
    return seen


def _key(value: str, notes: list[str]) -> str:
    if not value:
        return ""
    if _is_plain(value, LONGEST_KEY):
        return value.strip()
    text, repaired = clean_text(value.strip())
    if repaired:
        notes.append("the id held characters that cannot be stored; they are shown by signs")
    if len(text) > LONGEST_KEY:
        notes.append(f"the id is longer than {LONGEST_KEY} characters; its digest is the key")
        return canonical_key([text])
    return text


def _link(value: str, notes: list[str]) -> str:
    """Only what a browser may follow: ``javascript:`` and the like never become a link."""
    text = clean_text(value.strip())[0]
    if not text:
        return ""
    if not text.lower().startswith(("https://", "http://")) or len(text) > LONGEST_LINK:
        notes.append(f"the link '{cut(text, 80)}' is not kept: no web address, or too long")
        return ""
    return text


def _words(values: list[str], most: int, name: str, notes: list[str]) -> list[str]:
    if not values:
        return values
    clean = [
        value.strip() if _is_plain(value, LONGEST_TAG) else cut(shown(clean_text(value)[0].strip()), LONGEST_TAG)
        for value in values
    ]
    unique = list(dict.fromkeys(value for value in clean if value))
    if len(unique) > most:
        notes.append(f"only the first {most} of {len(unique)} {name} were kept")
    return unique[:most]
