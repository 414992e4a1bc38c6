"""Search over everything that people write (casework.md 2, 6, 10, 12, 13, 17): each sort of thing through the one
visibility query, the newest first, by the indexes of ``cases.search_words``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BigIntegerField, CharField, Expression, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Left, Substr

from cases import query_text
from cases import search_words as words_of
from cases.digests import value_digest
from cases.errors import Missing
from cases.grants import AnyOf
from cases.ingest.refang import refang
from cases.models import (
    Alert,
    Asset,
    Evidence,
    HandOver,
    Incident,
    IncidentObservable,
    IncidentTask,
    Observable,
    TimelineEntry,
)
from cases.models.observable import PREFIX_LENGTH
from cases.permissions import parse_number
from cases.querysets import AlertQuerySet, inside
from cases.restricted_views import note_views
from cases.search_notes import saying
from cases.timeline_kinds import NOTES
from cases.timeline_read import EntryView, views
from soar.accounts.membership import may
from soar.accounts.models import User

SHOWN = 8  # of each sort
WORDS_AT_MOST = 8
WORD_AT_LEAST = 3  # the indexes know groups of three letters
TEXT_AT_MOST = 300
READ = 20_000  # letters of a text that are read for its excerpt
CORRECTED = "comment.edited"
VALUE = "observable__value"
BEGINNING = 2000  # values that begin alike are looked up before the incidents
WINDOW, ROUNDS = 3 * SHOWN, 4  # entries that are read at once, and how often, until enough notes are told
# What the indexes know of a word: three letters or digits in a row, or fewer beside something else (10.0.0.5).
_INDEXED = re.compile(r"[^\W_]{3}|[^\W_]{2}[\W_]|[\W_][^\W_]")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found. ``incident``: the id of the one it belongs to; ``alert``: that of the alert on which a
    note stands; ``text``: what was searched, its title included."""

    sort: str
    pk: int
    title: str
    text: str = ""
    at: datetime | None = None
    incident: int | None = None
    alert: int | None = None
    by: str = ""


@dataclass
class Found:
    """What there is for a text: hits by sort, the sorts of which there are more than are listed, and words that are
    too short to be looked for. No word holds a quotation mark."""

    text: str
    words: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    hits: dict[str, list[Hit]] = field(default_factory=dict)
    more: set[str] = field(default_factory=set)

    def add(self, sort: str, hits: Iterable[Hit]) -> None:
        """Keep the first ones of a sort, and whether there are more."""
        listed = list(hits)
        self.hits[sort] = listed[:SHOWN]
        if len(listed) > SHOWN:
            self.more.add(sort)


def search(user: User, text: str) -> Found:
    """What this person may see of what holds all the words of ``text``, in any order; “two words” in quotation marks
    are looked for as they stand. Alerts are not among it: their own filter finds them (cases.filters). That the person
    read of restricted incidents is in the audit log."""
    clean = text.replace("\x00", "").strip()[:TEXT_AT_MOST]
    written = [token.source.replace('"', "") for token in query_text.parse(clean, frozenset())][:WORDS_AT_MOST]
    found = Found(clean, [word for word in written if _is_indexed(word)])
    found.short = [word for word in written if not _is_indexed(word) and not word.isdecimal()]
    found.add("numbers", _numbered(user, clean))
    if found.words:
        _things(user, found)
        _notes(user, found)
    hits = [hit for listed in found.hits.values() for hit in listed]
    note_views(user, (hit.incident for hit in hits if hit.incident), (hit.alert for hit in hits if hit.alert))
    return found


def _is_indexed(word: str) -> bool:
    """Whether the indexes are of use for it. Without them all that was ever written would be read."""
    return len(word) >= WORD_AT_LEAST and _INDEXED.search(word) is not None


def holding(rows: QuerySet[Any], expression: Expression | F, words: list[str]) -> QuerySet[Any]:
    """The rows whose ``expression`` holds every word, in whatever case."""
    rows = rows.alias(searched=expression)
    for word in words:
        held = Q(searched__icontains=word)
        in_json = json.dumps(word, ensure_ascii=False)[1:-1]
        if expression is words_of.INCIDENT and in_json != word:  # as values of custom fields stand there
            held |= Q(searched__icontains=in_json)
        rows = rows.filter(held)
    return rows


def _numbered(user: User, text: str) -> list[Hit]:
    """INC-7 and ALR-7 for their numbers; for 7 alone both."""
    upper = text.upper()
    hits: list[Hit] = []
    if not text.isdecimal() and not upper.startswith(("INC-", "ALR-")):
        return []
    for prefix, model in (("INC", Incident), ("ALR", Alert)):
        try:
            pk = parse_number(upper, prefix)
        except Missing:
            continue
        rows = model.objects.visible_to(user).filter(pk=pk).values_list("pk", "title")
        incident, alert = (pk, None) if prefix == "INC" else (None, pk)
        hits += [Hit(prefix, *row, incident=incident, alert=alert) for row in rows]
    return hits


def _things(user: User, found: Found) -> None:
    """Incidents, what was put on them as an observable, tasks, evidence, hand-overs and assets, in one query."""
    words = found.words
    incidents = holding(Incident.objects.visible_to(user), words_of.INCIDENT, words)
    tasks = holding(IncidentTask.objects.visible_to(user), words_of.TASK, words)
    evidence = holding(Evidence.objects.visible_to(user).kept(), words_of.EVIDENCE, words)
    shifts = holding(HandOver.objects.visible_to(user), words_of.HAND_OVER, words)
    assets = Asset.objects.visible_to(user)
    for word in words:
        assets = assets.filter(key__contains=word.lower())
    parts = [
        _rows(incidents, "incident", "title", words_of.INCIDENT, "updated_at", F("pk")),
        _rows(_observables(user, found.text.strip('"')), "observable", VALUE, F(VALUE), "added_at", F("incident")),
        _rows(tasks, "task", "title", words_of.TASK, "updated_at", F("incident")),
        _rows(evidence, "evidence", "name", words_of.EVIDENCE, "added_at", F("incident")),
        _rows(shifts, "hand-over", "note", words_of.HAND_OVER, "signed_at", Value(None)),
        _rows(assets, "asset", "name", F("name"), "updated_at", Value(None)),
    ]
    listed = [Hit(*row) for row in parts[0].union(*parts[1:], all=True)]
    found.add("incident", [replace(hit, text=words_of.read(hit.text)) for hit in listed if hit.sort == "incident"])
    for sort in ("observable", "task", "evidence", "hand-over", "asset"):
        found.add(sort, [hit for hit in listed if hit.sort == sort])


def _observables(user: User, text: str) -> QuerySet[Any]:
    """Those that somebody put on an incident whose value begins with the text, written as it is or defanged. Those of
    alerts are found with the alerts."""
    forms = sorted({text, text.lower(), refang(text.lower())})
    rows = Observable.objects.alias(begun=Left("value", PREFIX_LENGTH)).order_by().values_list("pk")
    same = rows.filter(digest__in=[value_digest(form) for form in forms])
    # In whatever order they come: to sort all that begin with "198." takes longer than all else.
    begin = [rows.filter(begun__startswith=form[:PREFIX_LENGTH])[:BEGINNING] for form in forms]
    ids = [pk for (pk,) in same.union(*begin)] if may(user, "view_cases") else []
    seen = IncidentObservable.objects.filter(inside("incident", user))
    if len(ids) < BEGINNING:
        return seen.filter(AnyOf(F("observable"), ids))
    # Which of so many were read is chance, and most are of no incident: each that the person sees on one is asked.
    either = reduce(or_, (Q(begun__startswith=form[:PREFIX_LENGTH]) for form in forms))
    return seen.alias(begun=Left(VALUE, PREFIX_LENGTH)).filter(either)


def _rows(
    rows: QuerySet[Any], sort: str, title: str, text: Expression | F, at: str, incident: Expression | F
) -> QuerySet[Any]:
    """The newest of one sort, in the columns of ``Hit``."""
    listed: QuerySet[Any] = (
        rows.order_by("-pk")
        .annotate(
            sort=Value(sort, CharField()),
            headed=Cast(title, TextField()),
            read=Substr(text, 1, READ, output_field=TextField()),
            happened=F(at),
            belongs=Cast(incident, BigIntegerField()),
        )
        .values_list("sort", "pk", "headed", "read", "happened", "belongs")[: SHOWN + 1]
    )
    return listed


def _notes(user: User, found: Found) -> None:
    """Notes of incidents and alerts by their newest wording; one that was moved to an incident is told there."""
    rows = saying(found.words).filter(kind__in=(*NOTES, CORRECTED)).filter(_seen_by(user))
    told: dict[int, EntryView] = {}
    moved: set[int] = set()
    read = list(rows[:WINDOW])
    # Wordings that were corrected since fall out, and so do twins: there may be fewer notes than entries.
    for left in reversed(range(ROUNDS)):
        entries = read + _corrected_by(read)
        moved.update(entry.data.get("entry", 0) for entry in entries if entry.kind == "note.moved")
        told.update((view.entry.pk, view) for view in views(entries) if _says(view.text, found.words))
        if len(read) < WINDOW or not left or len(told.keys() - moved) > SHOWN:
            break
        read = list(rows.filter(pk__lt=read[-1].pk)[:WINDOW])
    found.add("note", [_note(told[pk]) for pk in sorted(told.keys() - moved, reverse=True)])
    if len(read) == WINDOW:
        found.more.add("note")


def _corrected_by(entries: list[TimelineEntry]) -> list[TimelineEntry]:
    """The notes that corrections among these belong to, without those that are among them."""
    originals = [entry.data.get("of", 0) for entry in entries if entry.kind == CORRECTED]
    return list(TimelineEntry.objects.filter(pk__in=originals).exclude(pk__in=[entry.pk for entry in entries]))


def _seen_by(user: User) -> Q:
    """That the entry's subject is one that the person may see. Asked for each entry: there are few, and many alerts."""
    return Q(inside("incident", user)) | Q(AlertQuerySet.seen_one_by_one("alert", user))


def _says(text: str, words: list[str]) -> bool:
    said = text.upper()
    return all(word.upper() in said for word in words)


def _note(view: EntryView) -> Hit:
    entry = view.entry
    subject = {"incident": entry.incident_id, "alert": entry.alert_id}
    return Hit("note", entry.pk, "", view.text, entry.recorded_at, **subject, by=view.author)
