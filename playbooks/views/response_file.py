"""A collected file on its way out, from the product that has it (spec 17a): always as a download."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from cases.actors import Actor
from cases.errors import Conflict
from playbooks.actions import response_follow
from playbooks.views.parts import person_of, signed_in_reader
from playbooks.views.response_page import refused
from soar.connectors.capabilities import Collected


@signed_in_reader
@require_POST
def response_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand over what was collected. Audited."""
    user = person_of(request)
    try:
        return _answer(response_follow.collected(Actor.of(user), pk))
    except Conflict as error:
        return refused(request, user, pk, error)


def _answer(file: Collected) -> HttpResponse:
    """Nothing in these headers lets a browser show, run, sniff or keep it."""
    answer = HttpResponse(file.content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, no-store"
    return answer
