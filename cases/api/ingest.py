"""``POST /api/v1/ingest/<source>/``: plain views on the fast lane (docs/architecture.md: the way of an alert)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt

from cases.api.dialects import NATIVE, Dialect, as_it_is
from cases.api.unread import keep_items, keep_whole
from cases.idempotency import idempotent
from cases.ingest import counters
from cases.ingest.mappings import overlay_of
from cases.ingest.pipeline import Outcome, receive
from cases.ingest.prepare import Rules
from cases.ingest.reading import BODY_AT_MOST, Unreadable, unpack
from cases.ingest.registry import kind_of
from soar.accounts.tokens import digest
from soar.lib import context, pressure
from soar.lib.context import know
from soar.lib.crypto import decrypt
from soar.lib.database import prepared
from soar.lib.errors import CaseError
from soar.lib.shared_rate import SharedRateLimiter, Taken, rate_headers

logger = logging.getLogger(__name__)
_limiter = SharedRateLimiter(lambda: settings.DATA_DIR / "rates" / "sources", lambda: settings.SOURCE_RATE)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="soar-ingest"'}
# The driver's own cursor and a prepared statement: this look-up is paid by every delivery.
SENDER = """
SELECT s.id, s.name, s.kind, s.team_id, s.default_severity, s.default_tlp, s.default_tags, s.key_fields,
    s.repeat_rule, s.close_on_resolved, s.resolved_determination,
    coalesce((SELECT number FROM cases_suppressiongeneration WHERE id = 1), 0),
    s.slug, s.enabled, s.allowed_networks, s.hmac_secret, s.rate_per_second, s.mapping_id
FROM cases_sourcetoken t JOIN cases_alertsource s ON s.id = t.source_id
WHERE t.digest = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
"""
RULES = 12  # the first columns make up Rules


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
    taken: Taken | None = None


@csrf_exempt
def ingest(request: HttpRequest, slug: str, token: str = "") -> HttpResponse:
    """Accept a delivery for the source ``slug``. The token stands in ``Authorization: Bearer``,
    ``X-API-Key``, the password of ``Authorization: Basic`` or, for senders that cannot set headers, in the path."""
    return deliver(request, NATIVE, slug, token)


def deliver(request: HttpRequest, dialect: Dialect, slug: str = "", token: str = "") -> HttpResponse:
    """Accept a delivery and answer it in the words that its sender understands. Without a ``slug`` the token alone
    tells the source, which must be of a kind that the dialect is for."""
    if request.method != "POST":
        return dialect.refuse(405, "Alerts are posted.", {"Allow": "POST"})
    try:
        sender = _sender(request, slug, token)
    except Refusal as refusal:
        return dialect.refuse(refusal.status, refusal.detail, refusal.headers)
    answer = _received(request, dialect, sender)
    for name, value in rate_headers(sender.taken).items() if sender.taken else ():
        answer.headers[name] = value
    return answer


def _received(request: HttpRequest, dialect: Dialect, sender: Sender) -> HttpResponse:
    body: bytes | None = None
    try:
        _check_kind(sender, dialect)
        body = dialect.unwrap(_body(request, sender), request.META.get("CONTENT_TYPE", ""))
        return _answer(request, sender, dialect, body)
    except Refusal as refusal:
        return _refuse(sender, dialect, refusal.status, refusal.detail, refusal.headers)
    except CaseError as error:
        return _refuse(sender, dialect, error.status, error.message, None)
    except Unreadable as error:
        keep_whole(request, sender.rules.source_id, error, body, wrapped=dialect.unwrap is not as_it_is)
        return _refuse(sender, dialect, error.status, error.message, None)


def _refuse(sender: Sender, dialect: Dialect, status: int, detail: str, headers: dict[str, str] | None) -> HttpResponse:
    counters.note(sender.rules.source_id, refused=1, error=detail)
    return dialect.refuse(status, detail, headers)


def _check_kind(sender: Sender, dialect: Dialect) -> None:
    if dialect.kinds and sender.rules.kind not in dialect.kinds:
        label = kind_of(sender.rules.kind).label
        raise Refusal(
            403,
            f"This address takes what is sent to {dialect.name}; the token is that of a source of the kind {label}."
            f" Its own address is /api/v1/ingest/{sender.slug}/.",
        )


def _sender(request: HttpRequest, slug: str, token: str) -> Sender:
    value = token or _token(request)
    if not value:
        raise Refusal(401, "A source token is missing: send Authorization: Bearer <token>.", CHALLENGE)
    with prepared() as cur:
        row = cur.execute(SENDER, [digest(value)], prepare=True).fetchone()
    if row is None:
        raise Refusal(401, "The token is not known, has expired or was revoked.", CHALLENGE)
    *columns, mapping_id = row
    rules = Rules(*columns[:RULES])
    if mapping_id is not None:
        rules = replace(rules, mapping=overlay_of(mapping_id))
    sender = Sender(rules, *columns[RULES:])
    try:
        _admit(request, sender, slug)
    except Refusal as refusal:
        counters.note(rules.source_id, refused=1, error=refusal.detail)
        raise
    return sender


def _admit(request: HttpRequest, sender: Sender, slug: str) -> None:
    """Whether the source takes anything from there now. Raises Refusal."""
    if slug and sender.slug != slug:
        raise Refusal(403, "The token belongs to another source.")
    if not sender.enabled:
        raise Refusal(403, "This source is disabled.")
    _check_address(sender)
    sender.taken = _within_rate(sender)
    if pressure.queue.too_far_behind():
        wait = {"Retry-After": str(pressure.RETRY_AFTER)}
        raise Refusal(503, "The portal is far behind with its work. Nothing was accepted; send it again later.", wait)


def _token(request: HttpRequest) -> str:
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(value).strip()
    if key := str(request.META.get("HTTP_X_API_KEY", "")).strip():
        return key
    return _password(value) if scheme.lower() == "basic" else ""


def _password(value: str) -> str:
    """The password of Basic authentication, which some senders have instead of headers; the name says nothing."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        return ""


def _check_address(sender: Sender) -> None:
    if not sender.networks:
        return
    try:
        address = ipaddress.ip_address(context.address.get())
    except ValueError:
        raise Refusal(403, "The address of the sender is not known.") from None
    if not any(address in ipaddress.ip_network(network, strict=False) for network in sender.networks):
        raise Refusal(403, f"{address} is not on the list of addresses that this source accepts.")


def _within_rate(sender: Sender) -> Taken:
    taken = _limiter.take(sender.rules.source_id, rate=sender.rate)
    if taken.wait:
        wait = {"Retry-After": str(int(taken.wait) + 1)}
        raise Refusal(429, "This source sends more than it may.", wait | rate_headers(taken))
    return taken


def _body(request: HttpRequest, sender: Sender) -> bytes:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_AT_MOST:
            raise Unreadable(413, "The body is larger than 10 MiB.")
        raw = request.body
    except ValueError:
        raise Refusal(400, "Content-Length is not a number.") from None
    except (RequestDataTooBig, RawPostDataException):
        raise Unreadable(413, "The body is larger than 10 MiB.") from None
    except OSError:
        raise Unreadable(400, "The body ended before its announced length.") from None
    if secret := _secret(sender.hmac_secret):
        _check_signature(request, raw, secret)
    return unpack(raw, request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower())


@lru_cache(maxsize=256)
def _secret(cipher: str) -> str:
    """A source's signing secret; empty where it has none (that too is stored encrypted)."""
    return decrypt(cipher) if cipher else ""


def _check_signature(request: HttpRequest, raw: bytes, secret: str) -> None:
    given = request.headers.get("X-Webhook-Signature") or request.headers.get("X-Hub-Signature-256") or ""
    wanted = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise Refusal(401, "X-Webhook-Signature is missing or wrong: sha256=<hex HMAC of the body>.")


def _answer(request: HttpRequest, sender: Sender, dialect: Dialect, body: bytes) -> HttpResponse:
    if key := request.META.get("HTTP_IDEMPOTENCY_KEY"):
        holder = f"source:{sender.rules.source_id}"
        status, answer = idempotent(holder, key, body, lambda: _take(request, sender, dialect, body))
        return _json(status, answer)
    return _json(*_take(request, sender, dialect, body))


def _take(request: HttpRequest, sender: Sender, dialect: Dialect, body: bytes) -> tuple[int, dict[str, Any]]:
    """Store the delivery and count it. Returns the status and the answer."""
    outcomes, several = receive(sender.rules, body, request.META.get("CONTENT_TYPE", ""))
    if not several and outcomes[0].id:
        know(outcomes[0].cause)
        logger.debug("Source %s: alert %s was accepted", sender.slug, outcomes[0].id)
    _count(sender, outcomes)
    keep_items(request, sender.rules.source_id, outcomes)
    return dialect.answer(sender.rules, outcomes, several, body)


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
    body = msgspec.json.encode(answer)
    length = {"Content-Length": str(len(body))}  # no middleware sets it here, and a chunked answer costs more
    return HttpResponse(body, status=status, content_type="application/json", headers=length)
