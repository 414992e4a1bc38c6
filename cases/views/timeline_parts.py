"""What pages show of a timeline besides its entries: filters with their figures, pins, who was named and not told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.actions import mentions
from cases.actors import Actor
from cases.models import Incident, TimelineEntry
from cases.timeline_filter import GROUPS, PINNED, TimelineFilter
from cases.timeline_places import counts_of_read, group_counts, pinned_of, pinned_rows, place_of
from cases.timeline_read import EVERYTHING, PAGE, rows_of_page, views
from cases.views.task_parts import local_text
from soar.accounts.models import User

Context = dict[str, Any]
Rows = QuerySet[TimelineEntry]
PINS_FIRST = 5  # the others are one click away
LABELS = {
    "notes": gettext_lazy("Notes"),
    "events": gettext_lazy("Events"),
    "changes": gettext_lazy("Changes"),
    "alerts": gettext_lazy("Alerts"),
    "evidence": gettext_lazy("Evidence"),
    "playbooks": gettext_lazy("Playbooks"),
    "responses": gettext_lazy("Responses"),
    "servicenow": gettext_lazy("ServiceNow"),
    PINNED: gettext_lazy("Pinned"),
}
LABELS_OF_LINKS = {
    "observable": gettext_lazy("Observables"),
    "asset": gettext_lazy("Assets"),
    "evidence": gettext_lazy("Evidence"),
    "technique": gettext_lazy("Techniques"),
}


def stream(rows: Rows, chosen: TimelineFilter, *, before: int = 0, aim: int = 0, limit: int = PAGE) -> Context:
    """A page of the stream from ``before`` on, or from the entry ``aim`` that an address asks for, with its filters and
    pins. ``entry_missing``: there is no such entry here, the newest are shown."""
    rows = rows.select_related("pin")
    read, older = rows_of_page(rows, chosen, before=aim + 1 if aim else before, limit=limit)
    found = aim
    if aim and not (read and read[0].pk == aim and read[0].kind != "comment.edited"):  # a moved note, or not there
        found = place_of(rows, aim)
        read, older = rows_of_page(rows, chosen, before=found + 1 if found else 0, limit=limit)
    counts, from_the_top = None, not (before or found)
    if from_the_top and not (older or chosen.written):  # all there is was read
        counts = counts_of_read(read)
    counts = counts or _counts(rows, chosen)
    pinned = list(pinned_rows(rows)) if _has_pins(counts, chosen) else []
    entries = views([*read, *pinned])  # together: their corrections, and what they tell of others, are read once
    place = len(entries) - len(pinned)
    told = {"newer": not from_the_top, "aim": found, "entry_missing": aim and not found}
    groups = _groups(chosen, counts)
    return {"entries": entries[:place], "older": older, **told, **groups, **shown_pins(entries[place:])}


def filters(rows: Rows, chosen: TimelineFilter) -> Context:
    """The groups with their figures within what else is chosen, and what is pinned."""
    counts = _counts(rows, chosen)
    return {**_groups(chosen, counts), **shown_pins(pinned_of(rows) if _has_pins(counts, chosen) else [])}


def _counts(rows: Rows, chosen: TimelineFilter) -> dict[str, int]:
    return group_counts(chosen.without_groups().apply(rows))


def _has_pins(counts: dict[str, int], chosen: TimelineFilter) -> bool:
    return bool(counts[PINNED] or chosen.narrowed)


def _groups(chosen: TimelineFilter, counts: dict[str, int]) -> Context:
    # Most timelines have no ticket, no event and so on: what is empty is not offered.
    names = [name for name in GROUPS if counts[name] or name in chosen.groups]
    groups = [("", _("All"), counts["all"], chosen.only("").query)]
    groups += [(name, str(LABELS[name]), counts[name], chosen.only(name).query) for name in names]
    return {
        "sought": chosen,  # not "chosen", which is the theme in base.html
        "query": chosen.query,
        "group": chosen.groups[0] if len(chosen.groups) == 1 else "" if not chosen.groups else None,
        "groups": groups,
        "errors": dict(chosen.errors),
        "since_text": local_text(chosen.since),
        "until_text": local_text(chosen.until),
        "newest": counts["newest"],
        "entry_total": None if chosen.narrowed else counts["all"],
    }


def pins(rows: Rows) -> Context:
    """The pinned entries alone."""
    return shown_pins(pinned_of(rows))


def shown_pins(pinned: list[Any]) -> Context:
    """The box of pins, the newest alone, and the ids by which entries know that they are pinned."""
    ids = {view.entry.pk for view in pinned}
    return {"pins": pinned[:PINS_FIRST], "pinned": ids, "pins_all": len(ids) if len(ids) > PINS_FIRST else 0}


def addresses(kind: str, number: str) -> Context:
    """Where what belongs to the timeline of an ``incident`` or ``alert`` is asked for and sent to."""
    names = {"page": "detail", "timeline": "timeline", "pin": "pin", "preview": "preview", "people": "people"}
    return {
        "to": {name: reverse(f"{kind}-{end}", args=[number]) for name, end in names.items()},
        "stream_id": kind,
        "stream_of": int(number[4:]),  # notes of what was merged are not corrected any more
    }


def asked_for(request: HttpRequest) -> tuple[TimelineFilter, dict[str, int]]:
    """What the address chooses: a filter and where to begin (``before``), or with ``?entry=`` one entry (``aim``),
    which no filter hides."""
    if aim := number_of(request.GET.get("entry", "")):
        return EVERYTHING, {"aim": aim}
    return TimelineFilter.parse(request.GET), {"before": number_of(request.GET.get("before", ""))}


def number_of(text: str) -> int:
    """An id from an address; 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


def not_told(user: User, subject: mentions.Subject, text: str, entry: TimelineEntry | None) -> Context:
    """Who is named in a text that was just written and does not see the subject, and whether the writer may let them
    in, who are then named by ``entry``. Nothing where everybody sees it."""
    actor = Actor.of(user)
    blind = mentions.read(actor, subject, text).blind
    if not blind:
        return {}
    allowed = entry is not None and mentions.may_let_in(actor, subject)
    return {"blind": {"people": blind, "entry": entry.pk if entry else 0, "may_let_in": allowed}}


def not_told_of(user: User, incident: Incident, entry_id: int) -> Context:
    """The same for an entry of an incident that was written before."""
    entry = TimelineEntry.objects.filter(pk=entry_id, incident=incident).first()
    return not_told(user, incident, mentions.words_of(entry), entry) if entry else {}


def not_told_words(context: Context, number: str) -> str:
    """The same as one sentence, "" for nobody: for messages and readers of the screen."""
    people = context.get("blind", {}).get("people", [])
    if not people:
        return ""
    one, several = "%(who)s cannot see %(number)s and was not told.", "%(who)s cannot see %(number)s and were not told."
    words = ngettext(one, several, len(people))
    return words % {"who": ", ".join(one.display_name() for one in people), "number": number}


def newest_summary(incident: Incident) -> TimelineEntry | None:
    """The entry that brought the summary as it is."""
    changed = TimelineEntry.objects.filter(incident=incident, kind="changed", data__field="summary")
    return changed.order_by("-pk").first()
