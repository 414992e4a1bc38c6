"""``POST /api/v1/servicenow/<slug>/events/``: ServiceNow says that something changed there (servicenow.md 5).

It only hurries the poll: nothing of the body is believed, so whoever has the secret can make Soar read a little sooner
and nothing else. Who has none learns nothing, not even whether there is such an instance."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt

from cases.models import ServiceNowInstance
from cases.servicenow.polling import hurry
from soar.lib import context
from soar.lib.crypto import DecryptionError
from soar.lib.shared_rate import SharedRateLimiter, rate_headers
from soar.problems import problem

BODY_AT_MOST = 64 * 1024
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="soar-servicenow"'}
SIGNATURES = ("X-Webhook-Signature", "X-Hub-Signature-256")
DECOY = "there-is-no-such-instance"  # compared where there is none, so that both take as long
_limiter = SharedRateLimiter(lambda: settings.DATA_DIR / "rates" / "events", lambda: settings.EVENTS_RATE)


@csrf_exempt
def events(request: HttpRequest, slug: str) -> HttpResponse:
    """202 for who has the instance's secret, 401 for everybody else. The secret stands in ``Authorization: Bearer`` or
    ``X-Soar-Secret``, or signs the body: ``X-Webhook-Signature: sha256=<hex HMAC>``."""
    if request.method != "POST":
        return problem(405, "Events are posted.", headers={"Allow": "POST"})
    taken = _limiter.take(_bucket(context.address.get()))
    if taken.wait:
        headers = {"Retry-After": str(int(taken.wait) + 1), **rate_headers(taken)}
        return problem(429, "Too many calls from this address.", headers=headers)
    body = _body(request)
    if body is None:
        return problem(413, f"The body is larger than {BODY_AT_MOST // 1024} KiB.")
    instance = _instance(slug)
    if not _is_right(request, body, _secret(instance)) or instance is None:
        return problem(401, "The secret of the webhook is missing or wrong.", headers=CHALLENGE)
    return JsonResponse({"queued": hurry(instance.pk)}, status=202)


def _bucket(address: str) -> int:
    """A number for an address, which the limiter counts by."""
    return int.from_bytes(hashlib.sha256(address.encode()).digest()[:7]) + 1


def _body(request: HttpRequest) -> bytes | None:
    """The bytes; None if there are too many of them."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_AT_MOST:
            return None
        raw = request.body
    except (ValueError, RequestDataTooBig, RawPostDataException, OSError):
        return None
    return raw if len(raw) <= BODY_AT_MOST else None


def _instance(slug: str) -> ServiceNowInstance | None:
    try:
        return ServiceNowInstance.objects.only("pk", "webhook_secret").filter(slug=slug).first()
    except DecryptionError:
        return None


def _secret(instance: ServiceNowInstance | None) -> str:
    try:
        return instance.webhook_secret if instance is not None else ""
    except DecryptionError:  # the key is lost: nobody can have the right one
        return ""


def _is_right(request: HttpRequest, body: bytes, secret: str) -> bool:
    """Whether the request proves that it knows the secret; both ways are always tried."""
    key = (secret or DECOY).encode()
    told = hmac.compare_digest(_told(request).encode("utf-8", "replace"), key)
    wanted = b"sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest().encode()
    signed = hmac.compare_digest(_signature(request).encode("utf-8", "replace"), wanted)
    return bool(secret) and (told or signed)


def _told(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else request.headers.get("X-Soar-Secret", "")


def _signature(request: HttpRequest) -> str:
    return next((request.headers[name] for name in SIGNATURES if name in request.headers), "")
