"""What every call of the API shares: who calls, the checked body, ETag and If-Match, Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from cases.actors import Actor
from cases.api import known
from cases.api.etags import etag, expected_version, facts_tag, named, unchanged
from cases.api.fields import Body
from cases.api.parsing import StrictJSONParser
from cases.errors import Stale
from cases.idempotency import idempotent
from cases.models import Alert, Incident
from soar.accounts.membership import may
from soar.accounts.models import ApiToken, User
from soar.lib.shared_rate import rate_headers

READ_CASES = gettext_noop("The permission to see alerts and incidents is missing.")
T = TypeVar("T")
M = TypeVar("M", bound=Model)


class ApiViewSet(ViewSet):
    """A subject of the API: JSON in, JSON out, for people with a token or a session."""

    parser_classes = [StrictJSONParser]
    metadata_class = None  # OPTIONS is 405: the schema says what there is
    # A permission without which there is nothing here at all, and which is asked for first: whoever lacks it, be it by
    # the scopes of their token, hears so of whatever id, instead of an empty list.
    reads = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who calls, whether they may, how often; then whether each parameter means something here."""
        super().initial(request, *args, **kwargs)
        if self.reads:
            self.need(self.reads, _(READ_CASES))
        if call := known.known(self):
            known.check(request, call)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """With the rate of the token, and with no more than the keys that `fields` asks for."""
        if taken := getattr(request, "rate", None):
            for name, value in rate_headers(taken).items():
                response.headers.setdefault(name, value)
        if request.method == "GET" and response.status_code == status.HTTP_200_OK and isinstance(response, Response):
            response.data = known.sparse(response.data, known.asked(request))
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def user(self) -> User:
        """Who calls; never anonymous (DEFAULT_PERMISSION_CLASSES)."""
        user: User = self.request.user  # type: ignore[assignment]
        return user

    @property
    def actor(self) -> Actor:
        """Who calls, for actions."""
        return Actor.of(self.user)

    def need(self, permission: str, sentence: str, *, read_by: str = "") -> None:
        """Raise PermissionDenied (403) unless the caller holds a permission of the product, or ``read_by``, that of
        those who may look at what others change."""
        if not may(self.user, permission) and not (read_by and may(self.user, read_by)):
            raise PermissionDenied(sentence)

    def body(self, shape: type[Body], *, partial: bool = False) -> dict[str, Any]:
        """The checked body. Raises ValidationError (400) with one message per field."""
        checked = shape(data=self.request.data, partial=partial)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def once(self, run: Callable[[], Response]) -> Response:
        """``run``, or its kept answer when the call bears an ``Idempotency-Key`` that was used."""
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return run()

        def kept() -> tuple[int, Any]:
            answer = run()
            headers = {name: answer[name] for name in ("ETag", "Location") if name in answer}
            return answer.status_code, {"body": answer.data, "headers": headers}

        code, answer = idempotent(_holder(self.request), key, _what(self.request), kept)
        return Response(answer["body"], status=code, headers=answer["headers"])


def tagged(answer: dict[str, Any], code: int = status.HTTP_200_OK, *, location: str = "") -> Response:
    """The answer with its ETag."""
    headers = {"ETag": etag(answer["version"], answer), **({"Location": location} if location else {})}
    return Response(answer, status=code, headers=headers)


def read(request: Request, answer: dict[str, Any]) -> Response:
    """The answer to a GET with its ETag, or 304 if the caller has it."""
    tag = etag(answer["version"], answer)
    if unchanged(request, tag):
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
    return tagged(answer)


def read_facts(request: Request, answer: dict[str, Any], passing: tuple[str, ...] = ()) -> Response:
    """``read`` for what has no version: its facts are its version, but for those that change ``passing``ly."""
    tag = facts_tag(answer, passing)
    if unchanged(request, tag):
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
    return Response(answer, headers={"ETag": tag})


def with_facts(
    answer: dict[str, Any], code: int = status.HTTP_200_OK, *, passing: tuple[str, ...] = (), location: str = ""
) -> Response:
    """The answer with its ETag, for what has no version."""
    headers = {"ETag": facts_tag(answer, passing), **({"Location": location} if location else {})}
    return Response(answer, status=code, headers=headers)


def as_read(
    request: Request,
    rows: QuerySet[M],
    show: Callable[[M], dict[str, Any]],
    act: Callable[[], T],
    passing: tuple[str, ...] | None = (),
) -> T:
    """``act`` under ``If-Match``, for actions that take no version. ``rows`` is the one row: it is locked, and shown as
    a GET would show it; if that is not what the caller read, nothing is done. ``passing`` None: it has a version that
    decides. Raises Stale."""
    if "If-Match" not in request.headers or request.headers["If-Match"].strip() == "*":
        return act()
    with transaction.atomic():
        row = rows.select_for_update(of=("self",)).first()
        if row is not None and not named(request, _tag(show(row), passing)):
            raise Stale(_("This was changed by somebody else in the meantime. Nothing was saved."))
        return act()


def _tag(answer: dict[str, Any], passing: tuple[str, ...] | None) -> str:
    return etag(answer["version"], answer) if passing is None else facts_tag(answer, passing)


def guarded(request: Request, model: type[Alert | Incident], pk: int, steps: int, act: Callable[[], T]) -> T:
    """``act`` under ``If-Match``, for actions that take no version: afterwards, with the row locked by the action,
    its version must be the expected one, moved on by ``steps`` or by nothing; else all is undone. Raises Stale."""
    expected = expected_version(request)
    with transaction.atomic() if expected is not None else nullcontext():
        done = act()
        if expected is not None:
            now = model.objects.values_list("version", flat=True).get(pk=pk)
            if now not in (expected, expected + steps):
                raise Stale(
                    _("%(name)s %(pk)s was changed by somebody else in the meantime. Nothing was saved.")
                    % {"name": model.__name__, "pk": pk}
                )
    return done


def whole(value: str) -> int:
    """An id from the path. Raises NotFound for what can be none."""
    if not (value.isascii() and value.isdecimal()) or len(value) > 18:
        raise NotFound
    return int(value)


def _holder(request: Request) -> str:
    return f"token:{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"user:{request.user.pk}"


def _what(request: Request) -> bytes:
    """What must be the same for a call to be a repetition: verb, address, body, condition."""
    parts = (request.method, request.get_full_path(), getattr(request, "body_digest", ""))
    return "\n".join([*map(str, parts), request.headers.get("If-Match", "")]).encode("utf-8", "surrogatepass")
