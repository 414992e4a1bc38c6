"""Every change of an incident template, each with its row in the audit log (casework.md 10, access.md 8)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from cases.actions.custom_values import hold_definitions
from cases.actions.template_fields import checked
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import Incident, IncidentTemplate
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock

NAMED_AT_MOST = 5
TAKEN = "There is a template of this name already."


@transaction.atomic
def create(actor: Actor, *, fields: dict[str, Any]) -> IncidentTemplate:
    """Make a template; ``fields``: name and kind, and if wanted description, severity, tlp, tags, tasks.

    Raises Refused beside the field that is wrong, Forbidden without the permission to manage settings."""
    _may_manage(actor)
    template = IncidentTemplate(changed_by=actor.name[:200], **checked({"name": "", "kind": "", **fields}))
    template.created_at = template.updated_at = clock.now()
    _saved(template)
    audit.record(actor.user, "template.created", template.name, tasks=len(template.tasks))
    return template


@transaction.atomic
def update(
    actor: Actor, template_id: int, *, changes: dict[str, Any], expected_version: int | None = None
) -> IncidentTemplate:
    """Change the fields given; incidents that used the template keep what they took from it.

    Raises Refused beside the field that is wrong, Stale, Missing, Forbidden."""
    template = _locked(actor, template_id, expected_version)
    changed = {name: value for name, value in checked(changes).items() if getattr(template, name) != value}
    for name, value in changed.items():
        setattr(template, name, value)
    if changed:
        template.version += 1
        template.updated_at = clock.now()
        template.changed_by = actor.name[:200]
        _saved(template, [*changed, "version", "updated_at", "changed_by"])
        audit.record(actor.user, "template.changed", template.name, fields=sorted(changed))
    return template


@transaction.atomic
def delete(actor: Actor, template_id: int, *, expected_version: int | None = None) -> None:
    """Take it away; incidents that used it keep their tasks. Raises Stale, Missing, Forbidden, and Conflict while an
    incident that is not closed has fields by it that it cannot be closed without: they would be asked for no more."""
    hold_definitions(alone=True)
    template = _locked(actor, template_id, expected_version)
    _check_not_needed(template)
    template.delete()
    audit.record(actor.user, "template.deleted", template.name)


def template_for(pk: int) -> IncidentTemplate:
    """The template with this id. Raises Missing."""
    found = IncidentTemplate.objects.filter(pk=pk).first()
    if found is None:
        raise Missing(f"There is no incident template {pk}.")
    return found


def _may_manage(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden("The permission to manage settings is missing.")


def _locked(actor: Actor, pk: int, expected: int | None) -> IncidentTemplate:
    _may_manage(actor)
    template = IncidentTemplate.objects.select_for_update().filter(pk=pk).first()
    if template is None:
        raise Missing(f"There is no incident template {pk}.")
    if expected is not None and template.version != expected:
        raise Stale("The template was changed by somebody else in the meantime. Nothing was saved.", current=template)
    return template


def _check_not_needed(template: IncidentTemplate) -> None:
    fields = template.fields.filter(required=True, everywhere=False, retired_at=None)
    names = ", ".join(fields.order_by("name").values_list("name", flat=True)[:NAMED_AT_MOST])
    waiting = Incident.objects.filter(template=template, status__lt=IncidentStatus.CLOSED, merged_at=None)
    if names and waiting.exists():
        raise Conflict(
            f"Incidents that are not closed use {template.name} and need what it asks for: {names}. Close them first, "
            "or take these fields off the template."
        )


def _saved(template: IncidentTemplate, fields: list[str] | None = None) -> None:
    """The database says whether the name is free, also to two people at the same moment."""
    try:
        with transaction.atomic():
            template.save(update_fields=fields)
    except IntegrityError as error:
        raise Refused(TAKEN, field="name") from error
