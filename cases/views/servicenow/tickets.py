"""The verbs of an incident's ticket: create, link, sync now; unlink, link to another, create again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.actions import servicenow as actions
from cases.actions.servicenow_access import links_seen
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import Incident, LinkState, TicketLink
from cases.models.servicenow_traffic import OPEN_CHANGES
from cases.permissions import holds, incident_for
from cases.ticket_words import host_of
from cases.views import ticket_parts
from cases.views.folding import opened_of
from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow.answers import asked, verb
from soar.accounts.models import User

CARD = "cases/incidents/_tickets.html"
NO_PROFILE = gettext_noop(
    "No profile is on for which this incident has no ticket yet. Whoever manages connectors sets profiles up."
)


def _profiles(user: User, number: str) -> tuple[Incident, list[tuple[str, str]]]:
    """The incident, and the profiles by which it can get a ticket: one for each instance and table."""
    incident = incident_for(user, number, level="edit")
    links = incident.tickets.exclude(state=LinkState.ENDED)
    taken = set(links.values_list("instance_id", "table"))
    free = [one for one in actions.usable_profiles() if (one.instance_id, one.table) not in taken]
    hosts = {one.pk: host_of(one.instance.account.settings.get("url", "")) for one in free}
    return incident, [(str(one.pk), f"{one.name} ({hosts[one.pk]}, {one.table})") for one in free]


def _creating(request: HttpRequest, user: User, number: str) -> dict[str, Any]:
    incident, choices = _profiles(user, number)
    lead = _("%s gets a ticket, and both stay equal from then on. It is made in the background.") % incident.number
    return _with_profile(choices, request) | {
        "title": _("Create a ticket in ServiceNow?"), "lead": lead, "yes": _("Create the ticket")
    }  # fmt: skip


def _linking(request: HttpRequest, user: User, number: str) -> dict[str, Any]:
    incident, choices = _profiles(user, number)
    context = _with_profile(choices, request)
    if choices:
        context["fields"].insert(0, _number_field(""))
    lead = _(
        "%s and the ticket stay equal from then on. Where both have a value, the ticket gets ours; its notes come here."
    ) % incident.number  # fmt: skip
    return context | {"title": _("Link a ticket that is there"), "lead": lead, "yes": _("Link it")}


@asked(_creating)
def ticket_create(request: HttpRequest, actor: Actor, number: str) -> str:
    """Have a ticket made."""
    incident_for(actor, number, level="edit")  # before what was typed is looked at
    link = actions.create_ticket(actor, number, _chosen(request))
    return _("INC-%s: the ticket is being created") % link.incident_id


@asked(_linking)
def ticket_link(request: HttpRequest, actor: Actor, number: str) -> str:
    """Link one that is there."""
    incident_for(actor, number, level="edit")
    link = actions.link_ticket(actor, number, _chosen(request), request.POST.get("number", ""))
    return _("INC-%(incident)s: %(ticket)s is being linked") % {"incident": link.incident_id, "ticket": link.number}


@signed_in_reader
@require_POST
def ticket_sync(request: HttpRequest, number: str) -> HttpResponse:
    """Compare both sides now."""
    incident_for(person_of(request), number, level="edit")
    return _sync(request, number)


@verb
def _sync(request: HttpRequest, actor: Actor, number: str) -> str:
    count = actions.sync_incident(actor, number)
    return ngettext("Its ticket is being synced", "Its %d tickets are being synced", count) % (
        {} if count == 1 else count
    )


def _of_link(user: User, pk: int) -> TicketLink:
    link = links_seen(user).select_related("incident", "instance__account", "profile").filter(pk=pk).first()
    if link is None:
        raise Missing(_("There is no such link to ServiceNow."))
    if not holds(user, link.incident, "edit"):
        raise Forbidden(_("You may see this incident but not change it."))
    return link


def _unlinking(request: HttpRequest, user: User, pk: int) -> dict[str, Any]:
    link = _of_link(user, pk)
    ticket = link.number or _("its ticket")
    lead = _("%(incident)s and %(ticket)s stay as they are, and from then on each goes its own way.") % {
        "incident": link.incident.number, "ticket": ticket
    }  # fmt: skip
    waiting = link.changes.filter(state__in=OPEN_CHANGES).count()
    if waiting:
        lead += " " + ngettext("%d change that waits is let go.", "%d changes that wait are let go.", waiting) % waiting
    return {"title": _("Unlink the ticket?"), "lead": lead, "fields": [], "yes": _("Unlink"), "stop": True}


@asked(_unlinking)
def ticket_unlink(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Take the link away."""
    link = actions.unlink(actor, pk)
    return _("INC-%s is not linked any more") % link.incident_id


def _relinking(request: HttpRequest, user: User, pk: int) -> dict[str, Any]:
    link = _mendable(user, pk)
    again = link.shown_again_at is not None
    words = _("%(ticket)s cannot be read any more. %(incident)s goes on with another one that is there.")
    if again:
        words = _("%(ticket)s can be seen again. %(incident)s goes on with it; what waits is sent, nothing goes twice.")
    return {
        "title": _("Link the ticket again") if again else _("Link to another ticket"), "lead": words % _names(link),
        "said": "" if again else link.reason, "fields": [_number_field(link.number if again else "")],
        "yes": _("Link it"),
    }  # fmt: skip


@asked(_relinking)
def ticket_relink(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Go on with another ticket."""
    link = actions.relink(actor, pk, request.POST.get("number", ""))
    return _("INC-%(incident)s: %(ticket)s is being linked") % {"incident": link.incident_id, "ticket": link.number}


def _recreating(request: HttpRequest, user: User, pk: int) -> dict[str, Any]:
    link = _mendable(user, pk)
    lead = _(
        "%(ticket)s is deleted, or hidden from the integration user. If it is only hidden, there are two tickets then."
    ) % _names(link)  # fmt: skip
    return {
        "title": _("Create the ticket again?"), "lead": lead, "said": link.reason, "fields": [],
        "yes": _("Create it again"), "stop": True,
    }  # fmt: skip


@asked(_recreating)
def ticket_recreate(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Have another ticket made in its place."""
    link = actions.recreate(actor, pk)
    return _("INC-%s: the ticket is being created") % link.incident_id


def _mendable(user: User, pk: int) -> TicketLink:
    link = _of_link(user, pk)
    if link.state != LinkState.BROKEN:
        raise Conflict(_("The link works, or somebody has mended it: there is nothing to do."))
    return link


def _names(link: TicketLink) -> dict[str, str]:
    return {"incident": link.incident.number, "ticket": link.number or _("Its ticket")}


def _number_field(value: str) -> dict[str, Any]:
    return {
        "name": "number", "label": _("Number of the ticket"), "required": True, "mono": True, "longest": 40,
        "placeholder": "INC0010234", "value": value,
        "hint": _("It is looked up in the background; if it is not found, the link says so."),
    }  # fmt: skip


def _with_profile(choices: list[tuple[str, str]], request: HttpRequest) -> dict[str, Any]:
    if not choices:
        return {"fields": [], "blocked": _(NO_PROFILE)}
    value = request.GET.get("profile") or choices[0][0]
    return {
        "fields": [
            {"name": "profile", "label": _("Profile"), "kind": "select", "choices": choices, "value": value},
        ]
    }


def _chosen(request: HttpRequest) -> int:
    text = request.POST.get("profile", "")
    if not text.isdecimal() or len(text) > 18:
        raise Refused(_("Choose a profile first."), field="profile")
    return int(text)


@signed_in_reader
@require_safe
def ticket_live(request: HttpRequest, number: str) -> HttpResponse:
    """The poll of the card on an incident's page."""
    user = person_of(request)
    incident = incident_for(user, number)
    found = ticket_parts.tickets(user, incident, whole="tickets" in opened_of(request))
    if found["ticket_cursor"] == request.GET.get("cursor", ""):
        return HttpResponse(status=204)
    context = {"number": incident.number, "can_edit": holds(user, incident, "edit"), **found}
    return render(request, CARD, context)
