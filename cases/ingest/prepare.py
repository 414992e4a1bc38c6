"""From a normal alert to the row that is stored. Pure but for the clock that is handed in."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.choices import AlertStatus, Determination, Severity, Tlp
from cases.digests import value_digest
from cases.ingest.assets import NamedAsset, named
from cases.ingest.hold import Hold
from cases.ingest.iocs import guess_type
from cases.ingest.mapping.overlay import Overlay
from cases.ingest.normal import LONGEST_TAG, Found, NormalAlert, canonical_key
from cases.ingest.registry import Kind
from cases.ingest.text import cut

OBSERVABLES_AT_MOST = 500
TECHNIQUE_AT_MOST = 20
END_OF_HOST = re.compile(r"[/?#\\]")  # browsers take a backslash for a slash
ASK = -1  # the generation of suppression rules of who has not read it
TLP_WORDS = frozenset(Tlp.values)
TLP_OTHER = {"white": "clear", "amber-strict": "amber+strict", "amber_strict": "amber+strict"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a source says about its alerts: the columns of AlertSource that acceptance needs, and its mapping."""

    source_id: int
    source_name: str
    kind: str
    team_id: int | None
    default_severity: int
    default_tlp: str
    default_tags: list[str]
    key_fields: list[str]
    repeat_rule: str
    close_on_resolved: bool
    resolved_determination: int
    suppression: int = ASK
    mapping: Overlay | None = None


@dataclass(slots=True)
class Row:
    """One alert to store: the columns' values, its observables and assets, and what became of it."""

    alert: NormalAlert
    body: str
    key: str
    digest: bytes
    severity: int
    status: int
    determination: int
    tags: list[str]
    tlp: str
    occurred_at: datetime
    first_seen: datetime
    last_seen: datetime
    notes: list[str]
    observables: list[Found]
    assets: list[NamedAsset]
    cause: uuid.UUID = field(default_factory=uuid.uuid4)
    count: int = 1  # how often it stands in this delivery
    latest: str = ""  # the payload of its last repeat within this delivery
    id: int = 0
    entry: int = 0
    hold: Hold | None = None  # the rule that holds it back
    raw: bytes = b""  # the mail message that it was made of, kept beside it


def prepare(item: dict[str, Any], text: str, kind: Kind, rules: Rules, now: datetime) -> Row:
    """Read one item by its kind and mapping and fill in what the source's rules decide. Raises Unreadable."""
    alert = kind.normalise(item)
    if rules.mapping is not None:
        alert = rules.mapping.lay(item, alert)
    key = _key(item, alert, rules)
    closed = bool(alert.closed and alert.determination)
    occurred = alert.occurred_at or alert.first_seen or now
    notes = list(alert.notes)
    observables = _observables(alert.observables, notes)
    return Row(
        alert=alert,
        body=text,
        key=key[:300],
        digest=value_digest(key),
        severity=Severity.from_word(alert.severity) if alert.severity else rules.default_severity,
        status=AlertStatus.RESOLVED if closed else AlertStatus.NEW,
        determination=Determination.from_word(alert.determination or "unknown") if closed else 0,
        tags=_tags(alert.tags, rules.default_tags),
        tlp=_tlp(alert.tlp, rules.default_tlp),
        occurred_at=occurred,
        first_seen=alert.first_seen or occurred,
        last_seen=max(alert.last_seen or occurred, alert.first_seen or occurred),
        notes=notes,
        observables=observables,
        assets=named(alert.assets, notes) if alert.assets else [],
    )


def grouped(rows: list[Row]) -> list[Row]:
    """Rows with the same key become the first of them with a count, in the order of their keys: one order
    of locking for everybody, so that two deliveries never wait for each other."""
    by_digest: dict[bytes, Row] = {}
    for row in rows:
        row.count, row.latest = 1, ""  # the same rows come again after a deadlock
        first = by_digest.setdefault(row.digest, row)
        if first is not row:
            first.count += 1
            first.latest = row.body
            first.last_seen = max(first.last_seen, row.last_seen)
            first.observables = _observables([*first.observables, *row.observables], first.notes)
    return [by_digest[digest] for digest in sorted(by_digest)]


def _key(item: dict[str, Any], alert: NormalAlert, rules: Rules) -> str:
    if rules.key_fields:
        values = [_path(item, path) for path in rules.key_fields]
        if any(value is not None for value in values):
            return canonical_key(values)
    return alert.dedup_key or canonical_key(item)


def _path(item: Any, path: str) -> Any:
    """The value at ``a.b.c``: a flat dotted key wins over nesting."""
    if isinstance(item, dict) and path in item:
        return item[path]
    head, dot, rest = path.partition(".")
    return _path(item[head], rest) if dot and isinstance(item, dict) and head in item else None


def _tags(given: list[str], defaults: list[str]) -> list[str]:
    return list(dict.fromkeys(cut(tag.lower(), LONGEST_TAG) for tag in (*given, *defaults)))


def _tlp(given: str, default: str) -> str:
    word = given.lower().removeprefix("tlp:").strip()
    word = TLP_OTHER.get(word, word)
    return word if word in TLP_WORDS else default


def _hosts(found: list[Found]) -> list[Found]:
    """The domain or address of each URL: what other alerts share is more often the host than the page."""
    hosts = []
    for one in found:
        if one.type == "url":
            host = END_OF_HOST.split(one.value.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
            name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
            kind = guess_type(name)
            if kind in ("domain", "ip"):
                hosts.append(Found(kind, name, one.role))
    return hosts


def _observables(found: list[Found], notes: list[str]) -> list[Found]:
    """Each (type, value) once, the first mention's role, at most 500 (rulings 18)."""
    unique: dict[tuple[str, str], Found] = {}
    for one in [*found, *_hosts(found)]:
        seen = unique.setdefault((one.type, one.value), one)
        if one.highlighted and not seen.highlighted:
            unique[one.type, one.value] = Found(one.type, one.value, seen.role, True)
    if len(unique) > OBSERVABLES_AT_MOST:
        notes.append(f"{len(unique)} observables were found, the first {OBSERVABLES_AT_MOST} are linked")
    return list(unique.values())[:OBSERVABLES_AT_MOST]
