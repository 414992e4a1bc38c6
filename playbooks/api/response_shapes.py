"""What approvals and response tasks look like in JSON, and what their verbs take."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api.fields import Body, Flag, Ref, Text, Whole, Words
from cases.api.shapes import Anything, page_of
from playbooks.choices import ApprovalStatus, Outcome, TaskStatus
from playbooks.graph.actions import ACTIONS
from soar.connectors.capabilities import KINDS_OF_TARGET

RESPONSE_STATUS = TaskStatus.values
APPROVAL_STATUS = ApprovalStatus.values
RESPONSES = [spec.name for spec in ACTIONS.values() if spec.responds]


class Decision(Body):
    """``tasks``: ids of those that are meant; without, all that wait. What the never-touch list holds is approved with
    a comment alone."""

    tasks = s.ListField(child=Whole(), required=False, max_length=10_000)
    comment = Text(max_length=5000, required=False, allow_blank=True)


class TargetBody(Body):
    """A thing to act on. ``facts``: what the product needs besides, as ``guid``, ``mailbox``, ``endpoint``."""

    kind = Words(KINDS_OF_TARGET)
    value = Text(max_length=2048)
    facts = s.DictField(child=Text(max_length=1000), required=False)


class NewResponse(Body):
    """An action on one or more targets, on account of an alert, an incident, or nothing. ``observable`` and ``asset``
    are ids that stand for a target. ``dry_run`` only says what would happen."""

    action = Words(RESPONSES)
    targets = s.ListField(child=TargetBody(), required=False, max_length=200)
    params = s.DictField(required=False)
    alert = Ref(required=False, allow_null=True)
    incident = Ref(required=False, allow_null=True)
    observable = Whole(required=False, allow_null=True)
    asset = Whole(required=False, allow_null=True)
    comment = Text(max_length=5000, required=False, allow_blank=True)
    dry_run = Flag(required=False)


class DecideTask(Body):
    """What really happened with a task of unknown outcome (rulings 6)."""

    outcome = Words(Outcome.values)
    comment = Text(max_length=5000, required=False, allow_blank=True)


class TaskTarget(s.Serializer[Any]):
    """What a task acts on; both empty for what changes the case or sends a message."""

    kind = s.CharField()
    value = s.CharField()


class ResponseTask(s.Serializer[Any]):
    """A response task."""

    id = s.IntegerField()
    url = s.CharField()
    run = s.IntegerField(allow_null=True)
    node = s.CharField(allow_null=True)
    alert = s.CharField(allow_null=True)
    incident = s.CharField(allow_null=True)
    action = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    target = TaskTarget()
    risk = s.CharField(allow_null=True)
    params = Anything()
    connector = s.CharField(allow_null=True)
    status = Words(RESPONSE_STATUS)
    reason = s.CharField()
    message = s.CharField()
    remote = s.CharField(help_text="The product's own word for how far it is")
    attempts = s.IntegerField()
    approval = s.IntegerField(allow_null=True)
    inverse_of = s.IntegerField(allow_null=True)
    origin = s.CharField()
    created_by = s.CharField(allow_null=True)
    dry_run = s.BooleanField()
    cause = s.UUIDField()
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)
    deadline_at = s.DateTimeField(allow_null=True)


class ResponseTaskDetail(ResponseTask):
    """A response task with the object, request and answer."""

    object = Anything()
    request = s.JSONField(allow_null=True)
    answer = s.JSONField(allow_null=True)
    data = Anything()  # type: ignore[assignment]
    has_secret = s.BooleanField(help_text="Something is shown only when it is asked for, on the task's page")
    decision = s.JSONField(allow_null=True)


class PlannedTask(s.Serializer[Any]):
    """What would become of one object, and the requests that would be sent."""

    target = TaskTarget()
    status = Words(RESPONSE_STATUS)
    reason = s.CharField()
    connector = s.CharField(allow_null=True)
    requests = s.ListField(child=Anything())
    problem = s.CharField()


class Started(s.Serializer[Any]):
    """The tasks that were made; of a dry run what they would be."""

    dry_run = s.BooleanField()
    tasks = ResponseTask(many=True)
    planned = PlannedTask(many=True)


class Vote(s.Serializer[Any]):
    """What a person said to a task; without a task to the question."""

    task = s.IntegerField(allow_null=True)
    user = s.CharField()
    approve = s.BooleanField()
    comment = s.CharField()
    at = s.DateTimeField()


class Approval(s.Serializer[Any]):
    """An approval with its tasks and votes."""

    id = s.IntegerField()
    number = s.CharField()
    url = s.CharField()
    title = s.CharField()
    question = s.CharField()
    reason = s.CharField()
    status = Words(APPROVAL_STATUS)
    needed = s.IntegerField()
    run = s.IntegerField(allow_null=True)
    playbook = s.CharField(allow_null=True)
    alert = s.CharField(allow_null=True)
    incident = s.CharField(allow_null=True)
    requested_by = s.CharField(allow_null=True)
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField()
    decided_at = s.DateTimeField(allow_null=True)
    tasks = ResponseTask(many=True)
    votes = Vote(many=True)


APPROVAL_PAGE = page_of(Approval)
RESPONSE_PAGE = page_of(ResponseTask)
