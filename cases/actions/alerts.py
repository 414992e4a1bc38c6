"""Every change of an alert (casework.md 1). Pages, API and playbooks call these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import mentions
from cases.actions.alert_state import apply_determination, apply_status, resolve_locked
from cases.actions.alert_update import apply_changes
from cases.actions.alert_verbs import (
    add_tags_locked,
    assign_locked,
    claim_locked,
    reopen_if_resolved,
    severity_locked,
)
from cases.actions.base import (
    ALERT_TAGS_AT_MOST,
    KEEP,
    _Keep,
    change,
    person,
    save,
    tags_of,
    team_of,
    text_of,
    word,
)
from cases.actions.links import named
from cases.actions.seen import Expected, check_version
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.errors import Conflict, Refused
from cases.models import Alert, TimelineEntry
from cases.permissions import alert_for
from soar.accounts.models import Team, User

Owner = User | str | None | _Keep
AlertId = str | int


@transaction.atomic
def claim(actor: Actor, alert_id: AlertId, *, expected_version: Expected = None) -> Alert:
    """Assign to me and set in progress. Claiming one's own alert again changes nothing.

    Raises Refused for an actor that is no person, or for a resolved alert."""
    if actor.user is None:
        raise Refused(_("Only a person can claim an alert."))
    return claim_locked(actor, _working_on(actor, alert_id, expected_version))


@transaction.atomic
def assign(
    actor: Actor,
    alert_id: AlertId,
    *,
    owner: Owner = KEEP,
    team: Team | str | _Keep | None = KEEP,
    expected_version: Expected = None,
) -> Alert:
    """Give the alert to an active user, a team, or nobody (None). A team moves who may see it (rulings 21)."""
    alert = _working_on(actor, alert_id, expected_version)
    wanted = owner if isinstance(owner, _Keep) else person(owner)
    return assign_locked(actor, alert, wanted, team if isinstance(team, _Keep) else team_of(team))


@transaction.atomic
def set_status(
    actor: Actor,
    alert_id: AlertId,
    status: AlertStatus | str,
    *,
    reason: str = "",
    expected_version: Expected = None,
) -> Alert:
    """Set new or in progress. From resolved this reopens. Raises Refused for *resolved*: that needs a
    determination, so it is ``resolve``. ``reason`` is the text of the entry."""
    wanted: AlertStatus = word(AlertStatus, status, "status")
    why = text_of(reason or "", "reason", most=5000, required=False)
    return apply_status(actor, _working_on(actor, alert_id, expected_version), wanted, why)


@transaction.atomic
def set_severity(
    actor: Actor, alert_id: AlertId, severity: Severity | str, *, expected_version: Expected = None
) -> Alert:
    """Set how urgent it is."""
    wanted: Severity = word(Severity, severity, "severity")
    return severity_locked(actor, _working_on(actor, alert_id, expected_version), wanted)


@transaction.atomic
def set_determination(
    actor: Actor,
    alert_id: AlertId,
    determination: Determination | str,
    *,
    findings: str | None = None,
    reason: str = "",
    expected_version: Expected = None,
) -> Alert:
    """Say what it is; ``reason`` is the text of the entry.

    A resolved alert cannot go back to *unknown* (the peer's bypass)."""
    wanted: Determination = word(Determination, determination, "determination")
    why = text_of(reason or "", "reason", most=5000, required=False)
    return apply_determination(actor, _working_on(actor, alert_id, expected_version), wanted, findings, why)


@transaction.atomic
def set_tags(actor: Actor, alert_id: AlertId, tags: list[str], *, expected_version: Expected = None) -> Alert:
    """Replace the tags."""
    wanted = tags_of(tags, ALERT_TAGS_AT_MOST)
    alert = _working_on(actor, alert_id, expected_version)
    if change(alert, actor, "tags", wanted):
        save(alert, "tags")
    return alert


@transaction.atomic
def add_tags(actor: Actor, alert_id: AlertId, tags: Iterable[str]) -> Alert:
    """Add tags, keeping those that are there."""
    return add_tags_locked(actor, _working_on(actor, alert_id, None), list(tags))


@transaction.atomic
def resolve(
    actor: Actor,
    alert_id: AlertId,
    *,
    determination: Determination | str,
    reason: str = "",
    findings: str = "",
    expected_version: Expected = None,
) -> Alert:
    """Resolve with a determination other than *unknown*, which is refused here as everywhere.

    Resolving again with another determination corrects it; with the same it changes nothing."""
    wanted: Determination = word(Determination, determination, "determination")
    why = text_of(reason or "", "reason", most=5000, required=False)
    alert = _working_on(actor, alert_id, expected_version)
    return resolve_locked(actor, alert, wanted, findings, why)


@transaction.atomic
def reopen(actor: Actor, alert_id: AlertId, *, reason: str = "", expected_version: Expected = None) -> Alert:
    """Back to in progress (with an owner) or new. Reopening an open alert changes nothing."""
    why = text_of(reason or "", "reason", most=5000, required=False)
    return reopen_if_resolved(actor, _working_on(actor, alert_id, expected_version), why)


@transaction.atomic
def comment(actor: Actor, alert_id: AlertId, text: str) -> TimelineEntry:
    """Write a note. Raises Conflict with the incident's ``url`` when the alert has one (rulings 5)."""
    body = text_of(text)
    alert = _working_on(actor, alert_id, None)
    if alert.incident_id:
        number, where = named(actor, alert)
        raise Conflict(_("This alert is part of %(number)s: notes are written there.") % {"number": number}, **where)
    mentioned = mentions.read(actor, alert, body)
    entry = timeline.record("comment", alert, actor, text=body, data=mentioned.data, touch=True)
    mentioned.keep(entry)
    return entry


def update(actor: Actor, alert_id: AlertId, *, changes: dict[str, Any], expected_version: Expected = None) -> Alert:
    """Several changes at once, all or nothing (PATCH). Fields: severity, status, determination, findings,
    owner, team, tags, tlp, title, description, reason. Raises Refused for a field that is not one of them."""
    with transaction.atomic():
        alert = _working_on(actor, alert_id, expected_version)
        return apply_changes(actor, alert, changes)


def _working_on(actor: Actor, alert_id: AlertId, expected_version: Expected) -> Alert:
    alert = alert_for(actor, alert_id, work=True, lock=True)
    check_version(alert, expected_version)
    return alert
