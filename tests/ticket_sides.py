"""Proof that an incident and its ticket are equal: by what stands in this file, not by the maps of the product."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus, Severity
from cases.models import Incident, IncidentOwner, TicketLink, TimelineEntry
from soar.standins.servicenow import seed
from tests.servicenow_tools import Both

# Of the table incident, with the maps as delivered: impact and urgency, else the priority; state; close code.
PAIRS = {"critical": "11", "high": "12", "medium": "22", "low": "23", "informational": "33"}
PRIORITIES = {"1": "critical", "2": "high", "3": "medium", "4": "low", "5": "informational"}
STATES = {
    "open": {"1"}, "in_progress": {"2", "3"}, "contained": {"2", "3"}, "resolved": {"6", "7", "8"},
    "closed": {"6", "7", "8"},
}  # fmt: skip
CODES = {
    "malicious": {"Solution provided"},
    "suspicious": {"Workaround provided"},
    "benign": {
        "No resolution provided", "Duplicate", "Known error", "User error", "Resolved by caller", "Resolved by change",
        "Resolved by problem", "Resolved by request",
    },
}  # fmt: skip
MARK = re.compile(r"\n\[ref:([0-9a-f-]{36})(?: (\d+)/(\d+))?\]$")
SAID_HERE = ("comment", "handoff", "note.moved", "comment.edited")
ANALYST = "Mara Lindqvist"


def here(name: str = ANALYST) -> Actor:
    """Somebody at Soar whom nothing is forbidden."""
    return Actor("system", name)


def say(link: TicketLink, text: str) -> TimelineEntry:
    """A comment here."""
    return incidents.comment(here(), link.incident_id, text)


def edit(link: TicketLink, **changes: Any) -> None:
    """Change fields of the incident."""
    incidents.update(here(), link.incident_id, changes=changes)


def resolve(link: TicketLink, determination: str = "malicious", reason: str = "Blocked and cleaned.") -> None:
    """Resolve the incident."""
    incidents.set_status(here(), link.incident_id, "resolved", determination=determination, reason=reason)


def incident_of(link: TicketLink) -> Incident:
    """As it is now."""
    return Incident.objects.get(pk=link.incident_id)


def kinds(link: TicketLink, kind: str) -> list[TimelineEntry]:
    """The entries of one kind on the incident's timeline, oldest first."""
    return list(TimelineEntry.objects.filter(incident=link.incident_id, kind=kind).order_by("pk"))


def differences(both: Both, link: TicketLink) -> list[str]:
    """Field by field, note by note; [] when both sides are equal."""
    ticket = both.ticket(link)
    link.refresh_from_db()
    return [*values_differ(incident_of(link), ticket["fields"]), *_notes(link, ticket["journal"]), *_once(both, link)]


def equal(both: Both, *links: TicketLink) -> None:
    """Let both sides come to rest; they are equal then, nothing failed and nothing waits."""
    both.settle()
    assert both.failures() == []
    for link in links:
        assert differences(both, link) == []
        assert both.compare(link.incident_id) == []


def values_differ(incident: Incident, fields: dict[str, str]) -> list[str]:
    """Field by field."""
    found = []
    if fields["short_description"] != f"{incident.number} {incident.title}"[:160].strip():
        found.append(f"title: {incident.title!r} and {fields['short_description']!r}")
    word, pair = Severity(incident.severity).word, fields["impact"] + fields["urgency"]
    known = {theirs: ours for ours, theirs in PAIRS.items()}
    if known.get(pair, PRIORITIES.get(fields["priority"])) != word:
        found.append(f"severity: {word} and {pair}, priority {fields['priority']}")
    status = IncidentStatus(incident.status).word
    if fields["state"] not in STATES[status]:
        found.append(f"status: {status} and {fields['state']}")
    if status in ("resolved", "closed"):
        determination = Determination(incident.determination).word
        if fields["close_code"] not in CODES.get(determination, set()):
            found.append(f"determination: {determination} and {fields['close_code']!r}")
        if incident.resolve_reason and fields["close_notes"] != incident.resolve_reason:
            found.append(f"close notes: {incident.resolve_reason!r} and {fields['close_notes']!r}")
    lead = IncidentOwner.objects.filter(incident=incident, lead=True).select_related("user").first()
    if fields["assigned_to"] != (seed.user_id(lead.user.username) if lead else ""):
        found.append(f"owner: {lead and lead.user.username} and {fields['assigned_to']!r}")
    return found


def _notes(link: TicketLink, journal: list[dict[str, Any]]) -> list[str]:
    """What people said here stands there once, and the other way round; nothing that was said comes back."""
    rows = TimelineEntry.objects.filter(incident=link.incident_id)
    said_here = Counter(_plain(row.text) for row in rows.filter(kind__in=SAID_HERE).exclude(actor_type="servicenow"))
    taken = Counter(_plain(row.text) for row in rows.filter(kind="servicenow.note", data__sys_id=link.sys_id))
    ours: dict[str, list[tuple[int, str]]] = {}
    said_there: Counter[str] = Counter()
    for entry in journal:
        mark = MARK.search(entry["value"])
        if mark and entry["sys_created_by"] == seed.INTEGRATION:
            ours.setdefault(mark[1], []).append((int(mark[2] or 1), entry["value"][: mark.start()]))
        else:
            said_there[_plain(entry["value"])] += 1
    told = Counter(_plain(_body("".join(text for _, text in sorted(parts)))) for parts in ours.values())
    return [
        *(f"not told there: {text[:60]!r}" for text in (said_here - told).elements()),
        *(f"told there too often: {text[:60]!r}" for text in (told - said_here).elements()),
        *(f"not taken: {text[:60]!r}" for text in (said_there - taken).elements()),
        *(f"taken too often: {text[:60]!r}" for text in (taken - said_there).elements()),
    ]


def _once(both: Both, link: TicketLink) -> list[str]:
    """One ticket bears the correlation id."""
    if not link.ours_correlation:
        return []
    tickets = [one for one in both.desk.ask("tickets", limit=5000)
               if one["fields"]["correlation_id"] == link.correlation_id]  # fmt: skip
    return [] if len(tickets) == 1 else [f"{len(tickets)} tickets of one incident"]


def _body(text: str) -> str:
    """Without who wrote it."""
    return text.partition("(Soar):\n")[2].removeprefix("Correction: ")


def _plain(text: str) -> str:
    return "".join(text.split())
