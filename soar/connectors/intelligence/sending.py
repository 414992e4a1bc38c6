"""What of a value may leave the network (response-playbooks.md 13): private addresses never, TLP and PAP where set."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from soar.connectors.intelligence.providers.base import TLP_ORDER
from soar.connectors.intelligence.values import Subject, is_internal, is_ip

ASKED = frozenset({"ip", "domain", "url", "md5", "sha1", "sha256"})
# Names that mean something inside only. ``example`` and ``test`` mean nothing anywhere, so they tell nothing either.
INSIDE = (
    "local", "localdomain", "localhost", "internal", "intranet", "lan", "corp", "home", "private", "arpa",
)  # fmt: skip

# Kept with the value, which others see as well: which mark it was is a word of a case that they may not see.
FORBIDDEN = "a %s mark forbids it"


def withheld(each: Subject, tlp: str, pap: str) -> str:
    """Why the value is sent to nobody; "" if some may be asked."""
    mark = word_of(tlp)
    if mark not in {"", *TLP_ORDER}:
        return f"not sent to providers: {FORBIDDEN % 'TLP'}"
    if word_of(pap) not in {"", "clear", "white", "green", "amber"}:
        return f"not sent to providers: {FORBIDDEN % 'PAP'}"
    if is_internal(each.address) or (each.host and _is_inside(each.host)):
        return "not sent to providers: a private address"
    return ""


def refused_by(settings: dict[str, Any], tlp: str) -> bool:
    """Whether the account is not to be asked about values of this TLP. Values without one count as AMBER."""
    most = settings.get("tlp", "amber")
    level = TLP_ORDER.index(most) if most in TLP_ORDER else -1
    return TLP_ORDER.index(word_of(tlp) or "amber") > level


def word_of(mark: str) -> str:
    """``red`` for TLP:RED; ``clear`` for the old word white; spaces do not matter."""
    text = re.sub(r"\s", "", mark.lower()).removeprefix("tlp:").removeprefix("pap:")
    return "clear" if text == "white" else text


def sent_form(each: Subject, settings: dict[str, Any]) -> str:
    """The value as it is sent: a URL without user name, password and fragment, and without its query if so set."""
    if each.type != "url":
        return each.value
    parts = urlsplit(each.value if "://" in each.value else f"http://{each.value}")
    query = "" if settings.get("strip_query", True) else parts.query
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", query, ""))


def _is_inside(host: str) -> bool:
    return not is_ip(host) and ("." not in host or host.rpartition(".")[2] in INSIDE)
