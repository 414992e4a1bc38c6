"""The bytes of a piece of evidence on their way out: always as a download, never as something that a browser shows."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from cases import evidence_store
from cases.actions.evidence_access import check_kept, note
from cases.actors import Actor
from cases.errors import Conflict
from cases.evidence_store import PIECE
from cases.evidence_upload import begin_transfer, end_transfer
from cases.evidence_zip import zip_length, zipped
from cases.models import AlertMessage, Evidence
from cases.reporting.archive_names import end_of
from soar.accounts import audit

# What no file system of a reader may take for something else than a name.
_UNFIT = re.compile(r'[<>:"/\\|?*]')
AS_ZIP = "zip"


def file_answer(request: HttpRequest, actor: Actor, piece: Evidence, *, as_zip: bool = False) -> HttpResponseBase:
    """The file, or a zip of it under the password "infected", and a line in its custody.

    Raises Conflict for a removed piece and for a file that is missing or not what it was, Busy."""
    check_kept(piece)
    name = download_name(piece.name)
    size = zip_length(name, piece.size) if as_zip else piece.size
    if request.method == "HEAD":
        return dressed(HttpResponse(), f"{name}.zip" if as_zip else name, size, piece)
    body = _Body(_opened(piece), name if as_zip else "", piece.size)
    try:
        note(actor, piece, "downloaded_zip" if as_zip else "downloaded")
        # The log is read by those who see nothing that is restricted.
        about = {"sha256": piece.sha256} if piece.incident.restricted else {"file": piece.name, "sha256": piece.sha256}
        audit.exported(actor.user, "evidence", piece.incident.number, **about)
    except BaseException:
        body.close()
        raise
    # Or it would be packed on the way, and a download without a length cannot show how far it is.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    return dressed(StreamingHttpResponse(body), f"{name}.zip" if as_zip else name, size, piece)


def download_name(name: str) -> str:
    """The name under which a file is handed out: no folder, no drive, no hidden file, no device, none too long."""
    fit = end_of(_UNFIT.sub("_", name)).strip(". ")
    return fit or "evidence"


def _opened(piece: Evidence) -> BinaryIO:
    begin_transfer()
    file = evidence_store.open_file(piece.sha256, piece.size)
    if file is None:
        end_transfer()
        told = _("The file of %(name)s is missing or damaged. `manage.py verify_evidence` lists all that are.") % {
            "name": piece.name
        }
        raise Conflict(told, code="evidence_damaged")
    return file


def dressed(answer: HttpResponseBase, name: str, size: int, piece: Evidence | AlertMessage) -> HttpResponseBase:
    """Nothing in these headers lets a browser show, run, sniff or keep it."""
    answer["Content-Type"] = "application/octet-stream"
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    answer["Content-Length"] = str(size)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, no-store"
    if size == piece.size:
        answer["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(piece.sha256)).decode()}:"
    return answer


class _Body:
    """An open file as the body of an answer; whoever sends it closes it, however that ends."""

    def __init__(self, file: BinaryIO, zip_name: str, size: int) -> None:
        self._file, self._open = file, True
        self._pieces = zipped(zip_name, size, file) if zip_name else _plain(file)

    def __iter__(self) -> Iterator[bytes]:
        with closing(self):
            yield from self._pieces

    def close(self) -> None:
        """Once is enough, twice does no harm."""
        if self._open:
            self._open = False
            self._file.close()
            end_transfer()

    def __del__(self) -> None:
        # An answer that nobody ever sent: its place among the transfers must not be lost with it.
        self.close()


def _plain(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
