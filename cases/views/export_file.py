"""A finished export on its way out: always as a download."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import BinaryIO

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from cases.actions.exports import Made
from cases.models import ExportJob
from cases.reporting import store
from cases.reporting.formats import FORMATS


def made_answer(made: Made) -> HttpResponseBase:
    """One that was made at once."""
    answer = HttpResponse(made.content)
    return _dressed(answer, made.name, made.format.content_type, len(made.content), made.sha256)


def job_answer(job: ExportJob, file: BinaryIO) -> HttpResponseBase:
    """The file that a worker made."""
    body: Iterable[bytes] = store.pieces(file)
    known = FORMATS.get(job.format)
    sort = known.content_type if known else "application/octet-stream"
    return _dressed(StreamingHttpResponse(body), job.name, sort, job.size or 0, job.sha256)


def _dressed(answer: HttpResponseBase, name: str, sort: str, size: int, sha256: str) -> HttpResponseBase:
    """Nothing in these headers lets a browser show, run, sniff or keep it."""
    answer["Content-Type"] = sort
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    answer["Content-Length"] = str(size)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, no-store"
    answer["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:"
    return answer
