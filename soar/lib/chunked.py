"""Bodies that come in chunks, without a length: read whole, so that what follows sees a body like any other.

Django takes a request without ``Content-Length`` for one without a body; senders that stream (log shippers,
``curl -T -``) would be told that theirs is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PIECE = 64 * 1024


def whole_bodies(application: Application, at_most: int) -> Application:
    """The WSGI application, given the length of chunked bodies. Of one longer than ``at_most`` bytes that much and
    one byte is read: whoever looks at it sees that it is too large and answers 413."""

    def with_length(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        coding = str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
        if "chunked" in coding and not environ.get("CONTENT_LENGTH"):
            body = _read(environ["wsgi.input"], at_most + 1)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        return application(environ, start_response)

    return with_length


def _read(stream: Any, at_most: int) -> bytes:
    body = bytearray()
    while len(body) < at_most and (piece := stream.read(min(PIECE, at_most - len(body)))):
        body += piece
    return bytes(body)
