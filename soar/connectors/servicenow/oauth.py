"""OAuth 2 of ServiceNow: access tokens kept for all processes, and one process at a time that gets a new one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

from soar.connectors.base import ConnectorError
from soar.connectors.models import AccessToken, ConnectorAccount
from soar.connectors.servicenow.answers import document_of, spoken, wait_of
from soar.lib import clock
from soar.lib.answers import TEMPORARY
from soar.lib.crypto import DecryptionError
from soar.lib.database import own_connection
from soar.lib.http import Answer

if TYPE_CHECKING:
    from soar.connectors.servicenow.client import Api

PASSWORD, CLIENT, REFRESH = "password", "client_credentials", "refresh_token"
WAYS = (PASSWORD, CLIENT, REFRESH)
PATH = "oauth_token.do"
SPAN = 1800  # seconds, for an answer that does not tell
EARLY = timedelta(seconds=30)  # before its end a token is not used any more
LOCK = 0x736E6F61  # advisory, with the account: one at a time asks for a token
HINTS = {
    "unauthorized_client": "the instance may not allow it (glide.oauth.inbound.client.credential.grant_type.enabled)",
    "unsupported_grant_type": "the instance does not allow this grant",
}


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """A token and its end. ``refresh``: what the next one is got with."""

    token: str
    refresh: str
    expires_at: datetime

    def fresh(self) -> bool:
        """Whether it may still be used."""
        return bool(self.token) and self.expires_at - EARLY > clock.now()


def access(api: Api, refused: str = "") -> Access:
    """The token to call with: the kept one, or a new one when there is none, it ends, or it is ``refused``.

    Of two that find the same token refused, one asks for a new one and the other takes that: a refresh token may be
    good for one use only. Raises ConnectorError."""
    if found := _usable(api.account, refused):
        return found
    with _alone(api.account.pk):
        if found := _usable(api.account, refused):
            return found
        made = _granted(api, _kept(api.account))
        values = {"token": made.token, "refresh_token": made.refresh, "expires_at": made.expires_at}
        AccessToken.objects.update_or_create(
            account=api.account, defaults={**values, "fingerprint": _fingerprint(api.account)}
        )
        return made


def _usable(account: ConnectorAccount, refused: str) -> Access | None:
    found = _kept(account)
    return found if found and found.fresh() and found.token != refused else None


def _kept(account: ConnectorAccount) -> Access | None:
    """What is kept for these settings and secrets; None for others, and when the key of the columns is lost."""
    row = AccessToken.objects.filter(account=account, fingerprint=_fingerprint(account)).first()
    try:
        return Access(str(row.token), str(row.refresh_token), row.expires_at) if row else None
    except DecryptionError:
        return None


def _fingerprint(account: ConnectorAccount) -> str:
    settings = {name: account.settings.get(name) for name in ("url", "auth", "username", "client_id")}
    told = json.dumps([settings, dict(account.secrets)], sort_keys=True)
    return salted_hmac("soar.connectors.servicenow", told, algorithm="sha256").hexdigest()


@contextmanager
def _alone(account_id: int) -> Iterator[None]:
    # On a connection of its own: it is no transaction, so the call may be made, and it ends with the process.
    with own_connection() as held:
        held.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, account_id])
        yield


def _granted(api: Api, kept: Access | None) -> Access:
    """A new token by the first grant that ServiceNow takes. Raises ConnectorError."""
    grants = _grants(api.account, kept)
    for grant in grants[:-1]:
        try:
            return _asked(api, grant)
        except ConnectorError as error:
            if not error.permanent:
                raise
    return _asked(api, grants[-1])


def _grants(account: ConnectorAccount, kept: Access | None) -> list[dict[str, str]]:
    """The forms to try: a refresh token that was given along, then what the account holds."""
    secrets, settings = account.secrets, account.settings
    way = str(settings.get("auth"))
    tokens = [kept.refresh] if kept and kept.refresh and way != CLIENT else []
    if way == REFRESH and (own := str(secrets.get("refresh_token") or "")) not in tokens:
        tokens.append(own)
    grants = [{"grant_type": REFRESH, "refresh_token": token} for token in tokens]
    if way == PASSWORD:
        person = {"username": str(settings.get("username") or ""), "password": str(secrets.get("password") or "")}
        grants.append({"grant_type": PASSWORD, **person})
    if way == CLIENT:
        grants.append({"grant_type": CLIENT})
    client = {
        "client_id": str(settings.get("client_id") or ""),
        "client_secret": str(secrets.get("client_secret") or ""),
    }
    return [{**grant, **client} for grant in grants]


def _asked(api: Api, form: dict[str, str]) -> Access:
    """One request for a token: nothing is changed by it, so its outcome is never unknown. Raises ConnectorError."""
    try:
        answer = api.unsigned("oauth.token", "POST", PATH, data=form, idempotent=False)
        document = document_of(answer)
    except ConnectorError as error:
        error.outcome_unknown = False
        raise
    if not answer.ok or not isinstance(document, dict) or not isinstance(document.get("access_token"), str):
        raise _refusal(answer, document, form["grant_type"])
    given = document.get("refresh_token")
    refresh = given if isinstance(given, str) and given else form.get("refresh_token", "")
    return Access(document["access_token"], refresh, clock.now() + timedelta(seconds=_span(document.get("expires_in"))))


def _refusal(answer: Answer, document: Any, grant: str) -> ConnectorError:
    code = document.get("error") if isinstance(document, dict) else None
    said = answer.redactor.text(spoken(document) or "nothing more", at_most=400)
    hint = f"; {HINTS[code]}" if isinstance(code, str) and code in HINTS else ""
    return ConnectorError(
        f"ServiceNow gives no access token by the grant {grant} ({answer.status}: {said}){hint}.",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=wait_of(answer) if answer.status == 429 else None,
    )


def _span(seconds: Any) -> int:
    """How long a token is good for; it may be told as text."""
    text = str(seconds)
    return min(int(text), 10**7) if text.isascii() and text.isdigit() and len(text) < 12 else SPAN
