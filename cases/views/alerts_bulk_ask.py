"""What a verb on the ticked rows of the queue asks before it is done: one form a verb, which names its alerts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.errors import CaseError, Missing
from cases.views.alerts_bulk import not_done
from cases.views.alerts_bulk_asked import ask
from cases.views.parts import needs, person_of

VERBS = ("assign", "claim", "resolve", "status", "severity", "tag", "incident")


@needs("work_cases")
@require_POST
def alert_bulk_ask(request: HttpRequest, name: str) -> HttpResponse:
    """The form of a verb, for the alerts that are ticked (``alert``), or with ``all`` for those that match the filter:
    in the queue's dialog, or as a page. Nothing is changed; it is posted because the ticks may be too many for an
    address."""
    if name not in VERBS:
        raise Missing(_("There is no %(name)s.") % {"name": f"{name!s:.40}"})
    user = person_of(request)
    try:
        return ask(request, user, name)
    except CaseError as error:
        return not_done(request, user, error)
