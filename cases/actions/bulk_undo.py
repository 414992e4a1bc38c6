"""Undoing a bulk action: a job that puts back what another one changed, where nobody has changed it since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cases.actions.base import change, check_worker, save
from cases.actions.bulk_together import Outcome, change_each, values_of
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Findings, Severity
from cases.errors import Conflict
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User

# Fields that the timeline tells of; the others go along with them.
TOLD = ("severity", "status", "determination", "findings", "owner", "team", "tags")
WORDS: dict[str, Callable[[Any], Any]] = {
    "severity": Severity, "status": AlertStatus, "determination": Determination, "findings": Findings,
}  # fmt: skip
# What entries of a kind change, besides "changed", which names its field.
CHANGES = {
    "alert.claimed": ("owner", "status"),
    "alert.resolved": ("status", "determination", "findings"),
    "alert.reopened": ("status",),
}
REASON = "Undone: a change of many alerts"
Before = dict[str, dict[str, Any]]


def put_back(actor: Actor, alerts: list[Alert], before: Before) -> Outcome:
    """Put back the former values of locked alerts. Refused, alert by alert, where one of them was changed since."""
    since = _changed_since(alerts, before)
    people, teams = _people(before), _teams(before)

    def act(actor: Actor, alert: Alert) -> None:
        one = before[str(alert.pk)]
        touched = sorted(since.get(alert.pk, set()) & one["was"].keys())
        differing = [name for name, value in values_of(alert, one["now"]).items() if value != one["now"][name]]
        if touched or differing:
            raise Conflict(
                _("%(touched)s was changed since; it stays as it is.")
                % {"touched": (touched or differing)[0].replace("_", " ")}
            )
        _restore(actor, alert, one["was"], people, teams)

    return change_each(actor, alerts, act, ())


def _restore(actor: Actor, alert: Alert, was: dict[str, Any], people: dict[int, User], teams: dict[int, Team]) -> None:
    for name, value in was.items():
        if name not in TOLD:
            setattr(alert, name, _read(name, value))
            continue
        wanted: Any = value
        if name == "owner":
            wanted = people.get(value)
            if value is not None and (wanted is None or not wanted.is_active):
                raise Conflict(_("Its former owner is no longer active."))
            check_worker(alert, wanted)
        elif name == "team":
            wanted = teams.get(value)
            if value is not None and wanted is None:
                raise Conflict(_("Its former team is no more."))
        elif name in WORDS:
            wanted = WORDS[name](value)
        change(alert, actor, name, wanted, reason=REASON)
    save(alert, *was)


def _read(name: str, value: Any) -> Any:
    return parse_datetime(value) if value and name.endswith("_at") else value


def _changed_since(alerts: list[Alert], before: Before) -> dict[int, set[str]]:
    """Fields that the timelines say were changed after the job, by alert. Only those that were saved again since are
    looked at."""
    moved = [alert.pk for alert in alerts if alert.version != before[str(alert.pk)]["version"]]
    found: dict[int, set[str]] = {}
    entries = TimelineEntry.objects.filter(alert__in=moved, kind__in=("changed", *CHANGES))
    for pk, entry, kind, data in entries.values_list("alert_id", "pk", "kind", "data"):
        if entry > before[str(pk)]["entry"]:
            found.setdefault(pk, set()).update(CHANGES.get(kind) or (str(data.get("field", "")),))
    return found


def _people(before: Before) -> dict[int, User]:
    ids = {one["was"]["owner"] for one in before.values() if one["was"].get("owner")}
    return User.objects.in_bulk(ids)


def _teams(before: Before) -> dict[int, Team]:
    ids = {one["was"]["team"] for one in before.values() if one["was"].get("team")}
    return Team.objects.in_bulk(ids)
