"""What a call takes and gives, as the schema says it: the one place that says which parameters and keys there are, so
that the documentation cannot differ from what is refused (ingest-and-api.md 14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from cases.query_filter import VALUE_AT_MOST

FIELDS, KEY = "fields", "Idempotency-Key"
SEVERAL = "x-several"  # in the schema: a parameter that may stand more than once
PLACES = (OpenApiParameter.QUERY, OpenApiParameter.HEADER)
_calls: dict[tuple[type, str], Known] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """The query parameters of a call, and the keys of what it gives: of each row of a list, or of the one thing. No
    keys: what is given has none that are known beforehand. ``headers``: those that it takes. ``several``: parameters
    that may stand more than once."""

    params: frozenset[str]
    keys: tuple[str, ...]
    headers: frozenset[str] = frozenset()
    several: frozenset[str] = frozenset()


def known(view: Any) -> Known | None:
    """What the schema says of the call that ``view`` is answering; None for a method that there is not."""
    name = getattr(view, "action", None)
    method = getattr(view, name or "", None)  # OPTIONS has a name but no method here: it is 405
    if not name or method is None:
        return None
    place = (type(view), name)
    if place not in _calls:
        _calls[place] = _read(view, method)
    return _calls[place]


def check(request: Request, call: Known) -> None:
    """Refuse parameters that mean nothing here or stand twice where one value is meant, keys that there are not, values
    that cannot be, and an Idempotency-Key that would not be kept: a mistake must neither widen a list nor look like
    success, and a proxy before the portal must not read another value than the portal does (ASVS 15.3.7). Raises
    ValidationError beside the parameter."""
    errors: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if not _among(call.params, name):
            known = ", ".join(sorted(call.params))
            takes = _("Known: %(known)s.") % {"known": known} if known else _("This call takes no parameters.")
            errors[name[:60]] = [_("Not known here. %(takes)s") % {"takes": takes}]
        elif len(values) > 1 and not _among(call.several, name):
            errors[name] = [_("Stands more than once; it takes one value.")]
        elif any(len(value) > VALUE_AT_MOST for value in values):
            errors[name] = [_("At most %(value_at_most)s characters.") % {"value_at_most": VALUE_AT_MOST}]
        elif any("\x00" in value for value in values):
            errors[name] = [_("Holds a NUL character.")]
    strange = [name for name in asked(request) if call.keys and name not in call.keys]
    if FIELDS in call.params and strange:
        errors[FIELDS] = [
            _("%(strange)s is not one of: %(keys)s.") % {"strange": strange[0][:60], "keys": ", ".join(call.keys)}
        ]
    if request.method == "POST" and KEY in request.headers and KEY not in call.headers:
        errors[KEY] = [_("Not taken by this call: its answer, which may hold a secret, is not kept. Nothing was done.")]
    if errors:
        raise ValidationError(errors)


def _among(params: frozenset[str], name: str) -> bool:
    """Whether a parameter is one of these: ``cf.*`` stands for all that begin so."""
    return name in params or any(one.endswith(".*") and name.startswith(one[:-1]) for one in params)


def asked(request: Request) -> list[str]:
    """The keys that ``fields`` asks for; none: all."""
    given = ",".join(request.query_params.getlist(FIELDS))
    return list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))


def sparse(data: Any, names: list[str]) -> Any:
    """The answer with these keys alone: of each row of a list, or of the one thing."""
    if not names or not isinstance(data, dict):
        return data
    if isinstance(rows := data.get("results"), list):
        return {**data, "results": [_picked(row, names) for row in rows]}
    return _picked(data, names)


def _picked(row: Any, names: list[str]) -> Any:
    return {name: row[name] for name in names if name in row} if isinstance(row, dict) else row


def _read(view: Any, method: Any) -> Known:
    described = getattr(method, "kwargs", {}).get("schema")
    if described is None:
        return Known(frozenset(), ())
    schema = described()
    schema.view = view
    given = [one for one in schema.get_override_parameters() if isinstance(one, OpenApiParameter)]
    named = {place: frozenset(str(one.name) for one in given if one.location == place) for place in PLACES}
    several = frozenset(str(one.name) for one in given if SEVERAL in (one.extensions or {}))
    return Known(named[PLACES[0]], _keys(schema.get_response_serializers()), named[PLACES[1]], several)


def _keys(answers: Any) -> tuple[str, ...]:
    shape = answers.get(200) if isinstance(answers, dict) else None
    if isinstance(shape, OpenApiResponse):
        shape = shape.response
    if not (isinstance(shape, type) and issubclass(shape, serializers.Serializer)):
        return ()
    fields = shape().fields
    rows = fields.get("results")
    row = getattr(rows, "child", None)
    return tuple(row.fields) if isinstance(row, serializers.Serializer) else tuple(fields)
