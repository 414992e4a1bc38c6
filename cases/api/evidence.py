"""Evidence of incidents: that of one, one piece, its file, who read it (casework.md 12)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import evidence
from cases.actions.evidence_access import evidence_for, note, open_incident_for
from cases.api import documented, evidence_shapes, paging
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.api.incident_representation import evidence_dict
from cases.api.parsing import StrictJSONParser
from cases.errors import Missing
from cases.evidence_upload import UNREADABLE, Upload, uploading
from cases.models import Evidence, EvidenceAccess
from cases.permissions import incident_for
from cases.restricted_views import note_rows
from cases.views.evidence_file import AS_ZIP, file_answer
from cases.views.parts import person_of
from soar.lib.clock import iso

FORM = "multipart/form-data"
FILTERS = ("incident", "sha256", "removed")
REASON = OpenApiParameter("reason", str, description="Why; stays with the tombstone.")
ZIP = OpenApiParameter("as", str, enum=[AS_ZIP], description="A zip (AES) with the password `infected`.")
FILE_ANSWERS = {
    (200, "application/octet-stream"): OpenApiResponse(
        OpenApiTypes.BINARY, description="The bytes, always as a download."
    )
}


class UploadParser(BaseParser):
    """A form, as the upload that was set up reads it. The token check of a session asks for it first."""

    media_type = FORM

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Its fields. One that cannot be read has none; ``Upload.files`` says so later."""
        form = (parser_context or {})["request"]._request
        try:
            return form.POST
        except UNREADABLE:
            return QueryDict()


class IncidentEvidence(ApiViewSet):
    """``/incidents/{id}/evidence/``."""

    reads = "view_cases"
    parser_classes = [StrictJSONParser, UploadParser]
    upload: Upload | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer. A form is set up as an upload before the login looks into it (cases.evidence_upload)."""
        if request.method != "POST" or request.content_type != FORM:
            return super().dispatch(request, *args, **kwargs)
        with uploading(request, lambda: _may_send(request, kwargs["id"])) as self.upload:
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        **documented.listing(
            "List an incident's evidence",
            evidence_shapes.EVIDENCE_PAGE,
            params=["removed", documented.ordering(paging.BY_ID)],
        )
    )
    def list(self, request: Request, id: str) -> Response:
        """Newest first. `removed=true`: tombstones too."""
        incident = incident_for(self.user, id)
        paging.check_params(request, ("removed", "ordering"))
        rows = Evidence.objects.filter(incident=incident)
        return _page(request, rows if _removed(request) else rows.kept())

    @extend_schema(**documented.upload("Upload evidence", evidence_shapes.NewEvidence, evidence_shapes.Evidence))
    def create(self, request: Request, id: str) -> Response:
        """One file as `file` of a form with its length. 409 for bytes that the incident has already (`url` names the
        piece), and when it is resolved or closed."""
        if self.upload is None:
            raise UnsupportedMediaType(request.content_type or "", f"Send the file as {FORM}.")
        files = self.upload.files()
        given = _fields(request)
        # For Idempotency-Key, as the body's digest: the same call is the same file with the same words.
        said = [*sorted(given.items()), *((one.name, one.sha256) for one in files)]
        request.body_digest = hashlib.sha256(repr(said).encode()).hexdigest()  # type: ignore[attr-defined]

        def run() -> Response:
            piece = evidence.add(self.actor, id, files, **given)[0]
            return tagged(evidence_dict(piece), 201, location=f"/api/v1/evidence/{piece.pk}/")

        return self.once(run)


class EvidencePieces(ApiViewSet):
    """``/evidence/``."""

    reads = "view_cases"

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A download is given whatever the caller accepts."""
        return super().perform_content_negotiation(request, force or self.action == "file")

    @extend_schema(
        **documented.listing(
            "List evidence", evidence_shapes.EVIDENCE_PAGE, params=[*FILTERS, documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """Of all incidents that you may see, newest first. `sha256`: where the same bytes are."""
        paging.check_params(request, (*FILTERS, "ordering"))
        rows = Evidence.objects.visible_to(self.user)
        if request.query_params.get("incident"):
            rows = rows.filter(incident=incident_for(self.user, request.query_params["incident"]))
        if request.query_params.get("sha256"):
            rows = rows.filter(sha256=request.query_params["sha256"].lower())
        return _page(request, rows if _removed(request) else rows.kept())

    @extend_schema(**documented.read("Read a piece of evidence", evidence_shapes.Evidence))
    def retrieve(self, request: Request, id: str) -> Response:
        """What it is, for whoever sees its incident; `file` says where its bytes are. Written into its custody."""
        piece = evidence_for(self.user, whole(id))
        if request.method == "GET":
            note(self.actor, piece, "viewed")
        return read(request, evidence_dict(piece))

    @extend_schema(
        **documented.change("Change a piece of evidence", evidence_shapes.EvidenceChanges, evidence_shapes.Evidence)
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """Name, description, TLP; all of it or nothing. With `If-Match` only if nobody changed it since."""
        changes, expected = self.body(evidence_shapes.EvidenceChanges), expected_version(request)
        piece = evidence.update(self.actor, whole(id), changes=changes, expected_version=expected)
        return tagged(evidence_dict(piece))

    @extend_schema(**documented.remove("Remove a piece of evidence", params=[REASON], codes=(400, 409)))
    def destroy(self, request: Request, id: str) -> Response:
        """Its bytes; a tombstone with name, hashes and `reason` stays. Of another's piece this needs the level
        *delete*."""
        reason = request.query_params.get("reason", "")
        evidence.remove(self.actor, whole(id), reason=reason, expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(
        summary="Download a piece of evidence",
        parameters=[ZIP],
        responses={**FILE_ANSWERS, **documented.refusals(403, 404, 409, 503)},
    )
    def file(self, request: Request, id: str) -> HttpResponseBase:
        """The bytes as they are, or in a zip with a password. Written into its custody before the first byte."""
        asked = request.query_params.get("as", "")
        if asked not in ("", AS_ZIP):
            raise ValidationError({"as": [_("One of: %(as_zip)s.") % {"as_zip": AS_ZIP}]})
        piece = evidence_for(self.user, whole(id))
        return file_answer(request._request, self.actor, piece, as_zip=asked == AS_ZIP)

    @extend_schema(
        **documented.listing(
            "Who read a piece of evidence", evidence_shapes.ACCESS_PAGE, params=[documented.ordering(paging.BY_ID)]
        )
    )
    def accesses(self, request: Request, id: str) -> Response:
        """Newest first. Uploads, changes and removals stand on the incident's timeline."""
        piece = evidence_for(self.user, whole(id))
        paging.check_params(request, ("ordering",))
        rows = EvidenceAccess.objects.filter(evidence=piece)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [access_dict(row) for row in found.rows]))


def access_dict(row: EvidenceAccess) -> dict[str, Any]:
    """A reading in JSON."""
    return {"id": row.pk, "verb": row.verb, "actor": row.actor_name, "address": row.address, "at": iso(row.at)}


def _page(request: Request, rows: Any) -> Response:
    found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
    note_rows(person_of(request._request), found.rows)
    return Response(paging.paged(request, found, [evidence_dict(row) for row in found.rows]))


def _may_send(request: HttpRequest, id: str) -> None:
    """Asked when the first file begins: by then a token or a session has said who it is."""
    if not request.user.is_authenticated:
        raise Missing(_("There is nobody who sends this."))
    open_incident_for(person_of(request), id)


def _fields(request: Request) -> dict[str, str]:
    """The form's other fields. A name that is not known is refused: a typing error must not look like success."""
    given = request._request.POST
    known = ("description", "tlp")
    unknown = [name[:60] for name in given if name not in (*known, "csrfmiddlewaretoken")]
    if unknown:
        raise ValidationError(
            {name: [_("Not known here. Known: file, %(known)s.") % {"known": ", ".join(known)}] for name in unknown}
        )
    return {name: given[name] for name in known if name in given}


def _removed(request: Request) -> bool:
    given = request.query_params.get("removed", "")
    if given not in ("", "true", "false"):
        raise ValidationError({"removed": [_("One of: true, false.")]})
    return given == "true"
