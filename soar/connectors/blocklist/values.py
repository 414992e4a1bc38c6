"""Which values may be blocked at all, and in which spelling (pure)."""

from __future__ import annotations

import ipaddress

from django.utils.translation import gettext as _

from soar.connectors.errors import Refused
from soar.connectors.intelligence.values import HASH_LENGTHS, host_of, is_ip, is_shared_suffix, normalise

BLOCKABLE = ("ip", "cidr", "domain", "url", "md5", "sha1", "sha256", "email")
# Words that callers use for the same thing.
ALIASES = {"hostname": "domain", "sender": "email"}
# A wider network is a slip of the hand: it would cut off a part of the internet.
WIDEST = {4: 8, 6: 19}


def blockable(type_: str, value: str) -> tuple[str, str]:
    """The type and the one spelling of a value. ``sender`` is taken for email, ``hash`` by its length, a network of one
    address for that address. Raises Refused, by field."""
    kind = _type_of(type_, value.strip())
    try:
        text = normalise(kind, value)
    except ValueError as error:
        raise Refused({"value": str(error)}) from None
    # The feeds hold one value a line: a line break in a URL would be a line of its own.
    if not text.isprintable() or any(sign.isspace() for sign in text):
        raise Refused({"value": _("A value on the block list holds no spaces and no control characters.")})
    if kind == "cidr" and "/" in text and ipaddress.ip_network(text).num_addresses == 1:
        kind, text = "ip", text.partition("/")[0]
    if reason := _too_much(kind, text):
        raise Refused({"value": reason})
    return kind, text


def _type_of(type_: str, value: str) -> str:
    kind = ALIASES.get(type_, type_)
    if kind == "hash":
        kind = next((name for name, length in HASH_LENGTHS.items() if length == len(value)), "sha256")
    if kind not in BLOCKABLE:
        raise Refused({"type": _("Only these can be blocked: %(blockable)s.") % {"blockable": ", ".join(BLOCKABLE)}})
    return kind


def _too_much(kind: str, text: str) -> str:
    """Why blocking this would hit far more than anybody means; "" if it would not."""
    if kind in {"ip", "cidr"}:
        network = ipaddress.ip_network(text)
        if network.prefixlen < WIDEST[network.version]:
            return _("%(text)s is too wide: at least /%(widest)s is needed.") % {
                "text": text,
                "widest": WIDEST[network.version],
            }
        if network.is_loopback or network.is_unspecified or network.is_multicast or network.is_link_local:
            return _("%(text)s is no address of another computer.") % {"text": text}
    host = text if kind == "domain" else host_of(text) if kind == "url" else ""
    if kind == "url" and not host:
        return _("%(text)s names no host.") % {"text": text[:80]}
    if host and not is_ip(host) and ("." not in host or (kind == "domain" and is_shared_suffix(host))):
        return _("%(host)s stands for all names below it, of many holders.") % {"host": host}
    return ""
