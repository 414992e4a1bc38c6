"""What every connector is made of: an account, a client, and an attempt written before each call."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from soar.connectors import attempts
from soar.connectors.errors import ConnectorError
from soar.connectors.kinds import HIDDEN_ADDRESS, telling_parts
from soar.connectors.models import ConnectorAccount
from soar.lib import clock
from soar.lib.http import Answer, Client, Limits, RemoteError

__all__ = ["Connector", "ConnectorError", "Health"]


@dataclass(frozen=True, slots=True)
class Health:
    """The result of a test: ``message`` says in a sentence what was found."""

    ok: bool
    message: str
    at: datetime
    milliseconds: int


class Connector:
    """A kind's class derives from this and offers verbs that go through ``call``.

    ``cause``: the uuid that an alert, its runs and its calls share. ``dry_run``: nothing is sent. ``followed``: the
    caller commits at once what came of each call, so what is written of its end need not wait for the disk by itself.
    """

    kind: ClassVar[str]
    followed: bool = False

    def __init__(self, account: ConnectorAccount, *, cause: uuid.UUID | None = None, dry_run: bool = False) -> None:
        self.account = account
        self.cause = cause
        self.dry_run = dry_run

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.account.name!r}>"

    def test(self) -> Health:
        """Whether the product answers and takes our secrets; never raises ConnectorError."""
        started = clock.now()
        try:
            message, ok = self.check(), True
        except ConnectorError as error:
            message, ok = error.message, False
        ended = clock.now()
        return Health(ok, message, ended, round((ended - started).total_seconds() * 1000))

    def check(self) -> str:
        """Make a harmless call; a sentence of what was found. Raises ConnectorError. Each kind has its own."""
        answer = self.call("test", "GET", "")
        return f"Answered {answer.status}."

    def client(self) -> Client:
        """The client of this account. Kinds add headers by ``sign_in``."""
        account = self.account
        headers, basic = self.sign_in(account.secrets)
        return Client(
            self.address(),
            verify_tls=account.verify_tls,
            authority=self.authority(),
            public=not _same_host(self.address(), str(account.settings.get("url") or "")),
            proxy=account.proxy,
            allow_internal=account.allow_internal,
            headers=headers,
            auth=basic,
            secrets=self.hidden(),
            limits=self.limits(),
        )

    def address(self) -> str:
        """What paths of calls are below. Kinds that sign in elsewhere have a second one."""
        return str(self.account.secrets.get(HIDDEN_ADDRESS) or self.account.settings.get("url", ""))

    def authority(self) -> str:
        """Certificates of who alone may vouch for the host of the account's address, and besides the public ones for
        others that belong to it (where it signs in); "" for the public ones."""
        return str(self.account.settings.get("ca") or "")

    def limits(self) -> Limits:
        """The bounds of one call. Kinds that somebody waits for have narrower ones."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds)

    def hidden(self) -> list[str]:
        """What is taken out of messages and records: the secrets, and parts of them that could stand alone."""
        secrets = self.account.secrets
        # Of an address only what follows the host: people have to see where a call went.
        plain = [str(secret) for name, secret in secrets.items() if name != HIDDEN_ADDRESS]
        return [*plain, *telling_parts(str(secrets.get(HIDDEN_ADDRESS, "")))]

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """Headers, and (user name, password) for HTTP Basic: bearer token first, as most products want it."""
        if token := secrets.get("token"):
            return {"Authorization": f"Bearer {token}"}, None
        if secrets.get("username") or secrets.get("password"):
            return {}, (secrets.get("username", ""), secrets.get("password", ""))
        return {}, None

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        idempotency_key: str = "",
        idempotent: bool | None = None,
        fine: Collection[int] = (),
        kept: bool = True,
        **content: Any,
    ) -> Answer:
        """One call with its attempt row: written and committed before, finished after (connectors.md 3).

        ``kept``: whether the body of a good answer is; not for what is read all day long and stored elsewhere.
        ``fine``: statuses besides 2xx that are no failure (404 of one who is asked whether it knows something).
        ``content``: json, params, data, content, headers. Raises ConnectorError when the account is
        disabled, its budget is spent, or there is no answer. The answer may have any status.
        Raises RuntimeError inside a transaction: a slow product would hold its locks.
        """
        if self.dry_run:
            raise ConnectorError("In a dry run nothing is sent.", permanent=True)
        if not self.account.enabled:
            raise ConnectorError(f"The connector {self.account.name} is disabled.", permanent=True)
        with _open(self) as client:
            request = _built(client, method, path, content)
            sent = _described(client, request, content)
            attempt = attempts.begin(self.account, operation, sent, key=idempotency_key, cause=self.cause)
            options: dict[str, Any] = {"idempotent": idempotent, "idempotency_key": idempotency_key}
            try:
                answer = client.send(request, cause=self.cause or "", **options)
            except RemoteError as error:
                attempts.fail(attempt, error)
                raise ConnectorError.of(error) from None
            except BaseException:
                attempts.lose(attempt)
                raise
            attempts.finish(attempt, answer, fine, kept=kept, followed=self.followed)
            return answer

    def preview(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The request of ``call`` as it would be sent, without secrets; sends and writes nothing."""
        with _open(self) as client:
            request = _built(client, method, path, content)
            return {"dry_run": True, "request": _described(client, request, content)}


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one).hostname == urlsplit(other).hostname


def _open(connector: Connector) -> Client:
    try:
        return connector.client()
    except (ValueError, UnicodeError) as error:  # a header with a line break, a proxy that is none
        text = f"The settings of {connector.account.name} cannot be used ({type(error).__name__})."
        raise ConnectorError(text, permanent=True) from None


def _built(client: Client, method: str, path: str, content: dict[str, Any]) -> httpx.Request:
    """The request. Raises ConnectorError for one that cannot be built."""
    try:
        return client.build(method, path, **content)
    except RemoteError as error:
        raise ConnectorError.of(error) from None
    except (TypeError, ValueError) as error:
        raise ConnectorError(f"The request cannot be built: {error}", permanent=True) from None


def _described(client: Client, request: httpx.Request, content: dict[str, Any]) -> dict[str, Any]:
    """A request as it may be kept and shown."""
    body = content.get("json", content.get("data", content.get("content")))
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    return {
        "method": request.method,
        "url": client.redactor.url(str(request.url)),
        "headers": client.redactor.headers(_own_headers(request.headers)),
        "body": client.redactor.data(body),
    }


def _own_headers(headers: Any) -> dict[str, str]:
    dull = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length"}
    return {key: value for key, value in headers.items() if key not in dull}
