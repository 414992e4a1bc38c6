"""A case of TheHive 4 or 5, as its API gives it (docs/analysts.md: Import).

One object ``{"case", "tasks", "observables", "comments", "procedures", ...}``, or the case with these inside, or a list
of either. Tasks may have their ``logs``. Pure: JSON in, plans out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.errors import Refused
from cases.importing.plan import EntryPlan, Json, Plan, Report, TaskPlan
from cases.importing.reading import Reader, remarks, techniques_in
from cases.importing.thehive_parts import custom_fields, observables
from cases.importing.thehive_words import ENDED, PAPS, SEVERITIES, TLPS_4, TLPS_5, VERDICTS
from soar.lib import clock

CASES_AT_MOST = 1000
INSIDE = ("tasks", "observables", "artifacts", "comments", "procedures", "pages", "attachments", "alerts", "logs")


def plans(content: Any) -> Iterator[Plan]:
    """A plan for each case. Raises Refused for what is no case of TheHive."""
    found = content if isinstance(content, list) else [content]
    if not found or len(found) > CASES_AT_MOST or not all(isinstance(one, dict) for one in found):
        raise Refused(
            _("Expected a case of TheHive, or a list of 1 to %(cases_at_most)s.") % {"cases_at_most": CASES_AT_MOST}
        )
    for one in found:
        yield _plan(one)


def _plan(given: Json) -> Plan:
    case = given["case"] if isinstance(given.get("case"), dict) else given
    key = case.get("_id") or case.get("id")
    if not isinstance(key, str) or not key or not case.get("title"):
        raise Refused(_("This is no case of TheHive: it has no _id or no title."))
    report = Report("thehive")
    read = Reader(report)
    number = case.get("number") or case.get("caseId")
    plan = Plan(
        "thehive", key, f"#{number}" if isinstance(number, int) else key[:100],
        read.line(case["title"], "title", 300), report,
    )  # fmt: skip
    inside = {name: given.get(name) if given.get(name) is not None else case.get(name) for name in INSIDE}
    _state(plan, case, read)
    _words(plan, case, read)
    _tasks(plan, inside, read)
    plan.observables = observables(inside["observables"] or inside["artifacts"], read)
    _comments(plan, inside["comments"], read)
    _procedures(plan, inside["procedures"], read)
    _pages(plan, inside["pages"], read)
    for name, why in (
        ("attachments", "files do not stand in the JSON: add them as evidence"),
        ("alerts", "alerts come from their sources here"),
    ):
        if isinstance(rows := inside[name], list) and rows:
            report.leave(f"{len(rows)} {name}", why)
    plan.entries += remarks(plan, read)
    return plan


def _state(plan: Plan, case: Json, read: Reader) -> None:
    """Severity, marks, status, verdict and times."""
    report = plan.report
    plan.severity = SEVERITIES.get(_whole(case.get("severity")) or 2, "medium")
    plan.tlp = tlp_of(case, read, "TLP")
    pap = _whole(case.get("pap"))
    plan.pap = PAPS.get(2 if pap is None else pap, "amber")
    plan.created_at = read.moment(case.get("startDate") or case.get("_createdAt") or case.get("createdAt"), "start")
    status = str(case.get("status") or "")
    verdict = str(case.get("resolutionStatus") or status)
    over = status in ("Resolved", "Deleted", *ENDED) or case.get("stage") == "Closed"
    if over:
        plan.status = "closed"
        plan.closed_at = read.moment(case.get("endDate") or case.get("closedDate"), "end")
        plan.resolved_at = plan.closed_at
        plan.determination, plan.findings = VERDICTS.get(verdict, ("suspicious", "noteworthy"))
        if verdict not in VERDICTS:
            report.change(f"resolution {verdict or 'none'}", "suspicious: an incident ends with a determination")
    elif status in ("InProgress", "Open") or case.get("stage") == "InProgress":
        plan.status = "in_progress"
    elif status not in ("New", ""):
        report.change(f"status {status:.40}", "open")


def tlp_of(row: Json, read: Reader, what: str) -> str:
    """By its label (5); without one 3 is RED, as in 4 and at its strictest."""
    label = str(row.get("tlpLabel") or "").lower().removeprefix("tlp:")
    known = {"white": "clear", **{word: word for word in TLPS_5.values()}}
    if label in known:
        return known[label]
    number = _whole(row.get("tlp"))
    if number is None:
        return "amber"
    if number == 4:
        return "red"
    if number not in TLPS_4:
        read.report.change(f"{what} {number}", "red: no such TLP is known")
    return TLPS_4.get(number, "red")


def _words(plan: Plan, case: Json, read: Reader) -> None:
    """Title, texts, tags, people."""
    parts = [read.text(case.get("description"), "description", 30_000)]
    if summary := read.text(case.get("summary"), "summary", 10_000):
        parts.append(f"## Summary\n\n{summary}")
        plan.resolve_reason = summary[:5000] if plan.status == "closed" else ""
    if table := custom_fields(case.get("customFields"), read):
        parts.append(f"## Fields of TheHive\n\n{table}")
        plan.report.change("custom fields", "a table in the summary")
    plan.summary = "\n\n".join(part for part in parts if part)[:50_000]
    plan.tags = read.tags(case.get("tags"))
    plan.techniques = techniques_in(plan.tags)
    if case.get("flag"):
        plan.tags = [*plan.tags[:49], "flagged"]
    lead = case.get("assignee") or case.get("owner")
    if isinstance(lead, str) and lead:
        plan.owners = [(lead, True)]
    if impact := case.get("impactStatus"):
        plan.facts["impact"] = str(impact)[:60]


def _tasks(plan: Plan, inside: Json, read: Reader) -> None:
    rows = sorted(read.items(inside["tasks"], "tasks"), key=lambda one: _whole(one.get("order")) or 0)
    for row in rows:
        status = str(row.get("status") or "Waiting")
        title = read.line(row.get("title"), "a task's title", 300) or "Task"
        group = read.line(row.get("group"), "a task's group", 100)
        if status == "Cancel":
            plan.report.leave(f"task {title}", "it was cancelled")
            continue
        done = read.moment(row.get("endDate"), f"end of task {title}") if status == "Completed" else None
        if status == "Completed" and done is None:
            done = plan.closed_at or plan.created_at
        words = read.text(row.get("description"), f"description of task {title}", 9_000)
        plan.tasks.append(
            TaskPlan(
                title,
                f"{words}\n\nGroup: {group}".strip() if group and group != "default" else words,
                assignee=str(row.get("assignee") or row.get("owner") or ""),
                due_at=read.moment(row.get("dueDate"), f"due time of task {title}"),
                required=bool(row.get("mandatory")),
                done_at=done,
                done_by=str(row.get("_updatedBy") or row.get("assignee") or row.get("owner") or "") if done else "",
            )
        )
        for log in read.items(row.get("logs"), f"logs of task {title}"):
            _note(plan, log, read, f"task log: {title}")
    for log in read.items(inside["logs"], "logs"):
        _note(plan, log, read, "task log")


def _comments(plan: Plan, given: Any, read: Reader) -> None:
    for row in read.items(given, "comments"):
        _note(plan, row, read, "comment")


def _note(plan: Plan, row: Json, read: Reader, was: str) -> None:
    """A comment or a log, in its newest wording."""
    text = read.text(row.get("message"), was)
    at = read.moment(row.get("date") or row.get("_createdAt") or row.get("createdAt"), f"time of a {was}")
    if row.get("attachment") or row.get("attachments"):
        plan.report.leave(f"the file of a {was}", "files do not stand in the JSON: add them as evidence")
    if not text:
        plan.report.leave(f"a {was}", "it has no text")
        return
    author = str(row.get("_createdBy") or row.get("createdBy") or row.get("owner") or "TheHive")[:200]
    plan.entries.append(EntryPlan(at or _start(plan), author, was[:200], text, note=True, data=_id(row)))


def _procedures(plan: Plan, given: Any, read: Reader) -> None:
    """Techniques that somebody saw, with when and what."""
    for row in read.items(given, "procedures"):
        found = techniques_in([row.get("patternId"), row.get("pattern")])
        if not found:
            plan.report.leave(f"procedure {row.get('patternId')!s:.40}", "it names no technique")
            continue
        plan.techniques = list(dict.fromkeys([*plan.techniques, *found]))
        at = read.moment(row.get("occurDate"), "time of a procedure") or _start(plan)
        author = str(row.get("_createdBy") or "TheHive")[:200]
        words = read.text(row.get("description"), "a procedure", 20_000)
        plan.entries.append(EntryPlan(at, author, f"procedure {found[0]}", words, data=_id(row)))


def _pages(plan: Plan, given: Any, read: Reader) -> None:
    """Pages of the case become notes."""
    for row in read.items(given, "pages"):
        title = read.line(row.get("title"), "a page's title", 200)
        text = read.text(row.get("content"), f"page {title}")
        at = read.moment(row.get("_createdAt"), f"time of page {title}") or _start(plan)
        author = str(row.get("_createdBy") or "TheHive")[:200]
        if text:
            plan.entries.append(
                EntryPlan(at, author, f"page {title}"[:200], f"# {title}\n\n{text}"[:50_000], note=True, data=_id(row))
            )


def _start(plan: Plan) -> datetime:
    return plan.created_at or clock.now()


def _id(row: Json) -> Json:
    pk = row.get("_id") or row.get("id")
    return {"id": pk[:100]} if isinstance(pk, str) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
