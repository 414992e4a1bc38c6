"""Taking a feed's file out of a form while it arrives: straight to its folder, bounded, and only from who may.

The token check of a form reads it, so the handler is put in before; see the page's view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers, StopUpload
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from soar.connectors.errors import Refused
from soar.connectors.intelligence.feeds.files import Writer
from soar.lib.form_end import FormEnd

UNREADABLE = (MultiPartParserError, UnreadablePostError, TooManyFieldsSent, RequestDataTooBig)
# A refused file is read to its end up to this much: a browser shows no answer before it has sent all.
READ_ON_AT_MOST = 256 * 1024 * 1024


class Upload(FileUploadHandler):
    """The one file of a form. ``allow`` raises PermissionDenied when the sender may not send any."""

    chunk_size = 256 * 1024

    def __init__(self, request: HttpRequest, allow: Callable[[], object]) -> None:
        super().__init__(request)
        self._http, self._allow = request, allow
        self._writer: Writer | None = None
        self._end = FormEnd(request)
        self._problem: Refused | None = None
        self.name = ""
        self.kept = False  # an import has the file now

    def received(self) -> Writer:
        """The whole file. Raises Refused for none, more than one, a form that is cut, and what stopped it."""
        try:
            self._http.POST  # noqa: B018  reads the form, if the token check has not
        except UNREADABLE:
            raise self._problem or Refused({"file": _("The form cannot be read.")}) from None
        if self._problem:
            raise self._problem
        if self._http.content_type == "multipart/form-data" and not self._end.seen:
            raise Refused({"file": _("The upload was cut in the middle. Nothing was changed.")})
        if self._writer is None:
            raise Refused({"file": _("Choose a file.")})
        self._writer.finish()
        return self._writer

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins. Raises StopUpload for one that is not taken."""
        super().new_file(*args, **kwargs)
        self._allow()
        try:
            if self._writer is not None or self.field_name != "file":
                raise Refused({"file": _("Send one file, in the field “file”.")})
            self._writer, self.name = Writer(), _plain(str(self.file_name or ""))
        except Refused as error:
            self._stop(error)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A piece of it. Raises StopUpload when it is too much."""
        try:
            if self._writer is not None:
                self._writer.write(raw_data)
        except Refused as error:
            self._stop(error)

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        """It is whole, and not given to Django."""
        return None

    def discard(self) -> None:
        """Delete what came, unless an import has it."""
        if self._writer is not None and not self.kept:
            self._writer.abort()

    def _stop(self, error: Refused) -> None:
        self._problem = error
        announced = str(self._http.META.get("CONTENT_LENGTH") or "0")
        too_long = not announced.isdecimal() or int(announced) > READ_ON_AT_MOST
        raise StopUpload(connection_reset=too_long)


def _plain(name: str) -> str:
    """The name without folders and characters that nobody sees."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip()[:200] or "file"
