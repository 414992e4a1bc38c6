"""An incident that this or another Soar exported as JSON, or as a zip. Pure: JSON in, a plan out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from cases.errors import Refused
from cases.importing import soar_shapes as shapes
from cases.importing.plan import (
    AlertPlan,
    AssetPlan,
    EntryPlan,
    EvidencePlan,
    Json,
    ObservablePlan,
    Plan,
    Report,
    TaskPlan,
)
from cases.importing.reading import Reader
from cases.importing.soar_known import leave_unknown

# What an incident has there that nothing here stands for, and why.
NOT_HERE = {
    "related": ("links to other incidents", "they lead to incidents of there"),
    "clocks": ("clocks", "its targets were those of there; an imported incident has none"),
    "runs": ("runs", "runs of playbooks stay where they ran; the history tells of them"),
    "responses": ("responses", "response tasks stay where they ran; the history tells of them"),
}
ALERT_TEXTS = {
    "title": 500, "description": 100_000, "findings": 24, "resolve_reason": 5_000, "detection_model": 300,
    "hostname": 255, "username": 255, "source_ip": 45, "external_link": 2_000, "source_state": 100,
}  # fmt: skip
ALERT_FIELDS = (
    "severity", "status", "determination", "tlp", "count", "occurred_at", "first_seen", "last_seen", "received_at",
)  # fmt: skip


def plans(content: Any) -> Iterator[Plan]:
    """The plan of the one incident. Raises Refused that says what does not fit, and where."""
    try:
        told = msgspec.convert(content, shapes.Document)
    except msgspec.ValidationError as error:
        raise Refused(_("This is no incident that Soar exported: %(error)s.") % {"error": error}) from error
    except RecursionError as error:
        raise Refused(_("The file is nested too deeply.")) from error
    yield _plan(told, content)


def _plan(told: shapes.Document, raw: Json) -> Plan:
    report = Report("soar")
    read = Reader(report)
    case = told.incident
    plan = Plan(
        # A cause alone is shared: by what was split off, and by all that was opened of one delivery.
        "soar", f"{case.cause} {case.number}", case.number, read.line(case.title, "title", 300), report,
        summary=read.text(case.summary, "summary"), url=read.line(case.url, "url", 300), severity=case.severity,
        status=case.status, determination=case.determination, findings=case.findings,
        resolve_reason=read.text(case.resolve_reason, "reason", 5_000), tlp=case.tlp, pap=case.pap,
        restricted=case.restricted, team=case.team or "", tags=read.tags(case.tags), techniques=case.techniques,
        owners=[(one.username[:150], one.lead) for one in told.owners], created_at=case.created_at,
        contained_at=case.contained_at, resolved_at=case.resolved_at, closed_at=case.closed_at,
        home=(case.id, case.cause), custom_fields=case.custom_fields if isinstance(case.custom_fields, dict) else {},
    )  # fmt: skip
    raw_alerts = {one["number"]: one for one in raw["alerts"]}
    plan.alerts = [_alert(one, raw_alerts[one.number], read) for one in told.alerts]
    plan.observables = [ObservablePlan(one.type, one.value) for one in told.observables if one.added_by]
    plan.assets = [AssetPlan(one.name, one.type, one.system, one.addresses) for one in told.assets if one.added_by]
    plan.tasks = [_task(one, read) for one in told.tasks]
    plan.entries = [_entry(one, case.number, read) for one in told.timeline]
    plan.evidence = [_evidence(one, read) for one in told.evidence if one.removed_at is None]
    plan.facts = {"chains": {one.subject: {"count": one.count, "head": one.head} for one in told.chains}}
    _left(plan, told, raw)
    return plan


def _alert(one: shapes.Alert, raw: Json, read: Reader) -> AlertPlan:
    fields: Json = {name: read.text(getattr(one, name), name, most) for name, most in ALERT_TEXTS.items()}
    for name in ALERT_FIELDS:
        fields[name] = getattr(one, name)
    fields["tags"], fields["techniques"] = read.tags(one.tags), [text[:20] for text in one.techniques[:100]]
    fields["resolved_at"] = one.resolved_at if one.status == "resolved" else None
    if one.status == "resolved" and one.determination == "unknown":
        fields["determination"] = "suspicious"
        read.report.change(f"determination of {one.number}", "suspicious: an alert ends with one")
    if not fields["external_link"].startswith(("https://", "http://")):
        fields["external_link"] = ""
    fields["title"] = " ".join(fields["title"].split()) or one.number
    observables = [ObservablePlan(row.type, row.value, row.role) for row in one.observables]
    assets = [_facts(row) for row in one.assets if isinstance(row, dict)]
    read.report.change(f"source {one.source:.60} of {one.number}", "the source “Imported”")
    return AlertPlan(one.number, fields, observables, assets, *_payload(one, raw))


def _payload(one: shapes.Alert, raw: Json) -> tuple[str, str | None, datetime | None]:
    """What it was made of there; of an alert whose payload did not come along, the alert itself."""
    if one.raw is not None:
        return one.raw.first, one.raw.latest, one.raw.latest_at
    return json.dumps({key: raw[key] for key in raw if key not in ("runs", "raw")}, ensure_ascii=False), None, None


def _facts(asset: Json) -> Json:
    """What the source told; what people there said of the asset is theirs."""
    return {key: value for key, value in asset.items() if key not in ("id", "criticality", "groups", "tags")}


def _task(one: shapes.Task, read: Reader) -> TaskPlan:
    title = read.line(one.title, "a task's title", 300) or "Task"
    done = one.done_at if one.status == "done" else None
    words = read.text(one.description, f"description of task {title}", 10_000)
    return TaskPlan(title, words, one.assignee or "", one.due_at, one.required, done, one.done_by or "")


def _entry(one: shapes.Entry, incident: str, read: Reader) -> EntryPlan:
    """With everything that its hash there was made of."""
    there = {
        "id": one.id,
        "subject": one.subject,
        "kind": one.kind[:40],
        "actor": msgspec.to_builtins(one.actor),
        "recorded_at": msgspec.to_builtins(one.recorded_at),
        "data": one.data,
        "hash": one.hash,
    }
    text = read.text(one.text, f"the text of entry {one.id}")
    author = read.line(one.data.get("author") or one.actor.name, "an author", 200)
    subject = "" if one.subject == incident else one.subject
    was = read.line(one.label or one.kind, "a label", 200)
    return EntryPlan(one.occurred_at, author, was, text, one.note, subject, there)


def _evidence(one: shapes.Evidence, read: Reader) -> EvidencePlan:
    name = read.line(one.name, "a file's name", 255) or "file"
    description = read.text(one.description, f"description of {name}", 10_000)
    return EvidencePlan(name, one.sha256, one.size, description, one.tlp)


def _left(plan: Plan, told: shapes.Document, raw: Json) -> None:
    """What is not brought over."""
    report = plan.report
    for name, (what, why) in NOT_HERE.items():
        if isinstance(raw.get(name), list) and raw[name]:
            report.leave(f"{len(raw[name])} {what}", why)
    for ticket in told.incident.servicenow:
        report.leave(f"ticket {ticket.get('number')!s:.60}", "tickets are linked by whoever syncs them")
    if raw["incident"].get("template"):
        report.leave(f"template {raw['incident']['template']!s:.60}", "templates are each portal's own")
    if raw["incident"].get("merged_at"):
        report.leave("that it went into another incident", "it leads to an incident of there; the history tells of it")
    _left_of_parts(report, raw)
    leave_unknown(report, raw)
    for name, value in told.left_out.items():
        if value:
            number = "" if value is True else f"{value!s:.20} "
            report.leave(f"{number}{name}"[:200], "the export itself was made without")


def _left_of_parts(report: Report, raw: Json) -> None:
    """What is not brought over of things that are, in numbers: there may be thousands."""
    own = "is each portal's own"
    facts = [asset.get("criticality") not in (None, "unknown") or asset.get("groups") or asset.get("tags")
             for asset in raw["assets"]]  # fmt: skip
    kinds = [one["kind"] for one in raw["timeline"]]
    told = {
        "owners of alerts": (_named(raw["alerts"], "owner"), "alerts come without owners"),
        "ids and keys of alerts at their sources": (_named(raw["alerts"], "dedup_key"), "no delivery meets them here"),
        "alerts held back by a rule": (_named(raw["alerts"], "suppression"), f"a suppression rule {own}"),
        "alerts' notes of what was odd in their payloads": (_named(raw["alerts"], "repairs"), "they were read there"),
        "teams of alerts": (_named(raw["alerts"], "team"), "alerts are of the incident's team"),
        "ratings of observables": (_named(raw["observables"], "rated_at"), f"a rating {own}: they are rated anew"),
        "assets' criticality, groups or tags": (sum(map(bool, facts)), f"what people say of an asset {own}"),
        "observables and assets with who put them there": (
            _named([*raw["observables"], *raw["assets"]], "added_by"),
            "the import did; the history tells of them",
        ),
        "pieces of evidence with who added them": (_named(raw["evidence"], "added_by"), "the history tells of them"),
        "removed pieces of evidence": (_named(raw["evidence"], "removed_at"), "the history tells of them"),
        "pins": (max(0, kinds.count("entry.pinned") - kinds.count("entry.unpinned")), "nothing is pinned here"),
    }
    for what, (number, why) in told.items():
        if number:
            report.leave(f"{number} {what}", why)


def _named(rows: list[Json], key: str) -> int:
    """How many have something under this key."""
    return sum(bool(row.get(key)) for row in rows)
