"""What the regions of an alert's page need, each made by one function (design: Regions and HTMX)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from cases import stats, timeline_read
from cases.actions.seen import seen_of
from cases.asset_facts import key_of
from cases.choices import AlertStatus, Determination, Findings, Severity
from cases.models import Alert, Incident
from cases.relations import Reason
from cases.restricted_views import note_rows
from cases.similar import similar
from cases.suggestions import likely_incident
from cases.timeline_filter import TimelineFilter
from cases.timeline_read import EVERYTHING
from cases.views import asset_parts, timeline_parts
from cases.views.alerts_mails import mails
from cases.views.alerts_objects import observables
from cases.views.alerts_rows import incidents_seen
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.text import defang, shorten_hash

Context = dict[str, Any]
OPEN_AT_MOST = 99
ENTITY_ICONS = {
    "host": "laptop", "endpoint": "laptop", "user": "user", "account": "user", "process": "terminal", "message": "mail",
    "mailbox": "mail", "container": "box", "cloud": "cloud", "server": "server",
    "system": "laptop",
}  # fmt: skip
# What names an entity, in the order of preference; the rest of its facts are told beside it.
NAMES = ("name", "hostname", "host", "username", "user", "email", "id", "value")
HIDDEN_FACTS = ("type", "uuid")
# SHA-1 and longer: what is as short as an MD5 may be the id of an agent, which somebody copies.
LONG_HASH = re.compile(r"\b[0-9a-fA-F]{40,128}\b")
FACTS_SHOWN = 8


def base(user: User, alert: Alert) -> Context:
    """What every region needs: the alert, its incident if that may be seen, and what this person may do with it."""
    found = Incident.objects.visible_to(user).filter(pk=alert.incident_id).first() if alert.incident_id else None
    return {
        "incident": found,
        "alert": alert,
        "number": alert.number,
        "can_work": may(user, "work_cases"),
        "can_pin": may(user, "work_cases"),
        "is_open": alert.status != AlertStatus.RESOLVED,
        **timeline_parts.addresses("alert", alert.number),
    }


def head(user: User, alert: Alert) -> Context:
    """Title, badges, and the verbs of status, severity and determination."""
    status = AlertStatus(alert.status)
    return {
        "severity": Severity(alert.severity),
        "status": status,
        "determination": Determination(alert.determination),
        "findings": _(str(Findings(alert.findings).label)) if alert.findings else "",
        "statuses": [one for one in AlertStatus if one.is_open],
        "severities": list(reversed(Severity)),
        "determinations": [one for one in Determination if one or status.is_open],
        "mine": alert.owner_id == user.pk,
        "seen": {name: seen_of(alert, name) for name in ("owner", "status", "determination", "severity")},
    }


def incident(user: User, alert: Alert) -> Context:
    """The incident that the alert is in, or the one that it probably belongs to, with the reasons."""
    if alert.incident_id:
        return {"likely": None}
    found_likely = likely_incident(user, alert)
    likely = None
    if found_likely and found_likely.incident:
        note_rows(user, [found_likely.incident])
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
    return value if type in ("asset", "host", "user") else shorten_hash(defang(value, type))


def entities(user: User, alert: Alert) -> Context:
    """Hosts, accounts, processes: what the source tells of them, and how many open alerts they have."""
    rows = [_entity({**one, "type": _kind(one, alert)}) for one in alert.entities if isinstance(one, dict)]
    known = {row["name"].lower() for row in rows}
    for facts in ({"type": "host", "name": alert.hostname, "addresses": []}, {"type": "user", "name": alert.username}):
        name = str(facts["name"])
        if name and name.lower() not in known:
            rows.append(_entity(facts))
    counts = _open_alerts(user, alert)
    assets = asset_parts.of_alert(alert) if any(row["asset_key"] for row in rows) else {}
    for row in rows:
        field = "host" if row["name"] == alert.hostname else "user" if row["name"] == alert.username else ""
        row |= {"field": field, "open": counts.get(field), "asset": assets.get(row["asset_key"])}
    return {"entities": rows}


def _kind(facts: dict[str, Any], alert: Alert) -> str:
    """What an entity is; where the source does not say it, its facts and its name do (assets alone have addresses)."""
    name = str(facts.get("name") or "").lower()
    if facts.get("type") or not name:
        return str(facts.get("type") or "")
    if "addresses" in facts or name == alert.hostname.lower():
        return "host"
    return "user" if name == alert.username.lower() else ""


def _entity(facts: dict[str, Any]) -> Context:
    kind = str(facts.get("type") or "entity")
    name = next((str(facts[key]) for key in NAMES if facts.get(key)), kind)
    told: dict[str, str] = {}
    for key, value in facts.items():
        words = _words(value)[:500]
        if key in HIDDEN_FACTS or value in (None, "", [], {}) or words == name or words in told.values():
            continue
        told[key.replace("_", " ")] = words
    return {
        "kind": kind.replace("_", " "),
        "name": name,
        "icon": ENTITY_ICONS.get(kind, "target"),
        "asset_key": key_of(facts),
        "facts": [(key, LONG_HASH.sub(_shortened, words), words) for key, words in list(told.items())[:FACTS_SHOWN]],
    }


def _shortened(found: re.Match[str]) -> str:
    return shorten_hash(found[0])


def _words(value: Any) -> str:
    """A fact as a reader has it: ``ip 203.0.113.77, user a.voss`` of a list of pairs."""
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, one)) if isinstance(one, list) else _words(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items())
    return str(value)


def _open_alerts(user: User, alert: Alert) -> dict[str, stats.Figure]:
    """Open alerts of the host and of the user, this one included, counted no further than needed."""
    wanted = {}
    if alert.hostname or alert.username:
        base = stats.base_of(Alert.objects.visible_to(user))
        if alert.hostname:
            wanted["host"] = base.where(f"{stats.OPEN} AND hostname = %s", alert.hostname, cap=OPEN_AT_MOST)
        if alert.username:
            wanted["user"] = base.where(f"{stats.OPEN} AND username = %s", alert.username, cap=OPEN_AT_MOST)
    return stats.run(wanted, bitmaps=False)


def similar_alerts(user: User, alert: Alert) -> Context:
    """Alerts like this one, and why."""
    found = similar(user, alert)
    note_rows(user, [other for other, _reasons in found])
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


def timeline(
    user: User, alert: Alert, chosen: TimelineFilter = EVERYTHING, *, before: int = 0, aim: int = 0
) -> Context:
    """A page of the alert's stream, newest first, its filters and pins."""
    return timeline_parts.stream(timeline_read.entries_of_alert(alert), chosen, before=before, aim=aim)


def latest(alert: Alert, limit: int) -> Context:
    """The newest entries, for the panel beside the queue."""
    entries, _older = timeline_read.page_of(timeline_read.entries_of_alert(alert), limit=limit)
    return {"entries": entries}


def runs_url(alert: Alert) -> str:
    """The URL of the region that playbooks mount (rulings 23), or nothing when they do not."""
    return url_or_nothing(settings.ALERT_RUNS_URL, alert.number) or url_or_nothing(settings.ALERT_RUNS_URL, alert.pk)


def url_or_nothing(name: str, *args: Any) -> str:
    """The URL of this name, "" where nothing is mounted under it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


REGIONS: dict[str, Callable[[User, Alert], Context]] = {
    "head": head,
    "incident": incident,
    "observables": observables,
    "mails": mails,
    "entities": entities,
    "similar": similar_alerts,
    "details": details,
}
