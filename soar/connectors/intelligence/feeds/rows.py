"""What all formats are read into, and how a bare value tells its type (pure)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime

from soar.connectors.intelligence.values import HASH_LENGTHS, HOST, normalise

LONGEST_LINE = 8192
TYPES = ("ip", "cidr", "domain", "url", "email", "md5", "sha1", "sha256")
BY_LENGTH = {length: name for name, length in HASH_LENGTHS.items()}
HEX = re.compile("[0-9a-fA-F]+")
WITH_PORT = re.compile(r"([0-9.]{7,15}|\[[0-9a-fA-F:.]{2,45}\]):[0-9]{1,5}")
# Most of what feeds hold; ipaddress takes ten times as long to say the same.
BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = re.compile(rf"(?:{BYTE}\.){{3}}{BYTE}")
DEFANGED = (("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[at]", "@"), ("hxxp", "http"))


class BadFeed(ValueError):
    """A file that is no feed, with a sentence for people. ``line``: where, None if it is about the whole."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


@dataclass(slots=True)
class Place:
    """Where a reader is in its file: ``number`` of the line (``what``), the line's ``text``, ``at`` of ``total`` bytes.

    A document has no lines but items, which have no text."""

    what: str = "line"
    number: int = 0
    text: str = ""
    at: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A value in its normal form. ``weak``: the feed itself is not sure of it. ``expires_at``: aware, or None."""

    type: str
    value: str
    note: str = ""
    weak: bool = False
    expires_at: datetime | None = None


def row_of(
    text: str, *, type_: str = "", note: str = "", weak: bool = False, expires_at: datetime | None = None
) -> Row | None:
    """The row of a value as it stands in a file, None for what is none of the types that feeds are about."""
    if not 0 < len(text) <= LONGEST_LINE:
        return None
    value = text.strip().strip("\"'").strip()
    if type_ in ("", "ip") and IPV4.fullmatch(value):
        return Row("ip", value, _short(note), weak, expires_at)
    value = _fanged(value)
    kind = {"hostname": "domain"}.get(type_, type_) or guess(value)
    if kind not in TYPES:
        return None
    if kind == "ip":
        found = WITH_PORT.fullmatch(value)
        value = found[1].strip("[]") if found else value
        kind = "cidr" if "/" in value else kind
    try:
        normal = normalise(kind, value)
    except ValueError:
        return None
    if not normal.isprintable() or any(sign.isspace() for sign in normal):
        return None
    if kind == "cidr" and normal.endswith(("/32", "/128")) and ipaddress.ip_network(normal).num_addresses == 1:
        kind, normal = "ip", normal.partition("/")[0]
    return Row(kind, normal, _short(note), weak, expires_at)


def guess(value: str) -> str:
    """The type that a value looks like, "" for none."""
    if HEX.fullmatch(value) and len(value) in BY_LENGTH:
        return BY_LENGTH[len(value)]
    if "://" in value:
        return "url"
    if network := _network(value):
        return network
    return "email" if value.count("@") == 1 else _named(value)


def _network(value: str) -> str:
    if WITH_PORT.fullmatch(value):
        return "ip"
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return ""
    return "cidr" if "/" in value else "ip"


def _named(value: str) -> str:
    host, slash, _path = value.partition("/")
    if "." not in host or not HOST.match(host.lower().rstrip(".")) or host.rpartition(".")[2].isdigit():
        return ""
    return "url" if slash else "domain"


def _fanged(value: str) -> str:
    for shown, meant in DEFANGED:
        if shown in value:
            value = value.replace(shown, meant)
    return value


def _short(note: str) -> str:
    if not note:
        return ""
    clean = "".join(sign if sign.isprintable() else " " for sign in note[:400])
    return " ".join(clean.split())[:200]
