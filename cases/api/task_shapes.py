"""What calls for tasks and incident templates take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.task_fields import DESCRIPTION_AT_MOST, TITLE_AT_MOST
from cases.actions.template_fields import TEMPLATE_TASKS_AT_MOST, YEAR
from cases.api import fields
from cases.api.bodies import name
from cases.api.fields import Body, Flag, Text, Texts, Whole
from cases.api.shapes import page_of
from cases.choices import IncidentKind, TaskStatus
from cases.models.task import TASKS_AT_MOST

TASK_STATUS = TaskStatus.words()
KIND = IncidentKind.values


def _due() -> s.DateTimeField:
    return s.DateTimeField(required=False, allow_null=True, help_text="Until when; null: no due time")


def _description() -> Text:
    return Text(max_length=DESCRIPTION_AT_MOST, required=False, allow_blank=True, help_text="Markdown")


def task_status(**kwargs: Any) -> fields.Words:
    """A task's status."""
    return fields.Words(TASK_STATUS, **kwargs)


class NewTask(Body):
    """A task for the end of the incident's list."""

    title = Text(max_length=TITLE_AT_MOST)
    description = _description()
    assignee = name()
    due_at = _due()
    required = Flag(required=False, help_text="The incident cannot be resolved while this is open")  # type: ignore[assignment]


class TaskChanges(Body):
    """What can be changed of a task. ``position`` counts from 1; the others move."""

    title = Text(max_length=TITLE_AT_MOST, required=False)
    description = _description()
    assignee = name()
    due_at = _due()
    required = Flag(required=False)  # type: ignore[assignment]
    status = task_status(required=False)
    position = Whole(required=False, min_value=1, max_value=TASKS_AT_MOST)


class AssignTask(Body):
    """A user name, or null for nobody."""

    assignee = Text(max_length=150, allow_null=True)


class Task(s.Serializer[Any]):
    """A task of an incident."""

    id = s.IntegerField()
    incident = s.CharField(help_text="Number of its incident")
    url = s.URLField()
    title = s.CharField()
    description = s.CharField(help_text="Markdown")
    status = task_status()
    required = s.BooleanField(help_text="The incident cannot be resolved while this is open")  # type: ignore[assignment]
    assignee = s.CharField(allow_null=True, help_text="User name")
    due_at = s.DateTimeField(allow_null=True)
    position = s.IntegerField()
    done_by = s.CharField(allow_null=True, help_text="Name of the person or playbook")
    done_at = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class TemplateTask(Body):
    """A task that an incident gets from the template."""

    title = Text(max_length=TITLE_AT_MOST)
    description = _description()
    required = Flag(required=False)  # type: ignore[assignment]
    due_minutes = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=YEAR,
        help_text="Minutes from its use; null: no due time",
    )


class TemplateChanges(Body):
    """What can be changed of a template. ``tasks`` is the whole list."""

    name = Text(max_length=100, required=False)
    description = _description()
    kind = fields.Words(KIND, required=False)
    severity = fields.severity(required=False, allow_null=True)
    tlp = fields.Words(["", *fields.TLP], required=False)
    tags = Texts(required=False, most=50)
    tasks = s.ListField(child=TemplateTask(), required=False, max_length=TEMPLATE_TASKS_AT_MOST)
    custom_fields = fields.CustomValues(required=False, help_text="Values that incidents begin with; all of them")


class NewTemplate(TemplateChanges):
    """A template; its name is unique whatever the case."""

    name = Text(max_length=100)
    kind = fields.Words(KIND)


class UseTemplate(Body):
    """The template by name or id."""

    template = fields.Ref()


class Template(s.Serializer[Any]):
    """What an incident of a kind begins with."""

    id = s.IntegerField()
    name = s.CharField()
    description = s.CharField()
    kind = fields.Words(KIND)
    severity = fields.severity(allow_null=True, help_text="Null: as the alerts have it")
    tlp = fields.Words(["", *fields.TLP], help_text="Empty: as the alerts have it")
    tags = s.ListField(child=s.CharField())
    tasks = s.ListField(child=TemplateTask())
    custom_fields = fields.CustomValues()
    changed_by = s.CharField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


TASK_PAGE = page_of(Task)
TEMPLATE_PAGE = page_of(Template)
