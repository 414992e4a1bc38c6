"""The incident of a run: opened when the first action is about to run, told how the run goes, closed at its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from cases.actions import incident_owners, incidents, servicenow
from cases.actions.base import check_worker, person
from cases.errors import CaseError, Refused
from cases.models import Alert, Incident
from playbooks.graph.model import Graph, OpenIncident
from playbooks.graph.walk import CONDITIONS
from playbooks.response.locking import Held
from playbooks.steps import ticket

REFUSED, LACKING = "refused", "lacking"


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
    able, unfit = _sorted(wanted.owners)
    try:
        with transaction.atomic():
            made = incidents.open_incident(held.actor, alerts=[held.alert.pk], owners=able)
            if unfit:
                made = incident_owners.tell_left_out(held.actor, made.pk, unfit)
    except CaseError as error:
        _keep(held, incident=REFUSED, problem=f"No incident was opened: {error.message}")
        return
    held.incident = made
    held.alert = Alert.objects.select_related("source").get(pk=held.alert.pk)
    held.run.opened_incident = made
    held.run.save(update_fields=["opened_incident"])
    _keep(held, incident=made.number)
    for name, problem in unfit.items():
        _lack(held, problem, name)
    if wanted.ticket_profile:
        _send(held, wanted.ticket_profile, made)


def ask_again(held: Held, graph: Graph) -> None:
    """For a retry: the incident that was refused is asked for once more; else the owners and the ticket that it lacks
    for a problem that the run noted. What is good by now is no problem any more, what is not is noted anew."""
    kept = held.run.input or {}
    if kept.get("incident") == REFUSED:
        _forget(held, "incident", "problems", LACKING)
        ensure(held, graph)
    elif lacking := kept.get(LACKING):
        _forget(held, "problems", LACKING)
        _mend(held, dict(lacking))


def _forget(held: Held, *names: str) -> None:
    held.run.input = {name: value for name, value in (held.run.input or {}).items() if name not in names}
    held.run.save(update_fields=["input"])


def _mend(held: Held, lacking: dict[str, Any]) -> None:
    """Do what could not be done to the incident; what somebody has done by hand since is done."""
    opened = held.run.opened_incident or held.incident
    if opened is None:
        return
    if lacking.get("owners"):
        _add(held, opened, list(lacking["owners"]))
    if lacking.get("ticket"):
        _send(held, str(lacking["ticket"]), opened)


def _send(held: Held, name: str, made: Incident) -> None:
    """Have the incident get its ticket in ServiceNow (response-playbooks.md 6): a row of the outbox, written with the
    incident. What hinders it is a problem of the run; the incident stays."""
    profile = ticket.profile_named(name)
    if profile is not None and servicenow.ticket_of(made, profile) is not None:
        return
    hindrance = ticket.hindrance_of(profile, name)
    try:
        if profile is None or hindrance:
            raise Refused(hindrance)
        with transaction.atomic():
            servicenow.create_ticket(held.actor, made.pk, profile.pk)
    except CaseError as error:
        _lack(held, f"The incident was not sent to ServiceNow: {error.message}", by=name)


def _sorted(names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Those who can own an incident that is opened now, and why the others cannot: an account that is gone, or that may
    not work on cases. One of them must not keep the incident from being opened."""
    able, unfit = [], {}
    for name in names:
        try:
            check_worker(Alert(), person(name))
        except CaseError as error:
            unfit[name] = error.message
        else:
            able.append(name)
    return able, unfit


def _own(held: Held, wanted: OpenIncident) -> None:
    assert held.incident is not None
    if wanted.owners and not held.incident.owner_rows.exists():
        _add(held, held.incident, wanted.owners)


def _add(held: Held, incident: Incident, names: Iterable[str]) -> None:
    """Each for themselves: one who cannot own it keeps no other from it."""
    unfit: dict[str, str] = {}
    for name in names:
        try:
            with transaction.atomic():
                incidents.owners(held.actor, incident.pk, add=[name])
        except Refused as error:
            unfit[name] = error.message
            _lack(held, error.message, name)
        except CaseError as error:
            _lack(held, f"No owners were added: {error.message}", name)
    if unfit:
        incident_owners.tell_left_out(held.actor, incident.pk, unfit)


def _lack(held: Held, problem: str, *owners: str, by: str = "") -> None:
    """Note a problem, and what the incident lacks for it: owners, the ticket by a profile."""
    lacking = dict((held.run.input or {}).get(LACKING, {}))
    if owners:
        lacking["owners"] = [*lacking.get("owners", []), *owners]
    if by:
        lacking["ticket"] = by
    _keep(held, problem=problem, **{LACKING: lacking})


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
