"""What the form of a bulk action names, and what a verb asks before it is done (casework.md 2)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.actions import bulk, bulk_jobs
from cases.actions.bulk_selection import Selection, rows_of, selection_of
from cases.choices import Severity
from cases.errors import Refused
from cases.filters import AlertFilter
from cases.models import Alert
from cases.permissions import parse_number
from cases.restricted_views import note_views
from soar.accounts.membership import workers
from soar.accounts.models import Team, User
from soar.lib.htmx import is_partial, render_regions
from soar.lib.place import seal, unseal

TEMPLATE = "cases/alerts/bulk.html"
NAMED = 5


def ask(request: HttpRequest, user: User, verb: str) -> HttpResponse:
    """The form of a verb, in the queue's dialog or as a page. Raises Refused as ``ticked_context``."""
    context = {"verb": verb, **ticked_context(request, user, verb), **_choices(verb)}
    if is_partial(request):
        answer = render_regions(request, TEMPLATE, ["form"], context)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
        return answer
    return render(request, TEMPLATE, context)


def takes_all(request: HttpRequest) -> bool:
    """Whether everything that matches the filter is meant, not the ticked rows."""
    return request.POST.get("all") == "1"


def selection_asked(request: HttpRequest, user: User) -> Selection:
    """All that match the filter of the queue from which the form came, up to the alert (``upto``) that was the newest
    when the person was told how many. Raises Refused for a filter that cannot be read, and for a form whose place is
    lost: nobody has seen how many it would mean now."""
    given = AlertFilter.parse(QueryDict(request.POST.get("query", "")[:4000]), default_open=True)
    if "upto" not in request.POST:
        return selection_of(given)
    upto = unseal(user.pk, request.POST["upto"])
    if upto is None:
        raise Refused(_("This form is no longer good. Ask for it again."))
    return selection_of(given, upto)


def ticked_ids(request: HttpRequest) -> list[int]:
    """The ticked alerts, by id or number."""
    return [parse_number(value, "ALR") for value in request.POST.getlist("alert")[: bulk.AT_MOST + 1]]


def ticked_context(request: HttpRequest, user: User, action: str = bulk_jobs.RUN) -> dict[str, Any]:
    """The alerts that are meant and that the person sees: the ticked ones, or all that match the filter: their ids, the
    first few by name, and how many in words. Raises Refused for none, or for more than the verb takes."""
    query = {"query": request.POST.get("query", "")[:4000]}
    if takes_all(request):
        return {**_all_context(user, selection_asked(request, user), action), **query}
    wanted = ticked_ids(request)
    rows = Alert.objects.visible_to(user).filter(pk__in=wanted[: bulk.AT_MOST]).order_by("severity", "pk").reverse()
    found = list(rows.values_list("pk", "title"))
    if not found:
        raise Refused(_("Tick some alerts first."), field="ids")
    if len(wanted) > bulk.AT_MOST:
        raise Refused(_("At most %(n)s alerts at once.") % {"n": bulk.AT_MOST}, field="ids")
    return {
        **_named(user, found[:NAMED], len(found)),
        "ids": [str(pk) for pk, _title in found],
        **query,
    }


def _all_context(user: User, selection: Selection, action: str) -> dict[str, Any]:
    number = bulk_jobs.counted(user, selection, action)
    newest = rows_of(user, selection).order_by("-pk").values_list("pk", "title")[:NAMED]
    return {**_named(user, list(newest), number), "ids": [], "upto": seal(user.pk, selection.cut_off)}


def _named(user: User, first: list[tuple[int, str]], number: int) -> dict[str, Any]:
    note_views(user, (), [pk for pk, _title in first])
    named = [(f"ALR-{pk}", title) for pk, title in first]
    counted = ngettext("%(n)s alert", "%(n)s alerts", number) % {"n": f"{number:,}"}
    return {
        "named": named,
        "unnamed": max(0, number - len(named)),
        "what": named[0][0] if number == 1 else counted,
    }


def _choices(name: str) -> dict[str, Any]:
    """What there is to choose from."""
    if name == "severity":
        return {"severities": [(one.word, _(str(one.label))) for one in reversed(Severity)]}
    if name != "assign":
        return {}
    people = workers()
    return {
        "people": list(people.only("username", "first_name", "last_name")[:500]),
        "teams": list(Team.objects.order_by("name").values_list("name", flat=True)[:100]),
    }
