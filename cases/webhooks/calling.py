"""The call itself: one signed POST that follows no redirect and reaches no internal address unless an admin said so."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from cases.models import WebhookEndpoint
from soar.connectors.webhook.signing import headers_of
from soar.lib import clock
from soar.lib.clock import seconds_until
from soar.lib.http import Client, Limits, RemoteError

CONNECT = 5.0
ANSWER_AT_MOST = 64 * 1024  # of which nothing is kept
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. ``status``: of the answer; ``error``: "" if it was taken; ``wait``: seconds it asked for."""

    milliseconds: int
    status: int | None = None
    error: str = ""
    wait: float = 0.0

    @property
    def taken(self) -> bool:
        """Whether the receiver has it: it answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


def client_of(endpoint: WebhookEndpoint) -> Client:
    """A client for the endpoint's host; a context manager."""
    return Client(
        endpoint.place,
        authority=endpoint.ca,
        allow_internal=endpoint.allow_internal,
        secrets=[_path(endpoint), endpoint.secret, endpoint.old_secret],
        limits=_limits(),
    )


def call(client: Client, endpoint: WebhookEndpoint, event: str, body: str) -> Outcome:
    """Sign and send ``body`` once. Never raises for what the receiver or the network does."""
    content = body.encode()
    headers = headers_of(event, int(time.time()), content, secrets_of(endpoint))
    headers |= {"Content-Type": "application/json", "User-Agent": "Soar-Webhooks"}
    started = time.monotonic()
    try:
        answer = client.request("POST", _path(endpoint), idempotent=False, content=content, headers=headers)
    except RemoteError as error:
        return _broken(error, _since(started))
    said = "" if answer.ok else f"It answered {answer.status}."
    return Outcome(_since(started), answer.status, said, seconds_until(answer.headers.get("retry-after", "")) or 0.0)


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign now, the newest first."""
    old = endpoint.old_secret and endpoint.old_until is not None and endpoint.old_until > clock.now()
    return [str(endpoint.secret), *([str(endpoint.old_secret)] if old else [])]


def _broken(error: RemoteError, milliseconds: int) -> Outcome:
    # An answer of 2xx that is too large to read is an answer of 2xx.
    taken = error.status is not None and 200 <= error.status < 300
    return Outcome(milliseconds, error.status, "" if taken else error.message[:1000])


def _path(endpoint: WebhookEndpoint) -> str:
    parts = urlsplit(str(endpoint.url))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _limits() -> Limits:
    seconds = float(settings.WEBHOOK_SECONDS)
    connect = min(CONNECT, seconds)
    return Limits(connect, seconds, seconds, ANSWER_AT_MOST, tries=1, longest_wait=0.0, redirects=0)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
