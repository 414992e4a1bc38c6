"""Finding indicators in free text, in linear time (ingest-and-api.md 11).

URLs, registry keys, paths and IPv4 addresses are looked for by their unmistakable signs (``://``, ``\\``,
digits and dots). What is left is split into words; each different word is tested once. A URL's host is not
listed a second time as a domain, nor a path's last part as a file name.
"""

from __future__ import annotations

import re

from cases.ingest.files import UNIX, is_file_name, path_of, trim
from cases.ingest.observables import defang, guess_type, is_private_ip, normalise_observable
from cases.ingest.paths import take_paths
from cases.ingest.refang import refang
from cases.ingest.shapes import (
    LONGEST_URL,
    OCTET,
    as_asn,
    as_cidr,
    as_crypto,
    as_cve,
    as_domain,
    as_email,
    as_hash,
    as_ip,
    as_mac,
    as_technique,
    as_url,
)
from cases.ingest.text import words

__all__ = ["defang", "extract", "guess_type", "is_private_ip", "normalise_observable"]

Found = dict[tuple[str, str], None]  # an ordered set
LONGEST_WORD = 320  # a mail address of 64 + 1 + 253; longer words hold nothing

SCHEME = re.compile(r"(?i)(?:https?|ftps?|sftp|wss?|ldaps?|smb|ssh|tftp|rtsp|tcp|udp|telnet|rdp|file)\Z")
# The sign behind the last letters of a scheme and before what may be a host; a text may be nothing but ``://``.
URL_SIGN = re.compile(r"://(?i:(?<=(?:tp|ps|ws|ss|ap|mb|sh|sp|cp|dp|et|le)://))(?=[^\s/?#@\"<>\\])")
URL_HEAD = re.compile(r"(?:[^\s/?#@\"<>\\]{1,128}@)?(?:\[[0-9A-Fa-f:.]{2,45}\]|[\w.-]{1,253})")
URL_TAIL = re.compile(rf"[^\s\"<>`{{}}|\\^\x00-\x1f]{{0,{LONGEST_URL}}}")
IPV4 = re.compile(rf"(?<![\w.\\]){OCTET}(?:\.{OCTET}){{3}}(/[0-9]{{1,2}}(?![0-9/]))?(?![\w]|\.\w|-[A-Za-z])")
VERSION_SIGNS = ("ersion", "ERSION", "uild", "elease", "ver")
VERSION = re.compile(r"\b[VvBbRr](?i:ersions?|er|uild|elease)[\s:=.\"']{1,3}[vV]?[0-9]+(?:\.[0-9]+){2,}(?![/\w])")
UNROUTED = frozenset({"0.0.0.0", "255.255.255.255"})  # noqa: S104 - said of sockets, never an indicator
WORDS = re.compile(r"[^\s\"'<>|,;()\[\]{}=`*!?#&^$~\x00-\x1f\u201c\u201d\u2018\u2019\u00ab\u00bb\u2026]{4,}")
CLOCK = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T?)?(?:[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9:]+)?:?"
)
LEAST_IPV6 = 6  # characters of a compressed address; "a::b" and "1::" are code more often than addresses
IPV6 = re.compile(r"[0-9A-Fa-f:.]{3,45}(?:%\w{1,15})?(?:/[0-9]{1,3})?")
CODE_OWNERS = frozenset(words("self this os sys log logger std e i console window document math e.g i.e a.k"))
ECS_NAMES = frozenset(
    ["host", "user", "process", "file", "rule", "event", "service", "agent", "source", "destination", "dns", "signal"]
)
PARTS = re.compile(r"[:/\\]+")
PLAIN_NUMBER = re.compile(r"[0-9.:+/-]*")


def extract(text: str) -> list[tuple[str, str]]:
    """Every indicator in ``text`` once, as (type, normalised value), in the order of discovery.

    Types: url, registry_key, file_path, ip, cidr, domain, file_name, email, md5, sha1, sha256, cve, technique,
    mac, asn, crypto. Defanged writing is read; addresses in the place of version numbers are not taken.
    """
    found: Found = {}
    text = refang(text)
    if "://" in text:
        text = _take_urls(text, found)
    if "\\" in text:
        text = take_paths(text, found)
    if any(sign in text for sign in VERSION_SIGNS):
        text = VERSION.sub(" ", text)
    for word in dict.fromkeys(WORDS.findall(text)):
        if len(word) <= LONGEST_WORD and not word.isalpha() and not word.isdigit():
            _read_word(word, found)
    return list(found)


def _take_urls(text: str, found: Found) -> str:
    """Collect the URLs of ``text`` and give back what is left around them."""
    rest: list[str] = []
    done = 0
    sign = URL_SIGN.search(text)
    while sign:
        at = sign.start()
        url, start, end = _url_around(text, at, done)
        if url:
            found["url", url] = None
            rest.append(text[done:start])
            done = end
        sign = URL_SIGN.search(text, max(end, at + 3))
    return " ".join([*rest, text[done:]]) if rest else text


def _url_around(text: str, at: int, done: int) -> tuple[str, int, int]:
    """(URL or "", its start, its end) for the ``://`` at ``at``, not reaching back before ``done``."""
    scheme = SCHEME.search(text, max(done, at - 6), at)
    head = URL_HEAD.match(text, at + 3) if scheme else None
    if not scheme or not head:
        return "", at, at
    tail = URL_TAIL.match(text, head.end())
    end = tail.end() if tail else head.end()
    raw = trim(text[scheme.start() : end])
    return as_url(raw), scheme.start(), scheme.start() + len(raw)


def _read_word(word: str, found: Found) -> None:
    """Add what one word holds; ``a:b`` and ``a/b`` are tried in parts when the whole is nothing."""
    if word.count(".") > 2 and _take_ipv4(word, found):
        return
    if CLOCK.fullmatch(word):
        return
    word = word.strip(".-_")
    if word[-1:] == ":" and word[-2:] != "::":
        word = word[:-1]
    hit = _whole(word)
    if hit:
        found[hit] = None
    elif word[:1] != "/" and (":" in word or "/" in word or "\\" in word):
        for part in PARTS.split(word, maxsplit=8):
            part_hit = _whole(part.strip(".-_@")) if len(part) > 3 else None
            if part_hit:
                found[part_hit] = None


def _take_ipv4(word: str, found: Found) -> bool:
    """Add the IPv4 addresses and networks in ``word``; whether it was about addresses at all."""
    seen = False
    for match in IPV4.finditer(word):
        seen = True
        start = match.start()
        if start > 1 and word[start - 1] == "/" and word[start - 2].isalpha():
            continue  # "Chrome/120.0.0.0" in a user agent
        address, _, bits = match.group().partition("/")
        network = as_cidr(match.group()) if bits and bits != "32" else ""
        if network.startswith(address + "/"):
            found["cidr", network] = None
        elif address not in UNROUTED:
            found["ip", address] = None  # with host bits: an interface, or the port of a firewall's log
    return seen


def _whole(word: str) -> tuple[str, str] | None:
    """The indicator that ``word`` is as a whole, if any."""
    if len(word) < 4:
        return None
    if "@" in word:
        email = as_email(word)
        return ("email", email) if email else None
    if word[:1] == "/":
        return _unix_path(word)
    if ":" in word:
        return _with_colons(word)
    if "." in word:
        hit = _dotted(word)
        if hit or word[0] not in "TtVv":
            return hit
    return _plain(word)


def _unix_path(word: str) -> tuple[str, str] | None:
    match = UNIX.match(word)
    return ("file_path", path_of(match.group())) if match else None


def _with_colons(word: str) -> tuple[str, str] | None:
    """A hardware address or IPv6; clock times, C++ names and bare ``::`` are neither."""
    if word.count(":") < 2:
        return None
    if len(word) == 17 and (mac := as_mac(word)):
        return ("mac", mac) if len(set(mac)) > 2 else None
    if not IPV6.fullmatch(word) or ("::" not in word and word.count(":") < 6):
        return None
    network = as_cidr(word) if "/" in word else ""
    if network:
        return "cidr", network
    address = as_ip(word)
    telling = len(address) >= LEAST_IPV6 and any(sign.isdigit() for sign in address)
    return ("ip", address) if telling else None


def _dotted(word: str) -> tuple[str, str] | None:
    if "/" in word or "\\" in word or PLAIN_NUMBER.fullmatch(word):
        return None
    if is_file_name(word):
        return "file_name", word
    head, _, last = word.rpartition(".")
    if not (last.islower() or word.isupper() or not last.isascii()) and not last.lower().startswith("xn--"):
        return None  # "System.Net", "the end.In the next": code and missing blanks, not domains
    if head.lower() in CODE_OWNERS or (last == "name" and head in ECS_NAMES):
        return None
    domain = as_domain(word)
    if domain:
        return "domain", domain
    mac = as_mac(word) if len(word) == 14 else ""
    return ("mac", mac) if mac else None


def _plain(word: str) -> tuple[str, str] | None:
    """Words that are known by their first sign and length: digests, CVEs, techniques, numbers of networks."""
    length, first = len(word), word[0]
    kind, digest = as_hash(word) if length in {32, 40, 64} else ("", "")
    if kind:
        return kind, digest
    if first in "Cc" and (cve := as_cve(word)):
        return "cve", cve
    if first in "TVt" and (technique := as_technique(word)):
        return "technique", technique
    if first in "Aa" and word != "AS400" and (asn := as_asn(word)):
        return "asn", asn
    if length == 17 and "-" in word:
        mac = as_mac(word)
        return ("mac", mac) if mac else None
    coin = as_crypto(word) if length >= 26 and first in "13LMTbl048" else ""
    return ("crypto", coin) if coin else None
