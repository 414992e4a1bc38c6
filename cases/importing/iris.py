"""A case of DFIR-IRIS, as its export of a case gives it (Case > Export, or ``GET /case/export``).

One object ``{"case", "evidences", "timeline", "iocs", "assets", "tasks", "notes", "export_date"}``; comments and the
keys that newer versions add are read where they are there. Pure: JSON in, a plan out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.errors import Refused
from cases.importing.iris_values import observables_of
from cases.importing.plan import AssetPlan, EntryPlan, Json, ObservablePlan, Plan, Report, TaskPlan
from cases.importing.reading import Reader, remarks, techniques_in
from soar.lib import clock

VERDICTS = {
    "true positive with impact": ("malicious", "true_positive"),
    "true positive without impact": ("malicious", "true_positive"),
    "true positive": ("malicious", "true_positive"),
    "false positive": ("benign", "false_positive"),
    "legitimate": ("benign", "benign_true_positive"),
    "not applicable": ("suspicious", "noteworthy"),
    "unknown": ("suspicious", "noteworthy"),
}
DONE = ("done", "closed", "completed")


def plans(content: Any) -> Iterator[Plan]:
    """The plan of the one case of the file. Raises Refused for what is no export of IRIS."""
    if not isinstance(content, dict) or not isinstance(content.get("case"), dict):
        errors = content.get("errors") if isinstance(content, dict) else None
        told = f": it says {errors[0]!s:.200}" if isinstance(errors, list) and errors else ""
        raise Refused(_("This is no case exported from IRIS%(told)s.") % {"told": told})
    case = content["case"]
    name = case.get("name") or case.get("case_name")
    if not name:
        raise Refused(_("This is no case exported from IRIS: it has no name."))
    report = Report("iris")
    read = Reader(report)
    plan = Plan("iris", _key(case), _ref(case), read.line(name, "name", 300), report)
    _state(plan, case, read)
    _words(plan, case, read)
    _timeline(plan, content.get("timeline"), read)
    plan.observables = observables_of(content.get("iocs") or content.get("ioc"), read)
    _assets(plan, content.get("assets"), read)
    _tasks(plan, content.get("tasks"), read)
    _notes(plan, content.get("notes"), read)
    _comments(plan, content.get("comments"), read)
    _evidence(plan, content.get("evidences"), read)
    plan.entries += remarks(plan, read)
    yield plan


def _key(case: Json) -> str:
    """Its UUID where the export has one; older exports name neither it nor the id."""
    for name in ("case_uuid", "uuid"):
        if isinstance(case.get(name), str) and case[name]:
            return str(case[name])
    told = [case.get(name) for name in ("name", "case_name", "soc_id", "case_soc_id", "open_date", "for_customer")]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def _ref(case: Json) -> str:
    pk, soc = case.get("case_id"), case.get("soc_id") or case.get("case_soc_id")
    named = f"#{pk}" if isinstance(pk, int) else ""
    return " ".join(part for part in (named, str(soc or "")[:100]) if part) or "case"


def _state(plan: Plan, case: Json, read: Reader) -> None:
    """Times, status, verdict, severity. An export has only some of them."""
    plan.created_at = read.moment(case.get("open_date") or case.get("initial_date"), "open date")
    closed = case.get("close_date")
    state = str(case.get("state_name") or case.get("state") or "").lower()
    severity = str(case.get("severity") or case.get("severity_name") or "").lower()
    known = severity in Severity.words()
    plan.severity = severity if known else "medium"
    if not known:
        plan.report.change("severity", "medium: the export names none that is known")
    if closed or state == "closed":
        plan.status = "closed"
        plan.closed_at = plan.resolved_at = read.moment(closed, "close date")
        verdict = str(case.get("status_name") or case.get("status") or "").lower()
        plan.determination, plan.findings = VERDICTS.get(verdict, ("suspicious", "noteworthy"))
        if verdict not in VERDICTS:
            plan.report.change("outcome", "suspicious: the export names none, and an incident ends with one")
    else:
        plan.status = {"open": "open", "in progress": "in_progress", "containment": "in_progress"}.get(state, "open")
    plan.report.change("TLP", "amber: cases of IRIS have none")


def _words(plan: Plan, case: Json, read: Reader) -> None:
    facts = {
        "SOC id": case.get("soc_id") or case.get("case_soc_id"),
        "Customer": case.get("for_customer") or case.get("client_name") or case.get("customer_name"),
        "Classification": case.get("classification"),
        "Opened by": case.get("opened_by") or case.get("opened_by_user"),
    }
    lines = [f"* {name}: {read.line(value, name, 300)}" for name, value in facts.items() if value]
    lines += _attributes(case.get("custom_attributes"), read)
    words = read.text(case.get("description"), "description", 40_000)
    plan.summary = "\n\n".join(part for part in (words, "\n".join(lines)) if part)[:50_000]
    plan.tags = read.tags(case.get("tags") or case.get("case_tags"))
    plan.techniques = techniques_in([*plan.tags, case.get("classification")])
    owner = case.get("owner") or case.get("owner_name")
    if isinstance(owner, str) and owner:
        plan.owners = [(owner, True)]


def _attributes(given: Any, read: Reader) -> list[str]:
    """``{tab: {field: {"type", "value"}}}`` as lines."""
    found = []
    for tab, fields in given.items() if isinstance(given, dict) else ():
        for name, held in fields.items() if isinstance(fields, dict) else ():
            value = held.get("value") if isinstance(held, dict) else held
            if value not in (None, "", False):
                found.append(f"* {read.line(tab, 'a tab', 100)}, {read.line(name, 'a field', 100)}: "
                             f"{read.line(value, 'an attribute', 1_000)}")  # fmt: skip
    return found[:200]


def _timeline(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "timeline"):
        title = read.line(row.get("event_title"), "an event's title", 200) or "event"
        at = read.moment(row.get("event_date") or row.get("event_date_wtz"), f"time of event {title}")
        parts = [f"**{title}**", read.text(row.get("event_content"), f"event {title}", 20_000)]
        about = {
            "Source": row.get("event_source"),
            "Category": row.get("category"),
            "Assets": ", ".join(map(str, row["assets"])) if isinstance(row.get("assets"), list) else None,
            "Tags": row.get("event_tags"),
            "Raw": row.get("event_raw"),
        }
        parts += [
            f"{name}: {read.text(value, f'{name} of event {title}', 5_000)}" for name, value in about.items() if value
        ]
        author = str(row.get("last_edited_by") or "IRIS")[:200]
        text = "\n\n".join(part for part in parts if part)[:50_000]
        plan.techniques = list(dict.fromkeys([*plan.techniques, *techniques_in([row.get("event_tags")])]))
        plan.entries.append(EntryPlan(at or _start(plan), author, "event", text, note=True))


def _assets(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "assets"):
        name = read.line(row.get("asset_name"), "an asset's name", 255)
        if not name:
            plan.report.leave("an asset", "it has no name")
            continue
        sort = str(row.get("type") or "").lower()
        if "account" in sort:
            plan.observables.append(ObservablePlan("user", name))
            plan.report.change(f"asset {name}", "an observable: accounts are no assets here")
            continue
        addresses = [one for one in str(row.get("asset_ip") or "").replace(",", " ").split() if one]
        plan.assets.append(AssetPlan(name, read.line(row.get("type"), "a type", 40), addresses=addresses[:20]))
        words = [read.text(row.get(key), f"{key} of {name}", 10_000) for key in ("asset_description", "asset_info")]
        state = "compromised" if row.get("compromised") else ""
        told = "\n\n".join(part for part in (state, *words) if part)
        if told:
            at = read.moment(row.get("date_added"), f"time of asset {name}") or _start(plan)
            plan.entries.append(EntryPlan(at, "IRIS", f"asset {name}"[:200], f"**{name}**\n\n{told}", note=True))


def _tasks(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "tasks"):
        title = read.line(row.get("task_title"), "a task's title", 300) or "Task"
        status = str(row.get("task_status") or "").lower()
        if status in ("canceled", "cancelled"):
            plan.report.leave(f"task {title}", "it was cancelled")
            continue
        who = str(row.get("assigned_to") or "")
        closed = row.get("task_close_date") or row.get("task_last_update")
        done = read.moment(closed, f"end of task {title}") or _start(plan) if status in DONE else None
        words = read.text(row.get("task_description"), f"description of task {title}", 10_000)
        plan.tasks.append(TaskPlan(title, words, assignee=who, done_at=done, done_by=who if done else ""))


def _notes(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "notes"):
        title = read.line(row.get("note_title"), "a note's title", 200)
        text = read.text(row.get("note_content"), f"note {title}", 49_000)
        at = read.moment(row.get("note_creationdate") or row.get("note_lastupdate"), f"time of note {title}")
        if text or title:
            plan.entries.append(
                EntryPlan(at or _start(plan), "IRIS", f"note {title}"[:200], f"# {title}\n\n{text}", note=True)
            )


def _comments(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "comments"):
        text = read.text(row.get("comment_text"), "a comment")
        at = read.moment(row.get("comment_date"), "time of a comment")
        if text:
            author = str(row.get("name") or row.get("user") or "IRIS")[:200]
            plan.entries.append(EntryPlan(at or _start(plan), author, "comment", text, note=True))


def _evidence(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "evidences"):
        name = read.line(row.get("filename"), "a file's name", 255)
        digest = read.line(row.get("file_hash"), "a file's hash", 128)
        told = f" (hash {digest})" if digest else ""
        plan.report.leave(f"evidence {name}{told}", "its bytes do not stand in the export: add it as evidence")
        plan.observables += observables_of([{"ioc_value": digest, "type_name": "hash"}], read) if digest else []


def _start(plan: Plan) -> datetime:
    return plan.created_at or clock.now()
