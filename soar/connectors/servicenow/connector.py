"""The connector of a ServiceNow instance."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.choice_words import WORDS
from soar.connectors.kinds import Kind, Setting
from soar.connectors.messages import TLP
from soar.connectors.servicenow import oauth
from soar.connectors.servicenow.attachments import Attachments
from soar.connectors.servicenow.audit import Audit
from soar.connectors.servicenow.checks import Inspected, summary
from soar.connectors.servicenow.client import API_KEY, AUTHS, BASIC

# By way of signing in: the settings and the secrets it needs.
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    BASIC: (("username",), ("password",)),
    oauth.PASSWORD: (("username", "client_id"), ("password", "client_secret")),
    oauth.CLIENT: (("client_id",), ("client_secret",)),
    oauth.REFRESH: (("client_id",), ("client_secret", "refresh_token")),
    API_KEY: ((), ("api_key",)),
}
HOST = "service-now.com"
# Tickets of incidents are another matter: a person or a profile asks for each.
CLEARED = Setting(
    "cleared",
    gettext_noop("The most confidential alerts that playbooks may send result tickets of; anything above is not sent"),
    form="choice",
    choices=TLP,
    default="amber",
)


class ServiceNow(Inspected, Attachments, Audit):
    """Records, notes, attachments and what fields may hold; see the parts. Everything raises ConnectorError:
    ``permanent`` needs a person, ``outcome_unknown`` a look before it is done again, ``retry_after`` says when."""

    kind = "servicenow"

    def check(self) -> str:
        """What ``inspect`` finds, in a sentence. Raises ConnectorError when something is wrong."""
        return summary(self.inspect())


def rules(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What the chosen way of signing in lacks, and an address that is that of a page."""
    way = settings.get("auth") or BASIC
    named, hidden = NEEDS[way]
    missing = dict.fromkeys(named, settings) | dict.fromkeys(hidden, secrets)
    words = _("It is needed for “%(auth)s” (%(way)s).") % {"auth": WORDS["auth"][way], "way": way}
    errors = {name: words for name, given in missing.items() if not given.get(name)}
    parts = urlsplit(str(settings.get("url") or ""))
    host = parts.hostname or ""
    if parts.path.strip("/") and (host == HOST or host.endswith(f".{HOST}")):
        errors["url"] = _("Give the address of the instance alone: %(scheme)s://%(netloc)s") % {
            "scheme": parts.scheme,
            "netloc": parts.netloc,
        }
    if parts.scheme == "http" and not settings.get("allow_internal"):
        errors["url"] = _("The credentials would go unencrypted: the address must begin with https://.")
    return errors


KIND = Kind(
    name="servicenow",
    label=gettext_noop("ServiceNow"),
    connector=ServiceNow,
    summary=gettext_noop("Tickets"),
    address=Setting(
        "url", gettext_noop("Address of the instance, https://name.service-now.com"), form="url", required=True
    ),
    settings=(
        Setting(
            "auth",
            gettext_noop("How to sign in: with a user's password, by OAuth, or with an API key"),
            form="choice",
            choices=AUTHS,
            default=BASIC,
        ),
        Setting("username", gettext_noop("User name of the integration user; its notes are known as ours by it")),
        Setting("client_id", gettext_noop("Client ID (OAuth)")),
        CLEARED,
    ),
    secrets=(
        Setting("password", gettext_noop("Password of the user, also for OAuth with it")),
        Setting("client_secret", gettext_noop("Client secret (OAuth)")),
        Setting("refresh_token", gettext_noop("Refresh token (OAuth)")),
        Setting("api_key", gettext_noop("API key")),
    ),
    rules=rules,
)
