"""Dead letters over the API: list, read, replay, delete (ingest-and-api.md 5)."""

from __future__ import annotations

import base64
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases import replaying
from cases.actions import dead_letters as actions
from cases.api import bodies, documented, paging
from cases.api import dead_letter_shapes as shapes
from cases.api.base import ApiViewSet, as_read, read_facts, whole
from cases.api.shapes import JobMade
from cases.models import DeadLetter, ReplayJob
from cases.source_access import manages_some
from soar.lib.clock import iso

PARAMS = (
    OpenApiParameter("source", str, description="Slug of the source."),
    OpenApiParameter("state", str, enum=list(shapes.STATES)),
)


class DeadLetters(ApiViewSet):
    """``/dead-letters/``, for those who manage sources."""

    @extend_schema(
        **documented.listing(
            "List dead letters", shapes.DEAD_LETTER_PAGE, params=[*PARAMS, documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """Deliveries that could not be read, without their bytes."""
        paging.check_params(request, ("source", "state", "ordering"))
        rows = actions.letters_read_by(self.user, request.query_params.get("source", ""))
        state = request.query_params.get("state", "")
        if state and state not in shapes.STATES:
            raise ValidationError({"state": [_("One of: %(states)s.") % {"states": ", ".join(shapes.STATES)}]})
        if state:
            rows = rows.filter(replayed_at__isnull=state == "waiting")
        rows = rows.select_related("source").defer("body")
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [letter_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a dead letter", shapes.DeadLetterDetail))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its bytes in Base64."""
        return read_facts(request, _whole(actions.letter_for(self.actor, whole(id))))

    @extend_schema(**documented.remove("Delete a dead letter"))
    def destroy(self, request: Request, id: str) -> Response:
        """For good."""
        letter = actions.letter_for(self.actor, whole(id))
        rows = DeadLetter.objects.filter(pk=letter.pk)
        as_read(request, rows, _whole, lambda: actions.delete(self.actor, letter.pk))
        return Response(status=204)

    @extend_schema(**documented.verb("Replay a dead letter", bodies.Nothing, shapes.DeadLetterRow, tagged=False))
    def replay(self, request: Request, id: str) -> Response:
        """Read it once more, by the mapping and kind of now. `replayed_at` stays null where it still cannot be read.
        409 for one that was read already, was not kept whole, or whose source is off."""
        self.body(bodies.Nothing)
        pk = whole(id)
        return self.once(lambda: Response(letter_dict(replaying.replay(self.actor, pk))))

    @extend_schema(
        operation_id="dead_letters_replay_many",
        **documented.create("Replay many", shapes.ReplayMany, JobMade, code=202, tagged=False),
    )
    def replay_many(self, request: Request) -> Response:
        """All that wait, the oldest first: of a source or of all."""
        slug = self.body(shapes.ReplayMany).get("source", "")
        return self.once(lambda: _made(actions.start_replay(self.user, slug)))

    @extend_schema(**documented.read("Read a replay's progress", shapes.ReplayProgress, tagged=False))
    def job(self, request: Request, id: str) -> Response:
        """One's own. `finished_at` is null while it goes on."""
        if not manages_some(self.user):
            self.need("manage_sources", _("The permission to manage alert sources is missing."))
        return Response(job_dict(actions.job_for(self.user, whole(id))))


def _whole(letter: DeadLetter) -> dict[str, Any]:
    return {**letter_dict(letter), "body": base64.b64encode(bytes(letter.body)).decode()}


def _made(job: ReplayJob) -> Response:
    where = f"{settings.SOAR_URL}/api/v1/dead-letters/jobs/{job.pk}/"
    return Response({"job": job.pk, "url": where}, status=202, headers={"Location": where})


def letter_dict(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter in JSON, without its bytes."""
    names = ("address", "status", "error", "place", "content_type", "encoding", "size", "kept", "tries")
    return {
        "id": letter.pk,
        "source": letter.source.slug,
        "received_at": iso(letter.received_at),
        **{name: getattr(letter, name) for name in names},
        "replayed_at": iso(letter.replayed_at),
        "replayed_by": letter.replayed_by,
        "alert": f"ALR-{letter.alert_id}" if letter.alert_id else None,
        "outcome": letter.outcome,
    }


def job_dict(job: ReplayJob) -> dict[str, Any]:
    """A replay in JSON."""
    return {
        "id": job.pk,
        "source": job.source.slug if job.source else None,
        "status": job.status,
        "total": len(job.letters),
        "position": job.position,
        "done": job.done,
        "last_error": job.last_error,
        "created_at": iso(job.created_at),
        "finished_at": iso(job.finished_at),
    }
