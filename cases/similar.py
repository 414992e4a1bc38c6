"""Alerts like this one, and why. Bounded: a fixed number of index look-ups per value, at any size. Of the newest that
share a value those count that the reader may see; what they may not see takes no room among them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models.expressions import RawSQL

from cases.choices import Criticality
from cases.grouping import ADDRESSES, WINDOW
from cases.ingest.assets import asset_name
from cases.models import Alert
from cases.relations import SHARED_TYPES, Reason, asset_reason, reason
from cases.shared_hosts import shared_addresses
from soar.accounts.models import User

VALUES_AT_MOST = 30
HOSTS_AT_MOST = 5
PER_VALUE = 20
PER_HOST = 100
LOOKED_AT = 1000  # newest alerts with a value, of which those are taken that the reader may see
HOST = "asset"

# Newest alerts of each observable of the alert, by the (observable, -alert) index, and of each of its assets, by the
# (asset, -alert) one, within the window of time around it; and of the same host and user by name.
_NEAR = f"""
    SELECT near.alert_id, o.type, o.value, near.role, mine.role, 0
    FROM (
        SELECT l.observable_id, l.role FROM cases_alertobservable l
        WHERE l.alert_id = %(alert)s ORDER BY l.highlighted DESC, l.id LIMIT %(values)s
    ) mine
    JOIN cases_observable o ON o.id = mine.observable_id AND o.type = ANY(%(types)s)
    CROSS JOIN LATERAL (
        SELECT n.alert_id, n.role FROM (
            SELECT alert_id, role FROM cases_alertobservable
            WHERE observable_id = mine.observable_id AND alert_id <> %(alert)s
            ORDER BY alert_id DESC LIMIT %(looked)s
        ) n WHERE EXISTS ({{seen}})
        ORDER BY n.alert_id DESC LIMIT %(per)s
    ) near
    UNION ALL
    SELECT near.alert_id, '{HOST}', a.name, '', '', a.criticality
    FROM (
        SELECT l.asset_id FROM cases_alertasset l WHERE l.alert_id = %(alert)s ORDER BY l.id LIMIT %(hosts)s
    ) mine
    JOIN cases_asset a ON a.id = mine.asset_id
    CROSS JOIN LATERAL (
        SELECT n.alert_id FROM (
            SELECT alert_id FROM cases_alertasset
            WHERE asset_id = mine.asset_id AND alert_id <> %(alert)s
            ORDER BY alert_id DESC LIMIT %(looked)s
        ) n WHERE EXISTS ({{seen}})
        ORDER BY n.alert_id DESC LIMIT %(per_host)s
    ) near
    JOIN cases_alert other ON other.id = near.alert_id AND other.received_at BETWEEN %(since)s AND %(until)s
    UNION ALL
    SELECT alert_id, 'host', %(host)s, '', '', 0 FROM (
        SELECT n.alert_id FROM (
            SELECT id AS alert_id FROM cases_alert WHERE hostname = %(host)s AND hostname <> '' AND id <> %(alert)s
            ORDER BY id DESC LIMIT %(looked)s
        ) n WHERE EXISTS ({{seen}})
        ORDER BY n.alert_id DESC LIMIT %(per)s
    ) named
    UNION ALL
    SELECT alert_id, 'user', %(user)s, '', '', 0 FROM (
        SELECT n.alert_id FROM (
            SELECT id AS alert_id FROM cases_alert WHERE username = %(user)s AND username <> '' AND id <> %(alert)s
            ORDER BY id DESC LIMIT %(looked)s
        ) n WHERE EXISTS ({{seen}})
        ORDER BY n.alert_id DESC LIMIT %(per)s
    ) done
"""  # noqa: S608  our own word


@dataclass
class Shared:
    """Ids of other alerts by the value that they share with one alert; the criticality of its assets by name."""

    ids: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    levels: dict[str, Criticality] = field(default_factory=dict)

    def why(self, value: tuple[str, str]) -> Reason:
        """The reason for a shared value."""
        name, text = value
        if name == HOST:
            return asset_reason(text, self.levels[text], len(self.ids[value]))
        return reason(name, text, len(self.ids[value]))


@dataclass(frozen=True)
class Alike:
    """Reasons by the id of the other alert, and the incident that it is in."""

    reasons: dict[int, list[Reason]]
    incidents: dict[int, int | None]


def similar(user: User, alert: Alert, limit: int = 8) -> list[tuple[Alert, list[Reason]]]:
    """The most similar alerts that the user may see, with reasons, best first."""
    reasons = alike(user, alert).reasons
    scored = sorted(reasons, key=lambda pk: (sum(r.weight for r in reasons[pk]), pk), reverse=True)[:limit]
    rows = Alert.objects.visible_to(user).with_line_data().in_bulk(scored)
    return [(rows[pk], reasons[pk]) for pk in scored if pk in rows]


def alike(user: User, alert: Alert) -> Alike:
    """What is like this alert, of what the user may see; read once for one loaded alert and user: its page needs it
    twice."""
    known: dict[int, Alike] = alert.__dict__.setdefault("_alike", {})
    if user.pk not in known:
        shared = _shared(user, alert)
        incidents = _visible(user, shared)
        _drop_addresses(alert, shared)
        known[user.pk] = Alike(_reasons(shared), incidents)
    return known[user.pk]


def _reasons(shared: Shared) -> dict[int, list[Reason]]:
    found: dict[int, list[Reason]] = defaultdict(list)
    for value, ids in shared.ids.items():
        why = shared.why(value)
        for pk in ids:
            found[pk].append(why)
    for reasons in found.values():
        reasons.sort(key=lambda r: -r.weight)
    return found


def _visible(user: User, shared: Shared) -> dict[int, int | None]:
    """Take out alerts that this person may not see: they weigh nothing and name nothing. The incidents of the others,
    by id."""
    ids = {pk for found in shared.ids.values() for pk in found}
    rows = Alert.objects.visible_to(user).filter(pk__in=ids).values_list("pk", "incident_id") if ids else ()
    seen: dict[int, int | None] = dict(rows)
    kept = {value: [pk for pk in found if pk in seen] for value, found in shared.ids.items()}
    shared.ids = {value: found for value, found in kept.items() if found}
    return seen


def _drop_addresses(alert: Alert, shared: Shared) -> None:
    """Take out addresses that several assets have: of the inventory, or named by these alerts."""
    addresses = {value for name, value in shared.ids if name in ADDRESSES}
    if not addresses:
        return
    near = {pk for (name, _), ids in shared.ids.items() if name in ADDRESSES for pk in ids}
    gone = shared_addresses(addresses, [alert.pk, *sorted(near)])
    shared.ids = {value: ids for value, ids in shared.ids.items() if value[0] not in ADDRESSES or value[1] not in gone}


def _seen(user: User) -> tuple[str, dict[str, Any]]:
    """The question whether the user may see the alert ``n.alert_id``, asked for one after the other, and its values."""
    rows = Alert.objects.visible_to(user).order_by().filter(pk=RawSQL("n.alert_id", [])).values("pk")
    sql, values = rows.query.sql_with_params()
    first, *others = sql.split("%s")
    named = "".join(f"%(seen{place})s{piece}" for place, piece in enumerate(others))
    return f"{first}{named} OFFSET 0", {f"seen{place}": value for place, value in enumerate(values)}


def _shared(user: User, alert: Alert) -> Shared:
    """What other alerts that the user may see share with this one."""
    try:
        seen, asked = _seen(user)
    except EmptyResultSet:  # they see no alerts
        return Shared()
    values: dict[str, Any] = {
        "alert": alert.pk,
        "values": VALUES_AT_MOST,
        "hosts": HOSTS_AT_MOST,
        "types": list(SHARED_TYPES),
        "looked": LOOKED_AT,
        "per": PER_VALUE,
        "per_host": PER_HOST,
        "since": alert.received_at - WINDOW,
        "until": alert.received_at + WINDOW,
        "host": alert.hostname,
        "user": alert.username,
        **asked,
    }
    shared = Shared()
    with connection.cursor() as cursor:
        cursor.execute(_NEAR.format(seen=seen), values)
        for pk, type_, value, role, own_role, level in cursor.fetchall():
            both_sources = role == own_role == "source_ip"
            shared.ids[("source_ip" if both_sources else type_, value)].append(pk)
            if type_ == HOST:
                shared.levels[value] = Criticality(level)
    _drop_told_hosts(alert, shared)
    return shared


def _drop_told_hosts(alert: Alert, shared: Shared) -> None:
    """Leave out alerts of the same host name that its asset has told of: the others came long before or after."""
    key = asset_name(alert.hostname)[0]
    told = {pk for (name, text), ids in shared.ids.items() if (name, text.lower()) == (HOST, key) for pk in ids}
    if told:
        named = ("host", alert.hostname)
        shared.ids[named] = [pk for pk in shared.ids[named] if pk not in told]
