"""The timeline of an incident's document: whole chains, told only as far as the reader and the options allow."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from cases.api.representation import entry_dict
from cases.merged import absorbed
from cases.models import Alert, Evidence, Incident, TimelineEntry
from cases.reporting.beside import may_be_named
from cases.reporting.options import Options
from cases.timeline_kinds import KINDS, LINKING, NOTES
from cases.timeline_read import NUMBER, entries_of_incident, tell_all
from cases.timeline_words import plain_sentence
from soar.accounts.models import User

WORDS = (*NOTES, "comment.edited")  # what people wrote
RESPONSES = ("run.", "approval.", "response.")
STATUS_KINDS = ("changed", "incident.reopened")
HIDDEN = {"hidden": ["text", "data"]}
IMPORTED = ("imported", "imported.note")
LEFT_OUT = "left out of this export"


class Stream:
    """All entries of an incident, of what was merged into it and of those of its alerts that go out, in memory, oldest
    first."""

    def __init__(self, user: User, incident: Incident, alerts: list[Alert], options: Options) -> None:
        merged = list(Incident.objects.filter(pk__in=absorbed(incident)).order_by("pk"))
        self._subjects: list[Alert | Incident] = [incident, *merged, *alerts]
        self._incident, self._options = incident, options
        self._joined = set(entries_of_incident(incident).order_by().values_list("pk", flat=True))
        rows = TimelineEntry.objects.filter(
            Q(incident__in=[incident, *merged]) | Q(alert__in=[one.pk for one in alerts])
        )
        self._entries = list(rows.select_related("alert", "incident").order_by("pk"))
        self.withheld = 0
        tell_all(user, self._entries)
        self._leave_titles()
        if not options.notes:
            self._hide(entry for entry in self._entries if entry.kind in WORDS or _was(entry)[0] in WORDS)
        if not options.evidence:
            self._leave_sort("evidence")
        if not options.observables:
            self._leave_sort("observable")

    def withhold(self, *, alerts: list[Alert], evidence: list[Evidence]) -> None:
        """Take out what entries say of alerts and evidence that do not go out themselves."""
        numbers = {alert.number for alert in alerts}
        causes = {alert.cause for alert in alerts}
        pieces = {piece.pk for piece in evidence}
        self._hide(
            entry
            for entry in self._entries
            if (numbers and numbers & set(NUMBER.findall(f"{entry.text} {json.dumps(entry.data)}")))
            or (entry.kind.startswith("evidence.") and entry.data.get("id") in pieces)
            or (entry.kind.startswith(RESPONSES) and entry.cause in causes)
        )
        self._leave_links("evidence", pieces)

    def _leave_sort(self, sort: str) -> None:
        """Take out the entries that put things of this sort in or out, and the links of events to them."""
        self._hide(entry for entry in self._entries if _was(entry)[0].startswith(f"{sort}."))
        self._leave_links(sort)

    def _leave_links(self, sort: str, ids: set[int] | None = None) -> None:
        """Take the links to things of this sort out of events; with ``ids`` to these of this portal alone."""
        for entry in self._entries if ids is None else [one for one in self._entries if one.kind not in IMPORTED]:
            link = _was(entry)[1].get("link")
            if isinstance(link, dict) and link.get("type") == sort and (ids is None or link.get("id") in ids):
                name = "link" if "link" in entry.data else "entry"
                kept = {key: entry.data[key] for key in entry.data if key != name}
                entry.data = {**kept, "hidden": [*kept.get("hidden", []), name]}

    def _leave_titles(self) -> None:
        """Titles of other incidents that are under a stricter mark do not go out with this one."""
        naming = [one for one in self._entries if one.kind in LINKING and one.data.get("title")]
        numbers = {str(one.data.get("incident") or "") for one in naming}
        others = Incident.objects.in_bulk([int(number[4:]) for number in numbers if NUMBER.fullmatch(number)])
        for entry in naming:
            number = str(entry.data.get("incident") or "")
            other = others.get(int(number[4:])) if NUMBER.fullmatch(number) else None
            if other is not None and not may_be_named(self._incident, other, self._options):
                entry.data = {**entry.data, "title": None, "hidden": ["title"]}

    def _hide(self, entries: Iterable[TimelineEntry]) -> None:
        for entry in list(entries):
            if entry.data != HIDDEN:
                entry.text, entry.data = "", dict(HIDDEN)
                self.withheld += 1

    def entries(self) -> list[dict[str, Any]]:
        """Each in JSON (``cases.reporting.document``)."""
        return [self._entry(entry) for entry in self._entries]

    def _entry(self, entry: TimelineEntry) -> dict[str, Any]:
        kind = KINDS.get(entry.kind)
        return entry_dict(entry) | {
            "actor": {"type": entry.actor_type, "id": entry.actor_id, "name": entry.actor_name},
            "label": kind.label if kind else entry.kind,
            "group": kind.group if kind else "changes",
            "note": entry.kind in NOTES,
            "sentence": LEFT_OUT if entry.data == HIDDEN else plain_sentence(entry),
            "joined": entry.pk in self._joined,
        }

    def status_history(self) -> list[dict[str, Any]]:
        """The states that the incident was in, oldest first."""
        return [
            {
                "at": row["occurred_at"],
                "from": row["data"].get("old"),
                "to": row["data"].get("new"),
                "actor": row["actor"]["name"],
                "reason": row["text"],
            }
            for row in (entry_dict(entry) for entry in self._entries if entry.incident_id == self._incident.pk)
            if row["kind"] in STATUS_KINDS and row["data"].get("field") == "status"
        ]

    def chains(self) -> list[dict[str, Any]]:
        """How many entries each subject has, and the hash of its last: what a cut tail is found by."""
        return [
            {
                "subject": one.number,
                "count": one.timeline_count,
                "head": bytes(one.timeline_head).hex() if one.timeline_head else None,
            }
            for one in self._subjects
        ]


def _was(entry: TimelineEntry) -> tuple[str, dict[str, Any]]:
    """Kind and data of an entry; of one that was imported from another Soar those that it had there."""
    there = entry.data.get("entry") if entry.kind in IMPORTED else None
    if not isinstance(there, dict):
        return entry.kind, entry.data
    data = there.get("data")
    return str(there.get("kind") or ""), data if isinstance(data, dict) else {}
