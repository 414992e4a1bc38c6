"""``@name`` and ``@team`` in what people write on alerts and incidents (casework.md 13, access.md 6).

The rule: a mention gives nobody access. Who does not see the subject is not told and stands nowhere in the entry; the
writer learns that they were not, and whoever manages the incident can let them in with one click (``let_in``), which
is on the timeline.

The interface for those who notify is the timeline itself. An entry whose text names somebody has

* ``data["mentions"]``: ids of the people to tell: active, could see the subject at that moment, not the writer, each
  once, teams resolved to their members. A correction names only those whom the earlier wordings did not.
* ``data["named"]``: what stands behind the ``@`` in the text and what is shown for it (``{"anna": "Anna Berg"}``).

on the kinds ``comment``, ``handoff``, ``event``, ``comment.edited``, ``changed`` (of the summary), ``incident.opened``
(its summary) and ``mentioned`` (somebody let in afterwards; ``data["of"]`` is the entry that names them). The same
people are rows of ``Mention``, written in the same transaction. Only words of people count, not those of playbooks,
sources or ServiceNow: they hold what strangers wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.access import INCIDENT, SourceKind, team_ways
from cases.actions.naming import both_named, members_of
from cases.actors import Actor
from cases.errors import Missing, Refused, missing_as
from cases.models import Alert, Incident, Mention, TimelineEntry
from cases.permissions import incident_for
from soar.accounts.access import actions as access
from soar.accounts.access.kinds import Has, Way
from soar.accounts.access.reading import Readers
from soar.accounts.models import User

PEOPLE_AT_MOST = 200
LEVEL = "comment"
Subject = Alert | Incident


@dataclass(slots=True)
class Mentioned:
    """Who is named in a text: ``shown`` is what may be marked, ``told`` the ids of those to tell, ``blind`` those who
    are named themselves and do not see the subject."""

    shown: dict[str, str] = field(default_factory=dict)
    told: list[int] = field(default_factory=list)
    blind: list[User] = field(default_factory=list)

    @property
    def data(self) -> dict[str, Any]:
        """What goes into the entry's ``data``."""
        found: dict[str, Any] = {"named": self.shown} if self.shown else {}
        return {**found, "mentions": self.told} if self.told else found

    def keep(self, entry: TimelineEntry) -> None:
        """The rows, in the entry's transaction."""
        Mention.objects.bulk_create([Mention(entry=entry, user_id=pk) for pk in self.told], ignore_conflicts=True)


def read(actor: Actor, subject: Subject, text: str, *, before: str = "") -> Mentioned:
    """Who is named in ``text`` by a person, and of them who sees ``subject``. Those whom ``before``, the earlier
    wordings, named are not told again.

    Raises Refused beside ``text`` when more than 200 people would be told."""
    if actor.type != "user" or "@" not in text:
        return Mentioned()
    people, teams = both_named(text)
    named = {user.pk for user in people.values()}
    seeing = who_sees(subject, named | members_of(teams.values()))
    told = seeing - {actor.id} - (_everybody(before) if before and seeing else set())
    if len(told) > PEOPLE_AT_MOST:
        raise Refused(
            _("At most %(people_at_most)s people are told at once, this names %(count)s.")
            % {"people_at_most": PEOPLE_AT_MOST, "count": len(told)},
            field="text",
        )
    shown = {key: user.display_name() for key, user in people.items() if user.pk in seeing}
    shown |= {key: team.name for key, team in teams.items()}
    blind = {user.pk: user for user in people.values() if user.pk not in seeing}
    return Mentioned(shown, sorted(told), list(blind.values()))


def shown_in(text: str) -> dict[str, str]:
    """What stands behind an ``@`` of a text that is no entry (a summary) and what is shown for it."""
    people, teams = both_named(text)
    return {key: user.display_name() for key, user in people.items()} | {key: one.name for key, one in teams.items()}


def rewrite_summary(actor: Actor, incident: Incident, text: str) -> bool:
    """Set the summary of a locked incident and tell who is newly named in it; False if it is so already."""
    if incident.summary == text:
        return False
    named = read(actor, incident, text, before=incident.summary)
    data = {"field": "summary", "old": incident.summary, "new": text, **named.data}
    incident.summary = text
    named.keep(timeline.record("changed", incident, actor, data=data))
    return True


def who_sees(subject: Subject, people: Iterable[int]) -> set[int]:
    """Ids of those of these people who are active and see the subject."""
    wanted = set(people)
    if not wanted:
        return set()
    if isinstance(subject, Incident):
        return Readers(INCIDENT, subject).among(wanted)
    seeing = set() if subject.restricted else Readers(_ThroughAlert(subject), subject.source).among(wanted)
    if subject.incident is not None:
        seeing |= Readers(INCIDENT, subject.incident).among(wanted - seeing)
    return seeing


@transaction.atomic
def let_in(actor: Actor, entry_id: int, username: str) -> TimelineEntry:
    """Let somebody who is named in an incident's entry, and does not see it, in to comment on it, and tell them. For
    whoever manages the incident's access. Returns the entry that says so.

    Raises Missing, Forbidden, and Refused for somebody who is not named there or sees the incident already."""
    entry = TimelineEntry.objects.filter(pk=entry_id, incident__isnull=False).first()
    with missing_as(_("There is no such entry.")):
        if entry is None:
            raise Missing("")
        incident = incident_for(actor, entry.incident_id or 0, level="manage", lock=True)
    people, _teams = both_named(words_of(entry))
    key, user = next(((key, user) for key, user in people.items() if user.username == username), ("", None))
    if user is None or user.pk in who_sees(incident, [user.pk]):
        raise Refused(
            _("%(username)s is not waiting to be let in here.") % {"username": f"{username!s:.60}"}, field="user"
        )
    access.grant(actor.user, INCIDENT, incident.number, user, LEVEL, reason="Mentioned on the timeline")
    incident = incident_for(actor, incident.pk, level="manage", lock=True)
    told = Mentioned({key: user.display_name()}, [user.pk])
    data = {"of": entry.pk, "user": user.display_name(), **told.data}
    made = timeline.record("mentioned", incident, actor, data=data, touch=True)
    told.keep(made)
    return made


def may_let_in(actor: Actor, subject: Subject) -> bool:
    """Whether the actor may let people in who are named: only incidents have access of their own."""
    return isinstance(subject, Incident) and actor.user is not None and INCIDENT.manages(actor.user, subject)


class _ThroughAlert(SourceKind):
    """Who sees an alert by what is not its incident: its team or everybody, its owner, grants on its source."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert

    def ways(self, obj: Any, has: Has) -> list[Way]:
        """As ``AlertQuerySet.visible_to``."""
        reader = has("view_cases")
        return [Way("owner", "", reader & Q(pk=self.alert.owner_id)), *team_ways(self.alert.team, reader, has)]


def words_of(entry: TimelineEntry) -> str:
    """All that an entry says: its text with corrections, or the summary that it brought."""
    edits = TimelineEntry.objects.filter(incident=entry.incident_id, kind="comment.edited", data__of=entry.pk)
    new = entry.data.get("new") if entry.data.get("field") == "summary" else ""
    return "\n\n".join([entry.text, str(new or ""), *edits.values_list("text", flat=True)])


def _everybody(text: str) -> set[int]:
    """Ids of everybody named in a text, teams by their members."""
    people, teams = both_named(text)
    return {user.pk for user in people.values()} | members_of(teams.values())
