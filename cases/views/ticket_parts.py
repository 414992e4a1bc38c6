"""The card of ServiceNow on an incident's page: its tickets, how they do, and what can be done (servicenow.md 9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Func,
    JSONField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)  # fmt: skip
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from cases.actions.servicenow_access import failed, open_conflicts
from cases.models import ChangeState, Incident, LinkState, TicketChange, TicketConflict, TicketLink, TicketProfile
from cases.ticket_words import change_words, field_label, host_of, ticket_url
from cases.views.folding import WHOLE, fold
from cases.views.servicenow.looks import Look, look_of
from soar.accounts.models import User

SHOWN = 5
ALIVE = (LinkState.CREATING, LinkState.LINKED, LinkState.BROKEN)
LARGE = (
    "maps", "directions", "winners", "extra", "description", "instance__vocabulary", "instance__webhook_secret",
    "instance__account__secrets",
)  # fmt: skip
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket of the incident. ``state`` and ``assigned`` are the ticket's own, in ServiceNow's words."""

    link: TicketLink
    look: Look
    url: str
    host: str
    state: str
    assigned: str
    synced_at: datetime | None
    waiting: int
    failure: TicketChange | None
    failed_to: str
    conflicts: list[str]


def tickets(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """Its tickets, of many those that need somebody first, and whether it can get one (more). One query, and one where
    something failed."""
    rows = _profiles_with_links(incident)
    mine = [row for row in rows if getattr(row, "mine", None) is not None]  # absent where there is none
    taken = {(row.instance_id, row.table) for row in mine}
    free = any(row.enabled and (row.instance_id, row.table) not in taken for row in rows)
    shown = mine[:WHOLE] if whole or len(mine) <= SHOWN else sorted(mine, key=_is_well)[:SHOWN]
    failures = _failures(shown)
    linked = [_ticket(row, failures.get(row.mine.pk)) for row in shown]
    told = fold("tickets", len(linked), len(mine), whole=whole, first=SHOWN)
    return {
        "tickets": linked,
        "tickets_fold": told,
        "can_get_ticket": free,
        "ticket_cursor": _cursor(linked, [free, len(mine)]),
    }


def _is_well(row: Any) -> bool:
    """Whether nothing of its ticket waits for a person."""
    return not (row.has_failed or row.conflicts or row.mine.state == LinkState.BROKEN)


def _profiles_with_links(incident: Incident) -> list[Any]:
    """Profiles that are on or have a link of this incident, each with that link (``mine``) and its figures."""
    mine = FilteredRelation("links", condition=Q(links__incident=incident.pk, links__state__in=ALIVE))
    changes = TicketChange.objects.filter(link=OuterRef("mine__pk"))
    waits = changes.filter(state__in=(ChangeState.WAITING, ChangeState.SENDING))
    counted = waits.order_by().values("link").annotate(n=Count("pk")).values("n")
    conflicts = TicketConflict.objects.filter(link=OuterRef("mine__pk"))
    rows = TicketProfile.objects.annotate(mine=mine).filter(Q(enabled=True) | Q(mine__isnull=False))
    here = Q(mine__isnull=False)
    choices = (F("instance__vocabulary"), Value("choices"), F("mine__table"), Value("elements"), Value("state"))
    return list(
        rows.select_related("instance__account", "mine")  # type: ignore[misc]  # it knows no FilteredRelation
        .defer(*LARGE)
        .annotate(
            # Only of the profiles that have a ticket here: maps and choices are large, and the outbox may be.
            own_maps=Case(When(here, then=F("maps"))),
            states=Case(When(here, then=Func(*choices, function="jsonb_extract_path", output_field=JSONField()))),
            waiting=Case(When(here, then=Coalesce(Subquery(counted), 0)), default=0),
            has_failed=Case(When(here, then=Exists(failed(changes))), default=False),
            conflicts=Case(When(here, then=ArraySubquery(open_conflicts(conflicts).order_by("pk").values("field")))),
        )
        .order_by("order", "pk")
    )


def _failures(rows: list[Any]) -> dict[int, TicketChange]:
    """The first refused change of each link that has one."""
    if not (links := [row.mine.pk for row in rows if row.has_failed]):
        return {}
    refused = failed(TicketChange.objects.filter(link__in=links)).select_related("evidence")
    return {one.link_id: one for one in refused.order_by("link_id", "pk").distinct("link_id")}


def _ticket(row: Any, failure: TicketChange | None) -> Ticket:
    link = row.mine
    row.maps = row.own_maps
    link.instance, link.profile = row.instance, row
    link.waiting, link.has_failed, link.has_conflict = row.waiting, row.has_failed, bool(row.conflicts)
    host = host_of(row.instance.account.settings.get("url", ""))
    seen = [moment for moment in (link.last_in_at, link.last_out_at) if moment]
    return Ticket(
        link, look_of(link), ticket_url(link), host, _state(link, row.states), _assigned(link), max(seen, default=None),
        row.waiting, failure, change_words(failure) if failure else "", [field_label(name) for name in row.conflicts],
    )  # fmt: skip


def _state(link: TicketLink, choices: list[list[str]] | None) -> str:
    """The ticket's state in ServiceNow's words, as the instance's choices were read last."""
    value = str(link.theirs.get("state") or "")
    return next((str(label) for known, label in choices or [] if known == value), value)


def _assigned(link: TicketLink) -> str:
    """Who has it there: the person, else the group, as far as the profile's maps name them."""
    for name, field in (("user", "assigned_to"), ("group", "assignment_group")):
        value = str(link.theirs.get(field) or "")
        if value:
            known = [one for one in (link.profile.maps.get(name) or {}).values() if isinstance(one, dict)]
            own = [link.profile.assigned_to, link.profile.assignment_group]
            label = next((one.get("label") for one in [*known, *own] if one.get("value") == value), "")
            return str(label or _("somebody whom no map names"))
    return ""


def _cursor(rows: list[Ticket], about: list[Any]) -> str:
    told = [*about]
    for one in rows:
        told += [one.link.pk, one.look.css, str(one.look.word), one.link.number, one.state, one.assigned]
        told += [one.synced_at, one.waiting, one.link.reason, one.link.shown_again_at, one.conflicts]
        told += [(one.failure.pk, one.failure.said, one.failure.hint) if one.failure else None]
    return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()
