"""One verb on many alerts, written together: locks in the order of ids, three statements, one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import timeline_many
from cases.actors import Actor
from cases.errors import CaseError, Forbidden
from cases.models import Alert
from cases.permissions import holds
from cases.timeline_batch import Batch, collecting
from soar.accounts.models import Team, User
from soar.lib.database import AWAY

logger = logging.getLogger(__name__)
# What every verb needs of an alert; what it changes comes with its fields for an undo. The rest is read when asked for.
READ = (
    "cause", "version", "updated_at", "timeline_count", "timeline_head", "restricted", "incident", "owner", "team",
    "status", "severity", "acknowledged_at",
)  # fmt: skip
OURS = "Something went wrong here; it is in the log."
Act = Callable[[Actor, Alert], Any]


@dataclass
class Outcome:
    """What became of some alerts. ``before`` is what an undo needs, by id (``cases.models.job.BulkBatch``)."""

    done: int = 0
    skipped: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    before: dict[int, dict[str, Any]] = field(default_factory=dict)
    incident: str = ""


def locked(rows: QuerySet[Alert], ids: Sequence[int], fields: Iterable[str]) -> list[Alert]:
    """Those of ``ids`` that are in the selection, locked in the order of their ids, with ``fields`` and ``READ``. Read
    after the lock, owners and teams once each: a hundred thousand alerts have few of them."""
    taken = rows.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
    wanted = list(taken.values_list("pk", flat=True))
    alerts = list(Alert.objects.filter(pk__in=wanted).only(*{*READ, *fields}).order_by("pk"))
    people = User.objects.in_bulk({alert.owner_id for alert in alerts if alert.owner_id})
    teams = Team.objects.in_bulk({alert.team_id for alert in alerts if alert.team_id})
    for alert in alerts:
        alert._state.fields_cache |= {"owner": people.get(alert.owner_id or 0), "team": teams.get(alert.team_id or 0)}
    return alerts


def change_each(actor: Actor, alerts: Iterable[Alert], act: Act, keep: Sequence[str]) -> Outcome:
    """``act`` on each of the locked alerts, then write all. A refusal, or an error of ours, stops no other. Former and
    new values of the fields ``keep`` that changed are kept for an undo."""
    outcome = Outcome()
    with collecting() as batch:
        for alert in alerts:
            _change(actor, alert, act, keep, outcome, batch)
    entries = timeline_many.write(batch)
    for pk, one in outcome.before.items():
        one["entry"] = entries.get(pk, 0)
    return outcome


def _change(actor: Actor, alert: Alert, act: Act, keep: Sequence[str], outcome: Outcome, batch: Batch) -> None:
    was = values_of(alert, keep)
    try:
        _check(actor, alert)
        act(actor, alert)
    except AWAY:
        raise
    except Exception as error:
        batch.drop(alert)
        if not isinstance(error, CaseError):
            logger.exception("A bulk action failed at %s", alert.number)
        outcome.refused.append((alert.number, error.message if isinstance(error, CaseError) else OURS))
        return
    outcome.done += 1
    now = values_of(alert, keep)
    if changed := [name for name in keep if was[name] != now[name]]:
        outcome.before[alert.pk] = {
            "version": alert.version,
            "was": {name: was[name] for name in changed},
            "now": {name: now[name] for name in changed},
        }


def _check(actor: Actor, alert: Alert) -> None:
    """As ``alert_for`` with ``work``: raise Forbidden for an alert of a restricted incident."""
    if alert.restricted and alert.incident and actor.user and not holds(actor.user, alert.incident, "edit"):
        raise Forbidden(
            _("You may see %(number)s but not work on it: its incident is restricted.") % {"number": alert.number}
        )


def values_of(alert: Alert, names: Iterable[str]) -> dict[str, Any]:
    """Fields of an alert as JSON keeps them: ids for people and teams, texts for times."""
    return {name: _plain(getattr(alert, Alert._meta.get_field(name).attname)) for name in names}  # type: ignore[union-attr]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, list | tuple) else value
