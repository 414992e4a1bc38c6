"""Verbs of a ticket profile: on, off, delete, look a person or group up."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.actions import servicenow_profiles
from cases.actions.servicenow_instances import instance_for
from cases.actions.servicenow_profiles import profile_for
from cases.actions.servicenow_vocabulary import read
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused, Stale
from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow.picking import GROUP, USER, options
from cases.views.servicenow.profiles import edit_page, sets_up, version_of
from soar.accounts.membership import may

TYPED_AT_MOST = 100


@sets_up
@require_POST
def profile_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it on, unless resolving could fail."""
    profile = profile_for(pk)
    try:
        gaps = servicenow_profiles.enable(Actor.of(person_of(request)), pk, expected_version=version_of(request))
    except (Refused, Stale) as error:
        return edit_page(request, profile_for(pk), read(profile.instance, profile.table), problem=error.message)
    messages.success(request, _("%s is on.") % profile.name)
    if gaps:
        said = ngettext("%d value has no counterpart yet.", "%d values have no counterpart yet.", len(gaps))
        messages.warning(request, said % len(gaps))
    return redirect("servicenow-profile", pk)


@sets_up
@require_POST
def profile_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it off."""
    row = servicenow_profiles.disable(Actor.of(person_of(request)), pk)
    messages.success(request, _("%s is off: it makes no tickets. Those that are linked stay in sync.") % row.name)
    return redirect("servicenow-profile", pk)


@sets_up
@require_POST
def profile_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away, unless tickets are linked by it."""
    profile = profile_for(pk)
    try:
        name = servicenow_profiles.delete(Actor.of(person_of(request)), pk)
    except Conflict as error:
        return edit_page(request, profile, read(profile.instance, profile.table), problem=error.message)
    messages.success(request, _("%s deleted") % name)
    return redirect("servicenow-profile-list")


@signed_in_reader
@require_safe
def instance_find(request: HttpRequest, slug: str, what: str) -> HttpResponse:
    """People or groups of ServiceNow whose name holds what is typed: the suggestions of a field, in profiles and in
    playbooks."""
    person = person_of(request)
    if not (may(person, "manage_connectors") or may(person, "author_playbooks")):
        raise PermissionDenied("accounts.manage_connectors")
    if what not in (USER, GROUP):
        raise Missing(_("Only users and groups are looked up."))
    instance = instance_for(slug)
    typed = next((str(value) for value in request.GET.values()), "").strip()[:TYPED_AT_MOST]
    found = options(instance, what, typed) if len(typed) > 1 else []
    return render(request, "servicenow/_options.html", {"options": found})
