"""What the schema says of a call: arguments for ``extend_schema``, the same for all calls of a sort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework.serializers import Serializer

from cases.api import shapes
from cases.api.known import SEVERAL
from soar.problems import CONTENT_TYPE

Shape = type[Serializer[Any]]

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag you read; 412 if it changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag you have; 304 if it is so still."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Repeating the call within 24 h gives the same answer and does nothing twice.",
)
ANY_NUMBER = {SEVERAL: True}
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous`.")
PAGE_SIZE = OpenApiParameter(
    "page_size",
    {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    description="How many a page has at most.",
)
CUSTOM_FIELDS = OpenApiParameter(
    "cf.*",
    str,
    extensions=ANY_NUMBER,
    description="`cf.<key>`: a custom field's value, `any`, `none`, `beginning*`, `*part*`, or for numbers and times "
    "`>=value`, `<=value`, `>value`, `<value`.",
)
FIELDS = OpenApiParameter("fields", str, extensions=ANY_NUMBER, description="Only these keys; several with commas.")
SENTENCES = {
    400: "The request cannot be read or breaks a rule; `errors` names the fields.",
    401: "No token or session, or one that is not valid.",
    403: "You see it but may not do that.",
    404: "Not there, or not for you to see.",
    405: "Not a verb of this address; `Allow` names those there are.",
    406: "Only JSON is given.",
    409: "The state does not allow it.",
    412: "It was changed since you read it.",
    413: "The body is larger than 10 MiB.",
    415: "Only JSON is taken.",
    429: "Too many calls; wait `Retry-After` seconds.",
    502: "The other product does not answer, or refuses.",
    503: "Too many files are under way; wait `Retry-After` seconds.",
    507: "The server has no room for it.",
}


def listing(summary: str, shape: Shape, *, params: Iterable[OpenApiParameter | str] = ()) -> dict[str, Any]:
    """A cursor page."""
    given = [OpenApiParameter(param, str) if isinstance(param, str) else param for param in params]
    return _call(summary, {200: shape}, (400, 403, 404), [*given, FIELDS, CURSOR, PAGE_SIZE], request=None)


def whole_list(summary: str, shape: Shape) -> dict[str, Any]:
    """A short list, in one page: `next` is always null."""
    return _call(summary, {200: shape}, (400, 403, 404), [FIELDS], request=None)


def several(name: str, description: str = "") -> OpenApiParameter:
    """A filter that takes any number of values: with commas between them, or the parameter more than once."""
    return OpenApiParameter(name, str, description=description, extensions=ANY_NUMBER)


def filters(names: Iterable[str], said: Mapping[str, str] = {}) -> list[OpenApiParameter]:
    """The filters of a list that can be searched: one query, of all others any number of values. ``said``: what they
    mean there, where that is not what they mean of alerts."""
    words = {**FILTERS, **said}
    one = OpenApiParameter("q", str, description=words["q"])
    return [one if name == "q" else several(name, words.get(name, "")) for name in names]


def alert_list(names: Iterable[str], orders: tuple[str, ...]) -> dict[str, Any]:
    """The list of alerts."""
    more: list[OpenApiParameter | str] = [*filters(names), ordering(orders)]
    expand = "observables, assets, runs, description, technique_names; several with commas"
    more.append(OpenApiParameter("expand", str, description=expand))
    return listing("List alerts", shapes.ALERT_PAGE, params=more)


def entries(summary: str) -> dict[str, Any]:
    """A timeline with its filters."""
    named = [
        several(name, text) if name == "group" else OpenApiParameter(name, str, description=text)
        for name, text in TIMELINE.items()
    ]
    return listing(summary, shapes.ENTRY_PAGE, params=[*named, ordering(("-id", "id", "-occurred_at", "occurred_at"))])


def ordering(orders: Iterable[str]) -> OpenApiParameter:
    """The parameter ``ordering``."""
    return OpenApiParameter("ordering", str, enum=list(orders))


def read(summary: str, shape: Shape, *, tagged: bool = True, params: Iterable[OpenApiParameter] = ()) -> dict[str, Any]:
    """One thing; ``tagged``: with an ETag."""
    answers: dict[int, Any] = {200: shape}
    if tagged:
        answers[304] = OpenApiResponse(description="You have it.")
    return _call(summary, answers, (400, 403, 404), [*params, FIELDS, *[IF_NONE_MATCH] * tagged], request=None)


def change(summary: str, body: Shape, shape: Shape) -> dict[str, Any]:
    """PATCH."""
    return _call(summary, {200: shape}, (400, 403, 404, 409, 412, 413, 415), [IF_MATCH], request=body)


def verb(
    summary: str, body: Shape, shape: Shape, *, tagged: bool = True, keyed: bool = True, code: int = 200
) -> dict[str, Any]:
    """A verb on one thing: 200 with the thing, 202 where a worker does it. ``tagged``: it takes If-Match; ``keyed``:
    Idempotency-Key."""
    params = [IF_MATCH] * tagged + [IDEMPOTENCY_KEY] * keyed
    return _call(summary, {code: shape}, (400, 403, 404, 409, 412, 413, 415), params, request=body)


def create(summary: str, body: Shape, shape: Shape, *, code: int = 201, tagged: bool = True) -> dict[str, Any]:
    """What makes something: 201 with it."""
    params = [IF_MATCH] * tagged + [IDEMPOTENCY_KEY]
    return _call(summary, {code: shape}, (400, 403, 404, 409, 412, 413, 415), params, request=body)


def secret(summary: str, body: Shape, shape: Shape) -> dict[str, Any]:
    """What makes something whose answer is not kept: 201, no Idempotency-Key."""
    return _call(summary, {201: shape}, (400, 403, 404, 409, 412, 413, 415), [], request=body)


def upload(summary: str, form: Shape, shape: Shape, *, code: int = 201) -> dict[str, Any]:
    """A file in a form: 201, or 202 for one that a worker reads."""
    codes = (400, 403, 404, 409, 413, 415, 503, 507)
    keyed = [IDEMPOTENCY_KEY] if code == 201 else []
    made = _call(summary, {code: shape}, codes, keyed, request=None)
    return {**made, "request": {"multipart/form-data": form}}


def remove(summary: str, *, params: Iterable[OpenApiParameter] = (), codes: Iterable[int] = ()) -> dict[str, Any]:
    """DELETE: 204. ``codes``: problems besides the usual ones."""
    done = {204: OpenApiResponse(description="Done.")}
    return _call(summary, done, (400, 403, 404, 412, *codes), [IF_MATCH, *params], request=None)


def refusals(*codes: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problems of a call that ``_call`` does not describe."""
    return {
        (code, CONTENT_TYPE): OpenApiResponse(shapes.Problem, description=SENTENCES[code])
        for code in sorted({*codes, 401, 406, 429})
    }


def _call(
    summary: str,
    answers: dict[int, Any],
    problems: Iterable[int],
    params: list[OpenApiParameter],
    *,
    request: Shape | None,
) -> dict[str, Any]:
    responses: dict[Any, Any] = {code: once(shape) for code, shape in answers.items()} | refusals(*problems)
    return {"summary": summary, "request": request, "responses": responses, "parameters": params}


def once(shape: Any) -> Any:
    """A list's answer is one object that holds the rows, whatever the method is called."""
    if isinstance(shape, type) and "results" in getattr(shape, "_declared_fields", {}):
        extend_schema_serializer(many=False)(shape)
    return shape


TIMELINE = {
    "group": "notes, events, changes, alerts, evidence, playbooks, responses, servicenow, pinned; several with commas.",
    "person": "Who did or wrote it: a user name, or a name as it stands there.",
    "q": "Words in what was written or changed.",
    "since": "Happened then or later, ISO 8601.",
    "until": "Happened then or before, ISO 8601.",
}
FILTERS = {
    "q": "The query box: `word`, `field:value`, `-field:value`, `field:>=value`, by these same names.",
    "status": "new, in_progress, resolved, open, any; several with commas.",
    "is": "As `status`.",
    "suppressed": "yes, no, all, or the id of a rule. Without it, asking for open work leaves out what is held back.",
    "sla": "How long it waits for somebody: breached, at_risk, urgent (either) or ok.",
    "severity": "informational, low, medium, high, critical; several with commas.",
    "determination": "unknown, benign, suspicious, malicious.",
    "owner": "A user name, me or none.",
    "team": "A team's name or none.",
    "source": "Slug of the source.",
    "model": "Name of the detection model; with a star at the end, its beginning.",
    "tag": "A tag.",
    "host": "Name of the host; with a star at the end, its beginning.",
    "user": "User name in the alert; with a star at the end, its beginning.",
    "ip": "The alert's own address.",
    "tlp": "clear, green, amber, amber+strict, red.",
    "observable": "A value, of whatever type.",
    "incident": "INC-42, any or none.",
    "has_incident": "As `incident`.",
    "resolved": "Resolved since then; ISO 8601, or 24h, 7d.",
    "updated_since": "A time; ISO 8601, or 24h, 7d.",
    "received": "Received at or after; ISO 8601, or 24h, 7d.",
    "since": "Received at or after.",
    "until": "Received at or before.",
    "opened": "Opened at or after a time, or between two: 2026-03-01..2026-03-08; of the second nothing.",
    "ended": "Resolved or closed at or after a time, or between two, and not merged.",
    "merged": "yes: those that went into another one; no: the others.",
    "mtta": "Those that MTTA of this time counts: since a time, or between two.",
    "mttc": "Those that MTTC of this time counts.",
    "mttr": "Those that MTTR of this time counts.",
    "technique": "ATT&CK id; a technique means its sub-techniques too.",
}
