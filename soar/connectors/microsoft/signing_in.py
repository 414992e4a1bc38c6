"""Signing in to Microsoft: an app's own credentials give an access token (OAuth 2, client credentials)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors import tokens
from soar.connectors.bearer import Bearer
from soar.connectors.errors import ConnectorError
from soar.connectors.kinds import Setting
from soar.connectors.microsoft.answers import object_of, refusal
from soar.connectors.tokens import Access
from soar.lib import clock

WORLD, GOVERNMENT = "https://login.microsoftonline.com", "https://login.microsoftonline.us"
# Where each of Microsoft's clouds signs in; any other address (a gateway, a stand-in) does both.
SIGN_IN = {
    "graph.microsoft.com": WORLD,
    "graph.microsoft.us": GOVERNMENT,
    "dod-graph.microsoft.us": GOVERNMENT,
    "microsoftgraph.chinacloudapi.cn": "https://login.partner.microsoftonline.cn",
    "api.security.microsoft.com": WORLD,
    "api.securitycenter.microsoft.com": WORLD,
    "api-gcc.securitycenter.microsoft.us": WORLD,
    "api-gov.securitycenter.microsoft.us": GOVERNMENT,
}
# Defender for Endpoint also answers in regions (eu.api.security.microsoft.com).
REGIONS = ".api.security.microsoft.com"
TENANT = re.compile(r"[A-Za-z0-9.-]{1,200}")
SETTINGS = (
    Setting("tenant", gettext_noop("Directory (tenant) ID"), required=True),
    Setting("client_id", gettext_noop("Application (client) ID"), required=True),
)
SECRETS = (Setting("client_secret", gettext_noop("Client secret"), required=True),)


def place(url: str) -> str:
    """The address that signs in for the product at ``url``."""
    host = (urlsplit(url).hostname or "").lower()
    return WORLD if host.endswith(REGIONS) else SIGN_IN.get(host, url)


def asked(api: Bearer, resource: str) -> Access:
    """One request for a token for ``resource`` (its address). Raises ConnectorError."""
    settings = api.account.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": str(settings.get("client_id") or ""),
        "client_secret": str(api.account.secrets.get("client_secret") or ""),
        "scope": f"{resource}/.default",
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


def rules(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """A tenant that is none, and an address to which the secret would go unencrypted."""
    errors = {}
    if not TENANT.fullmatch(str(settings.get("tenant") or "")):
        errors["tenant"] = _("Give the tenant's id or its domain, as in example.onmicrosoft.com.")
    parts = urlsplit(str(settings.get("url") or ""))
    host = (parts.hostname or "").lower()
    if parts.path.strip("/") and (host in SIGN_IN or host.endswith(REGIONS)):
        errors["url"] = _("Give the address alone, without a path: %(scheme)s://%(netloc)s") % {
            "scheme": parts.scheme,
            "netloc": parts.netloc,
        }
    if parts.scheme == "http" and not settings.get("allow_internal"):
        errors["url"] = _("The credentials would go unencrypted: the address must begin with https://.")
    return errors
