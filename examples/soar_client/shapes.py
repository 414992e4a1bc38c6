"""What the API gives, as far as the client names it. A test holds these against the schema."""

from __future__ import annotations

from typing import Any, Generic, NotRequired, TypedDict, TypeVar

T = TypeVar("T")


class Page(TypedDict, Generic[T]):
    """A page of a list; ``next`` is the address of the one after it."""

    next: str | None
    previous: str | None
    results: list[T]


class AlertObservable(TypedDict):
    """An observable of an alert."""

    id: int
    type: str
    value: str
    risk: str
    role: str


class AlertRun(TypedDict):
    """A playbook's run on an alert."""

    id: int
    playbook: str
    status: str


class TechniqueName(TypedDict):
    """An ATT&CK technique by name; both are empty for an id that the server does not know."""

    id: str
    name: str
    tactics: list[str]


class AlertRow(TypedDict):
    """An alert in a list; ``expand`` brings the keys that need not be there."""

    id: int
    number: str
    url: str
    source: str
    source_ref: str
    dedup_key: str
    count: int
    title: str
    severity: str
    status: str
    determination: str
    findings: str
    owner: str | None
    team: str | None
    detection_model: str
    occurred_at: str
    first_seen: str
    last_seen: str
    received_at: str
    updated_at: str
    resolved_at: str | None
    hostname: str
    username: str
    source_ip: str
    tags: list[str]
    techniques: list[str]
    tlp: str
    external_link: str
    incident: str | None
    source_state: str
    suppression: int | None
    cause: str
    version: int
    description: NotRequired[str]
    technique_names: NotRequired[list[TechniqueName]]
    observables: NotRequired[list[AlertObservable]]
    assets: NotRequired[list[dict[str, Any]]]
    runs: NotRequired[list[AlertRun]]


class Alert(AlertRow):
    """An alert with all its keys."""

    resolve_reason: str
    repairs: Any


class Owner(TypedDict):
    """An owner of an incident."""

    username: str
    lead: bool


class Targets(TypedDict):
    """How an incident stands to its targets."""

    state: str
    due_at: str | None
    paused_at: str | None
    missed: bool


class IncidentRow(TypedDict):
    """An incident in a list."""

    id: int
    number: str
    url: str
    title: str
    severity: str
    status: str
    determination: str
    findings: str
    owners: list[Owner]
    team: str | None
    restricted: bool
    tlp: str
    pap: str
    tags: list[str]
    techniques: list[str]
    custom_fields: dict[str, Any]
    alert_count: int
    template: str | None
    servicenow: list[dict[str, Any]]
    opened_by: str
    created_at: str
    updated_at: str
    contained_at: str | None
    resolved_at: str | None
    closed_at: str | None
    merged_at: str | None
    sla: Targets
    cause: str
    version: int


class Incident(IncidentRow):
    """An incident with all its keys."""

    summary: str
    technique_names: list[TechniqueName]
    resolve_reason: str


class Actor(TypedDict):
    """Who did it: type is user, playbook, source or system."""

    type: str
    name: str


class Entry(TypedDict):
    """An entry of a timeline."""

    id: int
    subject: str
    kind: str
    actor: Actor
    text: str
    data: dict[str, Any]
    occurred_at: str
    recorded_at: str
    hash: str
