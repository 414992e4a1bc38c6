"""Taking files out of a form while it arrives: straight to the store's disk, bounded, and only from who may.

Django reads a form when it is first looked at, and a session's token check looks at once. So the handler is put in
before, and asks who sends the file when the first one begins: whoever may not has nothing written to disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers, StopUpload
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from cases import evidence_store
from cases.errors import CaseError, Refused
from cases.evidence_store import PIECE, Received, Writer
from soar.lib.form_end import FormEnd

FIELD = "file"
NAME_AT_MOST = 255
# A refused file is still read to its end up to this much, because a browser shows no answer before it has sent all.
READ_ON_AT_MOST = 1024 * 1024 * 1024
# Each transfer holds one of a web process' four threads for as long as the line takes: one is left for pages.
AT_ONCE = 3
UNREADABLE = (MultiPartParserError, UnreadablePostError, TooManyFieldsSent, RequestDataTooBig)
_transfers = threading.BoundedSemaphore(AT_ONCE)


class Busy(CaseError):
    """This process has as many files under way as it takes."""

    status = 503
    code = "busy"


class Upload(FileUploadHandler):
    """The files of one form. ``allow`` raises a CaseError when the sender may not send any."""

    chunk_size = PIECE

    def __init__(self, request: HttpRequest, allow: Callable[[], object], most: int) -> None:
        super().__init__(request)
        self._http, self._allow, self._most = request, allow, most
        self._writer: Writer | None = None
        self._announced = _announced(request)
        self._end = FormEnd(request)
        self._problem: CaseError | None = None
        self._files: list[Received] = []

    def files(self) -> list[Received]:
        """The files of the form, all of them whole. Raises what stopped them; Refused when there are none, when the
        form cannot be read and when its end is missing."""
        if self._http.content_type != "multipart/form-data":
            raise Refused(_("Send the file in a form (multipart/form-data)."), field=FIELD)
        try:
            self._http.POST  # noqa: B018  reads the form, if the token check has not
        except UNREADABLE as error:
            raise self._problem or _unreadable(error) from error
        if self._problem:
            raise self._problem
        if not self._end.seen:
            raise _cut(self._http)
        if not self._files:
            raise Refused(_("Choose a file."), field=FIELD)
        return self._files

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins. Raises StopUpload for one that is not taken."""
        super().new_file(*args, **kwargs)
        try:
            self._writer = self._begun(str(self.field_name), str(self.file_name))
        except CaseError as error:
            self._stop(error)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A piece of it. Raises StopUpload when it is too much."""
        try:
            if self._writer:
                self._writer.write(raw_data)
        except CaseError as error:
            self._stop(error)

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        """It is whole."""
        writer, self._writer = self._writer, None
        try:
            if writer:
                self._files.append(writer.finish())
        except CaseError as error:
            self._writer = writer
            self._stop(error)
        return None

    def discard(self) -> None:
        """Delete what no row has taken."""
        if self._writer:
            self._writer.abort()
        for file in self._files:
            file.discard()

    def _begun(self, field: str, name: str) -> Writer:
        self._allow()
        if field != FIELD:
            raise Refused(_("Send files in the field “%(field)s”.") % {"field": FIELD}, field=FIELD)
        if len(self._files) >= self._most:
            raise Refused(_("At most %(most)s at once.") % {"most": self._most}, field=FIELD)
        return Writer(checked_name(name), evidence_store.limit())

    def _stop(self, error: CaseError) -> None:
        self._problem = error
        raise StopUpload(connection_reset=self._announced > READ_ON_AT_MOST)


@contextmanager
def uploading(request: HttpRequest, allow: Callable[[], object], most: int = 1) -> Iterator[Upload]:
    """The form of this request, which nobody has looked at yet, as an upload; what no row took is deleted at the end.

    Raises Busy when too many files are under way."""
    with transfer():
        upload = Upload(request, allow, most)
        request.upload_handlers = [upload]
        try:
            yield upload
        finally:
            upload.discard()


@contextmanager
def transfer() -> Iterator[None]:
    """A place among the files under way. Raises Busy."""
    begin_transfer()
    try:
        yield
    finally:
        end_transfer()


def begin_transfer() -> None:
    """As ``transfer``, for what ends elsewhere: ``end_transfer`` must follow."""
    if not _transfers.acquire(blocking=False):
        raise Busy(_("Other files are being sent or fetched right now. Try again in a moment."), retry_after=5)


def end_transfer() -> None:
    """Give the place back."""
    _transfers.release()


def checked_name(name: str) -> str:
    """A file's name without folders and characters that nobody sees. Raises Refused for none and for one over 255."""
    plain = "".join(sign for sign in name.replace("\\", "/").rsplit("/", 1)[-1] if sign.isprintable()).strip()
    if plain in ("", ".", ".."):
        raise Refused(_("The file has no name."), field=FIELD)
    if len(plain) > NAME_AT_MOST:
        raise Refused(
            _("The file's name is longer than %(name_at_most)s characters.") % {"name_at_most": NAME_AT_MOST},
            field=FIELD,
        )
    return plain


def _unreadable(error: Exception) -> Refused:
    # Django bounds the head of a part, where the name stands.
    told = _("The file's name is too long.") if "header size" in str(error) else _("The form cannot be read.")
    return Refused(told, field=FIELD)


def _cut(request: HttpRequest) -> Refused:
    # What comes without a length is read only so far (soar.lib.chunked).
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return Refused(_("Send the form with its Content-Length: in chunks only 10 MiB are taken."), field=FIELD)
    return Refused(_("The upload was cut in the middle. Nothing was saved."), field=FIELD)


def _announced(request: HttpRequest) -> int:
    value = request.META.get("CONTENT_LENGTH") or "0"
    return int(value) if str(value).isdecimal() else 0
