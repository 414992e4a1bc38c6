"""People in the browser, for those who manage them (access.md 8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from soar.accounts import authority, owning
from soar.accounts import people as listed
from soar.accounts.actions import people as actions
from soar.accounts.actions.factors import reset_factors
from soar.accounts.actions.sessions import end_all_sessions
from soar.accounts.forms_people import HandOverForm, PersonForm
from soar.accounts.membership import may
from soar.accounts.models import AuditEntry, User
from soar.accounts.pages import (
    asked,
    beside,
    keep_secret,
    needs,
    person_of,
    status_of,
    take_secret,
    tried,
    unkept,
)
from soar.accounts.views_tokens import JUST_MADE, NewTokenForm, token_rows
from soar.lib.errors import CaseError
from soar.lib.htmx import is_partial, render_regions
from soar.lib.keyset import BadCursor, keyset_page

LIST, PERSON, NEW = (f"accounts/people/{name}.html" for name in ("list", "person", "new"))
JUST_SET = "person_just_set"
manages = needs("manage_people")
reads = needs("manage_people", read_by="view_setup")


@reads
@require_safe
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody, with roles, teams, the last login and whether they have a second factor."""
    text, sort = asked(request), asked(request, "sort")
    rows = listed.people(text, sort)
    try:
        page = keyset_page(rows, listed.BY_NAME, request.GET.get("cursor", ""))
    except BadCursor:
        page = keyset_page(rows, listed.BY_NAME)
    keep = f"q={text}&sort={sort}&" if text or sort else ""
    context = {
        "q": text,
        "sort": sort if sort in listed.SORTS else "",
        "counts": listed.counts(),
        "rows": [{"person": one, "roles": listed.roles_of(one), "teams": listed.teams_of(one)} for one in page.rows],
        "newer_url": f"?{keep}cursor={page.previous}" if page.previous else "",
        "older_url": f"?{keep}cursor={page.next}" if page.next else "",
    }
    return render_regions(request, LIST, ["rows"], context) if is_partial(request) else render(request, LIST, context)


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def person_new(request: HttpRequest) -> HttpResponse:
    """The form of a new person, or with ``service=1`` of a program; a password is shown once on the page behind it."""
    service = request.GET.get("service") == "1"
    form = PersonForm(request.POST or None, actor=person_of(request), service=service)
    if request.method == "POST" and form.is_valid():
        try:
            user, password = actions.create(person_of(request), **form.for_action(), service=service)
        except CaseError as error:
            beside(form, error)
        else:
            if password:
                keep_secret(request, JUST_SET, user.pk, password)
            return redirect("person", user.pk)
    return render(request, NEW, {"form": form, "service": service}, status=status_of(form))


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person or program: who they are, what they may, what they own, their tokens. POST changes the fields."""
    user = _person(pk)
    initial = {name: getattr(user, name) for name in actions.TEXTS}
    initial |= {"roles": listed.roles_of(user), "teams": listed.teams_of(user)}
    actor, posted = person_of(request), request.POST if request.method == "POST" else None
    form = PersonForm(posted, actor=actor, person=user, service=user.is_service, initial=initial)
    if posted is not None and form.is_valid():
        try:
            actions.update(actor, pk, form.for_action())
        except CaseError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("person", pk)
    return _page(request, user, form)


@manages
@require_POST
def person_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Deactivate (``active=0``) or activate."""
    active = request.POST.get("active") == "1"
    if tried(request, lambda: actions.set_active(person_of(request), pk, active)):
        messages.success(request, _("They can sign in again.") if active else _("They can no longer sign in."))
    return redirect("person", pk)


@manages
@require_POST
def person_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A new password, shown once on the page that follows."""
    if made := tried(request, lambda: actions.new_password(person_of(request), pk)):
        keep_secret(request, JUST_SET, pk, made[1])
    return redirect("person", pk)


@manages
@require_POST
def person_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """End all their sessions; with ``factors=1`` take their second factors off as well."""
    user, actor = _person(pk), person_of(request)
    if not (reason := _out_of_reach(actor, user)):
        if request.POST.get("factors") == "1":
            reset_factors(actor, user)
            messages.success(request, _("Their second factors are reset; they sign in again."))
        else:
            number = end_all_sessions(actor, user)
            said = ngettext("%d session has ended.", "%d sessions have ended.", number) % number
            messages.success(request, said)
    else:
        messages.error(request, reason)
    return redirect("person", pk)


@manages
@require_POST
def person_hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Give what they own to somebody else."""
    user = _person(pk)
    form = HandOverForm(request.POST, person=user)
    if not form.is_valid():
        messages.error(request, _("Choose who takes it over."))
        return redirect("person", pk)
    given = tried(request, lambda: actions.hand_over(person_of(request), pk, form.cleaned_data["to"]))
    if given is not None:
        number = sum(given.values())
        messages.success(request, ngettext("%d was handed over.", "%d were handed over.", number) % number)
    return redirect("person", pk)


def _person(pk: int) -> User:
    user = listed.people().filter(pk=pk).first()
    if user is None:
        raise Http404
    return user


def _out_of_reach(actor: User, user: User) -> str:
    """Why the actor cannot change this person; "" if they can."""
    try:
        authority.check_over(actor, user)
    except CaseError as error:
        return error.message
    return ""


def _page(request: HttpRequest, user: User, form: PersonForm) -> HttpResponse:
    actor = person_of(request)
    out_of_reach = _out_of_reach(actor, user) if may(actor, "manage_people") else _("You may read this, not change it.")
    owned = owning.of_user(actor, user)
    context: dict[str, Any] = {
        "person": user,
        "form": form,
        "out_of_reach": out_of_reach,
        "is_self": user.pk == actor.pk,
        "owned": owned,
        "movable": any(one.movable for one in owned),
        "hand_over": HandOverForm(person=user),
        "tokens": token_rows(user.api_tokens.select_related("user")[:50]),
        "token_form": NewTokenForm(user=user) if user.is_service else None,
        "history": AuditEntry.objects.filter(target=user.username, verb__startswith="user.")[:10],
        "password": take_secret(request, JUST_SET, user.pk),
        "token": take_secret(request, JUST_MADE, user.pk),
    }
    return unkept(render(request, PERSON, context, status=status_of(form)))
