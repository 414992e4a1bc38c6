"""OAuth 2 of ServiceNow: what a token is asked for with, and what it says when it gives none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

from soar.connectors import tokens
from soar.connectors.base import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.connectors.servicenow.answers import document_of, spoken, wait_of
from soar.connectors.tokens import Access
from soar.lib import clock
from soar.lib.answers import TEMPORARY
from soar.lib.http import Answer

if TYPE_CHECKING:
    from soar.connectors.servicenow.client import Api

PASSWORD, CLIENT, REFRESH = "password", "client_credentials", "refresh_token"
WAYS = (PASSWORD, CLIENT, REFRESH)
PATH = "oauth_token.do"
HINTS = {
    "unauthorized_client": "the instance may not allow it (glide.oauth.inbound.client.credential.grant_type.enabled)",
    "unsupported_grant_type": "the instance does not allow this grant",
}


def access(api: Api, refused: str = "") -> Access:
    """The token to call with (soar.connectors.tokens). Raises ConnectorError."""
    return tokens.held(api.account, _fingerprint(api.account), lambda kept: _granted(api, kept), refused)


def _fingerprint(account: ConnectorAccount) -> str:
    settings = {name: account.settings.get(name) for name in ("url", "auth", "username", "client_id")}
    told = json.dumps([settings, dict(account.secrets)], sort_keys=True)
    return salted_hmac("soar.connectors.servicenow", told, algorithm="sha256").hexdigest()


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
    refreshing = [kept.refresh] if kept and kept.refresh and way != CLIENT else []
    if way == REFRESH and (own := str(secrets.get("refresh_token") or "")) not in refreshing:
        refreshing.append(own)
    grants = [{"grant_type": REFRESH, "refresh_token": token} for token in refreshing]
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
    return Access(document["access_token"], refresh, clock.now() + tokens.span(document.get("expires_in")))


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
