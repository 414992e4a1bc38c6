"""The card of ServiceNow on an incident's page: its tickets, how they do, and what can be done (servicenow.md 9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.models import Incident, TicketLink
from cases.ticket_words import change_words, field_label, host_of, ticket_url
from cases.views.folding import WHOLE, fold
from cases.views.servicenow.looks import Look, look_of
from cases.views.ticket_rows import LinkRow, links_of
from soar.accounts.models import User

SHOWN = 5
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket of the incident. ``state`` and ``assigned`` are the ticket's own, in ServiceNow's words."""

    row: LinkRow
    look: Look
    url: str
    host: str
    assigned: str
    failed_to: str
    conflicts: list[str]

    @property
    def link(self) -> TicketLink:
        """By which the incident has it."""
        return self.row.link


def tickets(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """Its tickets, of many those that need somebody first, and whether it can get one (more). One query."""
    mine, free = links_of(incident)
    shown = mine[:WHOLE] if whole or len(mine) <= SHOWN else sorted(mine, key=lambda row: row.is_well)[:SHOWN]
    linked = [_ticket(row) for row in shown]
    told = fold("tickets", len(linked), len(mine), whole=whole, first=SHOWN)
    return {
        "tickets": linked,
        "tickets_fold": told,
        "can_get_ticket": free,
        "ticket_cursor": _cursor(linked, [free, len(mine)]),
    }


def _ticket(row: LinkRow) -> Ticket:
    link: Any = row.link
    link.waiting, link.has_failed, link.has_conflict = row.waiting, row.failure is not None, bool(row.conflicts)
    return Ticket(
        row, look_of(link), ticket_url(link), host_of(link.instance.account.settings["url"]),
        "" if row.assigned is None else row.assigned or _("somebody whom no map names"),
        change_words(row.failure) if row.failure else "", [field_label(name) for name in row.conflicts],
    )  # fmt: skip


def _cursor(rows: list[Ticket], about: list[Any]) -> str:
    told = [*about]
    for one in rows:
        row, link, failure = one.row, one.link, one.row.failure
        told += [link.pk, one.look.css, str(one.look.word), link.number, row.state, one.assigned]
        told += [row.synced_at, row.waiting, link.reason, link.shown_again_at, one.conflicts]
        told += [(failure.pk, failure.said, failure.hint) if failure else None]
    return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()
