"""Which calls to other products bear words of cases that a reader does not see (access.md 3, 4).

A call is made for a case: its request is the mail, the message or the ticket that tells of it. Who manages the
connector reads what was sent and answered, but not of a restricted incident that nobody let them in to, nor of teams
that they do not see. That there was a call, when, and how it ended they see of each, to keep the connector going."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from cases.models import Alert, Incident, TicketLink
from cases.numbers_hidden import hidden, numbers_in
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.models import Attempt

# The id of a row in ServiceNow, in an address or a body.
SYS_ID = re.compile(r"\b[0-9a-f]{32}\b")


def hidden_calls(user: User, calls: Sequence[Attempt]) -> set[int]:
    """Ids of the calls of which the person may read neither what was sent nor what came of it (settings.CALLS_HIDDEN):
    made for, or naming, an alert, incident or ticket that they do not see, or an answer with such an alert. Of calls
    for a case that name none, who does not see the cases of all teams cannot be told whose it is: they read none."""
    if not calls:
        return set()
    words = {one.pk: _words(one) for one in calls}
    numbers = {pk: numbers_in(text) for pk, text in words.items()}
    unseen = hidden(user, set().union(*numbers.values()))
    found = {pk for pk, named in numbers.items() if named & unseen}
    closed = _closed_to(user)
    causes = _causes_of(closed, {one.cause for one in calls if one.cause})
    found |= {one.pk for one in calls if one.cause in causes}
    found |= _with_tickets(user, words)
    found |= _with_references(closed, calls, words)
    if not may(user, "view_all_teams"):
        found |= {one.pk for one in calls if one.cause and not numbers[one.pk]}
    return found


def _words(call: Attempt) -> str:
    told = [call.request, call.response, call.error, call.thread]
    return json.dumps(told, ensure_ascii=False)


def _closed_to(user: User) -> list[int]:
    """The restricted incidents that the person was not let in to; they are exceptions, so there are few."""
    seen = Incident.objects.filter(restricted=True).visible_to(user).order_by().values("pk")
    return list(Incident.objects.filter(restricted=True).exclude(pk__in=seen).values_list("pk", flat=True))


def _causes_of(incidents: list[int], causes: Iterable[UUID]) -> set[UUID]:
    """Those of the causes that the incidents or their alerts have."""
    wanted = list(causes)
    if not incidents or not wanted:
        return set()
    own = Incident.objects.filter(pk__in=incidents, cause__in=wanted).values_list("cause", flat=True)
    theirs = Alert.objects.filter(incident__in=incidents, cause__in=wanted).order_by().values_list("cause", flat=True)
    return {*own, *theirs}


def _with_tickets(user: User, words: dict[int, str]) -> set[int]:
    """The calls that name a ticket of an incident that the person does not see."""
    named = {pk: set(SYS_ID.findall(text)) for pk, text in words.items()}
    wanted = set().union(*named.values())
    if not wanted:
        return set()
    seen = Incident.objects.visible_to(user).order_by().values("pk")
    links = TicketLink.objects.filter(sys_id__in=wanted).exclude(incident__in=seen)
    unseen = set(links.values_list("sys_id", flat=True))
    return {pk for pk, ids in named.items() if ids & unseen}


def _with_references(incidents: list[int], calls: Sequence[Attempt], words: dict[int, str]) -> set[int]:
    """The answers from which an alert of these incidents was read."""
    if not incidents:
        return set()
    read = Q(source__pull__account__in={one.account_id for one in calls})
    rows = Alert.objects.filter(read, incident__in=incidents).exclude(source_ref="").order_by()
    references = set(rows.values_list("source_ref", flat=True))
    return {pk for pk, text in words.items() if any(one in text for one in references)}
