"""The incident of a run: opened when the first action is about to run, told how the run goes, closed at its end."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from cases.actions import incidents, servicenow
from cases.errors import CaseError, Refused
from cases.models import Alert, Incident
from playbooks.graph.model import Graph, OpenIncident
from playbooks.graph.walk import CONDITIONS
from playbooks.response.locking import Held
from playbooks.steps import ticket

REFUSED = "refused"
logger = logging.getLogger(__name__)


def opens_at_target(graph: Graph) -> bool:
    """Whether no condition stands between the target and the incident that it asks for: every alert opens it then, also
    where nothing is to be done (rulings 4)."""
    return not any(node.type in CONDITIONS for node in graph.nodes)


def ensure(held: Held, graph: Graph) -> None:
    """Open the incident that the playbook wants, once (response-playbooks.md 6 to 8, rulings 4).

    An alert that has one keeps it; it gets the owners only if it has none. What is refused is kept as a problem of the
    run: the response itself must not wait for it."""
    wanted = graph.target.open_incident
    kept: dict[str, Any] = held.run.input or {}
    if wanted is None or kept.get("incident") or held.run.dry_run or held.alert is None:
        return
    if held.incident is not None:
        _own(held, wanted)
        _keep(held, incident=held.incident.number)
        return
    try:
        with transaction.atomic():
            made = incidents.open_incident(held.actor, alerts=[held.alert.pk], owners=_owners(held, wanted))
    except CaseError as error:
        _keep(held, incident=REFUSED, problem=f"No incident was opened: {error.message}")
        return
    held.incident = made
    held.alert = Alert.objects.select_related("source").get(pk=held.alert.pk)
    held.run.opened_incident = made
    held.run.save(update_fields=["opened_incident"])
    _keep(held, incident=made.number)
    if wanted.ticket_profile:
        _send(held, wanted.ticket_profile, made)


def ask_again(held: Held, graph: Graph) -> None:
    """For a retry: the incident that was refused is asked for once more. Other problems stay, as what they are about
    is not done again."""
    kept = held.run.input or {}
    if kept.get("incident") != REFUSED:
        return
    held.run.input = {name: value for name, value in kept.items() if name not in ("incident", "problems")}
    ensure(held, graph)


def _send(held: Held, name: str, made: Incident) -> None:
    """Have the incident get its ticket in ServiceNow (response-playbooks.md 6): a row of the outbox, written with the
    incident. What hinders it is a problem of the run; the incident stays."""
    profile = ticket.profile_named(name)
    hindrance = ticket.hindrance_of(profile, name)
    try:
        if profile is None or hindrance:
            raise Refused(hindrance)
        with transaction.atomic():
            servicenow.create_ticket(held.actor, made.pk, profile.pk)
    except CaseError as error:
        _keep(held, problem=f"The incident was not sent to ServiceNow: {error.message}")


def _owners(held: Held, wanted: OpenIncident) -> list[str]:
    """The owners who can still be such; the others are a problem of the run."""
    from cases.actions.base import person

    able = []
    for name in wanted.owners:
        try:
            person(name)
        except CaseError as error:
            _keep(held, problem=error.message)
        else:
            able.append(name)
    return able


def _own(held: Held, wanted: OpenIncident) -> None:
    assert held.incident is not None
    if not wanted.owners or held.incident.owner_rows.exists():
        return
    try:
        with transaction.atomic():
            incidents.owners(held.actor, held.incident.pk, add=_owners(held, wanted))
    except CaseError as error:
        _keep(held, problem=f"No owners were added: {error.message}")


def _keep(held: Held, problem: str = "", **values: Any) -> None:
    kept = {**(held.run.input or {}), **values}
    if problem:
        kept["problems"] = [*kept.get("problems", []), problem]
    held.run.input = kept
    held.run.save(update_fields=["input"])


def close(held: Held, graph: Graph) -> None:
    """Close the incident that this run opened, with the determination of the playbook (rulings 4). Refused by a
    required task that is open, say, it stays open and the run says why."""
    wanted = graph.target.open_incident
    opened = held.run.opened_incident_id
    if wanted is None or not wanted.close_with or opened is None or held.run.dry_run:
        return
    if (husk := Incident.objects.filter(pk=opened, merged_at__isnull=False).first()) is not None:
        _keep(held, problem=f"{husk.number} was merged into another incident, which is not closed by this playbook.")
        return
    reason = f"The playbook {held.run.playbook.name} succeeded"
    try:
        with transaction.atomic():
            incidents.set_status(held.actor, opened, "closed", determination=wanted.close_with, reason=reason)
    except CaseError as error:
        _keep(held, problem=f"The incident was not closed: {error.message}")


def problems(held: Held) -> list[str]:
    """What went wrong beside the tasks."""
    return list((held.run.input or {}).get("problems", []))
