"""Observables on an alert's page: risk, evidence, and where else they were seen."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import connection
from django.db.models import Case, Exists, OuterRef, When
from django.urls import reverse

from cases.attack.stored import catalog
from cases.choices import Risk
from cases.models import Alert, AlertObservable, Incident
from soar.accounts.models import User
from soar.lib import parts

Context = dict[str, Any]
OBSERVABLES_SHOWN = 100
SIGHTINGS_AT_MOST = 50
KINDS_RATED = ("md5", "sha1", "sha256", "url", "ip", "domain")
ICONS = {
    "ip": "ip", "cidr": "ip", "domain": "domain", "hostname": "host", "url": "world", "email": "mail", "md5": "hash",
    "sha1": "hash", "sha256": "hash", "user": "user", "file_name": "file", "file_path": "file", "process": "terminal",
}  # fmt: skip
# Nothing that a click could reach: shown as it is.
PLAIN = ("file_name", "file_path", "registry_key", "process", "user", "technique", "cve", "mac", "asn", "crypto")


def observables(user: User, alert: Alert) -> Context:
    """All observables with risk, evidence and sightings, the highlighted and the risky first."""
    links = alert.observable_links.select_related("observable")
    found = list(links.order_by("-highlighted", "-observable__risk", "observable__type", "pk")[:OBSERVABLES_SHOWN])
    seen = sightings(user, [link.observable_id for link in found])
    rows = [_observable(link, seen.get(link.observable_id, (0, 0))) for link in found]
    marked = [row for row in rows if row["highlighted"]]
    # Without marks of the source, every hash, URL, address and domain counts (rulings 2).
    highlighted = marked or [row for row in rows if row["type"] in KINDS_RATED]
    kept = {row["pk"] for row in highlighted}
    return {
        "highlighted": highlighted,
        "others": [row for row in rows if row["pk"] not in kept],
        "observables_more": max(alert.observable_count - len(found), 0),
    }


# The newest alerts of each observable, by the (observable, -alert) index: bounded however common a value is.
_NEWEST = """
    SELECT wanted.id, near.alert_id FROM unnest(%s::bigint[]) AS wanted(id)
    CROSS JOIN LATERAL (
        SELECT n.alert_id FROM cases_alertobservable n
        WHERE n.observable_id = wanted.id ORDER BY n.alert_id DESC LIMIT %s
    ) near
"""


def sightings(user: User, ids: list[int]) -> dict[int, tuple[int, int]]:
    """In how many alerts, of the newest ``SIGHTINGS_AT_MOST``, and in how many incidents of theirs each observable
    stands, as far as the person may see them."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [ids, SIGHTINGS_AT_MOST])
        pairs = cursor.fetchall()
    near = Alert.objects.visible_to(user).filter(pk__in={alert for _one, alert in pairs})
    known = Case(When(Exists(Incident.objects.visible_to(user).filter(pk=OuterRef("incident"))), then="incident"))
    incident_of: dict[int, int | None] = dict(near.values_list("pk", known))
    alerts: dict[int, int] = defaultdict(int)
    incidents: dict[int, set[int]] = defaultdict(set)
    for one, alert in pairs:
        if alert in incident_of:
            alerts[one] += 1
            if known_incident := incident_of[alert]:
                incidents[one].add(known_incident)
    return {one: (number, len(incidents[one])) for one, number in alerts.items()}


def _role(link: AlertObservable) -> str:
    """What it is in the alert, if the source says so; of a technique, its name."""
    type_ = link.observable.type
    told = "" if link.role in ("text", "entity", type_) else link.role.replace("_", " ")
    return (catalog().name(link.observable.value) or told) if type_ == "technique" else told


def _observable(link: AlertObservable, seen: tuple[int, int]) -> Context:
    one = link.observable
    evidence = [str(item.get("text", "")) for item in one.rating.get("evidence", ()) if isinstance(item, dict)]
    return {
        "pk": one.pk,
        "type": one.type,
        "type_label": one.type.replace("_", " "),
        "role": _role(link),
        "icon": ICONS.get(one.type, "observables"),
        "value": one.value,
        "plain": one.type in PLAIN,
        "url": reverse("observable-detail", args=[one.pk]),
        "risk": parts.risk(Risk(one.risk).word),
        "evidence": evidence[:4],
        "benign": bool(one.rating.get("benign")),
        "highlighted": link.highlighted,
        "alerts": seen[0],
        "alerts_shown": f"{seen[0]}+" if seen[0] >= SIGHTINGS_AT_MOST else str(seen[0]),
        "incidents": seen[1],
    }
