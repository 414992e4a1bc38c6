"""A report as Markdown, for a wiki or a ticket. What comes from outside cannot become a heading, a link or raw HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cases.reporting.context import context_of
from cases.reporting.words import cut

# What means something to CommonMark, its tables and GitHub's additions, wherever it stands; and at the beginning.
SPECIAL = re.compile(r"([\\`*_\[\]<>|~&@]|(?<=www)\.)", re.IGNORECASE)
FIRST = re.compile(r"^(\s*(?:\d+(?=[.)]))?)([#+\-=.)])")
SCHEME = re.compile(r"\b(https?|ftp|mailto|javascript|data|vbscript|file):", re.IGNORECASE)
LINE = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
FENCE = re.compile(r"`{3,}|~{3,}")
Row = dict[str, Any]


def render(document: Row, _progress: Callable[[int], None]) -> bytes:
    """The file."""
    context = context_of(document, "Report")
    return "\n".join(_lines(context, document)).encode("utf-8", "replace")


def inline(value: Any) -> str:
    """A text of one line that says what it says and does nothing."""
    line = SCHEME.sub(_inert, LINE.sub(" ", str(value or "")))
    return FIRST.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", line))


def block(text: Any) -> list[str]:
    """A text of several lines, word for word in a fence that it cannot leave, with addresses that nobody opens."""
    lines = [SCHEME.sub(_inert, line) for line in cut(text).splitlines()]
    longest = max((len(found) for line in lines for found in FENCE.findall(line)), default=2)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence, ""] if lines else []


def _inert(found: re.Match[str]) -> str:
    """``https:`` as ``hxxps:``; others with their colon in brackets."""
    scheme = found[1]
    return f"hxxp{scheme[4:]}:" if scheme.lower().startswith("http") else f"{scheme}[:]"


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    """A table, or nothing without rows."""
    names = list(head)
    made = [f"| {' | '.join(inline(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}", *made, ""] if made else []


def _lines(context: Row, document: Row) -> Iterator[str]:
    yield from _head(context)
    yield from ("## Summary", "", *(block(document["incident"]["summary"]) or ["Nothing written.", ""]))
    yield from _section("Course", _course(context["status_history"]))
    yield from _section("Targets", _clocks(context["clocks"]))
    yield from _section("Alerts", _alerts(context["alerts"]))
    yield from _section("Observables", _observables(context["observables"]))
    yield from _section("Assets", _assets(context["assets"]))
    yield from _section("Evidence", _evidence(context["evidence"]))
    yield from _section("Tasks", _tasks(context["tasks"]))
    yield from _section("Response", [*_runs(context["runs"]), *_responses(context["responses"])])
    yield from _section("Timeline", list(_timeline(context["timeline"])))
    yield from (f"**{context['report']['tlp']}**", "")


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines] if lines else []


def _head(context: Row) -> Iterator[str]:
    report, incident = context["report"], context["incident"]
    yield f"**{report['tlp']}**"
    yield ""
    yield f"# {incident['number']} {inline(incident['title'])}"
    yield ""
    people = [f"{one['name']} (lead)" if one["lead"] else one["name"] for one in context["owners"]]
    facts = {
        "Severity": incident["severity_label"],
        "Status": incident["status_label"],
        "Determination": incident["determination_label"]
        + (f" ({incident['findings']})" if incident["findings"] else ""),
        "TLP, PAP": f"{incident['tlp']}, {incident['pap']}",
        "Owners": ", ".join(people) or "nobody",
        "Team": incident["team"],
        "Opened": f"{incident['created_at']} by {incident['opened_by']}",
        "Contained": incident["contained_at"],
        "Resolved": ": ".join(filter(None, (incident["resolved_at"], incident["resolve_reason"]))),
        "Closed": incident["closed_at"],
        "Tags": ", ".join(incident["tags"]),
        "ATT&CK": ", ".join(incident["techniques"]),
        "ServiceNow": ", ".join(one["number"] for one in incident["tickets"]),
        "Exported": f"{report['generated_at']} by {report['generated_by']}",
        "Left out": "; ".join(report["left_out"]),
    }
    yield from (f"- {inline(name)}: {inline(value)}" for name, value in facts.items() if value)
    yield from (f"- {inline(one['name'])}: {inline(one['value'])}" for one in context["fields"])
    yield from (f"- {one['relation']}: {one['number']} {inline(one['title'])}" for one in context["related"])
    yield ""


def _course(rows: list[Row]) -> list[str]:
    names = ("at", "from", "to", "actor", "reason")
    return table(("When", "From", "To", "Who", "Why"), ([row[name] for name in names] for row in rows))


def _clocks(rows: list[Row]) -> list[str]:
    names = ("label", "target", "took", "outcome", "started_at", "due_at", "stopped_at")
    head = ("To", "Target", "Took", "Kept", "Began", "Due", "Ended")
    return table(head, ([row[name] for name in names] for row in rows))


def _alerts(rows: list[Row]) -> list[str]:
    names = ("number", "severity_label", "status_label", "determination_label", "occurred_at", "source", "hostname")
    head = ("Alert", "Severity", "Status", "Determination", "Occurred", "Source", "Host", "Title")
    return table(head, ([row[name] for name in (*names, "title")] for row in rows))


def _observables(rows: list[Row]) -> list[str]:
    made = ([row["type"], row["value"], row["risk_label"], ", ".join(row["alerts"])] for row in rows)
    return table(("Type", "Value", "Rating", "Seen in"), made)


def _assets(rows: list[Row]) -> list[str]:
    made = (
        [row["name"], row["type"], row["system"], ", ".join(row["addresses"]), row["criticality_label"]] for row in rows
    )
    return table(("Name", "Type", "System", "Addresses", "Criticality"), made)


def _evidence(rows: list[Row]) -> list[str]:
    names = ("name", "size", "content_type", "sha256", "added_at", "added_by", "removed_at")
    head = ("Name", "Size", "Type", "SHA-256", "Added", "By", "Removed")
    return table(head, ([row[name] for name in names] for row in rows))


def _tasks(rows: list[Row]) -> list[str]:
    made = []
    for row in rows:
        who = f"{row['done_by']} {row['done_at']}" if row["done"] else f"{row['assignee']} {row['due_at']}"
        made.append(f"- [{'x' if row['done'] else ' '}] {inline(row['title'])} {inline(who.strip())}".rstrip())
    return [*made, ""] if made else []


def _runs(rows: list[Row]) -> list[str]:
    names = ("playbook", "subject", "status_label", "started_at", "finished_at")
    return table(("Playbook", "On", "Ended", "Started", "Finished"), ([row[name] for name in names] for row in rows))


def _responses(rows: list[Row]) -> list[str]:
    names = ("label", "target", "status_label", "connector", "finished_at", "message")
    head = ("Action", "Target", "Outcome", "Through", "Finished", "Message")
    return table(head, ([row[name] for name in names] for row in rows))


def _timeline(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        text = f": {inline(row['text'])}" if row["text"] else ""
        was = f" (time corrected, before {', '.join(row['was_at'])})" if row["was_at"] else ""
        yield f"- {row['at']} **{inline(row['actor'])}** {inline(row['sentence'])}{was}{text}"
        if row["words"]:
            yield ""
            yield from (f"  {line}".rstrip() for line in block(row["words"]))
    yield ""
