"""What is chosen of a timeline: kinds, a person, words, a span of time, an order. Query string to rows and back; the
page, its poll and the API share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.db.models import BigIntegerField, Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from cases.models import TimelineEntry
from cases.timeline_kinds import KINDS, LINKING, TELLING
from cases.timeline_times import corrected, happened
from soar.accounts.models import User
from soar.lib.clock import moment_of

# What went to and came from ServiceNow, also notes and changed fields, which their own filters show as well.
TRAFFIC, TRAFFIC_PREFIX = "servicenow", "servicenow."
# The kinds that a filter takes out of their group, by how their names begin.
FINER = (
    ("event", "events"),
    ("evidence.", "evidence"),
    ("alert.", "alerts"),
    ("incident.alert_", "alerts"),
    ("response.", "responses"),
)
NAMES = ("notes", "events", "changes", "alerts", "evidence", "playbooks", "responses", TRAFFIC)
ENTRY, EVENT = "entry", "event"
PINNED = "pinned"
TEXT_AT_MOST = 200
# Their data hold numbers and titles that a reader may not know of, their texts too (timeline_read.tell_all): what is
# not shown must not be found, either.
TELLING_OF_OTHERS = Q(kind__in=LINKING) | (
    reduce(or_, (Q(kind__startswith=begins) for begins in TELLING)) & Q(text__regex="(ALR|INC)-[0-9]")
)


def group_of(kind: str) -> str:
    """The filter that holds a kind."""
    finer = next((name for begins, name in FINER if kind.startswith(begins)), "")
    return finer or (KINDS[kind].group if kind in KINDS else "changes")


GROUPS = {name: [kind for kind in KINDS if group_of(kind) == name] for name in NAMES}


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """``groups``: names of GROUPS or "pinned", empty for all; ``person``: a user name or a name as it stands there;
    ``since`` and ``until``: when it happened, both aware; ``order``: by "entry" or by "event" time; ``errors`` by
    parameter."""

    groups: tuple[str, ...] = ()
    person: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    order: str = ENTRY
    errors: tuple[tuple[str, str], ...] = ()
    written: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> TimelineFilter:
        """From a query string, or from the API's: ``group`` (several with commas or repeated), ``person``, ``q``,
        ``since``, ``until``, ``order``. What cannot be read is left out and told in ``errors``."""
        several = params.getlist("group") if hasattr(params, "getlist") else [params.get("group", "")]
        named = [name for one in several for name in str(one).split(",") if name]
        groups = tuple(dict.fromkeys(name for name in named if name in GROUPS or name == PINNED))
        errors = (
            [("group", _("One of: %(what)s.") % {"what": ", ".join((*GROUPS, PINNED))})]
            if len(groups) < len(set(named))
            else []
        )
        plain = {name: _clean(params.get(name, "")) for name in ("person", "q", "since", "until", "order")}
        moments = {name: moment_of(plain[name]) for name in ("since", "until")}
        errors += [(name, _("A date and time, as 2026-03-12T17:00.")) for name in moments if _odd(plain, moments, name)]
        if plain["order"] not in ("", ENTRY, EVENT):
            errors.append(("order", _("One of: %(entry)s, %(event)s.") % {"entry": ENTRY, "event": EVENT}))
        order = EVENT if plain["order"] == EVENT else ENTRY
        kept = {"group": ",".join(groups), **plain, "order": EVENT if order == EVENT else ""}
        kept |= {name: "" for name, moment in moments.items() if moment is None}
        written = tuple((name, value) for name, value in kept.items() if value)
        return cls(groups, plain["person"], plain["q"], **moments, order=order, errors=tuple(errors), written=written)

    @property
    def query(self) -> str:
        """The query string that says the same, "" for everything in the order of entry."""
        return urlencode(self.written)

    @property
    def narrowed(self) -> bool:
        """Whether it leaves out anything besides kinds."""
        return bool(self.person or self.text or self.since or self.until)

    def without_groups(self) -> TimelineFilter:
        """The same for all kinds."""
        return replace(self, groups=(), written=tuple(pair for pair in self.written if pair[0] != "group"))

    def only(self, group: str) -> TimelineFilter:
        """The same for the kinds of one group; "" for all."""
        bare = self.without_groups()
        return replace(bare, groups=(group,), written=(("group", group), *bare.written)) if group else bare

    def apply(self, rows: QuerySet[TimelineEntry]) -> QuerySet[TimelineEntry]:
        """The rows that are chosen; an event by the time to which it was corrected."""
        rows = self._in_time(rows)
        if self.groups:
            rows = rows.filter(_of_groups(self.groups))
        if self.person:
            rows = rows.filter(_by(self.person))
        if self.text:
            written = rows.alias(data_text=Cast("data", TextField()))
            rows = written.filter(_saying(self.text))
        return rows

    def _in_time(self, rows: Any) -> QuerySet[TimelineEntry]:
        """Asked before any is left out: a correction may be of another group than its event."""
        if self.since or self.until:
            rows = rows.alias(happened=happened(corrected(rows)))
        rows = rows.filter(happened__gte=self.since) if self.since else rows
        chosen: QuerySet[TimelineEntry] = rows.filter(happened__lte=self.until) if self.until else rows
        return chosen


def _clean(value: Any) -> str:
    return str(value or "").replace("\x00", "").strip()[:TEXT_AT_MOST]


def _odd(plain: dict[str, str], moments: dict[str, datetime | None], name: str) -> bool:
    return bool(plain[name]) and moments[name] is None


def is_traffic(kind: str, actor_type: str) -> bool:
    """Whether it went to or came from ServiceNow."""
    return kind.startswith(TRAFFIC_PREFIX) or actor_type == TRAFFIC


def _of_groups(groups: tuple[str, ...]) -> Q:
    chosen = Q(kind__in=[kind for name in groups for kind in GROUPS.get(name, ())])
    if TRAFFIC in groups:
        chosen |= Q(kind__startswith=TRAFFIC_PREFIX) | Q(actor_type=TRAFFIC)
    return chosen | Q(pin__isnull=False) if PINNED in groups else chosen


def _by(person: str) -> Q:
    """Whoever bears this name or user name, or wrote the note that was moved here."""
    named = Q(actor_name__iexact=person) | Q(data__author__iexact=person)
    return named | Q(actor_type="user", actor_id__in=User.objects.filter(username=person).values("pk"))


def _saying(text: str) -> Q:
    """Entries whose words, values or label hold the text; a note also by its corrections. Those are not taken from
    ``rows``, whose own SQL names the table: so they are looked for once, not for each entry."""
    labels = [kind.name for kind in KINDS.values() if text.lower() in _(kind.label).lower()]
    edits = TimelineEntry.objects.filter(kind="comment.edited", text__icontains=text).order_by()
    corrected = edits.annotate(of=Cast(KeyTextTransform("of", "data"), BigIntegerField())).values("of")
    inside = ~TELLING_OF_OTHERS & (Q(text__icontains=text) | Q(data_text__icontains=text))
    return Q(actor_name__icontains=text) | Q(kind__in=labels) | inside | Q(pk__in=corrected)
