"""Observables as lists know them: one spelling each, and the names and networks that may speak for them (pure)."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlsplit

import tldextract
from django.utils.translation import gettext as _

TYPES = (
    "ip", "cidr", "domain", "url", "email", "md5", "sha1", "sha256", "cve", "technique", "file_name", "file_path",
    "registry_key", "user", "process", "mac", "asn", "crypto", "hostname",
)  # fmt: skip
HASH_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64}
NAMES = {"domain", "hostname"}
REMEMBERED = 2048  # values: one rating asks for each of them several times
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\Z")
# What MISP calls the types of ours in a list's matching_attributes.
ATTRIBUTES: dict[str, frozenset[str]] = {
    "ip": frozenset({"ip-src", "ip-dst"}),
    "cidr": frozenset({"ip-src", "ip-dst"}),
    "domain": frozenset({"domain", "hostname"}),
    "hostname": frozenset({"domain", "hostname"}),
    "url": frozenset({"domain", "hostname", "url", "uri"}),
    "email": frozenset({"email-src", "email-dst", "whois-registrant-email", "target-email"}),
    "md5": frozenset({"md5"}),
    "sha1": frozenset({"sha1"}),
    "sha256": frozenset({"sha256"}),
}


def normalise(type_: str, value: str) -> str:
    """The one spelling of ``value``. Raises ValueError with a sentence for people when it is none of that type."""
    text = value.strip()
    if type_ not in TYPES:
        raise ValueError(_("There is no type %(type)s.") % {"type": repr(type_)})
    if not text or len(text) > 2048 or "\x00" in text:
        raise ValueError(_("A value has 1 to 2048 characters."))
    if type_ == "ip":
        return _parsed(ipaddress.ip_address, text, "an IP address")
    if type_ == "cidr":
        return _parsed(lambda given: ipaddress.ip_network(given, strict=False), text, "a network like 192.0.2.0/24")
    if type_ in NAMES:
        return _host(text)
    if type_ in HASH_LENGTHS:
        return _hash(type_, text.lower())
    if type_ == "url" and not host_of(text):
        raise ValueError(_("%(text)s is no address like https://host/path.") % {"text": text[:80]})
    if type_ == "email" and text.count("@") != 1:
        raise ValueError(_("%(text)s is no e-mail address.") % {"text": text[:80]})
    return text.lower() if type_ in {"email", "mac", "process", "file_name"} else text


def digest(type_: str, value: str) -> str:
    """The key of an entry of an own list; ``value`` is normalised. Domain and host name are one."""
    kind = "domain" if type_ == "hostname" else type_
    return hashlib.sha256(f"{kind}\0{value}".encode(errors="surrogatepass")).hexdigest()


def host_of(url: str) -> str:
    """The host of a URL in lower case, "" if there is none."""
    try:
        return (urlsplit(url if "://" in url else f"//{url}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_ip(text: str) -> bool:
    """Whether ``text`` is one IP address. One with a zone (``fe80::1%eth0``) means something on one machine only."""
    if "%" in text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=REMEMBERED)
def is_internal(text: str) -> bool:
    """Whether an address or network is private, loopback, link-local or the like: nobody outside knows it."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return not network.is_global and not network.is_multicast


def parents(host: str) -> list[str]:
    """The name itself and those above it: a.b.example -> [a.b.example, b.example, example]."""
    labels = host.split(".")
    return [".".join(labels[index:]) for index in range(len(labels))]


def own_names(host: str) -> frozenset[str]:
    """The name and those above it that belong to the same holder: never above what can be registered.

    ``me.blogspot.com`` is not spoken for by ``blogspot.com``, where anybody may have a name.
    """
    registered = _suffixes()(host).top_domain_under_public_suffix
    if not registered:
        return frozenset({host})
    return frozenset(name for name in parents(host) if name == registered or name.endswith("." + registered))


def registered(host: str) -> str:
    """The name that its holder registered: ``example.co.uk`` of ``www.example.co.uk``; "" if there is none."""
    return _suffixes()(host).top_domain_under_public_suffix


def is_shared_suffix(host: str) -> bool:
    """Whether anybody may register names below this one: ``com``, ``co.uk``, ``blogspot.com``."""
    found = _suffixes()(host)
    return bool(found.suffix) and found.suffix == host


@dataclass(frozen=True, slots=True)
class Subject:
    """A normalised observable and what to ask the lists. ``host``: its name, "" for others; ``address``: ip or cidr."""

    type: str
    value: str
    host: str = ""
    address: str = ""

    @property
    def names(self) -> list[str]:
        """What may stand in a list of names: the value, and the names above it."""
        own = [] if self.type in {"url", "ip", "cidr"} else [self.value]
        return own + (parents(self.host) if self.host else [self.address] if self.address else [])

    @property
    def speaks_for_all(self) -> bool:
        """Whether what is said of the host is said of the whole observable. Not for a URL with a path:
        well-known hosts serve what anybody puts there."""
        return self.type != "url" or (urlsplit(self.value).path in {"", "/"} and not urlsplit(self.value).query)


@lru_cache(maxsize=REMEMBERED)
def subject(type_: str, value: str) -> Subject:
    """The subject of an observable; what cannot be normalised is asked for as it stands."""
    try:
        value = normalise(type_, value)
    except ValueError:
        return Subject(type_, value)
    if type_ in {"ip", "cidr"}:
        return Subject(type_, value, address=value)
    host = value if type_ in NAMES else host_of(value) if type_ == "url" else ""
    host = value.rpartition("@")[2] if type_ == "email" else host
    return Subject(type_, value, address=host) if is_ip(host) else Subject(type_, value, host=host)


def _parsed(read: object, text: str, what: str) -> str:
    sentence = _("%(text)s is not %(what)s.") % {"text": text[:80], "what": what}
    if "%" in text:  # a zone: PostgreSQL has no word for it
        raise ValueError(sentence)
    try:
        return str(read(text))  # type: ignore[operator]
    except ValueError:
        raise ValueError(sentence) from None


def _host(text: str) -> str:
    name = text.lower().rstrip(".")
    try:
        name = name.encode("idna").decode("ascii") if not name.isascii() else name
    except UnicodeError:
        name = ""
    if not HOST.match(name):
        raise ValueError(_("%(text)s is no host name.") % {"text": text[:80]})
    return name


def _hash(type_: str, text: str) -> str:
    if len(text) != HASH_LENGTHS[type_] or not re.fullmatch("[0-9a-f]+", text):
        raise ValueError(
            _("%(type)s has %(hash_lengths)s hexadecimal digits.")
            % {"type": type_, "hash_lengths": HASH_LENGTHS[type_]}
        )
    return text


@cache
def _suffixes() -> tldextract.TLDExtract:
    # The list that the package brings: no network, no file written.
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
