"""Reading the timeline: the stream of an alert or an incident, prepared for a page or the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet, Sum

from cases.models import Alert, Incident, TimelineEntry
from cases.timeline_kinds import KINDS, NOTES, Kind

PAGE = 50
GROUPS = {
    name: [kind.name for kind in KINDS.values() if kind.group == name] for name in ("notes", "changes", "playbooks")
}
UNKNOWN = Kind("", "", "clock", "changes")


@dataclass
class EntryView:
    """An entry and, for a note, its corrections: ``text`` is the newest wording, ``revisions`` the older
    ones, oldest first."""

    entry: TimelineEntry
    text: str
    revisions: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """How this kind is shown."""
        return KINDS.get(self.entry.kind, UNKNOWN)

    @property
    def is_note(self) -> bool:
        """Shown as a box with somebody's words."""
        return self.entry.kind in NOTES

    @property
    def author(self) -> str:
        """Whose words: for a moved note its writer, else the actor."""
        return str(self.entry.data.get("author") or self.entry.actor_name)


def entries_of_alert(alert: Alert) -> QuerySet[TimelineEntry]:
    """The alert's own entries, newest first. The caller has checked that the alert may be seen."""
    return TimelineEntry.objects.filter(alert=alert).order_by("-id")


def entries_of_incident(incident: Incident) -> QuerySet[TimelineEntry]:
    """The incident's entries joined by those of its alerts (casework.md 14), newest first. Notes of the
    alerts stand here as moved notes, so their originals are left out."""
    mine = Q(incident=incident)
    theirs = Q(alert__in=Alert.objects.filter(incident=incident).order_by().values("pk"))
    theirs &= ~Q(kind__in=("comment", "comment.edited", "alert.linked"))
    return TimelineEntry.objects.filter(mine | theirs).order_by("-id").select_related("alert")


def page_of(
    rows: QuerySet[TimelineEntry], *, group: str = "", before: int = 0, limit: int = PAGE
) -> tuple[list[EntryView], int]:
    """A page of entries, newest first, and the id to go on before (0: nothing older)."""
    rows = _in_group(rows, group)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    older = found[limit - 1].pk if len(found) > limit else 0
    return views(found[:limit]), older


def newer_than(rows: QuerySet[TimelineEntry], after: int, *, group: str = "", limit: int = 200) -> list[EntryView]:
    """Entries with a greater id than ``after``, newest first."""
    return views(_in_group(rows, group).filter(pk__gt=after)[:limit])


def views(entries: Iterable[TimelineEntry]) -> list[EntryView]:
    """Entries with the corrections of their notes; corrections themselves are not shown as entries."""
    listed = list(entries)
    notes = [entry.pk for entry in listed if entry.kind in ("comment", "handoff")]
    edits: dict[int, list[TimelineEntry]] = defaultdict(list)
    if notes:
        # By the subject's index, not by JSON: a subject has few corrections.
        subjects = Q(alert__in={e.alert_id for e in listed if e.alert_id}) | Q(
            incident__in={e.incident_id for e in listed if e.incident_id}
        )
        for edit in TimelineEntry.objects.filter(subjects, kind="comment.edited").order_by("pk"):
            edits[edit.data.get("of", 0)].append(edit)
    return [_view(entry, edits.get(entry.pk, [])) for entry in listed if entry.kind != "comment.edited"]


def cursor_of_incident(incident: Incident) -> str:
    """Changes whenever the joined stream does: the sum of the subjects' counts."""
    alerts = Alert.objects.filter(incident=incident).aggregate(n=Sum("timeline_count"))["n"] or 0
    return f"{incident.timeline_count}-{alerts}"


def group_counts(rows: QuerySet[TimelineEntry]) -> dict[str, int]:
    """How many entries each filter holds, and ``all``."""
    from django.db.models import Count

    by_kind: dict[str, Any] = dict(rows.order_by().values_list("kind").annotate(n=Count("pk")))
    by_kind.pop("comment.edited", None)
    counts = {name: sum(by_kind.get(kind, 0) for kind in kinds) for name, kinds in GROUPS.items()}
    return {"all": sum(by_kind.values()), **counts}


def _in_group(rows: QuerySet[TimelineEntry], group: str) -> QuerySet[TimelineEntry]:
    return rows.filter(kind__in=GROUPS[group]) if group in GROUPS else rows


def _view(entry: TimelineEntry, edits: list[TimelineEntry]) -> EntryView:
    texts = [entry.text, *(edit.text for edit in edits)]
    return EntryView(entry, texts[-1], texts[:-1])
