"""What a verb on the ticked rows of the queue asks before it is done: one form a verb, which names its alerts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from cases.actions import bulk, bulk_jobs
from cases.actions.bulk_selection import Selection, rows_of
from cases.choices import Severity
from cases.errors import CaseError, Missing, Refused
from cases.models import Alert
from cases.views.alerts_bulk import not_done, selection_asked, takes_all, ticked_ids
from cases.views.parts import needs, person_of
from soar.accounts.membership import workers
from soar.accounts.models import Team, User
from soar.lib.htmx import is_partial, render_regions

TEMPLATE = "cases/alerts/bulk.html"
NAMED = 5
VERBS = ("assign", "claim", "resolve", "status", "severity", "tag", "incident")


@needs("work_cases")
@require_POST
def alert_bulk_ask(request: HttpRequest, name: str) -> HttpResponse:
    """The form of a verb, for the alerts that are ticked (``alert``): in the queue's dialog, or as a page. Nothing is
    changed; it is posted because the ticks may be too many for an address."""
    if name not in VERBS:
        raise Missing(f"There is no {name!s:.40}.")
    user = person_of(request)
    try:
        context = {"verb": name, **ticked_context(request, user, name), **_choices(name)}
    except CaseError as error:
        return not_done(request, user, error)
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["form"], context)
    return render(request, TEMPLATE, context)


def ticked_context(request: HttpRequest, user: User, action: str = bulk_jobs.RUN) -> dict[str, Any]:
    """The alerts that are meant and that the person sees: the ticked ones, or all that match the filter: their ids, the
    first few by name, and how many in words. Raises Refused for none, or for more than the verb takes."""
    query = {"query": request.POST.get("query", "")[:4000]}
    if takes_all(request):
        return {**_all_context(user, selection_asked(request), action), **query}
    wanted = ticked_ids(request)
    rows = Alert.objects.visible_to(user).filter(pk__in=wanted[: bulk.AT_MOST]).order_by("severity", "pk").reverse()
    found = [(f"ALR-{pk}", title) for pk, title in rows.values_list("pk", "title")]
    if not found:
        raise Refused(_("Tick some alerts first."), field="ids")
    if len(wanted) > bulk.AT_MOST:
        raise Refused(_("At most %(n)s alerts at once.") % {"n": bulk.AT_MOST}, field="ids")
    return {
        **_named(found[:NAMED], len(found)),
        "ids": [number.removeprefix("ALR-") for number, _title in found],
        **query,
    }


def _all_context(user: User, selection: Selection, action: str) -> dict[str, Any]:
    number = bulk_jobs.counted(user, selection, action)
    newest = rows_of(user, selection).order_by("-pk").values_list("pk", "title")[:NAMED]
    return {**_named([(f"ALR-{pk}", title) for pk, title in newest], number), "ids": [], "upto": selection.cut_off}


def _named(named: list[tuple[str, str]], number: int) -> dict[str, Any]:
    counted = ngettext("%(n)s alert", "%(n)s alerts", number) % {"n": f"{number:,}"}
    return {
        "named": named,
        "unnamed": max(0, number - len(named)),
        "what": named[0][0] if number == 1 else counted,
    }


def _choices(name: str) -> dict[str, Any]:
    """What there is to choose from."""
    if name == "severity":
        return {"severities": [(one.word, one.label) for one in reversed(Severity)]}
    if name != "assign":
        return {}
    people = workers()
    return {
        "people": list(people.only("username", "first_name", "last_name")[:500]),
        "teams": list(Team.objects.order_by("name").values_list("name", flat=True)[:100]),
    }
