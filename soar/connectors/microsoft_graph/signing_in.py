"""Signing in to Microsoft Graph: the app's own credentials give an access token (OAuth 2, client credentials)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from django.utils.crypto import salted_hmac

from soar.connectors import tokens
from soar.connectors.errors import ConnectorError
from soar.connectors.microsoft_graph.answers import object_of, refusal
from soar.connectors.models import ConnectorAccount
from soar.connectors.tokens import Access
from soar.lib import clock

if TYPE_CHECKING:
    from soar.connectors.microsoft_graph.client import Api

# Where each of Microsoft's clouds signs in; any other address (a gateway, a stand-in) does both.
SIGN_IN = {
    "graph.microsoft.com": "https://login.microsoftonline.com",
    "graph.microsoft.us": "https://login.microsoftonline.us",
    "dod-graph.microsoft.us": "https://login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "https://login.partner.microsoftonline.cn",
}


def place(url: str) -> str:
    """The address that signs in for Graph at ``url``."""
    return SIGN_IN.get((urlsplit(url).hostname or "").lower(), url)


def access(api: Api, refused: str = "") -> Access:
    """The token to call with (soar.connectors.tokens). Raises ConnectorError."""
    return tokens.held(api.account, _mark(api.account), lambda _: _asked(api), refused)


def _mark(account: ConnectorAccount) -> str:
    settings = {name: account.settings.get(name) for name in ("url", "tenant", "client_id")}
    told = json.dumps([settings, dict(account.secrets)], sort_keys=True)
    return salted_hmac("soar.connectors.microsoft_graph", told, algorithm="sha256").hexdigest()


def _asked(api: Api) -> Access:
    """One request for a token. Raises ConnectorError."""
    settings, parts = api.account.settings, urlsplit(str(api.account.settings.get("url") or ""))
    form = {
        "grant_type": "client_credentials",
        "client_id": str(settings.get("client_id") or ""),
        "client_secret": str(api.account.secrets.get("client_secret") or ""),
        "scope": f"{parts.scheme}://{parts.netloc}/.default",
    }
    path = f"{quote(str(settings.get('tenant') or ''), safe='')}/oauth2/v2.0/token"
    answer = api.signing_in("oauth.token", "POST", path, data=form, idempotent=True)
    document = object_of(answer) or {}
    token = document.get("access_token")
    if not answer.ok or not isinstance(token, str) or not token:
        # The first line says it; trace and correlation ids follow.
        why = str(document.get("error_description") or document.get("error") or "").strip().partition("\n")[0]
        raise _refused(refusal(answer, "Microsoft gives no access token", why))
    return Access(token, "", clock.now() + tokens.span(document.get("expires_in")))


def _refused(error: ConnectorError) -> ConnectorError:
    if error.status is not None and error.status < 300:  # a good answer without a token
        error.permanent = False
    return error
