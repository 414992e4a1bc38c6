"""Observables as people enter and see them: normalising one value, guessing its type, showing it."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from cases.ingest.files import as_file_name, as_file_path, as_registry_key, is_file_name
from cases.ingest.refang import defang, refang
from cases.ingest.shapes import (
    HASH_KINDS,
    HEX,
    as_asn,
    as_cidr,
    as_crypto,
    as_cve,
    as_domain,
    as_email,
    as_hash,
    as_ip,
    as_mac,
    as_name,
    as_technique,
    as_url,
    is_private_ip,
)
from cases.ingest.text import clean_text

__all__ = ["LONGEST", "TYPES", "defang", "guess_type", "is_private_ip", "normalise_observable"]

LONGEST = 2_048  # characters of an observable's value


def _hash_of(kind: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        found, value = as_hash(text)
        return value if found == kind else ""

    return check


def _named_digest(kind: str, text: str) -> str:
    """A digest of little variety, which only its type tells from a number or a filler; nothing but zeros is none."""
    fits = len(text) == DIGITS.get(kind) and HEX.fullmatch(text) and set(text.lower()) not in FILLERS
    return text.lower() if fits else ""


def _word(text: str) -> str:
    """A name without a form of its own (account, process): one line, no blanks around, no doubled backslashes."""
    return " ".join(text.split()).replace("\\\\", "\\")


# Type -> (check, what the message says is expected). The order is the one in which types are guessed.
CHECKS: dict[str, tuple[Callable[[str], str], str]] = {
    "url": (as_url, "a URL with a scheme, such as https://example.com/path"),
    "email": (as_email, "a mail address, such as name@example.com"),
    "ip": (as_ip, "an IPv4 or IPv6 address"),
    "cidr": (as_cidr, "a network, such as 192.0.2.0/24"),
    "mac": (as_mac, "a hardware address, such as 00:1a:2b:3c:4d:5e"),
    "md5": (_hash_of("md5"), "32 hexadecimal digits"),
    "sha1": (_hash_of("sha1"), "40 hexadecimal digits"),
    "sha256": (_hash_of("sha256"), "64 hexadecimal digits"),
    "cve": (as_cve, "a CVE number, such as CVE-2021-44228"),
    "technique": (as_technique, "an ATT&CK technique, such as T1003.001"),
    "asn": (as_asn, "an autonomous system, such as AS64500"),
    "crypto": (as_crypto, "an address of Bitcoin, Litecoin, Tron, Ethereum or Monero"),
    "registry_key": (as_registry_key, "a registry key that begins with its hive, such as HKLM\\Software"),
    "file_path": (as_file_path, "a path with its folders"),
    "domain": (as_domain, "a domain below a public suffix, such as example.com"),
    "file_name": (as_file_name, "a file name without folders"),
    "hostname": (as_name, "a host name of letters, digits, hyphens and dots"),
    "user": (_word, "an account's name"),
    "process": (_word, "a process's name"),
}
DIGITS = {kind: length for length, kind in HASH_KINDS.items()}
FILLERS = ({"0"}, {"f"})
TYPES = frozenset(CHECKS)
REFANGED = frozenset({"url", "email", "ip", "cidr", "domain", "hostname"})
GUESSED = tuple(kind for kind in CHECKS if kind not in {"file_name", "hostname", "user", "process", "file_path"})


def normalise_observable(kind: str, value: str) -> str:
    """``value`` of the type ``kind`` (ruling 28) in the one form under which it is stored.

    Defanged writing is understood. Raises ValueError with a sentence for the person who entered it.
    """
    if kind not in CHECKS:
        raise ValueError(_("'%(kind)s' is not a type of observable.") % {"kind": kind})
    text = value.strip()
    if not text:
        raise ValueError(_("The value is empty."))
    if len(text) > LONGEST:
        raise ValueError(_("The value is longer than %(longest)s characters.") % {"longest": f"{LONGEST:,}"})
    text = clean_text(text)[0]
    check, expected = CHECKS[kind]
    normal = check(refang(text) if kind in REFANGED else text) or _named_digest(kind, text)
    if not normal:
        shown = text if len(text) <= 80 else text[:79] + "…"
        raise ValueError(_("'%(shown)s' is not %(expected)s.") % {"shown": shown, "expected": expected})
    return normal


def guess_type(value: str) -> str | None:
    """The type that a value typed without one most likely has, or None when it could be any name."""
    text = refang(value.strip())
    if not text or len(text) > LONGEST:
        return None
    if is_file_name(text) and as_file_name(text):
        return "file_name"
    for kind in GUESSED:
        if CHECKS[kind][0](text):
            return kind
    if as_file_path(text) and (text[0] in "/\\%~" or text[1:3] in {":\\", ":/"}):
        return "file_path"
    return None
