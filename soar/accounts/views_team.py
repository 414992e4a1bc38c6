"""One team in the browser: its name, its people page by page, what belongs to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from soar.accounts import owning
from soar.accounts import people as listed
from soar.accounts.actions import teams as actions
from soar.accounts.forms_people import MoveForm, NameForm
from soar.accounts.models import Team, User
from soar.accounts.pages import TEXT_AT_MOST, beside, needs, person_of, status_of, tried
from soar.lib.errors import CaseError, Missing
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.keyset import BadCursor, Page, keyset_page

TEMPLATE = "accounts/people/team.html"
PLACE = ("q", "find", "cursor")  # what the page shows of the people; it stays while some go in and out
FOUND = 20
Context = dict[str, Any]
manages = needs("manage_people")
reads = needs("manage_people", read_by="view_setup")


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Its name, who is in it (``q`` finds people among them), who could be (``find``), what belongs to it. POST gives
    it another name."""
    row = _team(pk)
    if is_partial(request) and request.method != "POST":
        return _renewed(request, row)
    form = NameForm(request.POST or None, initial={"name": row.name})
    if request.method == "POST" and form.is_valid():
        try:
            actions.update(person_of(request), pk, name=form.cleaned_data["name"])
        except CaseError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("team", pk)
    owned = owning.of_team(person_of(request), row)
    context = {**_people(request, row), "form": form, "owned": owned, "move": MoveForm(team=row)}
    return render(request, TEMPLATE, context, status=status_of(form))


@manages
@require_POST
def team_people(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one person in (``in``: the user name) or out (``out``)."""
    _team(pk)
    inside = "in" in request.POST
    name = request.POST.get("in" if inside else "out", "")
    said = refusal = ""
    try:
        actions.put(person_of(request), pk, name, inside=inside)
        said = _told(name, inside)
    except Missing:
        raise
    except CaseError as error:
        refusal = error.message
    if is_partial(request):
        return _renewed(request, _team(pk), said, refusal)
    (messages.error if refusal else messages.success)(request, refusal or said)
    place = {one: request.POST.get(one, "") for one in PLACE if request.POST.get(one)}
    return redirect(f"{reverse('team', args=[pk])}?{urlencode(place)}#team-people")


@manages
@require_POST
def team_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a team; with ``move_to`` what belongs to it goes there first."""
    row = _team(pk)
    to = request.POST.get("move_to") if "move_to" in request.POST else None
    if tried(request, lambda: actions.delete(person_of(request), pk, move_to=to) or True):
        messages.success(request, _("%s is removed.") % row.name)
        return redirect("team-list")
    return redirect("team", pk)


def _renewed(request: HttpRequest, row: Team, said: str = "", refusal: str = "") -> HttpResponse:
    """The people anew; a refusal stands above them."""
    context = {**_people(request, row), "refusal": refusal}
    extra = [live(said or refusal)] if said or refusal else []
    return render_regions(request, TEMPLATE, ["people"], context, extra=extra, status=422 if refusal else 200)


def _told(name: str, inside: bool) -> str:
    user = User.objects.filter(username=name[:150].replace("\x00", "")).first()
    text = _("%s is in the team.") if inside else _("%s is out of the team.")
    return text % (user.display_name() if user else name[:150])


def _people(request: HttpRequest, row: Team) -> Context:
    """A page of its people, and of those who could be let in."""
    given = request.GET if request.method in ("GET", "HEAD") else request.POST
    text, find, cursor = (given.get(one, "").replace("\x00", "").strip()[:TEXT_AT_MOST] for one in PLACE)
    page = _page(listed.people(text).filter(groups=row.group), cursor)
    place = urlencode({name: value for name, value in (("q", text), ("find", find)) if value})
    keep = f"{place}&" if place else ""
    return {
        "team": row,
        "members": row.group.user_set.count(),
        "rows": [{"person": one, "roles": listed.roles_of(one)} for one in page.rows],
        "newer_url": f"?{keep}cursor={page.previous}" if page.previous else "",
        "older_url": f"?{keep}cursor={page.next}" if page.next else "",
        "found": _found(row, find) if find else [],
        **{"q": text, "find": find, "cursor": cursor},
    }


def _page(rows: Any, cursor: str) -> Page[User]:
    try:
        return keyset_page(rows, listed.BY_NAME, cursor)
    except BadCursor:
        return keyset_page(rows, listed.BY_NAME)


def _found(row: Team, text: str) -> list[User]:
    """Active people whose name or address has the text and who are not in the team."""
    return list(listed.people(text).filter(is_active=True).exclude(groups=row.group).order_by("username")[:FOUND])


def _team(pk: int) -> Team:
    row = listed.teams().filter(pk=pk).first()
    if row is None:
        raise Http404
    return row
