"""The verbs of an instance: sync now, pause, resume, try now."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.actions import servicenow as actions
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden
from cases.models import ServiceNowInstance
from cases.views.parts import person_of
from cases.views.servicenow.answers import verb
from soar.connectors.selectors import managed_by


@verb
def sync_now(request: HttpRequest, actor: Actor) -> str:
    """Every instance that the person runs, in both directions."""
    accounts = managed_by(person_of(request))
    slugs = list(ServiceNowInstance.objects.filter(account__in=accounts).values_list("slug", flat=True))
    if not slugs:
        raise Forbidden(_("The permission to manage this connector is missing."))
    hurried, why = 0, ""
    for slug in slugs:
        try:
            actions.sync_instance(actor, slug)
            hurried += 1
        except CaseError as error:
            why = error.message
    if not hurried:
        raise Conflict(why)
    return ngettext("Syncing %d instance now", "Syncing %d instances now", hurried) % hurried


@verb
def instance_pause(request: HttpRequest, actor: Actor, slug: str) -> str:
    """Hold a direction back."""
    actions.pause(actor, slug, request.POST.get("direction", ""))
    return _("%s is paused; what changes meanwhile is kept in order") % slug


@verb
def instance_resume(request: HttpRequest, actor: Actor, slug: str) -> str:
    """Let a direction go on."""
    actions.resume(actor, slug, request.POST.get("direction", ""))
    return _("%s goes on") % slug


@verb
def instance_try(request: HttpRequest, actor: Actor, slug: str) -> str:
    """Try a direction at once that waits after an outage."""
    actions.try_now(actor, slug, request.POST.get("direction", ""))
    return _("Trying %s now") % slug
