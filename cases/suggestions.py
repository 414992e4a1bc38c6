"""Suggestions: open, unlinked alerts that belong together, and why (casework.md 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from cases.digests import value_digest
from cases.grouping import Grouped, Value, grouped
from cases.models import Alert, AlertAsset, AlertObservable, DismissedSuggestion, Incident, IncidentAsset
from cases.relations import (
    CRITICAL_NAMED,
    LABELS,
    SHARED_TYPES,
    Reason,
    critical,
    critical_reason,
    key_of,
)
from cases.similar import alike
from soar.accounts.models import User

ALERTS_SHOWN = 50
REASONS_SHOWN = 4


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
    groups = grouped(user)
    if not groups.ids:
        return []
    keys = [key_of(*value) for value in groups.ids]
    dismissed = dict(DismissedSuggestion.objects.filter(key__in=keys).values_list("key", "last_alert_id"))
    incidents = _incidents_with(user, groups)
    found = [made for value in groups.ids if (made := _suggestion(value, groups, dismissed, incidents.get(value)))]
    best = _merged(sorted(found, key=lambda s: (-s.score, s.key)), groups)[:limit]
    _load_alerts(user, best)
    return [suggestion for suggestion in best if suggestion.alerts]


def suggestion(user: User, key: str) -> Suggestion | None:
    """The suggestion with this key as it stands now, or None if it has gone."""
    return next((one for one in suggestions(user, limit=200) if one.key == key), None)


def likely_incident(user: User, alert: Alert) -> Suggestion | None:
    """The open incident that shares most with this alert, with the reasons (the alert page's box). Those that
    somebody called *not related* to it are left out."""
    found = alike(user, alert)
    numbers = {number for pk in found.reasons if (number := found.incidents[pk])}
    incidents = Incident.objects.visible_to(user).open().defer("summary").in_bulk(numbers) if numbers else {}
    keys = {pair_key(alert, pk): pk for pk in incidents}
    for key in DismissedSuggestion.objects.filter(key__in=keys).values_list("key", flat=True) if keys else ():
        del incidents[keys[key]]
    by_incident: dict[int, dict[Value, Reason]] = defaultdict(dict)
    counted: dict[int, int] = defaultdict(int)
    for pk, reasons in found.reasons.items():
        number = found.incidents[pk]
        if number is not None and number in incidents:
            counted[number] += 1
            by_incident[number] |= {(r.type, r.value): r for r in reasons}
    if not by_incident:
        return None
    score = {pk: sum(r.weight for r in found.values()) for pk, found in by_incident.items()}
    best = max(score, key=lambda pk: (score[pk], pk))
    why = sorted(by_incident[best].values(), key=lambda r: -r.weight)[:REASONS_SHOWN]
    return Suggestion(
        pair_key(alert, best), incidents[best].title, [], incidents[best], why, score[best], ids=[counted[best]]
    )


def pair_key(alert: Alert, incident_id: int) -> str:
    """The key under which *not related* of one alert and one incident is remembered."""
    return f"alert-{alert.pk}-{incident_id}"


def _suggestion(
    value: Value, groups: Grouped, dismissed: dict[str, int], incident: Incident | None
) -> Suggestion | None:
    key = key_of(*value)
    fresh = [pk for pk in groups.ids[value] if pk > dismissed.get(key, 0)]
    if len(fresh) < 2:
        return None
    why = groups.why(value)
    said = f"{critical(groups.assets[value[1]].criticality)}asset" if value[0] == "asset" else LABELS[value[0]]
    title = f"{len(fresh)} alerts share the {said} {why.value}"
    return Suggestion(key, title[:300], [], incident, [why], why.weight, value, fresh)


def _merged(ranked: list[Suggestion], groups: Grouped) -> list[Suggestion]:
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
        others = [v for v, ids in groups.ids.items() if v != one.value and len(mine.intersection(ids)) > 1]
        extra = sorted((groups.why(value) for value in others), key=lambda r: -r.weight)
        one.reasons += extra[: REASONS_SHOWN - 1]
        one.reasons += _critical_ones(one, groups)
        one.score = round(sum(r.weight for r in one.reasons), 2)
    return sorted(kept, key=lambda s: (-s.score, s.key))


def _critical_ones(one: Suggestion, groups: Grouped) -> list[Reason]:
    """The most critical asset that any of the alerts names, if no reason tells of it yet."""
    told = {reason.value for reason in one.reasons if reason.type == "asset"}
    named = {host for pk in one.ids for host in groups.hosts.get(pk, ()) if host.criticality in CRITICAL_NAMED}
    best = max(named, key=lambda host: (host.criticality, host.key), default=None)
    return [] if best is None or best.name in told else [critical_reason(best.name, best.criticality)]


def _incidents_with(user: User, groups: Grouped) -> dict[Value, Incident]:
    """The newest open incident whose alerts have a value, by value."""
    visible = Incident.objects.visible_to(user).open()
    found = _with_names(groups, visible) | _with_assets(groups, visible) | _with_observables(groups, visible)
    incidents = Incident.objects.in_bulk(set(found.values()))
    return {value: incidents[pk] for value, pk in found.items()}


def _with_names(groups: Grouped, visible: QuerySet[Incident]) -> dict[Value, int]:
    """By source address, and by the host and user as the alerts spell them: their indexes know case."""
    rows = Alert.objects.filter(incident__in=visible)
    found: dict[Value, int] = {}
    for name, column in (("source_ip", "source_ip"), ("host", "hostname"), ("user", "username")):
        shared = [value for value in groups.ids if value[0] == name]
        wanted = sorted({text for value in shared for text in groups.spelled.get(value, {value[1]})})
        hits = rows.filter(**{f"{column}__in": wanted}).values_list(column, "incident_id") if wanted else ()
        found |= {(name, value.lower()): pk for value, pk in sorted(hits, key=lambda hit: hit[1])}
    return found


def _with_assets(groups: Grouped, visible: QuerySet[Incident]) -> dict[Value, int]:
    """By asset: of the incidents' alerts, or put on the incidents themselves."""
    wanted = {groups.assets[value].id: value for name, value in groups.ids if name == "asset"}
    if not wanted:
        return {}
    named = AlertAsset.objects.filter(alert__incident__in=visible, asset__in=list(wanted))
    put = IncidentAsset.objects.filter(incident__in=visible, asset__in=list(wanted))
    hits = named.values_list("asset_id", "alert__incident_id").union(put.values_list("asset_id", "incident_id"))
    return {("asset", wanted[asset]): pk for asset, pk in sorted(hits, key=lambda hit: hit[1])}


def _with_observables(groups: Grouped, visible: QuerySet[Incident]) -> dict[Value, int]:
    # By digest: values themselves have no index.
    digests = [value_digest(text) for name, text in groups.ids if name in SHARED_TYPES]
    links = AlertObservable.objects.filter(alert__incident__in=visible, observable__digest__in=digests)
    return {
        (kind, value): pk
        for kind, value, pk in links.order_by("alert__incident_id").values_list(
            "observable__type", "observable__value", "alert__incident_id"
        )
    }


def _load_alerts(user: User, wanted: Iterable[Suggestion]) -> None:
    """Rows of the alerts, for all suggestions in one query."""
    ids = {pk for one in wanted for pk in one.ids[-ALERTS_SHOWN:]}
    rows = Alert.objects.visible_to(user).with_line_data().in_bulk(ids)
    for one in wanted:
        one.alerts = [rows[pk] for pk in reversed(one.ids) if pk in rows][:ALERTS_SHOWN]
