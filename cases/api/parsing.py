"""Reading a JSON body so that nothing in it can hurt later: size, depth, encoding, characters."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

DEPTH_AT_MOST = 64


class TooLarge(APIException):
    """413."""

    status_code = 413
    default_detail = "The body is larger than 10 MiB."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """UTF-8 JSON of at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes and 64 levels, without NaN, NUL characters or
    lone surrogates (ingest-and-api.md 10).

    Leaves the digest of the bytes on the request as ``body_digest``, for ``Idempotency-Key``."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value. Raises ParseError (400) or TooLarge (413)."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            raw = stream.read(limit + 1)
        except OSError as error:
            raise ParseError(_("The body ended before its announced length.")) from error
        if len(raw) > limit:
            raise TooLarge
        if parser_context:
            parser_context["request"].body_digest = hashlib.sha256(raw).hexdigest()
        return parsed(raw)


def parsed(raw: bytes) -> Any:
    """The JSON value of these bytes. Raises ParseError with a sentence for people."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise ParseError(
            _("The body is not UTF-8 text: %(reason)s at byte %(start)s.")
            % {"reason": error.reason, "start": error.start}
        ) from error
    except RecursionError as error:
        raise ParseError(
            _("The body is nested deeper than %(depth_at_most)s levels.") % {"depth_at_most": DEPTH_AT_MOST}
        ) from error
    except ValueError as error:
        raise ParseError(_("The body is not JSON: %(error)s.") % {"error": str(error)[:200]}) from error
    for text in _texts(value):
        if "\x00" in text:
            raise ParseError(_("The body holds a NUL character, which cannot be stored."))
        if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
            raise ParseError(_("The body holds half of a surrogate pair, which is no text."))
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands twice one program reads the first value and another the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        [(twice, _times)] = Counter(key for key, _value in pairs).most_common(1)
        raise ValueError(f"{twice[:60]!r} stands twice in one object")
    return made


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in the value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        if depth >= DEPTH_AT_MOST:
            raise ParseError(
                _("The body is nested deeper than %(depth_at_most)s levels.") % {"depth_at_most": DEPTH_AT_MOST}
            )
        if isinstance(value, dict):
            yield from value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item, depth + 1)
