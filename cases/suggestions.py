"""Suggestions: open, unlinked alerts that belong together, and why (casework.md 8).

Bounded: the newest ``CANDIDATES`` open alerts of the window are read, whatever the table's size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from cases.digests import value_digest
from cases.models import Alert, AlertObservable, DismissedSuggestion, Incident
from cases.relations import LABELS, SHARED_TYPES, Reason, key_of, reason
from cases.similar import reasons_of
from soar.accounts.models import User

WINDOW = timedelta(hours=72)
CANDIDATES = 500
ALERTS_SHOWN = 50
REASONS_SHOWN = 4
Value = tuple[str, str]


@dataclass
class Suggestion:
    """Alerts that share a value, the open incident that already has it, if any, and the reasons."""

    key: str
    title: str
    alerts: list[Alert]
    incident: Incident | None
    reasons: list[Reason]
    score: float
    value: Value = ("", "")
    ids: list[int] = field(default_factory=list)


def suggestions(user: User, *, limit: int = 20) -> list[Suggestion]:
    """The best suggestions for what this person may see, best first."""
    groups = _groups(user)
    if not groups:
        return []
    sightings = _sightings(groups)
    keys = [key_of(*value) for value in groups]
    dismissed = dict(DismissedSuggestion.objects.filter(key__in=keys).values_list("key", "last_alert_id"))
    incidents = _incidents_with(user, groups)
    found = [
        made
        for value, ids in groups.items()
        if (made := _suggestion(value, ids, sightings, dismissed, incidents.get(value)))
    ]
    best = _merged(sorted(found, key=lambda s: (-s.score, s.key)), groups, sightings)[:limit]
    _load_alerts(user, best)
    return [suggestion for suggestion in best if suggestion.alerts]


def suggestion(user: User, key: str) -> Suggestion | None:
    """The suggestion with this key as it stands now, or None if it has gone."""
    return next((one for one in suggestions(user, limit=200) if one.key == key), None)


def likely_incident(user: User, alert: Alert) -> Suggestion | None:
    """The open incident that shares most with this alert, with the reasons (the alert page's box). Those that
    somebody called *not related* to it are left out."""
    reasons = reasons_of(alert)
    if not reasons:
        return None
    rows = Alert.objects.filter(pk__in=reasons, incident__in=Incident.objects.visible_to(user).open())
    by_incident: dict[int, dict[Value, Reason]] = defaultdict(dict)
    counted: dict[int, int] = defaultdict(int)
    for pk, incident_id in rows.values_list("pk", "incident_id"):
        counted[incident_id] += 1
        by_incident[incident_id] |= {(r.type, r.value): r for r in reasons[pk]}
    keys = {pair_key(alert, pk): pk for pk in by_incident}
    for key in DismissedSuggestion.objects.filter(key__in=keys).values_list("key", flat=True) if keys else ():
        del by_incident[keys[key]]
    if not by_incident:
        return None
    score = {pk: sum(r.weight for r in found.values()) for pk, found in by_incident.items()}
    best = max(score, key=lambda pk: (score[pk], pk))
    why = sorted(by_incident[best].values(), key=lambda r: -r.weight)[:REASONS_SHOWN]
    incident = Incident.objects.get(pk=best)
    return Suggestion(pair_key(alert, best), incident.title, [], incident, why, score[best], ids=[counted[best]])


def pair_key(alert: Alert, incident_id: int) -> str:
    """The key under which *not related* of one alert and one incident is remembered."""
    return f"alert-{alert.pk}-{incident_id}"


def _groups(user: User) -> dict[Value, list[int]]:
    """Ids of open, unlinked alerts by the value that at least two of them share."""
    since = timezone.now() - WINDOW
    rows = Alert.objects.visible_to(user).queued().filter(incident=None, received_at__gte=since).order_by("-pk")
    facts = {row[0]: row[1:] for row in rows.values_list("pk", "source_ip", "hostname", "username")[:CANDIDATES]}
    groups: dict[Value, list[int]] = defaultdict(list)
    for pk, (source_ip, host, person) in facts.items():
        for name, value in (("source_ip", source_ip), ("host", host), ("user", person)):
            if value:
                groups[(name, value.lower())].append(pk)
    links = AlertObservable.objects.filter(alert__in=list(facts), observable__type__in=SHARED_TYPES)
    for pk, type_, value in links.exclude(observable__rating__contains={"benign": True}).values_list(
        "alert_id", "observable__type", "observable__value"
    ):
        groups[(type_, value)].append(pk)
    source_ips = {value for name, value in groups if name == "source_ip"}
    return {
        value: sorted(set(ids))
        for value, ids in groups.items()
        if len(set(ids)) > 1 and not (value[0] == "ip" and value[1] in source_ips)
    }


def _sightings(groups: dict[Value, list[int]]) -> dict[Value, int]:
    """In how many alerts of the window each value stands: common values weigh less."""
    return {value: len(ids) for value, ids in groups.items()}


def _suggestion(
    value: Value,
    ids: list[int],
    sightings: dict[Value, int],
    dismissed: dict[str, int],
    incident: Incident | None,
) -> Suggestion | None:
    key = key_of(*value)
    fresh = [pk for pk in ids if pk > dismissed.get(key, 0)]
    if len(fresh) < 2:
        return None
    why = reason(value[0], value[1], sightings[value])
    title = f"{len(fresh)} alerts share the {LABELS.get(value[0], value[0])} {value[1]}"
    return Suggestion(key, title[:300], [], incident, [why], why.weight, value, fresh)


def _merged(ranked: list[Suggestion], groups: dict[Value, list[int]], sightings: dict[Value, int]) -> list[Suggestion]:
    """Suggestions over the same alerts become one with several reasons; an alert is suggested once."""
    used: set[int] = set()
    kept: list[Suggestion] = []
    for one in ranked:
        one.ids = [pk for pk in one.ids if pk not in used]
        if len(one.ids) < 2:
            continue
        used.update(one.ids)
        kept.append(one)
    for one in kept:
        mine = set(one.ids)
        others = [v for v, ids in groups.items() if v != one.value and len(mine.intersection(ids)) > 1]
        extra = sorted((reason(*v, sightings[v]) for v in others), key=lambda r: -r.weight)
        one.reasons += extra[: REASONS_SHOWN - 1]
        one.score = round(sum(r.weight for r in one.reasons), 2)
    return sorted(kept, key=lambda s: (-s.score, s.key))


def _incidents_with(user: User, groups: dict[Value, list[int]]) -> dict[Value, Incident]:
    """The newest open incident whose alerts have a value, by value."""
    visible = Incident.objects.visible_to(user).open()
    rows = Alert.objects.filter(incident__in=visible)
    found: dict[Value, int] = {}
    for name, column in (("source_ip", "source_ip"), ("host", "hostname"), ("user", "username")):
        wanted = [value for kind, value in groups if kind == name]
        hits = rows.filter(**{f"{column}__in": wanted}).values_list(column, "incident_id") if wanted else ()
        found |= {(name, value.lower()): pk for value, pk in sorted(hits, key=lambda hit: hit[1])}
    wanted = [value for kind, value in groups if kind in SHARED_TYPES]
    # By digest: values themselves have no index.
    digests = [value_digest(value) for value in wanted]
    links = AlertObservable.objects.filter(alert__incident__in=visible, observable__digest__in=digests)
    found |= {
        (kind, value): pk
        for kind, value, pk in links.order_by("alert__incident_id").values_list(
            "observable__type", "observable__value", "alert__incident_id"
        )
    }
    incidents = Incident.objects.in_bulk(set(found.values()))
    return {value: incidents[pk] for value, pk in found.items()}


def _load_alerts(user: User, wanted: Iterable[Suggestion]) -> None:
    """Rows of the alerts, for all suggestions in one query."""
    ids = {pk for one in wanted for pk in one.ids[-ALERTS_SHOWN:]}
    rows = Alert.objects.visible_to(user).with_line_data().in_bulk(ids)
    for one in wanted:
        one.alerts = [rows[pk] for pk in reversed(one.ids) if pk in rows][:ALERTS_SHOWN]
