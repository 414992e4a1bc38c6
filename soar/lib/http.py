"""The one way out: every HTTP call to another product is made by a ``Client`` of this file (connectors.md 1).

It bounds time and size, repeats only what is safe to repeat, stays on the host it was given, reaches no internal
address unless allowed, sends a request id and the cause, and tells nobody a secret. One client belongs to one thread.
"""

from __future__ import annotations

import logging
import ssl
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Self

import httpcore
import httpx

from soar.lib import addresses, tls
from soar.lib.answers import Answer, RemoteError, json_or_error
from soar.lib.bodies import TooLarge, read_body
from soar.lib.clock import seconds_until
from soar.lib.context import caused_by
from soar.lib.redact import Redactor

__all__ = ["Answer", "Client", "Limits", "RemoteError", "json_or_error"]

logger = logging.getLogger(__name__)
# These write whole addresses, query and all, at INFO and DEBUG: a token may stand in one.
for noisy in ("httpx", "httpcore"):
    logging.getLogger(noisy).setLevel(logging.WARNING)

IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
BUSY = {429, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}
# The server never saw the request, so repeating it is safe for every method.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call: seconds, bytes (after decompression), tries, seconds waited for ``Retry-After`` at most."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 60.0
    response_bytes: int = 10 * 1024 * 1024
    tries: int = 3
    longest_wait: float = 20.0
    redirects: int = 3


class Client:
    """A sync client for one product at ``base_url``; use it as a context manager.

    ``secrets`` are taken out of messages and logs. ``auth``: (user name, password). ``proxy``: its URL, or "".
    ``authority``: certificates (PEM) of who alone may vouch for the server, with ``public`` besides the public ones; ""
    for the latter. Raises ValueError for one that is no certificate.
    """

    def __init__(
        self,
        base_url: str,
        *,
        verify_tls: bool = True,
        authority: str = "",
        public: bool = False,
        proxy: str = "",
        allow_internal: bool = False,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        secrets: Iterable[object] = (),
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.redactor = Redactor(secrets)
        self._base = base_url.rstrip("/")
        self._allow_internal = allow_internal
        self._proxied = bool(proxy)
        self._http = httpx.Client(
            transport=_Transport(_Trust(verify_tls, authority, public), proxy, allow_internal),
            headers={"User-Agent": "Soar", "Accept": "application/json", **(headers or {})},
            auth=auth,
            timeout=httpx.Timeout(self.limits.read, connect=self.limits.connect),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def build(self, method: str, path: str, **content: Any) -> httpx.Request:
        """The request as it would be sent. ``content``: json, params, data, content, headers as httpx takes them.

        Raises RemoteError when ``path`` leaves the base address.
        """
        url = _inside(self._base, path)
        return self._http.build_request(method.upper(), url, **content)

    def request(
        self,
        method: str,
        path: str,
        *,
        idempotent: bool | None = None,
        cause: object = "",
        idempotency_key: str = "",
        **content: Any,
    ) -> Answer:
        """Build a request and send it, as the two methods of these names."""
        request = self.build(method, path, **content)
        return self.send(request, idempotent=idempotent, cause=cause, idempotency_key=idempotency_key)

    def send(
        self, request: httpx.Request, *, idempotent: bool | None = None, cause: object = "", idempotency_key: str = ""
    ) -> Answer:
        """Send what ``build`` made and return the answer, whatever its status (see ``json_or_error``).

        ``idempotent`` (default: by the method) allows to repeat after 502, 503, 504 and broken connections.
        Raises RemoteError when there is no answer within the limits.
        """
        request.headers["X-Request-ID"] = uuid.uuid4().hex
        request.headers["Accept-Encoding"] = "gzip"
        if cause:
            request.headers["X-Soar-Cause"] = str(cause)
        if idempotency_key:
            request.headers["Idempotency-Key"] = idempotency_key
        repeatable = request.method in IDEMPOTENT if idempotent is None else idempotent
        token = addresses.deadline.set(time.monotonic() + self.limits.total)
        try:
            with caused_by(cause):
                return self._tries(request, repeatable)
        finally:
            addresses.deadline.reset(token)

    def _tries(self, request: httpx.Request, repeatable: bool) -> Answer:
        """Try until there is an answer to keep, the tries are spent, or waiting would take too long."""
        started = time.monotonic()
        for number in range(1, self.limits.tries + 1):
            last = number == self.limits.tries
            try:
                answer = self._redirected(request, number)
            except RemoteError as error:
                wait = self._pause(number, None)
                if last or error.permanent or (error.outcome_unknown and not repeatable) or not self._fits(wait):
                    raise
            else:
                wait = self._pause(number, answer)
                # 429 means "not done, come later" for every method; the others may hide an effect.
                again = answer.status in BUSY and (repeatable or answer.status == 429)
                if last or not again or not self._fits(wait):
                    self._log(request, answer, started)
                    return answer
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _pause(self, number: int, answer: Answer | None) -> float:
        """Seconds before the next try: what the server asks for, else 0.25, 0.5, 1 ..."""
        asked = seconds_until(answer.headers.get("retry-after", "")) if answer else None
        return asked if asked is not None else 0.25 * 2 ** (number - 1)

    def _fits(self, wait: float) -> bool:
        end = addresses.deadline.get() or 0.0
        return wait <= self.limits.longest_wait and time.monotonic() + wait < end

    def _redirected(self, request: httpx.Request, number: int) -> Answer:
        """One try, following redirects that stay on the host."""
        for _ in range(self.limits.redirects + 1):
            answer = self._send(request, number)
            target = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not target:
                return answer
            request = self._follow(request, answer, target)
        raise RemoteError(f"{request.url.host} redirects in circles", permanent=True, status=answer.status)

    def _follow(self, request: httpx.Request, answer: Answer, target: str) -> httpx.Request:
        url = request.url.join(target)
        if request.method not in {"GET", "HEAD"}:
            text = f"{request.url.host} redirects a {request.method}; give the final address instead"
            raise RemoteError(text, permanent=True, status=answer.status)
        if not _same_place(request.url, url):
            text = f"{request.url.host} redirects to another host ({url.host or 'none'}), which is not followed"
            raise RemoteError(text, permanent=True, status=answer.status)
        return httpx.Request(request.method, url, headers=request.headers, extensions=request.extensions)

    def _send(self, request: httpx.Request, number: int) -> Answer:
        """One exchange. Raises RemoteError."""
        host = request.url.host
        try:
            self._check_behind_proxy(request.url)
            response = self._http.send(request, stream=True)
            try:
                body = read_body(response, self.limits.response_bytes)
            finally:
                response.close()
        except addresses.AddressRefused as error:
            raise RemoteError(f"{host} is not reached: {error}", permanent=True) from None
        except TooLarge as error:
            raise RemoteError(f"{host} {error}", permanent=True, status=response.status_code) from None
        except NOT_SENT as error:
            permanent = "certificate verify failed" in str(error).lower()
            raise RemoteError(self._words(host, "cannot be reached", error), permanent=permanent) from None
        except httpx.HTTPError as error:
            words = self._words(host, "gave no whole answer", error)
            raise RemoteError(words, permanent=False, outcome_unknown=True) from None
        identity = request.headers["X-Request-ID"]
        shown = self.redactor.url(str(request.url))
        return Answer(response.status_code, response.headers, body, shown, identity, number, self.redactor)

    def _check_behind_proxy(self, url: httpx.URL) -> None:
        # The proxy connects for us, so here the name is judged before; what only the proxy can resolve is its business.
        if self._proxied:
            try:
                addresses.resolve(url.host, url.port or 443, self._allow_internal)
            except (OSError, UnicodeError):
                return

    def _words(self, host: str, what: str, error: Exception) -> str:
        reason = "it took too long" if isinstance(error, httpx.TimeoutException) else self.redactor.text(str(error))
        return f"{host} {what}: {reason}"

    def _log(self, request: httpx.Request, answer: Answer, started: float) -> None:
        milliseconds = round((time.monotonic() - started) * 1000)
        logger.info(
            "%s %s -> %s in %s ms (tries %s, request %s)",
            request.method, answer.url, answer.status, milliseconds, answer.tries, answer.request_id,
        )  # fmt: skip


class _Trust(NamedTuple):
    """Whom a server is believed to be who it is by (soar.lib.tls)."""

    verify: bool
    authority: str
    public: bool


@lru_cache(maxsize=32)
def _context(trust: _Trust) -> ssl.SSLContext:
    """One context for all clients: making it reads the whole certificate store. Raises ValueError."""
    return tls.context(trust.verify, trust.authority, public=trust.public)


class _Transport(httpx.HTTPTransport):
    """httpx's transport over our own way of opening sockets."""

    def __init__(self, trust: _Trust, proxy: str, allow_internal: bool) -> None:
        context = _context(trust)
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        if proxy:
            self._pool = _proxy_pool(httpx.Proxy(proxy), trust)
        else:
            backend = addresses.GuardedBackend(allow_internal)
            self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)


def _proxy_pool(proxy: httpx.Proxy, trust: _Trust) -> httpcore.HTTPProxy:
    # The authority is that of the product; of the proxy it may be, beside the public ones.
    own = _context(trust._replace(public=True)) if proxy.url.scheme == "https" else None
    # An admin named the proxy, so it may be inside.
    return httpcore.HTTPProxy(
        proxy_url=str(proxy.url),
        proxy_auth=proxy.raw_auth,
        ssl_context=_context(trust),
        proxy_ssl_context=own,
        network_backend=addresses.GuardedBackend(allow_internal=True),
    )


def _same_place(one: httpx.URL, other: httpx.URL) -> bool:
    """Same scheme, host and port, or the step from http to https on the standard ports."""
    if one.host != other.host or other.userinfo:
        return False
    if (one.scheme, one.port) == (other.scheme, other.port):
        return True
    return (one.scheme, one.port, other.scheme, other.port) == ("http", None, "https", None)


def _inside(base: str, path: str) -> str:
    """``path`` under ``base``. Raises RemoteError for another host or a way out (``..``, ``//``, a scheme)."""
    clean = path.lstrip("/")
    steps = clean.partition("?")[0].replace("\\", "/").replace("%2e", ".").replace("%2E", ".").split("/")
    if path.startswith("//") or "://" in path.partition("?")[0] or ".." in steps:
        raise RemoteError(f"{path!r} is no path under the connector's address", permanent=True)
    return f"{base}/{clean}" if clean else base
