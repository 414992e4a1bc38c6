"""Whether a form with files came to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from django.http import HttpRequest
from django.utils.http import parse_header_parameters


class FormEnd:
    """Watches for the form's last line: a connection that breaks looks like the end of a file otherwise.

    Made before anybody looks at the request's form."""

    def __init__(self, request: HttpRequest) -> None:
        _type, more = parse_header_parameters(request.META.get("CONTENT_TYPE", ""))
        self._mark = b"--" + str(more.get("boundary", "")).encode("latin-1", "replace") + b"--"
        self._tail = b""
        request._stream = _Watched(request._stream, self._note)  # type: ignore[assignment]

    @property
    def seen(self) -> bool:
        """Whether it came."""
        return self._mark in self._tail

    def _note(self, piece: bytes) -> None:
        self._tail = (self._tail + piece)[-1000:] if len(piece) < 1000 else piece[-1000:]


class _Watched:
    """A stream that shows what is read of it."""

    def __init__(self, stream: IO[bytes], note: Callable[[bytes], None]) -> None:
        self._stream, self._note = stream, note

    def read(self, *args: Any) -> bytes:
        """As the stream does."""
        piece = self._stream.read(*args)
        self._note(piece)
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
