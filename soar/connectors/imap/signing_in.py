"""Signing in to a mailbox by OAuth 2: the app's own credentials give an access token (client credentials, XOAUTH2)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors import tokens
from soar.connectors.base import Connector
from soar.connectors.errors import ConnectorError
from soar.connectors.kinds import Setting
from soar.connectors.models import ConnectorAccount
from soar.connectors.tokens import Access
from soar.lib import clock
from soar.lib.answers import TEMPORARY, Answer

SCOPE = "https://outlook.office365.com/.default"
SETTINGS = (
    Setting("token_url", gettext_noop("OAuth 2: where access tokens are given,"
            " as in https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"), "url"),
    Setting("client_id", gettext_noop("OAuth 2: application (client) ID")),
    Setting("scope", gettext_noop("OAuth 2: scope"), default=SCOPE),
)  # fmt: skip
SECRET = Setting("client_secret", gettext_noop("OAuth 2: client secret, with which access tokens are got and renewed"))
NAMES = ("token_url", "client_id", "scope")
LONGEST_REASON = 400


class TokenAsker(Connector):
    """A connector whose only HTTP calls go to where tokens are given, signed by the form alone."""

    def address(self) -> str:
        """See Connector."""
        return str(self.account.settings.get("token_url") or "")

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """See Connector: the mailbox's password is nothing for this place."""
        return {}, None

    def token(self, refused: str = "") -> str:
        """The token to sign in with (soar.connectors.tokens), "" where another way is set up. ``refused``: one that the
        mail server took no more. Raises ConnectorError."""
        if not self.account.secrets.get("client_secret"):
            return ""
        return tokens.held(self.account, _mark(self.account), lambda _: self._asked(), refused).token

    def _asked(self) -> Access:
        """One request for a token. Raises ConnectorError."""
        settings = self.account.settings
        form = {
            "grant_type": "client_credentials",
            "client_id": str(settings.get("client_id") or ""),
            "client_secret": str(self.account.secrets.get("client_secret") or ""),
            "scope": str(settings.get("scope") or SCOPE),
        }
        answer = self.call("oauth.token", "POST", "", data=form, idempotent=True, kept=False)
        document = _object(answer)
        token = document.get("access_token")
        if not answer.ok or not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise _refusal(answer, document)
        return Access(token, "", clock.now() + tokens.span(document.get("expires_in")))


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    url, found = str(settings.get("token_url") or ""), {}
    if not secrets.get("client_secret"):
        if url or settings.get("client_id"):
            found["client_secret"] = _("Give the client secret that belongs to the application.")
        return found
    if not url:
        found["token_url"] = _("Give the address at which access tokens are asked for.")
    elif urlsplit(url).scheme == "http" and not settings.get("allow_internal"):
        found["token_url"] = _("The secret would go unencrypted: the address must begin with https://.")
    if not settings.get("client_id"):
        found["client_id"] = _("Give the id of the application that the secret belongs to.")
    return found


def _mark(account: ConnectorAccount) -> str:
    settings = {name: account.settings.get(name) for name in NAMES}
    told = json.dumps([settings, dict(account.secrets)], sort_keys=True)
    return salted_hmac("soar.connectors.imap", told, algorithm="sha256").hexdigest()


def _object(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(answer: Answer, document: dict[str, Any]) -> ConnectorError:
    """In the words of whoever gives the tokens: the first line says it; trace and correlation ids follow."""
    why = str(document.get("error_description") or document.get("error") or "").strip().partition("\n")[0]
    detail = answer.redactor.text(why or f"answered {answer.status}", at_most=LONGEST_REASON).strip()
    return ConnectorError(
        f"No access token is given for the mailbox ({detail}).",
        permanent=300 <= answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
    )
