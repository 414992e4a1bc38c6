"""Formats of one JSON document: STIX 2.1 bundles and MISP events. Only what is needed is decoded, member by member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from soar.connectors.intelligence.feeds.rows import BadFeed, Place, Row, row_of
from soar.lib import clock

Rows = Iterator[Row | None]
# What is compared in a STIX pattern: path, operator, text in quotes. No part of it can run away on long texts.
COMPARISON = re.compile(
    r"([a-z0-9-]{1,60}):([A-Za-z0-9_.'\- ]{1,80}?)\s{0,9}(=|!=|LIKE|MATCHES|IN|>|<)\s{0,9}'((?:[^'\\]|\\.){1,2048})'"
)
LONGEST_PATTERN = 20_000
STIX_PATHS = {
    "ipv4-addr:value": "ip", "ipv6-addr:value": "ip", "domain-name:value": "domain", "url:value": "url",
    "email-addr:value": "email", "file:hashes.md5": "md5", "file:hashes.sha-1": "sha1", "file:hashes.sha1": "sha1",
    "file:hashes.sha-256": "sha256", "file:hashes.sha256": "sha256",
}  # fmt: skip
MISP_TYPES: dict[str, tuple[tuple[str, int], ...]] = {
    "ip-src": (("ip", 0),), "ip-dst": (("ip", 0),), "ip-src|port": (("ip", 0),), "ip-dst|port": (("ip", 0),),
    "domain": (("domain", 0),), "hostname": (("domain", 0),), "hostname|port": (("domain", 0),),
    "domain|ip": (("domain", 0), ("ip", 1)), "url": (("url", 0),), "uri": (("url", 0),), "link": (("url", 0),),
    "email": (("email", 0),), "email-src": (("email", 0),), "md5": (("md5", 0),), "sha1": (("sha1", 0),),
    "sha256": (("sha256", 0),), "filename|md5": (("md5", 1),), "filename|sha1": (("sha1", 1),),
    "filename|sha256": (("sha256", 1),),
}  # fmt: skip


class Bundle(Struct):
    """A STIX bundle."""

    objects: list[Raw] = []


class Indicator(Struct):
    """What is read of a STIX object."""

    type: str = ""
    pattern: str = ""
    pattern_type: str = "stix"
    name: str = ""
    revoked: bool = False
    valid_until: datetime | None = None
    confidence: float | None = None


class Attribute(Struct):
    """What is read of a MISP attribute. Flags come as booleans and as "0" and "1"."""

    type: str = ""
    value: str = ""
    to_ids: bool | str | int = True
    deleted: bool | str | int = False
    comment: str | None = ""


class Holder(Struct):
    """A MISP event or object."""

    Attribute: list[Raw] = []
    Object: list[Raw] = []
    Event: Raw = msgspec.field(default_factory=Raw)
    response: Raw = msgspec.field(default_factory=Raw)
    info: Any = ""


def stix(body: bytes, type_: str, place: Place) -> Rows:
    """Indicators of a STIX 2.1 bundle whose pattern names values one by one. Raises BadFeed."""
    place.what = "item"
    for raw in _counted(_decoded(body, Bundle, "STIX bundle").objects, place):
        try:
            one = msgspec.json.decode(raw, type=Indicator)
        except (msgspec.DecodeError, RecursionError):
            yield None
            continue
        if one.type == "indicator":
            yield from _indicator(one)


def misp(body: bytes, type_: str, place: Place) -> Rows:
    """Attributes that are meant for detection, of an event or a list of events. Raises BadFeed."""
    place.what = "item"
    yield from _holder(_decoded(body, Holder | list[Raw], "MISP document"), "", 0, place)


def _counted(raws: list[Raw], place: Place) -> Iterator[Raw]:
    for raw in raws:
        place.number += 1
        yield raw


def _indicator(one: Indicator) -> Rows:
    until = one.valid_until
    until = until.replace(tzinfo=UTC) if until is not None and until.tzinfo is None else until
    if one.revoked or one.pattern_type != "stix" or len(one.pattern) > LONGEST_PATTERN:
        yield None
        return
    found = COMPARISON.findall(one.pattern)
    files_only = all(path == "file" for path, *_more in found)
    joined = re.search(r"\bAND\b|FOLLOWEDBY|\bNOT\b", one.pattern)
    if not found or (until and until <= clock.now()) or (joined and not (files_only and joined[0] == "AND")):
        yield None  # several things together: none of them is bad by itself
        return
    for path, field, operator, value in found:
        kind = STIX_PATHS.get(f"{path}:{field.replace(chr(39), '').strip().lower()}", "")
        weak = one.confidence is not None and one.confidence < 50
        text = re.sub(r"\\(.)", r"\1", value)
        yield row_of(text, type_=kind, note=one.name, weak=weak, expires_at=until) if kind and operator == "=" else None


def _holder(data: Holder | list[Raw], note: str, depth: int, place: Place) -> Rows:
    if depth > 6:
        return
    members = data if isinstance(data, list) else [raw for raw in (data.Event, data.response) if bytes(raw)]
    if isinstance(data, Holder):
        note = str(data.info)[:200] if data.info else note
        for raw in _counted(data.Attribute, place):
            yield from _attribute(raw, note)
        members += data.Object
    for raw in members:
        try:
            inner = msgspec.json.decode(raw, type=Holder | list[Raw])
        except (msgspec.DecodeError, RecursionError):
            yield None
        else:
            yield from _holder(inner, note, depth + 1, place)


def _attribute(raw: Raw, note: str) -> Rows:
    try:
        one = msgspec.json.decode(raw, type=Attribute)
    except (msgspec.DecodeError, RecursionError):
        yield None
        return
    if str(one.deleted).lower() in {"1", "true"} or str(one.to_ids).lower() in {"0", "false"}:
        yield None
        return
    parts = one.value.split("|")
    for kind, place in MISP_TYPES.get(one.type, (("", 0),)):
        yield row_of(parts[place], type_=kind, note=one.comment or note) if kind and place < len(parts) else None


def _decoded(body: bytes, shape: Any, what: str) -> Any:
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=shape)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadFeed(f"This is no {what}: {error}.", _line_of(body, str(error))) from None


def _line_of(body: bytes, error: str) -> int | None:
    """The line of a decoder's "(byte 17)"."""
    found = re.search(r"\(byte (\d{1,9})\)", error)
    return body.count(b"\n", 0, int(found[1])) + 1 if found else None
