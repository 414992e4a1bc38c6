"""Signing a shift over and taking it over (casework.md 17). Audited; a shift is signed once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.dashboard import shift
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import HandOver
from cases.querysets import IncidentQuerySet
from soar.accounts import audit
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User
from soar.lib import clock

NOTE_AT_MOST = 20_000
KEPT_AT_MOST = 2_000  # ids of each list
# The lists of incidents in the facts, and by what name the shift selects them.
LISTS = {"opened": "opened", "ended": "ended", "changed": "going_on", "open": "open"}
LOCK = 502_197_431  # any number that nothing else locks by


@transaction.atomic
def sign(user: User, note: str, *, team: Team | None = None, seen: int | None = None) -> HandOver:
    """Hand the shift over with a note. ``seen``: the hand-over that the signer's page began with, 0 for none.

    Raises Forbidden for who may not work on cases or is not of the team, Refused for an empty or endless note,
    Conflict when somebody else signed meanwhile."""
    _check(user, team)
    text = note.strip().replace("\x00", "")
    if not text:
        raise Refused(_("Say what the next shift has to know."), field="note")
    if len(text) > NOTE_AT_MOST:
        raise Refused(_("At most %(note_at_most)s characters.") % {"note_at_most": f"{NOTE_AT_MOST:,}"}, field="note")
    with connection.cursor() as cursor:  # one signature at a time: the second has to see the first
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, team.pk if team else 0])
    last = shift.last(team)
    if seen is not None and seen != (last.pk if last else 0):
        raise Conflict(_("Somebody has signed this shift over meanwhile. Read their note first."))
    now, since = clock.now(), shift.since(last)
    row = HandOver.objects.create(
        team=team, since=since, signed_at=now, signed_by=user, note=text, facts=_facts(user, since, team)
    )
    audit.record(user, "shift.signed_over", team.name if team else "", hand_over=row.pk)
    return row


@transaction.atomic
def take(user: User, pk: int) -> HandOver:
    """Take the shift over: the next one has read it. Once, by somebody else than its signer.

    Raises Missing, Forbidden, Conflict when it was taken over already."""
    row = hand_over_for(user, pk)
    _check(user, row.team)
    if row.signed_by_id == user.pk:
        raise Refused(_("Whoever signed it over cannot take it over."))
    done = HandOver.objects.filter(pk=row.pk, taken_by=None).update(taken_by=user, taken_at=Now())
    if not done:
        raise Conflict(
            _("%(who)s has taken it over already.")
            % {"who": row.taken_by.display_name() if row.taken_by else _("Somebody")}
        )
    audit.record(user, "shift.taken_over", row.team.name if row.team else "", hand_over=row.pk)
    row.refresh_from_db()
    return row


def hand_over_for(who: Actor | User, pk: int) -> HandOver:
    """The hand-over with this id, if it is one of the person's. Raises Missing."""
    user = who.user if isinstance(who, Actor) else who
    rows = HandOver.objects.visible_to(user) if user else HandOver.objects.all()
    row: HandOver | None = rows.select_related("team", "signed_by", "taken_by").filter(pk=pk).first()
    if row is None:
        raise Missing(_("There is no hand-over %(pk)s.") % {"pk": pk})
    return row


def _check(user: User, team: Team | None) -> None:
    if not may(user, "work_cases"):
        raise Forbidden(_("The permission to work on cases is missing."))
    if team is not None and team.pk not in team_ids(user) and not may(user, "view_all_teams"):
        raise Forbidden(_("You are not of the team %(name)s.") % {"name": team.name})


def _facts(user: User, since: datetime, team: Team | None) -> dict[str, Any]:
    """What the signer had before them: numbers of alerts, ids of incidents and of the entries that tell what was done,
    all of them and not what fits on a page. ``cut`` names what was more than KEPT_AT_MOST, and "told" where not all
    that was done was looked at."""
    rows = shift.selections(user, since, team)
    rows["open"] = shift.incidents(user, team).open()
    kept = {name: _ids(rows[fact].order_by("-severity", "pk")) for name, fact in LISTS.items()}
    told = [entry.pk for entry in shift.told_since(user, since, team)]
    cut = [name for name, ids in kept.items() if len(ids) > KEPT_AT_MOST]
    if len(told) >= shift.TOLD_AT_MOST or len(kept["changed"]) > shift.LOOKED_AT:
        cut.append("told")
    facts = {name: ids[:KEPT_AT_MOST] for name, ids in kept.items()}
    alerts = {**shift.alerts_for_all(user, since, team), "teams": shift.teams_counted(user, team)}
    return {**facts, "told": told, "cut": cut, **alerts}


def _ids(rows: IncidentQuerySet) -> list[int]:
    return list(rows.values_list("pk", flat=True)[: KEPT_AT_MOST + 1])
