"""What answers about playbooks and runs look like, and what their verbs take; for the schema and the checks."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from cases.api.fields import Body, Flag, Ref, Text, Whole, Words
from cases.api.shapes import Anything, Objects, page_of
from playbooks.api.response_shapes import ResponseTask
from playbooks.choices import JobStatus, OnFailure, Outcome, RunStatus, StartedBy, StepStatus, Trigger

RUN_STATUS = RunStatus.values
STEP_STATUS = StepStatus.values
TRIGGER = Trigger.values
STARTED_BY = StartedBy.values


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class PlaybookRef(s.Field[Any, Any, Any, Any]):
    """A playbook: its id or its name."""

    default_error_messages = {"invalid": "Give the name or id of a playbook."}

    def to_internal_value(self, data: Any) -> str | int:
        """As it is; whether it is there is found out by the action."""
        if isinstance(data, bool) or not isinstance(data, int | str) or not 0 < len(str(data)) <= 200:
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


class StartRun(Body):
    """The playbook by name or id; ``dry_run`` makes no call that changes anything."""

    playbook = PlaybookRef()
    dry_run = Flag(required=False)


class Decide(Body):
    """What really happened with a call of unknown outcome (rulings 6)."""

    outcome = Words(Outcome.values)
    comment = Text(max_length=5000, required=False, allow_blank=True)


class Playbook(s.Serializer[Any]):
    """A playbook."""

    id = s.IntegerField()
    name = s.CharField()
    kind = s.CharField()
    description = s.CharField()
    trigger = Words(TRIGGER)
    conditions = Anything()
    order = s.IntegerField()
    cron = s.CharField()
    on_failure = Words(OnFailure.values)
    enabled = s.BooleanField()
    state = s.CharField(help_text="Empty if it can run, else why it does not")
    deactivated_reason = s.CharField()
    minutes_saved = s.IntegerField(help_text="Of a person's work by a successful run; 0: nobody said")
    module = s.CharField()
    load_error = s.CharField()
    modified_at = s.DateTimeField()
    modified_by = s.CharField(allow_null=True)
    published_by = s.CharField(allow_null=True)
    version = s.IntegerField(allow_null=True, help_text="Of a response playbook: the published one")
    draft_number = s.IntegerField(allow_null=True)
    archived = s.BooleanField()


class WholePlaybook(Playbook):
    """A playbook with its draft."""

    graph = s.JSONField(allow_null=True, help_text="Of a response playbook: the draft (rulings 13)")
    published = s.BooleanField(allow_null=True, help_text="Whether the draft is what runs")
    warnings = s.ListField(child=s.CharField(), help_text="What would fail in a run of the published version")


class GraphChanges(Body):
    """Parts of a graph (rulings 13), as ``export`` gives them; what is left out stays. ``publish`` false saves a draft,
    which may be incomplete. ``draft_number``: 409 if the draft is another one by now."""

    name = s.JSONField(required=False)
    description = s.JSONField(required=False)
    trigger = s.JSONField(required=False)
    target = s.JSONField(required=False)
    nodes = s.JSONField(required=False)
    publish = Flag(required=False)
    minutes_saved = s.IntegerField(required=False, min_value=0, max_value=2400)
    archived = Flag(required=False)
    draft_number = Whole(required=False, min_value=0, max_value=1_000_000_000)


class NewPlaybook(Body):
    """A response playbook as JSON (rulings 13). It is published, unless ``publish`` is false; it is off, unless
    ``enabled`` is true."""

    kind = Text(max_length=20, required=False, help_text="response")
    name = s.JSONField()
    description = s.JSONField(required=False)
    trigger = s.JSONField()
    target = s.JSONField()
    nodes = s.JSONField(required=False)
    publish = Flag(required=False)
    enabled = Flag(required=False)


class GraphDocument(s.Serializer[Any]):
    """A graph (rulings 13), or a CACAO playbook."""

    name = s.CharField()
    description = s.CharField()
    trigger = s.JSONField()
    target = s.JSONField()
    nodes = s.JSONField()


class Rehearsal(s.Serializer[Any]):
    """What a run would do; ``sent`` is always 0."""

    alert = s.CharField()
    off_target = s.CharField(help_text="Why the target leaves the alert out; empty if it does not")
    outside_periods = s.BooleanField()
    incident = s.CharField()
    objects = Objects()
    path = Objects()
    not_counted = s.IntegerField()
    sent = s.IntegerField()


class Rehearse(Body):
    """The alert, by id or number."""

    alert = Ref()


class StartBacktest(Body):
    """How many days back; 30 if it is left out."""

    days = Whole(required=False, min_value=1, max_value=365)


class Restore(Body):
    """The number of the version whose graph becomes the draft."""

    version = Whole(min_value=1, max_value=1_000_000_000)


class Backtest(s.Serializer[Any]):
    """A backtest: how far it is, and what it has counted."""

    id = s.IntegerField()
    playbook = s.IntegerField()
    days = s.IntegerField()
    status = Words(JobStatus.values)
    total = s.IntegerField()
    looked_at = s.IntegerField()
    result = s.JSONField()
    error = s.CharField()
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)


class PlaybookVersion(s.Serializer[Any]):
    """A text that the playbook had."""

    number = s.IntegerField()
    digest = s.CharField()
    definition = Anything()
    source = s.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="For those who write playbooks"
    )
    scripts = s.DictField(
        child=s.CharField(),
        allow_null=True,
        help_text="SHA-256 of each script that it names, as published; null in older versions and Python playbooks",
    )
    created_at = s.DateTimeField()


class Reloaded(s.Serializer[Any]):
    """What was found in the playbook folders."""

    playbooks = s.ListField(child=s.CharField())
    errors = Objects()  # type: ignore[assignment]
    generation = s.IntegerField()


class RunPlaybook(s.Serializer[Any]):
    """The playbook of a run, and which version of it."""

    id = s.IntegerField()
    name = s.CharField()
    kind = s.CharField()
    version = s.IntegerField(allow_null=True)


class RunSequence(s.Serializer[Any]):
    """The place among the playbooks that one event started."""

    id = s.IntegerField()
    position = s.IntegerField()
    total = s.IntegerField()


class RunRow(s.Serializer[Any]):
    """A run in a list."""

    id = s.IntegerField()
    playbook = RunPlaybook()
    alert = s.CharField(allow_null=True)
    incident = s.CharField(allow_null=True)
    status = Words(RUN_STATUS)
    trigger = Words(STARTED_BY)
    started_by = s.CharField(allow_null=True)
    dry_run = s.BooleanField()
    queued_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)
    sequence = RunSequence(allow_null=True)
    cause = s.UUIDField()
    result = s.JSONField(allow_null=True)
    error = s.CharField()
    withheld = s.BooleanField(help_text="The record names what you may not see: it is empty for you")


class Step(s.Serializer[Any]):
    """A recorded call of a run."""

    id = s.IntegerField()
    position = s.IntegerField()
    parent = s.IntegerField(allow_null=True)  # type: ignore[assignment]
    name = s.CharField()
    key = s.CharField()
    kind = s.CharField()
    status = Words(STEP_STATUS)
    arguments = s.JSONField()
    result = s.JSONField(allow_null=True)
    error = s.CharField()
    attempts = s.IntegerField()
    idempotent = s.BooleanField()
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)
    decision = s.JSONField(allow_null=True)


class Run(RunRow):
    """A run with its steps; of a response playbook also its response tasks, rated objects and report."""

    steps = Step(many=True)
    tasks = ResponseTask(many=True)
    objects = Objects()
    report = s.JSONField(allow_null=True)


PLAYBOOK_PAGE = page_of(Playbook)
VERSION_PAGE = page_of(PlaybookVersion)
RUN_PAGE = page_of(RunRow)
