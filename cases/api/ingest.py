"""``POST /api/v1/ingest/<source>/``: plain views on the fast lane (ARCHITECTURE: how one alert travels)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from cases.ingest import counters
from cases.ingest.pipeline import Outcome, receive
from cases.ingest.prepare import Rules
from cases.ingest.reading import BODY_AT_MOST, Unreadable, unpack
from cases.models import SourceToken
from soar.accounts.tokens import digest
from soar.lib.rate import RateLimiter
from soar.problems import problem

_limiter = RateLimiter(lambda: settings.SOURCE_RATE / settings.WEB_WORKERS)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="soar-ingest"'}
RULES = (
    "source_id", "source__name", "source__kind", "source__team_id", "source__default_severity",
    "source__default_tlp", "source__default_tags", "source__key_fields", "source__repeat_rule",
    "source__close_on_resolved", "source__resolved_determination",
)  # fmt: skip
MORE = (
    "source__slug", "source__enabled", "source__allowed_networks", "source__hmac_secret",
    "source__rate_per_second", "expires_at",
)  # fmt: skip


class Refusal(Exception):
    """A whole delivery is refused; carries the answer."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


@dataclass(slots=True)
class Sender:
    """The source that a token belongs to, with what must be checked before its body is read."""

    rules: Rules
    slug: str
    enabled: bool
    networks: list[str]
    hmac_secret: str
    rate: int | None


@csrf_exempt
def ingest(request: HttpRequest, slug: str, token: str = "") -> HttpResponse:
    """Accept a delivery for the source ``slug``. The token stands in ``Authorization: Bearer``,
    ``X-API-Key`` or, for senders that cannot set headers, in the path."""
    if request.method != "POST":
        return problem(405, "Alerts are posted.", headers={"Allow": "POST"})
    sender: Sender | None = None
    try:
        sender = _sender(request, slug, token)
        body = _body(request, sender)
        return _answer(request, sender, body)
    except Refusal as refusal:
        return _refuse(sender, refusal.status, refusal.detail, refusal.headers)
    except Unreadable as error:
        return _refuse(sender, error.status, error.message, None)


def _refuse(sender: Sender | None, status: int, detail: str, headers: dict[str, str] | None) -> HttpResponse:
    if sender:
        counters.note(sender.rules.source_id, refused=1, error=detail)
    return problem(status, detail, headers=headers)


def _sender(request: HttpRequest, slug: str, token: str) -> Sender:
    value = token or _token(request)
    if not value:
        raise Refusal(401, "A source token is missing: send Authorization: Bearer <token>.", CHALLENGE)
    row = SourceToken.objects.filter(digest=digest(value), revoked_at=None).values_list(*RULES, *MORE).first()
    if row is None or (row[-1] and row[-1] <= timezone.now()):
        raise Refusal(401, "The token is not known, has expired or was revoked.", CHALLENGE)
    rules = Rules(*row[: len(RULES)])
    sender = Sender(rules, *row[len(RULES) : -1])
    if sender.slug != slug:
        raise Refusal(403, "The token belongs to another source.")
    if not sender.enabled:
        raise Refusal(403, "This source is disabled.")
    _check_address(request, sender)
    _check_rate(sender)
    return sender


def _token(request: HttpRequest) -> str:
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(value).strip()
    return str(request.META.get("HTTP_X_API_KEY", "")).strip()


def _check_address(request: HttpRequest, sender: Sender) -> None:
    if not sender.networks:
        return
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        raise Refusal(403, "The address of the sender is not known.") from None
    if not any(address in ipaddress.ip_network(network, strict=False) for network in sender.networks):
        raise Refusal(403, f"{address} is not on the list of addresses that this source accepts.")


def _check_rate(sender: Sender) -> None:
    rate = sender.rate / settings.WEB_WORKERS if sender.rate else None
    if wait := _limiter.take(sender.rules.source_id, rate=rate):
        raise Refusal(429, "This source sends more than it may.", {"Retry-After": str(int(wait) + 1)})


def _body(request: HttpRequest, sender: Sender) -> bytes:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_AT_MOST:
            raise Refusal(413, "The body is larger than 10 MiB.")
        raw = request.body
    except ValueError:
        raise Refusal(400, "Content-Length is not a number.") from None
    except (RequestDataTooBig, RawPostDataException):
        raise Refusal(413, "The body is larger than 10 MiB.") from None
    except OSError:
        raise Refusal(400, "The body ended before its announced length.") from None
    if sender.hmac_secret:
        _check_signature(request, raw, sender.hmac_secret)
    return unpack(raw, request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower())


def _check_signature(request: HttpRequest, raw: bytes, secret: str) -> None:
    given = request.headers.get("X-Webhook-Signature") or request.headers.get("X-Hub-Signature-256") or ""
    wanted = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise Refusal(401, "X-Webhook-Signature is missing or wrong: sha256=<hex HMAC of the body>.")


def _answer(request: HttpRequest, sender: Sender, body: bytes) -> HttpResponse:
    if key := request.headers.get("Idempotency-Key"):
        from cases.idempotency import idempotent

        holder = f"source:{sender.rules.source_id}"
        status, answer = idempotent(holder, key, body, lambda: _take(request, sender, body))
        return _json(status, answer)
    return _json(*_take(request, sender, body))


def _take(request: HttpRequest, sender: Sender, body: bytes) -> tuple[int, dict[str, Any]]:
    """Store the delivery and count it. Returns the status and the answer."""
    outcomes, several = receive(sender.rules, body, request.META.get("CONTENT_TYPE", ""))
    _count(sender, outcomes)
    if not several:
        return outcomes[0].status, outcomes[0].as_json(sender.rules)
    results = [{"status": one.status, **one.as_json(sender.rules)} for one in outcomes]
    return 207, {"results": results}


def _count(sender: Sender, outcomes: list[Outcome]) -> None:
    created = sum(one.status == 201 for one in outcomes)
    refused = [one.detail for one in outcomes if one.detail]
    counters.note(
        sender.rules.source_id,
        accepted=created,
        repeats=len(outcomes) - created - len(refused),
        refused=len(refused),
        error=refused[-1] if refused else "",
    )


def _json(status: int, answer: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), status=status, content_type="application/json")
