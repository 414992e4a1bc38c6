"""What the regions of an alert's page need, each made by one function (design: Regions and HTMX)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from cases import stats, timeline_read
from cases.choices import AlertStatus, Determination, Findings, Risk, Severity
from cases.models import Alert, AlertObservable, Incident
from cases.relations import Reason
from cases.similar import similar
from cases.suggestions import likely_incident
from cases.views.alerts_rows import incidents_seen
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.text import defang, shorten_hash

Context = dict[str, Any]
OBSERVABLES_SHOWN = 100
SIGHTINGS_AT_MOST = 50
OPEN_AT_MOST = 99
KINDS_RATED = ("md5", "sha1", "sha256", "url", "ip", "domain")
ICONS = {
    "ip": "ip", "cidr": "ip", "domain": "domain", "hostname": "host", "url": "world", "email": "mail", "md5": "hash",
    "sha1": "hash", "sha256": "hash", "user": "user", "file_name": "file", "file_path": "file", "process": "terminal",
}  # fmt: skip
ENTITY_ICONS = {
    "host": "laptop", "endpoint": "laptop", "user": "user", "account": "user", "process": "terminal", "message": "mail",
    "mailbox": "mail", "container": "box", "cloud": "cloud", "server": "server",
}  # fmt: skip
# Nothing that a click could reach: shown as it is.
PLAIN = ("file_name", "file_path", "registry_key", "process", "user", "technique", "cve", "mac", "asn", "crypto")
# What names an entity, in the order of preference; the rest of its facts are told beside it.
NAMES = ("name", "hostname", "host", "username", "user", "email", "id", "value")
HIDDEN_FACTS = ("type", "uuid")
FACTS_SHOWN = 8


def base(user: User, alert: Alert) -> Context:
    """What every region needs: the alert, its incident if that may be seen, and what this person may do with it."""
    found = Incident.objects.visible_to(user).filter(pk=alert.incident_id).first() if alert.incident_id else None
    return {
        "incident": found,
        "alert": alert,
        "number": alert.number,
        "can_work": may(user, "work_cases"),
        "is_open": alert.status != AlertStatus.RESOLVED,
    }


def head(user: User, alert: Alert) -> Context:
    """Title, badges, and the verbs of status, severity and determination."""
    status = AlertStatus(alert.status)
    return {
        "severity": Severity(alert.severity),
        "status": status,
        "determination": Determination(alert.determination),
        "findings": Findings(alert.findings).label if alert.findings else "",
        "statuses": [one for one in AlertStatus if one.is_open],
        "severities": list(reversed(Severity)),
        "determinations": [one for one in Determination if one or status.is_open],
        "mine": alert.owner_id == user.pk,
    }


def incident(user: User, alert: Alert) -> Context:
    """The incident that the alert is in, or the one that it probably belongs to, with the reasons."""
    if alert.incident_id:
        return {"likely": None}
    found_likely = likely_incident(user, alert)
    likely = None
    if found_likely and found_likely.incident:
        likely = {
            "incident": found_likely.incident,
            "why": _why(found_likely.reasons),
            "alerts": found_likely.ids[0],
        }
    return {"likely": likely}


def _why(reasons: Iterable[Reason]) -> str:
    """The shared values in words: "203[.]0[.]113[.]7, FIN-LT-0231 and a.voss"."""
    values = [shown_value(one.type, one.value) for one in reasons]
    return (
        _("%(first)s and %(last)s") % {"first": ", ".join(values[:-1]), "last": values[-1]} if values[1:] else values[0]
    )


def shown_value(type: str, value: str) -> str:
    """A value as text: addresses, names and URLs defanged, hashes shortened."""
    return value if type in ("host", "user") else shorten_hash(defang(value))


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
    incident_of = dict(near.values_list("pk", "incident_id"))
    alerts: dict[int, int] = defaultdict(int)
    incidents: dict[int, set[int]] = defaultdict(set)
    for one, alert in pairs:
        if alert in incident_of:
            alerts[one] += 1
            if incident_of[alert]:
                incidents[one].add(incident_of[alert])
    return {one: (number, len(incidents[one])) for one, number in alerts.items()}


def _observable(link: AlertObservable, seen: tuple[int, int]) -> Context:
    one = link.observable
    evidence = [str(item.get("text", "")) for item in one.rating.get("evidence", ()) if isinstance(item, dict)]
    return {
        "pk": one.pk,
        "type": one.type,
        "type_label": one.type.replace("_", " "),
        "role": "" if link.role in ("text", "entity", one.type) else link.role.replace("_", " "),
        "icon": ICONS.get(one.type, "observables"),
        "value": one.value,
        "plain": one.type in PLAIN,
        "url": _url("observable-detail", one.pk),
        "risk": parts.risk(Risk(one.risk).word),
        "evidence": evidence[:4],
        "benign": bool(one.rating.get("benign")),
        "highlighted": link.highlighted,
        "alerts": seen[0],
        "alerts_shown": f"{seen[0]}+" if seen[0] >= SIGHTINGS_AT_MOST else str(seen[0]),
        "incidents": seen[1],
    }


def entities(user: User, alert: Alert) -> Context:
    """Hosts, accounts, processes: what the source tells of them, and how many open alerts they have."""
    rows = [_entity(one) for one in alert.entities if isinstance(one, dict)]
    known = {row["name"].lower() for row in rows}
    for kind, name in (("host", alert.hostname), ("user", alert.username)):
        if name and name.lower() not in known:
            rows.append(_entity({"type": kind, "name": name}))
    counts = _open_alerts(user, alert)
    for row in rows:
        field = "host" if row["name"] == alert.hostname else "user" if row["name"] == alert.username else ""
        row |= {"field": field, "open": counts.get(field)}
    return {"entities": rows}


def _entity(facts: dict[str, Any]) -> Context:
    kind = str(facts.get("type") or "entity")
    name = next((str(facts[key]) for key in NAMES if facts.get(key)), kind)
    told = []
    for key, value in facts.items():
        if key in HIDDEN_FACTS or value in (None, "", [], {}) or str(value) == name:
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        told.append((key.replace("_", " "), shown[:500]))
    return {
        "kind": kind.replace("_", " "),
        "name": name,
        "icon": ENTITY_ICONS.get(kind, "target"),
        "facts": told[:FACTS_SHOWN],
    }


def _open_alerts(user: User, alert: Alert) -> dict[str, stats.Figure]:
    """Open alerts of the host and of the user, this one included, counted no further than needed."""
    wanted = {}
    if alert.hostname or alert.username:
        base = stats.base_of(Alert.objects.visible_to(user))
        if alert.hostname:
            wanted["host"] = base.where(f"{stats.OPEN} AND hostname = %s", alert.hostname, cap=OPEN_AT_MOST)
        if alert.username:
            wanted["user"] = base.where(f"{stats.OPEN} AND username = %s", alert.username, cap=OPEN_AT_MOST)
    return stats.run(wanted)


def similar_alerts(user: User, alert: Alert) -> Context:
    """Alerts like this one, and why."""
    found = similar(user, alert)
    seen = incidents_seen(user, [other for other, _reasons in found])
    return {"similar": [_similar(other, reasons, seen) for other, reasons in found]}


def _similar(other: Alert, reasons: list[Reason], seen: set[int]) -> Context:
    return {
        "number": other.number,
        "title": other.title,
        "severity": parts.sev(Severity(other.severity).word),
        "resolved": other.status == AlertStatus.RESOLVED,
        "why": [(one.text, shown_value(one.type, one.value)) for one in reasons[:3]],
        "incident": f"INC-{other.incident_id}" if other.incident_id in seen else "",
        "linked": other.incident_id is not None,
        "age": parts.ago(other.received_at),
    }


def details(user: User, alert: Alert) -> Context:
    """The plain facts at the right."""
    return {"runs_url": runs_url(alert), "repeated": alert.count > 1}


def timeline(user: User, alert: Alert, *, group: str = "", before: int = 0, limit: int = timeline_read.PAGE) -> Context:
    """A page of the alert's stream, newest first."""
    group = group if group in timeline_read.GROUPS else ""
    rows = timeline_read.entries_of_alert(alert)
    entries, older = timeline_read.page_of(rows, group=group, before=before, limit=limit)
    return {
        "entries": entries,
        "older": older,
        "group": group,
        "newer": bool(before),
        "groups": [("", _("All")), ("notes", _("Notes")), ("changes", _("Changes")), ("playbooks", _("Playbooks"))],
    }


def runs_url(alert: Alert) -> str:
    """The URL of the region that playbooks mount (rulings 23), or nothing when they do not."""
    return _url(settings.ALERT_RUNS_URL, alert.number) or _url(settings.ALERT_RUNS_URL, alert.pk)


def _url(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


REGIONS: dict[str, Callable[[User, Alert], Context]] = {
    "head": head,
    "incident": incident,
    "observables": observables,
    "entities": entities,
    "similar": similar_alerts,
    "details": details,
}
