"""What an incident takes from a template: tags, tasks and values of custom fields (casework.md 10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import TAGS_AT_MOST, save
from cases.actions.custom_values import begin_with, hold_definitions
from cases.actions.task_access import check_open
from cases.actions.tasks import append
from cases.actors import Actor
from cases.errors import Refused
from cases.models import Incident, IncidentTask, IncidentTemplate
from cases.permissions import incident_for
from soar.lib import clock

TemplateRef = IncidentTemplate | int | str


@transaction.atomic
def apply(actor: Actor, incident_id: int | str, template: TemplateRef) -> Incident:
    """Add the template's tags, tasks and field values to an incident that is worked on; severity and TLP stay as they
    are. What is there already (a tag, a task of the same title, a value) is not added twice, so using a template twice
    changes nothing. Raises Refused for a template that is not there, Conflict, Missing, Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    check_open(incident)
    use(actor, incident, template_of(template))
    return incident


def template_of(value: TemplateRef) -> IncidentTemplate:
    """A template, given as such, by id or by name. Raises Refused if unknown."""
    if isinstance(value, IncidentTemplate):
        return value
    text = str(value)[:100].replace("\x00", "").strip()
    is_id = text.isascii() and text.isdecimal() and len(text) < 19
    current = IncidentTemplate.objects.current()
    found = current.filter(pk=int(text)).first() if is_id else None
    found = found or current.filter(name__iexact=text).first()
    if found is None:
        raise Refused(_("There is no incident template %(text)s.") % {"text": f"{text:.60}"}, field="template")
    return found


def use(actor: Actor, incident: Incident, template: IncidentTemplate) -> None:
    """Do it to a locked incident, with one entry. Raises Refused for one that was deleted meanwhile."""
    hold_definitions()
    if not IncidentTemplate.objects.current().filter(pk=template.pk).exists():
        raise Refused(
            _("There is no incident template %(name)s any more.") % {"name": f"{template.name:.60}"}, field="template"
        )
    tags = [tag for tag in template.tags if tag not in incident.tags]
    have = IncidentTask.objects.filter(incident=incident).values_list("title", flat=True)
    known = {title.casefold() for title in have}
    tasks = [task for task in template.tasks if task["title"].casefold() not in known]
    missing = template.custom_fields.keys() - incident.custom_fields.keys()
    if not tags and not tasks and not missing and incident.template_id == template.pk:
        return
    if len(incident.tags) + len(tags) > TAGS_AT_MOST:
        raise Refused(
            _("With the template's tags there would be more than %(tags_at_most)s.") % {"tags_at_most": TAGS_AT_MOST},
            field="template",
        )
    append(incident, [_values(task) for task in tasks])
    incident.tags = [*incident.tags, *tags]
    incident.template = template
    data: dict[str, Any] = {"template": template.name, "tasks": len(tasks), "tags": tags}
    # Values come with the template: whether a field is asked for depends on it.
    _set, left = begin_with(actor, incident, template.custom_fields)
    timeline.record("incident.template", incident, actor, data={**data, **({"fields_left_out": left} if left else {})})
    save(incident, "tags", "template", "custom_fields")


def _values(task: dict[str, Any]) -> dict[str, Any]:
    minutes = task.get("due_minutes")
    due = clock.now() + timedelta(minutes=minutes) if minutes else None
    return {
        "title": task["title"],
        "description": task.get("description", ""),
        "required": bool(task.get("required")),
        "due_at": due,
    }
