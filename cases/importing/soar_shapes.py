"""The shape of an exported incident (``cases.reporting.document``), as far as an import reads it. The JSON Schema
beside the exporter is made of this (``cases/reporting/incident.schema.json``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Severity = Literal["informational", "low", "medium", "high", "critical"]
Determination = Literal["unknown", "benign", "suspicious", "malicious"]
Tlp = Literal["clear", "green", "amber", "amber+strict", "red"]
Pap = Literal["clear", "green", "amber", "red"]
Number = Annotated[str, Meta(pattern="^INC-[0-9]{1,18}$")]
AlertNumber = Annotated[str, Meta(pattern="^ALR-[0-9]{1,18}$")]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Moment = Annotated[datetime, Meta(tz=True)]
Words = list[str]
# Wider than what can be put in here, an event in 1970 and a task until the end of 2200, and far from the edges of the
# calendar: a moment there has no place in every time zone, and every page that shows it breaks.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)


class Timed(Struct):
    """What has times. Raises ValueError for one that lies out of reach."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            at = getattr(self, name)
            if isinstance(at, datetime) and not FIRST <= at <= LAST:
                raise ValueError(f"`{name}` is no time from 1970 to 2200")


class Owner(Struct):
    """Somebody who owns the incident there."""

    username: str
    lead: bool


class Observable(Struct):
    """By type and value; ``added_by`` when it was put on the incident itself."""

    type: str
    value: str
    added_by: str | None = None


class AlertObservable(Struct):
    """An observable of an alert."""

    type: str
    value: str
    role: str = ""


class Incident(Timed):
    """As ``GET /incidents/{id}/``."""

    id: int
    number: Number
    url: str
    title: str
    summary: str
    severity: Severity
    status: Literal["open", "in_progress", "contained", "resolved", "closed"]
    determination: Determination
    findings: str
    resolve_reason: str
    team: str | None
    restricted: bool
    tlp: Tlp
    pap: Pap
    tags: Words
    techniques: Words
    created_at: Moment
    contained_at: Moment | None
    resolved_at: Moment | None
    closed_at: Moment | None
    cause: str
    servicenow: list[dict[str, Any]]
    custom_fields: Any = None


class Raw(Timed):
    """What an alert was made of: the first delivery and the latest, as they came."""

    first: str
    latest: str | None = None
    latest_at: Moment | None = None


class Alert(Timed):
    """As ``GET /alerts/{id}/``."""

    number: AlertNumber
    source: str
    title: str
    description: str
    severity: Severity
    status: Literal["new", "in_progress", "resolved"]
    determination: Determination
    findings: str
    resolve_reason: str
    count: Annotated[int, Meta(ge=1, le=2_000_000_000)]
    detection_model: str
    occurred_at: Moment
    first_seen: Moment
    last_seen: Moment
    received_at: Moment
    resolved_at: Moment | None
    hostname: str
    username: str
    source_ip: str
    tags: Words
    techniques: Words
    tlp: Tlp
    external_link: str
    source_state: str
    observables: list[AlertObservable]
    assets: list[Any]
    raw: Raw | None = None


class Asset(Struct):
    """``added_by`` when it was put on the incident itself."""

    name: str
    type: str
    system: str
    addresses: Words
    added_by: str | None


class Task(Timed):
    """As ``GET /tasks/{id}/``, in the order of the checklist."""

    title: str
    description: str
    status: Literal["open", "done"]
    required: bool
    assignee: str | None
    due_at: Moment | None
    done_by: str | None
    done_at: Moment | None


class Evidence(Timed):
    """As ``GET /evidence/{id}/``."""

    id: int
    name: str
    description: str
    tlp: Tlp
    size: int
    sha256: Digest
    removed_at: Moment | None


class Actor(Struct):
    """Who did it."""

    type: str
    id: int | None
    name: str


class Entry(Timed):
    """An entry of a timeline, with its hash there."""

    id: int
    subject: Annotated[str, Meta(pattern="^(INC|ALR)-[0-9]{1,18}$")]
    kind: str
    label: str
    note: bool
    actor: Actor
    text: str
    data: dict[str, Any]
    occurred_at: Moment
    recorded_at: Moment
    hash: Digest


class Chain(Struct):
    """How long the chain of a subject is, and how it ends."""

    subject: str
    count: int
    head: Digest | None


class Document(Timed):
    """The whole."""

    format: Literal["soar-incident"]
    version: Literal[1]
    generated_at: Moment
    url: str
    tlp: Tlp
    left_out: dict[str, Any]
    incident: Incident
    owners: list[Owner]
    alerts: list[Alert]
    observables: list[Observable]
    assets: list[Asset]
    evidence: list[Evidence]
    tasks: list[Task]
    timeline: list[Entry]
    chains: list[Chain]
