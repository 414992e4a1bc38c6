"""Every change of an incident template, each with its row in the audit log (casework.md 10, access.md 8)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.custom_values import hold_definitions
from cases.actions.template_fields import checked
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused, Stale
from cases.models import Incident, IncidentTemplate, TicketProfile
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock

TAKEN = gettext_noop("There is a template of this name already.")


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
    """Take it away; incidents that used it keep their tasks, and what it asks of them. Nobody can use it any more, and
    its name is free. Raises Stale, Missing, Forbidden."""
    hold_definitions(alone=True)  # nobody begins to use it meanwhile
    template = _locked(actor, template_id, expected_version)
    name = template.name
    if _is_referred_to(template):
        template.name = _free(name)
        template.deleted_at = template.updated_at = clock.now()
        template.version += 1
        template.changed_by = actor.name[:200]
        _saved(template, ["name", "deleted_at", "updated_at", "version", "changed_by"])
    else:
        template.delete()
    audit.record(actor.user, "template.deleted", name)


def template_for(pk: int) -> IncidentTemplate:
    """The template with this id. Raises Missing."""
    found = IncidentTemplate.objects.current().filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no incident template %(pk)s.") % {"pk": pk})
    return found


def _may_manage(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def _locked(actor: Actor, pk: int, expected: int | None) -> IncidentTemplate:
    _may_manage(actor)
    template = IncidentTemplate.objects.current().select_for_update().filter(pk=pk).first()
    if template is None:
        raise Missing(_("There is no incident template %(pk)s.") % {"pk": pk})
    if expected is not None and template.version != expected:
        raise Stale(
            _("The template was changed by somebody else in the meantime. Nothing was saved."), current=template
        )
    return template


def _free(name: str) -> str:
    """A name for one that is deleted."""
    rows, number = IncidentTemplate.objects.all(), 1
    made = f"{name[:85]} (deleted)"
    while rows.filter(name__iexact=made).exists():
        number += 1
        made = f"{name[:85]} (deleted {number})"
    return made


def _is_referred_to(template: IncidentTemplate) -> bool:
    """By incidents, in whatever state, by custom fields that are asked for on its incidents, by rules for tickets."""
    profiles = TicketProfile.objects.filter(templates=template)
    return any(rows.exists() for rows in (Incident.objects.filter(template=template), template.fields, profiles))


def _saved(template: IncidentTemplate, fields: list[str] | None = None) -> None:
    """The database says whether the name is free, also to two people at the same moment."""
    try:
        with transaction.atomic():
            template.save(update_fields=fields)
    except IntegrityError as error:
        raise Refused(_(TAKEN), field="name") from error
