"""The hosts that alerts name, for telling which alerts belong together (casework.md 8).

A host is its asset, known by name; its addresses do not make it. An address that several assets have is that of a
gateway (NAT) or was lent to one after the other (DHCP): it ties nothing together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cases.choices import Criticality
from soar.lib.database import prepared

# Of one alert: one that names fifty machines is not about a machine.
HOSTS_AT_MOST = 10

_NAMED = """
    SELECT l.alert_id, a.id, a.key, a.name, a.criticality
    FROM unnest(%s::bigint[]) wanted(id)
    CROSS JOIN LATERAL (
        SELECT n.alert_id, n.asset_id FROM cases_alertasset n WHERE n.alert_id = wanted.id ORDER BY n.id LIMIT %s
    ) l
    JOIN cases_asset a ON a.id = l.asset_id
"""
# Two are enough to know, however many machines stand behind a gateway.
_SHARED = """
    WITH named AS (
        SELECT array_agg(DISTINCT l.asset_id) ids FROM cases_alertasset l WHERE l.alert_id = ANY(%s::bigint[])
    )
    SELECT given.address FROM named, unnest(%s::varchar[]) given(address) WHERE 2 = (
        SELECT count(*) FROM (
            SELECT 1 FROM cases_asset a WHERE a.addresses @> ARRAY[given.address]
            AND (a.listed OR a.id = ANY(named.ids)) LIMIT 2
        ) owners
    )
"""


@dataclass(frozen=True, slots=True)
class Host:
    """An asset that an alert names."""

    id: int
    key: str
    name: str
    criticality: Criticality


def hosts_of(alert_ids: Sequence[int]) -> dict[int, list[Host]]:
    """The hosts of each alert, in one query. Whoever sees the alert sees them."""
    found: dict[int, list[Host]] = defaultdict(list)
    if alert_ids:
        with prepared() as cursor:
            rows = cursor.execute(_NAMED, [list(alert_ids), HOSTS_AT_MOST], prepare=True).fetchall()
        for alert, pk, key, name, level in rows:
            found[alert].append(Host(pk, key, name, Criticality(level)))
    return found


def shared_addresses(addresses: Iterable[str], alerts: Sequence[int]) -> set[str]:
    """Which of the addresses several assets have. Only the inventory and what these alerts name is asked, so that
    assets which the reader may not know of change nothing that they see."""
    wanted = sorted(set(addresses))
    if not wanted:
        return set()
    with prepared() as cursor:
        return {row[0] for row in cursor.execute(_SHARED, [list(alerts), wanted], prepare=True).fetchall()}
