"""Reading the timeline: the stream of an alert or an incident, prepared for a page or the API."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import BooleanField, Q, QuerySet, Sum, Value
from django.db.models.expressions import RawSQL
from django.utils.safestring import SafeString

from cases.merged import absorbed, absorbed_entries
from cases.models import Alert, Incident, TimelineEntry
from cases.timeline_filter import EVENT, GROUPS, TimelineFilter
from cases.timeline_kinds import KINDS, LINKING, NOTES, TELLING, Kind
from cases.timeline_times import Times, corrected, happened, moved
from soar.accounts.models import User
from soar.lib.text import markdown

PAGE, BRIEF = 50, 600
# What happened this close to its entry happened at that moment.
TOGETHER = timedelta(minutes=1)
EVERYTHING = TimelineFilter()
# Fields whose change is told without their values, and how much of each wording a page shows; the API has all of it.
LONG_TEXTS = ("summary", "description")
WORDING_AT_MOST = 10_000
# Under which keys of their data the entries that link something say what.
NUMBERS = ("incident", "alert", "from", "to")
NUMBER = re.compile("(?:ALR|INC)-[0-9]{1,18}")
# An array: with IN (SELECT ...) on one side of an OR the planner reads the whole timeline.
OF_ITS_ALERTS = "cases_timelineentry.alert_id = ANY(ARRAY(SELECT id FROM cases_alert WHERE incident_id = %s))"
# What is written on an alert and on its incident in one transaction is told once. Their ids are drawn one after the
# other, so the twin is looked for nearby: by the index, and not in the whole of a long timeline.
TOLD_TWICE = """cases_timelineentry.kind ~ '^(run|approval|response)[.]' AND EXISTS (
    SELECT 1 FROM cases_timelineentry twin WHERE twin.incident_id = ANY(%s)
        AND twin.id BETWEEN cases_timelineentry.id - 200 AND cases_timelineentry.id + 200
        AND twin.kind = cases_timelineentry.kind AND twin.actor_id IS NOT DISTINCT FROM cases_timelineentry.actor_id
        AND twin.cause = cases_timelineentry.cause AND twin.data = cases_timelineentry.data)"""
# A note of an alert that was in several of the incidents that are read together was moved to each of them.
MOVED_TWICE = """cases_timelineentry.kind = 'note.moved' AND EXISTS (
    SELECT 1 FROM cases_timelineentry earlier WHERE earlier.incident_id = ANY(%s) AND earlier.kind = 'note.moved'
        AND earlier.id < cases_timelineentry.id AND earlier.data -> 'entry' = cases_timelineentry.data -> 'entry')"""
UNKNOWN = Kind("", "", "clock", "changes")


@dataclass
class EntryView:
    """An entry and, for a note, its corrections: ``text`` is the newest wording, ``revisions`` the older
    ones, oldest first, ``people`` who is named in any of them (cases.actions.mentions). ``times``: when an event
    happened as it was corrected, the newest last; empty where it was not."""

    entry: TimelineEntry
    text: str
    revisions: list[str] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    times: list[datetime] = field(default_factory=list)

    @property
    def happened_at(self) -> datetime:
        """When it happened, by the newest correction."""
        return self.times[-1] if self.times else self.entry.occurred_at

    @property
    def earlier_times(self) -> list[datetime]:
        """What was said before of when it happened, the oldest first."""
        return [self.entry.occurred_at, *self.times[:-1]] if self.times else []

    @property
    def kind(self) -> Kind:
        """How this kind is shown."""
        return KINDS.get(self.entry.kind, UNKNOWN)

    @property
    def is_note(self) -> bool:
        """Shown as a box with somebody's words."""
        return self.entry.kind in NOTES

    @property
    def rewritten(self) -> tuple[str, str] | None:
        """Both wordings of a text that was rewritten, the old one first."""
        data = self.entry.data
        if self.entry.kind != "changed" or data.get("field") not in LONG_TEXTS:
            return None
        return tuple(str(data.get(name) or "")[:WORDING_AT_MOST] for name in ("old", "new"))  # type: ignore[return-value]

    @property
    def brief(self) -> SafeString:
        """The newest wording as HTML, cut where a box would grow too long."""
        return markdown(self.text if len(self.text) <= BRIEF else f"{self.text[:BRIEF]}…", self.people)

    @property
    def can_be_pinned(self) -> bool:
        """That an entry was pinned is not pinned, too."""
        return not self.entry.kind.startswith("entry.")

    @property
    def other_time(self) -> bool:
        """It happened at another time than that of the entry."""
        return abs(self.entry.recorded_at - self.happened_at) > TOGETHER

    @property
    def author(self) -> str:
        """Whose words: for a moved note its writer, else the actor."""
        return str(self.entry.data.get("author") or self.entry.actor_name)


def entries_of_alert(alert: Alert) -> QuerySet[TimelineEntry]:
    """The alert's own entries, newest first. The caller has checked that the alert may be seen."""
    return TimelineEntry.objects.filter(alert=alert).order_by("-id")


def entries_of_incident(incident: Incident) -> QuerySet[TimelineEntry]:
    """The incident's entries joined by those of its alerts (casework.md 14), newest first. Notes of the
    alerts stand here as moved notes, so their originals are left out; so is what a playbook told both of them.

    What was merged into it is read with it: each of those streams stays where it was written, a chain of its own."""
    subjects = [incident.pk, *absorbed(incident)]
    mine = Q(incident__in=subjects)
    if len(subjects) > 1:
        # That one went into this one is told by this one.
        mine &= Q(incident=incident) | ~Q(kind="incident.merged_into")
        mine &= ~Q(RawSQL(MOVED_TWICE, [subjects], output_field=BooleanField()))  # noqa: S611  a constant
    theirs = Q(RawSQL(OF_ITS_ALERTS, [incident.pk], output_field=BooleanField()))  # noqa: S611  a constant
    theirs &= ~Q(kind__in=("comment", "comment.edited", "alert.linked"))
    theirs &= ~Q(RawSQL(TOLD_TWICE, [subjects], output_field=BooleanField()))  # noqa: S611  a constant
    return TimelineEntry.objects.filter(mine | theirs).order_by("-id")


def page_of(
    rows: QuerySet[TimelineEntry],
    chosen: TimelineFilter = EVERYTHING,
    *,
    group: str = "",
    before: int = 0,
    limit: int = PAGE,
) -> tuple[list[EntryView], int]:
    """A page of what is chosen, newest first, and the id to go on before (0: nothing older)."""
    found, older = rows_of_page(rows, chosen, group=group, before=before, limit=limit)
    return views(found), older


def rows_of_page(
    rows: QuerySet[TimelineEntry],
    chosen: TimelineFilter = EVERYTHING,
    *,
    group: str = "",
    before: int = 0,
    limit: int = PAGE,
) -> tuple[list[TimelineEntry], int]:
    """The same, corrections of notes among them."""
    times = corrected(rows) if chosen.order == EVENT else {}
    rows = (chosen.only(group) if group in GROUPS else chosen).apply(rows)
    if chosen.order == EVENT:
        rows = rows.alias(happened=happened(times)).order_by("-happened", "-id")
    if before:
        rows = rows.filter(_behind(before, chosen.order, times))
    found = list(rows[: limit + 1])
    older = found[limit - 1].pk if len(found) > limit else 0
    return found[:limit], older


def _behind(before: int, order: str, times: Times) -> Q:
    """What comes behind the entry ``before`` in the order."""
    if order != EVENT:
        return Q(pk__lt=before)
    last = times.get(before) or TimelineEntry.objects.filter(pk=before).values_list("occurred_at", flat=True).first()
    return Q(pk__in=[]) if last is None else Q(happened__lt=last) | Q(happened=last, pk__lt=before)


def tell(user: User, entry: TimelineEntry) -> TimelineEntry:
    """``tell_all`` for the entry and those that were read with it, once for all of them."""
    if getattr(entry, "told_to", None) != user.pk:
        listed: list[Any] = getattr(entry, "read_with", [entry])
        tell_all(user, listed)
        for one in listed:
            one.told_to = user.pk
    return entry


def tell_all(user: User, entries: Iterable[TimelineEntry]) -> None:
    """Take out of the entries, as they are in memory, the numbers and titles of incidents and alerts that the reader
    does not see (access.md 4): an alert seen by all may have been in somebody else's incident, and a playbook may
    end with an error about one, or ask for a response because of it. What was taken out is named in
    ``data["hidden"]``; the hash is still that of the whole entry."""
    listed = list(entries)
    linking = [entry for entry in listed if entry.kind in LINKING]
    telling = [
        (entry, set(NUMBER.findall(entry.text))) for entry in listed if entry.text and entry.kind.startswith(TELLING)
    ]
    numbers = {number for entry in linking for number in _numbers(entry.data)}
    numbers |= {number for _entry, named in telling for number in named}
    seen = _seen(user, numbers) if numbers else {}
    for entry in linking:
        entry.data = _told(entry.data, seen)
    for entry, named in telling:
        if not all(seen[number] for number in named):
            entry.text, entry.data = "", {**entry.data, "hidden": ["text"]}


def _numbers(data: dict[str, Any]) -> list[str]:
    named = [*(data.get(key) for key in NUMBERS), *(data.get("alerts") or [])]
    return [number for number in named if isinstance(number, str) and number[:4] in ("INC-", "ALR-")]


def _seen(user: User, numbers: set[str]) -> dict[str, bool]:
    """Which of the numbers the reader sees: one query at most, and no number twice in a request."""
    known: dict[str, bool] = user.__dict__.setdefault("_numbers_seen", {})
    wanted = sorted(numbers - known.keys())
    asked: list[Any] = []
    for prefix, rows in (("INC-", Incident.objects), ("ALR-", Alert.objects)):
        if ids := [int(number[4:]) for number in wanted if number.startswith(prefix)]:
            visible = rows.visible_to(user).filter(pk__in=ids).order_by()
            asked.append(visible.values_list(Value(prefix), "pk"))
    if asked:
        found = {f"{prefix}{pk}" for prefix, pk in asked[0].union(*asked[1:], all=True)}
        known |= {number: number in found for number in wanted}
    return known


def _told(data: dict[str, Any], seen: dict[str, bool]) -> dict[str, Any]:
    if all(seen[number] for number in _numbers(data)):
        return data
    hidden = [key for key in NUMBERS if data.get(key) and not seen.get(data[key], True)]
    kept = {key: None if key in hidden else value for key, value in data.items()}
    if "title" in kept and {"alert", "incident"}.intersection(hidden):
        kept["title"] = None
    if "alerts" in data:
        kept["alerts"] = [number for number in data["alerts"] if seen.get(number, True)]
        hidden += ["alerts"] if kept["alerts"] != data["alerts"] else []
    return {**kept, "hidden": hidden}


def views(entries: Iterable[TimelineEntry]) -> list[EntryView]:
    """Entries with the corrections of their notes; corrections themselves are not shown as entries."""
    listed = list(entries)
    for entry in listed:
        entry.read_with = listed  # type: ignore[attr-defined]
    notes = [entry.pk for entry in listed if entry.kind in NOTES]
    edits: dict[int, list[TimelineEntry]] = defaultdict(list)
    if notes:
        # By the subject's index, not by JSON: a subject has few corrections.
        subjects = Q(alert__in=[*{e.alert_id for e in listed if e.alert_id}, *_moved_from(listed)]) | Q(
            incident__in={e.incident_id for e in listed if e.incident_id}
        )
        for edit in TimelineEntry.objects.filter(subjects, kind__in=("comment.edited", "mentioned")).order_by("pk"):
            edits[edit.data.get("of", 0)].append(edit)
    return [_view(entry, _edits_of(entry, edits)) for entry in listed if entry.kind != "comment.edited"]


def _moved_from(entries: list[TimelineEntry]) -> set[int]:
    """Ids of the alerts whose notes were moved here."""
    numbers = (entry.data.get("alert") for entry in entries if entry.kind == "note.moved")
    return {int(number[4:]) for number in numbers if isinstance(number, str) and number[:4] == "ALR-"}


def _edits_of(entry: TimelineEntry, edits: dict[int, list[TimelineEntry]]) -> list[TimelineEntry]:
    """The corrections of a note; of a moved one those that its writer made on the alert since it was moved."""
    if entry.kind != "note.moved":
        return edits.get(entry.pk, [])
    return [edit for edit in edits.get(entry.data.get("entry", 0), []) if edit.pk > entry.pk]


def cursor_of_incident(incident: Incident) -> str:
    """Changes whenever the joined stream does: the sum of the subjects' counts."""
    alerts = Alert.objects.filter(incident=incident).aggregate(n=Sum("timeline_count"))["n"] or 0
    return f"{incident.timeline_count + absorbed_entries(incident)}-{alerts}"


def _view(entry: TimelineEntry, later: list[TimelineEntry]) -> EntryView:
    texts = [entry.text, *(edit.text for edit in later if edit.kind == "comment.edited")]
    times = [edit.occurred_at for edit in later if moved(edit.kind, edit.data)]
    people: dict[str, str] = {}
    for one in (entry, *later):
        people |= one.data.get("named") or {}
    revisions = [old for old, new in pairwise(texts) if old != new]
    return EntryView(entry, texts[-1], revisions, people, times)
