"""Carrying out the plan of an imported case: a new incident, with what came over and what did not.

It is a history, not news: no playbook, ticket, clock or notice starts by it, so its timeline opens with
``incident.imported`` and what stood there follows as ``imported`` entries with their own times, writers and, from
another Soar, hashes. The chain itself begins anew: what is hashed here was written here."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.alert_state import findings_of
from cases.actions.base import check_worker, person, save
from cases.actions.custom_values import put
from cases.actions.imports_parts import Inside
from cases.actions.incident_fields import checked
from cases.actions.incident_owners import add_owners
from cases.actions.restriction import restrict
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus
from cases.errors import CaseError, Conflict, Forbidden, Refused
from cases.importing.plan import Plan
from cases.models import Incident, IncidentOrigin
from cases.models.incident import OWNERS_AT_MOST
from cases.sla.clocks import WITHOUT
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib import clock

FIELDS = ("title", "summary", "severity", "determination", "tlp", "pap", "tags", "techniques")


def bring_in(
    actor: Actor, plan: Plan, *, team: str | None = None, dry_run: bool = True, files: Any = None
) -> Incident | None:
    """Make the incident of ``plan``; its report tells what became of everything. None for a dry run, which does all of
    it and keeps nothing.

    ``team``: whose it is, "" for nobody's; None takes the plan's. ``files`` opens the evidence of an archive
    (``cases.importing.archive``). Raises Forbidden without the permission to manage settings, Conflict for a case that
    was imported already or that comes from here and is here still, and for a team that is not here, Refused."""
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("To import, the permission to manage settings is missing."))
    report = plan.report
    report.ref, report.title, report.dry_run = plan.ref, plan.title, dry_run
    with transaction.atomic():
        incident = _made(actor, plan, team)
        Inside(actor, incident, plan, files).fill()
        _people(actor, incident, plan)
        _fields(actor, incident, plan)
        if plan.restricted:
            restrict(actor, incident.pk, reason="It was restricted where it came from")
        report.incident = incident.number
        audit.record(actor.user, "incident.imported", incident.number, product=plan.product, case=plan.ref)
        if dry_run:
            report.incident = ""
            transaction.set_rollback(True)
    return None if dry_run else incident


def _made(actor: Actor, plan: Plan, team: str | None) -> Incident:
    """The bare incident with its origin and the first entry of its timeline."""
    digest = hashlib.sha256(plan.key.encode()).hexdigest()
    _refuse_known(actor, plan, digest)
    values = checked({name: getattr(plan, name) for name in FIELDS})
    status = IncidentStatus.from_word(plan.status)
    if not status.is_open and values["determination"] == Determination.UNKNOWN:
        plan.report.change("determination unknown", "suspicious: an incident ends with a determination")
        values["determination"] = Determination.SUSPICIOUS
    now = clock.now()
    created = min(plan.created_at or now, now)
    incident = Incident.objects.create(
        **values,
        status=status,
        findings=findings_of(values["determination"], _findings(plan, values["determination"])),
        resolve_reason="" if status.is_open else plan.resolve_reason,
        team=_team(plan, team),
        opened_by=actor.name[:200],
        created_at=created,
        updated_at=now,
        sla_version=WITHOUT,
        **_stamps(plan, status, created),
    )
    IncidentOrigin.objects.create(
        incident=incident, product=plan.product, digest=digest, ref=plan.ref[:300],
        imported_by=actor.name[:200], imported_at=now,
    )  # fmt: skip
    facts = {"product": plan.product, "ref": f"{plan.product} {plan.ref}", "url": plan.url, **plan.facts}
    timeline.record("incident.imported", incident, actor, data=facts)
    return incident


def _refuse_known(actor: Actor, plan: Plan, digest: str) -> None:
    known = IncidentOrigin.objects.filter(product=plan.product, digest=digest).select_related("incident").first()
    if known is not None:
        raise Conflict(
            _("%(ref)s was imported already, %(named)s.") % {"ref": plan.ref, "named": _named(actor, known.incident)}
        )
    if plan.home and (here := Incident.objects.filter(pk=plan.home[0], cause=plan.home[1]).first()):
        raise Conflict(
            _("%(ref)s was exported from here and is here still, %(named)s.")
            % {"ref": plan.ref, "named": _named(actor, here)}
        )


def _named(actor: Actor, incident: Incident) -> str:
    """Its number, for somebody who sees it (access.md 4)."""
    seen = actor.user is None or Incident.objects.visible_to(actor.user).filter(pk=incident.pk).exists()
    return f"as {incident.number}" if seen else "as an incident that you may not see"


def _findings(plan: Plan, determination: Determination) -> str:
    """The plan's, where they fit."""
    try:
        return str(findings_of(determination, plan.findings))
    except Refused:
        plan.report.change(f"findings {plan.findings:.40}", f"those of {determination.word}")
        return ""


def _team(plan: Plan, wanted: str | None) -> Team | None:
    name = plan.team if wanted is None else wanted
    if not name:
        if plan.team:
            plan.report.change(f"team {plan.team}", "no team: whoever may see cases sees it")
        return None
    team = Team.objects.filter(name__iexact=name[:100]).first()
    if team is None and wanted is not None:
        raise Refused(_("There is no team %(name)s.") % {"name": f"{name:.60}"}, field="team")
    if team is None:
        told = _("It belongs to the team %(name)s, which is not here: without a team everybody would see it.")
        raise Conflict(_("%(told)s Choose a team, or none.") % {"told": told % {"name": f"{name:.60}"}}, field="team")
    if plan.team and team.name.lower() != plan.team.lower():
        plan.report.change(f"team {plan.team}", f"team {team.name}")
    return team


def _stamps(plan: Plan, status: IncidentStatus, created: Any) -> dict[str, Any]:
    """When it was contained, resolved and closed, none before it began and none in the future."""
    now = clock.now()

    def within(at: Any) -> Any:
        return None if at is None else min(max(at, created), now)

    ended = within(plan.resolved_at or plan.closed_at) or now
    return {
        "contained_at": within(plan.contained_at),
        "resolved_at": None if status.is_open else ended,
        "closed_at": (within(plan.closed_at) or ended) if status == IncidentStatus.CLOSED else None,
    }


def _fields(actor: Actor, incident: Incident, plan: Plan) -> None:
    """Values of the custom fields that are defined here under the same key and take them; those are written down."""
    for key, value in plan.custom_fields.items():
        try:
            if put(actor, incident, {key: value}):
                plan.report.came["custom fields"] += 1
        except CaseError as error:
            plan.report.leave(f"custom field {key:.60} ({value!s:.80})", error.message)
    if incident.custom_fields:
        save(incident, "custom_fields")


def _people(actor: Actor, incident: Incident, plan: Plan) -> None:
    """Owners of the same user names who may work on it."""
    users: list[User] = []
    lead: User | None = None
    for name, leads in plan.owners[:OWNERS_AT_MOST]:
        try:
            user = person(name)
            check_worker(incident, user)
        except CaseError as error:
            plan.report.leave(f"owner {name}", error.message)
            continue
        if user is not None:
            users.append(user)
            lead = user if leads else lead
    for name, _leads in plan.owners[OWNERS_AT_MOST:]:
        plan.report.leave(f"owner {name}", f"an incident has at most {OWNERS_AT_MOST}")
    if users:
        add_owners(actor, incident, list(dict.fromkeys(users)), lead)
        save(incident)
        plan.report.came["owners"] += len(set(users))
