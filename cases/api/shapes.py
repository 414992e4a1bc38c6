"""What answers look like, for the schema only: the answers themselves are made by ``representation``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.drainage import get_override
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers as s

from cases.api import fields
from cases.models.job import BulkJob
from cases.sla.states import STATES

JOB_STATUS = BulkJob.Status.values


@extend_schema_field({"type": "object", "additionalProperties": True})
class Anything(s.JSONField):
    """A JSON object."""


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": True}})
class Objects(s.JSONField):
    """A list of JSON objects."""


def _texts() -> s.ListField:
    return s.ListField(child=s.CharField())


def page_of(child: type[s.Serializer[Any]]) -> type[s.Serializer[Any]]:
    """The shape of a cursor page of ``child``, with the examples that it has."""
    body = {
        "next": s.URLField(allow_null=True, help_text="Address of the next page"),
        "previous": s.URLField(allow_null=True),
        "results": child(many=True),
        "__doc__": f"A page of {child.__name__}.",
    }
    made: type[s.Serializer[Any]] = type(f"{child.__name__}Page", (s.Serializer,), body)
    rows: list[OpenApiExample] = get_override(child, "examples", [])
    pages = [
        OpenApiExample(row.name, {"next": None, "previous": None, "results": [row.value]}, response_only=True)
        for row in rows
    ]
    return extend_schema_serializer(many=False, examples=pages or None)(made)


class FieldError(s.Serializer[Any]):
    """What is wrong with one field."""

    field = s.CharField()
    message = s.CharField()


class Problem(s.Serializer[Any]):
    """RFC 9457."""

    type = s.CharField()
    title = s.CharField()
    status = s.IntegerField()
    detail = s.CharField()
    code = s.CharField(required=False)
    errors = FieldError(many=True, required=False)  # type: ignore[assignment]
    url = s.CharField(required=False)
    incident = s.CharField(required=False)


class AlertObservable(s.Serializer[Any]):
    """An observable of an alert."""

    id = s.IntegerField()
    type = fields.observable_type()
    value = s.CharField()
    risk = fields.Words(("unrated", "suspicious", "highly_suspicious"))
    role = s.CharField(help_text="What it is in the alert, if the source says so")


class AlertRun(s.Serializer[Any]):
    """A playbook's run on the alert."""

    id = s.IntegerField()
    playbook = s.CharField()
    status = s.CharField()


class TechniqueName(s.Serializer[Any]):
    """An ATT&CK technique by name; both are empty for an id that the installed release does not know."""

    id = s.CharField()
    name = s.CharField(help_text="A sub-technique's after its technique's")
    tactics = _texts()


class AlertRow(s.Serializer[Any]):
    """An alert in a list; `expand` brings the optional keys."""

    id = s.IntegerField()
    number = s.CharField()
    url = s.URLField()
    source = s.CharField(help_text="Slug of the source")  # type: ignore[assignment]
    source_ref = s.CharField()
    dedup_key = s.CharField()
    count = s.IntegerField()
    title = s.CharField()
    severity = fields.severity()
    status = fields.alert_status()
    determination = fields.determination()
    findings = fields.findings()
    owner = s.CharField(allow_null=True, help_text="User name")
    team = s.CharField(allow_null=True, help_text="Name of the team")
    detection_model = s.CharField()
    occurred_at = s.DateTimeField()
    first_seen = s.DateTimeField()
    last_seen = s.DateTimeField()
    received_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    resolved_at = s.DateTimeField(allow_null=True)
    hostname = s.CharField()
    username = s.CharField()
    source_ip = s.CharField()
    tags = _texts()
    techniques = _texts()
    tlp = fields.tlp()
    external_link = s.CharField()
    incident = s.CharField(allow_null=True, help_text="Number of its incident, if you may see it")
    source_state = s.CharField()
    suppression = s.IntegerField(allow_null=True, help_text="Id of the suppression rule that holds it back")
    cause = s.UUIDField()
    version = s.IntegerField()
    description = s.CharField(required=False)
    technique_names = TechniqueName(many=True, required=False)
    observables = AlertObservable(many=True, required=False)
    assets = Objects(required=False)
    runs = AlertRun(many=True, required=False)


class Alert(AlertRow):
    """An alert."""

    description = s.CharField()
    technique_names = TechniqueName(many=True)
    observables = AlertObservable(many=True)
    assets = Objects()
    runs = AlertRun(many=True)
    resolve_reason = s.CharField()
    repairs = s.JSONField(help_text="What was mended on the way in")


class Owner(s.Serializer[Any]):
    """An owner of an incident."""

    username = s.CharField()
    lead = s.BooleanField()


class IncidentTicket(s.Serializer[Any]):
    """A ServiceNow ticket that is kept equal with the incident."""

    number = s.CharField(help_text="Empty while it is being made")
    url = s.CharField(help_text="Its page in ServiceNow")
    state = s.CharField(help_text="creating, linked or broken")
    table = s.CharField()
    instance = s.CharField(help_text="Slug")
    profile = s.CharField()
    last_sync = s.DateTimeField(allow_null=True)


class IncidentSla(s.Serializer[Any]):
    """How an incident stands to its targets now."""

    state = s.ChoiceField(STATES, help_text="none: nothing is due")
    due_at = s.DateTimeField(allow_null=True, help_text="The next target")
    paused_at = s.DateTimeField(allow_null=True)
    missed = s.BooleanField(help_text="A clock stopped after it was due")


class IncidentRow(s.Serializer[Any]):
    """An incident in a list."""

    id = s.IntegerField()
    number = s.CharField()
    url = s.URLField()
    title = s.CharField()
    severity = fields.severity()
    status = fields.incident_status()
    determination = fields.determination()
    findings = fields.findings()
    owners = Owner(many=True)
    team = s.CharField(allow_null=True)
    restricted = s.BooleanField()
    tlp = fields.tlp()
    pap = fields.pap()
    tags = _texts()
    techniques = _texts()
    custom_fields = fields.CustomValues(help_text="Values by key; a field without one is left out")
    alert_count = s.IntegerField()
    template = s.CharField(allow_null=True, help_text="Name of the template used last")
    servicenow = IncidentTicket(many=True)
    opened_by = s.CharField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    contained_at = s.DateTimeField(allow_null=True)
    resolved_at = s.DateTimeField(allow_null=True)
    closed_at = s.DateTimeField(allow_null=True)
    merged_at = s.DateTimeField(allow_null=True, help_text="When it went into another; the timeline says which")
    sla = IncidentSla()
    cause = s.UUIDField()
    version = s.IntegerField()


class Incident(IncidentRow):
    """An incident."""

    summary = s.CharField(help_text="Markdown")
    technique_names = TechniqueName(many=True)
    resolve_reason = s.CharField()


class EntryActor(s.Serializer[Any]):
    """Who did it: type is user, playbook, source or system."""

    type = s.CharField()
    name = s.CharField()


class Entry(s.Serializer[Any]):
    """An entry of a timeline; never changed once written."""

    id = s.IntegerField()
    subject = s.CharField(help_text="Number of the alert or incident it was written for")
    kind = s.CharField()
    actor = EntryActor()
    text = s.CharField()
    data = Anything()  # type: ignore[assignment]
    occurred_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    hash = s.CharField(help_text="SHA-256 over the previous entry's hash and this entry")


class WrittenEntry(Entry):
    """An entry that was just written."""

    not_told = s.ListField(child=s.CharField(), help_text="User names behind an @ who cannot see it")


class Observable(s.Serializer[Any]):
    """An observable: one for each type and value."""

    id = s.IntegerField()
    url = s.URLField()
    type = fields.observable_type()
    value = s.CharField()
    risk = fields.Words(("unrated", "suspicious", "highly_suspicious"))
    rating = Anything()
    rated_at = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField(allow_null=True, help_text="When it was first seen, of what you may see")


class IncidentObservable(Observable):
    """An observable of an incident."""

    alerts = s.IntegerField(help_text="How many of the incident's alerts name it")
    added_by = s.CharField(allow_null=True, help_text="Who put it on the incident itself")
    added_at = s.DateTimeField(allow_null=True)


class AlertSighting(s.Serializer[Any]):
    """An alert that names the observable."""

    id = s.IntegerField()
    number = s.CharField()
    title = s.CharField()
    severity = fields.severity()
    status = fields.alert_status()
    role = s.CharField()
    occurred_at = s.DateTimeField()


class IncidentSighting(s.Serializer[Any]):
    """An incident that has the observable, itself or by its alerts."""

    id = s.IntegerField()
    number = s.CharField()
    title = s.CharField()
    severity = fields.severity()
    status = fields.incident_status()


class Sightings(s.Serializer[Any]):
    """The newest hundred alerts and incidents that you may see."""

    alerts = AlertSighting(many=True)
    incidents = IncidentSighting(many=True)


class ObservableDetail(Observable):
    """An observable and where it was seen."""

    sightings = Sightings()


class Reason(s.Serializer[Any]):
    """A value that the alerts share, or an asset of high criticality that one of them names."""

    type = s.CharField(help_text="asset, host, user, source_ip, or the type of an observable")
    value = s.CharField(help_text="The name of an asset as it is stored; others as the alerts have them")
    text = s.CharField(help_text="In words, to stand before the value: same critical asset")


class Suggestion(s.Serializer[Any]):
    """Alerts that belong together."""

    key = s.CharField()
    title = s.CharField()
    alerts = s.ListField(child=s.IntegerField())
    incident = s.CharField(allow_null=True, help_text="The open incident that they would join")
    reasons = Reason(many=True)
    score = s.FloatField()


@extend_schema_serializer(many=False)
class Suggestions(s.Serializer[Any]):
    """The best suggestions, best first, in one page."""

    next = s.URLField(allow_null=True)
    previous = s.URLField(allow_null=True)
    results = Suggestion(many=True)


class ChainFinding(s.Serializer[Any]):
    """What is wrong with a chain."""

    subject = s.CharField()
    entry = s.IntegerField(allow_null=True, help_text="null: the chain as a whole")
    text = s.CharField()


class Verified(s.Serializer[Any]):
    """How much of a timeline was read, and what is wrong with it."""

    subjects = s.IntegerField()
    entries = s.IntegerField()
    findings = ChainFinding(many=True)


class Dismissed(s.Serializer[Any]):
    """A dismissed suggestion."""

    key = s.CharField()
    dismissed = s.BooleanField()


class Refusal(s.Serializer[Any]):
    """An alert on which it was not done, and why."""

    number = s.CharField()
    message = s.CharField()


class Source(s.Serializer[Any]):
    """An alert source, without its secrets."""

    id = s.IntegerField()
    slug = s.CharField()
    name = s.CharField()
    kind = s.CharField()
    team = s.CharField(allow_null=True)
    enabled = s.BooleanField()
    signed = s.BooleanField(help_text="Deliveries must bear a signature")
    allowed_networks = _texts()
    default_severity = fields.severity()
    default_tlp = fields.tlp()
    default_tags = _texts()
    key_fields = _texts()
    repeat_rule = s.CharField()
    close_on_resolved = s.BooleanField(help_text="What its source reports as resolved is resolved here too")
    resolved_determination = fields.determination()
    rate_per_second = s.IntegerField(allow_null=True)
    silence_warns = s.BooleanField()
    silence_minutes = s.IntegerField(allow_null=True)
    accepted = s.IntegerField()
    repeats = s.IntegerField()
    refused = s.IntegerField()
    last_seen_at = s.DateTimeField(allow_null=True)
    silent_since = s.DateTimeField(allow_null=True, help_text="Since when it is silent for longer than usual")
    last_error = s.CharField()
    last_error_at = s.DateTimeField(allow_null=True)
    ingest_url = s.URLField()
    created_at = s.DateTimeField()


class Told(s.Serializer[Any]):
    """How many alerts the product is told of once more."""

    told = s.IntegerField()


class Person(s.Serializer[Any]):
    """Somebody who can be an owner."""

    id = s.IntegerField()
    username = s.CharField()
    name = s.CharField()


class Team(s.Serializer[Any]):
    """A team."""

    id = s.IntegerField()
    name = s.CharField()


class Token(s.Serializer[Any]):
    """A personal token, without the token itself."""

    id = s.IntegerField()
    name = s.CharField()
    prefix = s.CharField()
    scopes = _texts()
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField(allow_null=True)
    last_used_at = s.DateTimeField(allow_null=True)
    revoked_at = s.DateTimeField(allow_null=True)


class MadeToken(Token):
    """A token just made: the only time it is shown."""

    token = s.CharField()


class Me(Person):
    """The caller, and what they may do with this token or session."""

    roles = _texts()
    teams = _texts()
    permissions = _texts()
    token = Token(allow_null=True)


class JobMade(s.Serializer[Any]):
    """A job that a worker will do."""

    job = s.IntegerField()
    url = s.URLField(help_text="Where its progress is")


class Job(s.Serializer[Any]):
    """A bulk job."""

    id = s.IntegerField()
    action = s.CharField()
    status = fields.Words(JOB_STATUS)
    filter = s.CharField(allow_null=True, help_text="Query string of the filter that chose the alerts, if one did")
    total = s.IntegerField()
    position = s.IntegerField(help_text="How many are dealt with")
    done = s.IntegerField()
    skipped = s.IntegerField(help_text="Did not match the filter any more when their turn came")
    refused_count = s.IntegerField()
    refused = Refusal(many=True, help_text="The first thousand")
    incident = s.CharField(allow_null=True)
    undo_of = s.IntegerField(allow_null=True, help_text="The job that this one undoes")
    undo_until = s.DateTimeField(allow_null=True, help_text="Until when it can be undone; null if it cannot")
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)


ALERT_PAGE = page_of(AlertRow)
INCIDENT_PAGE = page_of(IncidentRow)
ENTRY_PAGE = page_of(Entry)
OBSERVABLE_PAGE = page_of(Observable)
INCIDENT_OBSERVABLE_PAGE = page_of(IncidentObservable)
SOURCE_PAGE = page_of(Source)
PERSON_PAGE = page_of(Person)
TEAM_PAGE = page_of(Team)
TOKEN_PAGE = page_of(Token)
