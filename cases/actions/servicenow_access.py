"""Which links, changes and conflicts a person sees, and the one way to fetch each of them for a verb.

A link is seen with its incident, and worked on by whoever may edit that."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Missing, missing_as
from cases.models import Incident, LinkState, TicketChange, TicketConflict, TicketLink
from cases.models.servicenow_traffic import ChangeState
from cases.permissions import incident_for
from cases.querysets import inside
from soar.accounts.membership import may
from soar.accounts.models import User

M = TypeVar("M", bound=Model)


def links_seen(user: User) -> QuerySet[TicketLink]:
    """Links of incidents that the person may see."""
    return _seen(TicketLink.objects.all(), user, "incident")


def links_told(user: User) -> QuerySet[TicketLink]:
    """What figures count for who looks after the instances: all but those of restricted incidents that they do not
    see. Of these nothing is told, not even by a number (access.md 4, 5)."""
    return TicketLink.objects.filter(Q(incident__restricted=False) | inside("incident", user))


def changes_told(user: User) -> QuerySet[TicketChange]:
    """The same of rows of the outbox."""
    return TicketChange.objects.filter(Q(link__incident__restricted=False) | inside("link__incident", user))


def changes_seen(user: User) -> QuerySet[TicketChange]:
    """Rows of the outbox of incidents that the person may see."""
    return _seen(TicketChange.objects.all(), user, "link__incident")


def conflicts_seen(user: User) -> QuerySet[TicketConflict]:
    """Conflicts at incidents that the person may see."""
    return _seen(TicketConflict.objects.all(), user, "link__incident")


def failed(rows: QuerySet[TicketChange]) -> QuerySet[TicketChange]:
    """Those that wait for a person. What waits at a broken link waits for the link, not for a retry."""
    return rows.filter(state=ChangeState.FAILED, link__state__in=(LinkState.CREATING, LinkState.LINKED))


def open_conflicts(rows: QuerySet[TicketConflict]) -> QuerySet[TicketConflict]:
    """Those that nobody has decided, of links that still are."""
    return rows.filter(outcome="").exclude(link__state=LinkState.ENDED)


def link_for(actor: Actor, pk: int) -> tuple[Incident, TicketLink]:
    """The link and its incident, both locked, for somebody who may edit the incident. Raises Missing, Forbidden."""
    row = TicketLink.objects.filter(pk=pk).values_list("incident", flat=True).first()
    if row is None:
        raise Missing(_("There is no such link to ServiceNow."))
    incident = _incident(actor, row)
    link = TicketLink.objects.select_for_update(of=("self",)).select_related("instance", "profile").get(pk=pk)
    return incident, link


def change_for(actor: Actor, pk: int) -> tuple[Incident, TicketLink, TicketChange]:
    """A row of the outbox with what it belongs to, all locked. Raises Missing, Forbidden."""
    found = TicketChange.objects.filter(pk=pk).values_list("link", flat=True).first()
    incident, link = _of(actor, found, _("There is no such change for ServiceNow."))
    return incident, link, TicketChange.objects.select_for_update().get(pk=pk)


def conflict_for(actor: Actor, pk: int) -> tuple[Incident, TicketLink, TicketConflict]:
    """A conflict with what it belongs to, all locked. Raises Missing, Forbidden."""
    found = TicketConflict.objects.filter(pk=pk).values_list("link", flat=True).first()
    incident, link = _of(actor, found, _("There is no such conflict."))
    return incident, link, TicketConflict.objects.select_for_update(of=("self",)).get(pk=pk)


def _of(actor: Actor, link: int | None, missing: str) -> tuple[Incident, TicketLink]:
    """What something hangs on. In the same words where there is no such thing and where it is not to be seen."""
    with missing_as(missing):
        if link is None:
            raise Missing("")
        return link_for(actor, link)


def _incident(actor: Actor, pk: int) -> Incident:
    """In the words of the link: who does not see the incident does not see that it has a ticket either."""
    with missing_as(_("There is no such link to ServiceNow.")):
        return incident_for(actor, pk, level="edit", lock=True)


def _seen(rows: QuerySet[M], user: User, incident: str) -> QuerySet[M]:
    if not may(user, "view_cases"):
        return rows.none()
    return rows.filter(inside(incident, user))
