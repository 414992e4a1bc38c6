"""The two questions to the database: what do warning lists, and what do own lists and feeds, know of these values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from soar.lib.database import prepared

# Ordinals instead of texts come back, since PostgreSQL may spell an address differently than it was asked.
BY_NAME = """
SELECT 'name', 0, n.value, n.below, l.name, l.type, l.category, l.effect, l.attributes
  FROM connectors_warningname n JOIN connectors_warninglist l ON l.id = n.list_id AND l.enabled
 WHERE n.value = ANY(%(names)s::text[])"""
BY_NETWORK = """
SELECT 'network', asked.number, w.network::text, true, l.name, l.type, l.category, l.effect, l.attributes
  FROM unnest(%(addresses)s::inet[]) WITH ORDINALITY AS asked(address, number)
  JOIN connectors_warningnetwork w ON w.network >>= asked.address
  JOIN connectors_warninglist l ON l.id = w.list_id AND l.enabled"""
BY_PATTERN = """
SELECT 'pattern', asked.number, p.pattern, true, l.name, l.type, l.category, l.effect, l.attributes
  FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS asked(text, number)
  JOIN connectors_warningpattern p ON asked.text ~* p.pattern
  JOIN connectors_warninglist l ON l.id = p.list_id AND l.enabled"""
_OWN_SQL = """
SELECT '{kind}', e.digest, 0, e.type, e.value, {effect}, e.reason, e.added_by
  FROM {table} e WHERE e.digest = ANY(%(digests)s::text[]) AND (e.expires_at IS NULL OR e.expires_at > now())
UNION ALL
SELECT '{kind}', '', asked.number, e.type, e.value, {effect}, e.reason, e.added_by
  FROM unnest(%(addresses)s::inet[]) WITH ORDINALITY AS asked(address, number)
  JOIN {table} e ON e.network >>= asked.address AND (e.expires_at IS NULL OR e.expires_at > now())
"""
_FEED_SQL = """
SELECT 'feed', e.digest, 0, e.type, e.value, e.effect, e.note, a.name
  FROM connectors_feedentry e JOIN connectors_connectoraccount a ON a.id = e.account_id AND a.enabled
 WHERE e.digest = ANY(%(digests)s::text[]) AND (e.expires_at IS NULL OR e.expires_at > now())
UNION ALL
SELECT 'feed', '', asked.number, e.type, e.value, e.effect, e.note, a.name
  FROM unnest(%(addresses)s::inet[]) WITH ORDINALITY AS asked(address, number)
  JOIN connectors_feedentry e ON e.network >>= asked.address AND (e.expires_at IS NULL OR e.expires_at > now())
  JOIN connectors_connectoraccount a ON a.id = e.account_id AND a.enabled
"""
OWN_SQL = "UNION ALL".join(
    (
        _OWN_SQL.format(kind="exception", table="connectors_exceptionentry", effect="'exception'"),
        _OWN_SQL.format(kind="own", table="connectors_ownlistentry", effect="e.effect"),
        _FEED_SQL,
    )
)


@dataclass(frozen=True, slots=True)
class WarningHit:
    """An entry of a warning list. ``number``: of the address or text asked for, from 1; 0 for a name."""

    kind: str
    number: int
    entry: str
    below: bool
    list: str
    type: str
    group: str
    effect: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnHit:
    """An entry of an own list or a feed, found by ``digest``, or as a network by the address ``number``.

    ``kind``: exception, own or feed; of a feed ``reason`` is its note and ``added_by`` its name."""

    kind: str
    digest: str
    number: int
    type: str
    value: str
    effect: str
    reason: str
    added_by: str


def warning_hits(names: Sequence[str], addresses: Sequence[str], texts: Sequence[str]) -> list[WarningHit]:
    """Entries of the enabled lists: of these names, networks that hold these addresses, patterns of these texts."""
    asked = {"names": list(names), "addresses": list(addresses), "texts": list(texts)}
    # Only what is asked for: each branch costs planning, even with nothing to look for.
    parts = [sql for sql, key in ((BY_NAME, "names"), (BY_NETWORK, "addresses"), (BY_PATTERN, "texts")) if asked[key]]
    if not parts:
        return []
    wanted = {key: value for key, value in asked.items() if value}
    with prepared() as cursor:
        return [_warning_hit(row) for row in cursor.execute(" UNION ALL ".join(parts), wanted, prepare=True).fetchall()]


def _warning_hit(row: Sequence[Any]) -> WarningHit:
    kind, number, entry, below, *about, attributes = row
    name, type_, group, effect = about
    return WarningHit(kind, number, entry, below, name, type_, group, effect, tuple(attributes))


def own_hits(digests: Sequence[str], addresses: Sequence[str]) -> list[OwnHit]:
    """Entries of the exception list, the own list and enabled feeds that have not expired."""
    asked = {"digests": list(digests), "addresses": list(addresses)}
    with prepared() as cursor:
        return [OwnHit(*row) for row in cursor.execute(OWN_SQL, asked, prepare=True).fetchall()]
