"""The list of teams, and roles, in the browser, for those who manage people."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from soar.accounts import people as listed
from soar.accounts.actions import roles as role_actions
from soar.accounts.actions import teams as team_actions
from soar.accounts.actions.factors import require_second_factor
from soar.accounts.authority import RIGHTS
from soar.accounts.forms_people import NameForm, RoleForm
from soar.accounts.models import Role
from soar.accounts.pages import beside, needs, person_of, status_of, tried
from soar.lib.errors import CaseError

TEAMS, ROLES, ROLE, ROLE_DELETE = (f"accounts/people/{name}.html" for name in ("teams", "roles", "role", "role_delete"))
PEOPLE_SHOWN = 200
manages = needs("manage_people")
reads = needs("manage_people", read_by="view_setup")
asks = require_http_methods(["GET", "HEAD", "POST"])


@reads
@asks
def team_list(request: HttpRequest) -> HttpResponse:
    """All teams, and the form of a new one."""
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = team_actions.create(person_of(request), form.cleaned_data["name"])
        except CaseError as error:
            beside(form, error)
        else:
            return redirect("team", made.pk)
    context = {"form": form, "teams": listed.teams(), "counts": listed.counts()}
    return render(request, TEAMS, context, status=status_of(form))


@reads
@asks
def role_list(request: HttpRequest) -> HttpResponse:
    """All roles and their permissions, and the form of a new one."""
    form = RoleForm(request.POST or None, actor=person_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            role_actions.create(person_of(request), **form.cleaned_data)
        except CaseError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("role-list")
    rows = [{"role": role, "rights": {one.codename for one in role.group.permissions.all()}} for role in listed.roles()]
    context = {
        "form": form,
        "rows": rows,
        "rights": [(name, _(text)) for name, text in RIGHTS.items()],
        "counts": listed.counts(),
    }
    return render(request, ROLES, context, status=status_of(form))


@reads
@asks
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """One role: what it gives and to whom. Own ones can be changed."""
    row = _role(pk)
    rights = sorted(one.codename for one in row.group.permissions.all())
    initial = {"name": row.group.name, "description": row.description, "permissions": rights}
    form = RoleForm(request.POST or None, actor=person_of(request), role=row, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            role_actions.update(person_of(request), pk, **form.cleaned_data)
        except CaseError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("role", pk)
    people = list(row.group.user_set.order_by("first_name", "username")[: PEOPLE_SHOWN + 1])
    texts = [_(text) for name, text in RIGHTS.items() if name in rights]
    context = {"role": row, "form": form, "texts": texts, "people": people[:PEOPLE_SHOWN]}
    context["more"] = len(people) > PEOPLE_SHOWN
    return render(request, ROLE, context, status=status_of(form))


@manages
@asks
def role_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, with who loses what; then remove an own role."""
    row = _role(pk)
    if request.method == "POST":
        if tried(request, lambda: role_actions.delete(person_of(request), pk) or True):
            messages.success(request, _("%s is removed.") % row)
            return redirect("role-list")
        return redirect("role", pk)
    losses = [(user, [_(RIGHTS[name]) for name in names]) for user, names in role_actions.losses(row)]
    return render(request, ROLE_DELETE, {"role": row, "losses": losses})


@manages
@require_http_methods(["POST"])
def role_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask everybody who has the role for a second factor, or no longer; of built-in ones too (access.md 1)."""
    row = _role(pk)
    if require_second_factor(person_of(request), row, request.POST.get("required") == "1"):
        messages.success(request, _("Saved"))
    return redirect("role", pk)


def _role(pk: int) -> Role:
    row = listed.roles().filter(pk=pk).first()
    if row is None:
        raise Http404
    return row
