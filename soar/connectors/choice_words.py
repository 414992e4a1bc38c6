"""What people read of a setting that is one of a few words. The word itself is what is kept, sent and given to the API
and the command line."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.kinds import Setting

_SECURITY = {
    "auto": gettext_lazy("Automatic"),
    "starttls": gettext_lazy("STARTTLS"),
    "tls": gettext_lazy("TLS from the start"),
    "none": gettext_lazy("None"),
}
# By the name of the setting; what is not here is a word that people use as it is (POST).
WORDS: dict[str, dict[str, Any]] = {
    "after": {
        "leave": gettext_lazy("It stays as it is"),
        "seen": gettext_lazy("It is marked as read"),
        "move": gettext_lazy("It is moved to a folder"),
    },
    "auth": {
        "basic": gettext_lazy("User name and password"),
        "password": gettext_lazy("OAuth with a user's password"),
        "client_credentials": gettext_lazy("OAuth with client credentials"),
        "refresh_token": gettext_lazy("OAuth with a refresh token"),
        "api_key": gettext_lazy("API key"),
    },
    "effect": {
        "malicious": gettext_lazy("Malicious"),
        "suspicious": gettext_lazy("Suspicious"),
        "benign": gettext_lazy("Benign"),
    },
    "environment": {
        "160": gettext_lazy("Windows 10, 64 bit"),
        "110": gettext_lazy("Windows 7, 64 bit"),
        "100": gettext_lazy("Windows 7, 32 bit"),
        "300": gettext_lazy("Linux"),
        "200": gettext_lazy("Android"),
    },
    "format": {
        "plain": gettext_lazy("Text, one value a line"),
        "csv": gettext_lazy("CSV"),
        "stix": gettext_lazy("STIX 2"),
        "misp": gettext_lazy("MISP"),
        "urlhaus": gettext_lazy("URLhaus"),
        "threatfox": gettext_lazy("ThreatFox"),
        "feodo": gettext_lazy("Feodo Tracker"),
    },
    "isolation": {
        "Full": gettext_lazy("Full: from everything"),
        "Selective": gettext_lazy("Selective: Outlook, Teams and Skype go on"),
    },
    "labels": {
        "keep": gettext_lazy("They stay"),
        "take off": gettext_lazy("They are taken off"),
    },
    "quarantine": {
        "softDelete": gettext_lazy("Deletes it; it can be recovered"),
        "moveToDeletedItems": gettext_lazy("Moves it to Deleted Items"),
        "moveToJunk": gettext_lazy("Moves it to Junk"),
    },
    "revoke": {
        "account and keys": gettext_lazy("The service account and its keys"),
        "keys": gettext_lazy("Its keys alone"),
    },
    "scan": {
        "Quick": gettext_lazy("Quick scan"),
        "Full": gettext_lazy("Full scan"),
    },
    "security": _SECURITY,
    "signature": {
        "standard": gettext_lazy("Standard Webhooks"),
        "github": gettext_lazy("Standard Webhooks and GitHub"),
    },
    "type": {
        "": gettext_lazy("By their looks"),
        "ip": gettext_lazy("IP address"),
        "cidr": gettext_lazy("Network (CIDR)"),
        "domain": gettext_lazy("Domain"),
        "url": gettext_lazy("URL"),
        "email": gettext_lazy("E-mail address"),
        "md5": gettext_lazy("MD5"),
        "sha1": gettext_lazy("SHA-1"),
        "sha256": gettext_lazy("SHA-256"),
    },
    "what": {
        "alerts": gettext_lazy("Alerts"),
        "incidents": gettext_lazy("Incidents"),
    },
}
TLP = ("cleared", "tlp")


def choice_label(setting: Setting, word: str) -> str:
    """What people read of one word of a setting that is a choice."""
    if setting.name == "action":
        return _(CAPABILITIES[word].label) if word in CAPABILITIES else _("None")
    if setting.name in TLP:
        return f"TLP:{word.upper()}"
    return str(WORDS.get(setting.name, {}).get(word, word))
