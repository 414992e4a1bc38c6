"""What single observables look like: the checks that extraction and entry by hand share.

Every function takes one candidate without surrounding punctuation and returns it normalised, or "" when it
is no such thing. None of them can be slow: each looks at a bounded number of characters.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import lru_cache

import idna

from cases.ingest.suffixes import is_registrable, suffix_length

LONGEST_URL = 2_048
LONGEST_NAME = 253  # of a domain name, RFC 1035
OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PLAIN_IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
EMAIL = re.compile(r"([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64})@([^@\s]{3,253})")
URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{1,15})://(?:([^\s/?#@]{1,128})@)?(\[[^\]\s]{2,60}\]|[^\s/?#:@]{1,253})(:[0-9]{1,5})?(.*)",
    re.S,
)
HEX = re.compile(r"[0-9a-fA-F]+")
HASH_KINDS = {32: "md5", 40: "sha1", 64: "sha256"}
CVE = re.compile(r"(?i:CVE)[-_\u2010-\u2013 ]([0-9]{4})[-_\u2010-\u2013 ]([0-9]{4,7})")
TECHNIQUE = re.compile(r"(?:[A-Z][A-Z0-9]{0,5}\.)?(T(?:1[0-9]{3}|08[0-9]{2})(?:\.[0-9]{3})?)", re.I)
MAC = re.compile(r"(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})", re.I)
ASN = re.compile(r"(?i:ASN?) ?([0-9]{1,10})")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE58_COIN = re.compile(rf"[13LMT][{BASE58}]{{25,34}}")
BASE58_VERSIONS = {0x00, 0x05, 0x30, 0x32, 0x41}  # Bitcoin, Bitcoin script, Litecoin (two), Tron
BECH32 = re.compile(r"(bc|ltc)1([ac-hj-np-z02-9]{11,71})")
BECH32_SIGNS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
ETHER = re.compile(r"0x[0-9a-fA-F]{40}")
MONERO = re.compile(rf"[48][0-9AB][{BASE58}]{{93}}")


def as_ip(text: str) -> str:
    """An IPv4 or IPv6 address, compressed and without a zone (``fe80::1%5``), brackets or a port."""
    if PLAIN_IPV4.fullmatch(text):
        return text
    if ":" not in text:
        return ""
    text = text.strip("[]").partition("%")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def as_cidr(text: str) -> str:
    """A network in CIDR notation; host bits are cleared."""
    if "/" not in text:
        return ""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return ""


@lru_cache(maxsize=20_000)
def as_name(text: str) -> str:
    """A host name in lower-case ASCII (punycode where needed), without a final dot; public or not."""
    text = text.rstrip(".").lower()
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    if not text or len(text) > LONGEST_NAME:
        return ""
    return text if all(LABEL.fullmatch(label) for label in text.split(".")) else ""


@lru_cache(maxsize=20_000)
def as_domain(text: str) -> str:
    """A domain below a public suffix, in lower-case ASCII."""
    name = as_name(text)
    if "." not in name or not is_registrable(name):
        return ""
    registrable = name.split(".")[-suffix_length(name) - 1]
    return "" if "_" in registrable else name


def as_email(text: str) -> str:
    """A mail address with a public domain; the domain in lower case, the local part too."""
    match = EMAIL.fullmatch(text)
    if not match or match[1][0] == "." or match[1][-1] == "." or ".." in match[1]:
        return ""
    domain = as_domain(match[2])
    return f"{match[1].lower()}@{domain}" if domain else ""


def as_url(text: str) -> str:
    """A URL with scheme and host in lower case, the host in ASCII; the rest keeps its case."""
    match = URL.fullmatch(text[:LONGEST_URL])
    if not match:
        return ""
    host = as_ip(match[3]) if match[3][0] == "[" else as_name(match[3])
    last = host.rpartition(".")[2]
    if not host or "_" in last or (last.isdigit() and not as_ip(host)) or any(ord(c) < 33 for c in match[5]):
        return ""
    shown = f"[{host}]" if ":" in host else host
    user = f"{match[2]}@" if match[2] else ""
    return f"{match[1].lower()}://{user}{shown}{match[4] or ''}{match[5]}"


def as_hash(text: str) -> tuple[str, str]:
    """(kind, digest in lower case) of a hexadecimal MD5, SHA-1 or SHA-256, or two empty texts."""
    kind = HASH_KINDS.get(len(text), "")
    if not kind or not HEX.fullmatch(text) or text.isdigit() or len(set(text)) < 5:
        return "", ""  # only digits or hardly any variety: a number or a filler, no digest
    return kind, text.lower()


def as_cve(text: str) -> str:
    """``CVE-2021-44228``."""
    match = CVE.fullmatch(text)
    return f"CVE-{match[1]}-{match[2]}" if match and "1988" <= match[1] <= "2099" else ""


def as_technique(text: str) -> str:
    """An ATT&CK technique (``T1003.001``); a product's prefix (``V9.T1112``) is dropped."""
    match = TECHNIQUE.fullmatch(text)
    return match[1].upper() if match else ""


def as_mac(text: str) -> str:
    """A hardware address as ``00:1a:2b:3c:4d:5e``."""
    if not MAC.fullmatch(text):
        return ""
    digits = re.sub("[^0-9a-f]", "", text.lower())
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def as_asn(text: str) -> str:
    """An autonomous system number as ``AS64500``."""
    match = ASN.fullmatch(text)
    return f"AS{int(match[1])}" if match and 0 < int(match[1]) < 2**32 else ""


def as_crypto(text: str) -> str:
    """A Bitcoin, Litecoin, Tron (checksum tested), Ethereum or Monero address."""
    if ETHER.fullmatch(text):
        return text.lower()
    if BASE58_COIN.fullmatch(text):
        return text if _base58_is_sound(text) else ""
    if MONERO.fullmatch(text):
        return text
    match = BECH32.fullmatch(text.lower() if text.isupper() else text)
    return match[0] if match and _bech32_is_sound(match[1], match[2]) else ""


def _base58_is_sound(text: str) -> bool:
    number = 0
    for sign in text:
        number = number * 58 + BASE58.index(sign)
    if number.bit_length() > 200:
        return False
    body, checksum = number.to_bytes(25, "big")[:21], number.to_bytes(25, "big")[21:]
    digest = hashlib.sha256(hashlib.sha256(body).digest()).digest()
    return body[0] in BASE58_VERSIONS and digest[:4] == checksum


def _bech32_is_sound(prefix: str, data: str) -> bool:
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    values += [BECH32_SIGNS.index(c) for c in data]
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> bit) & 1 else 0
    return check in {1, 0x2BC830A3}  # bech32, bech32m


def is_private_ip(value: str) -> bool:
    """Whether an address or network is not of the public internet (private, loopback, link-local ...)."""
    try:
        return not ipaddress.ip_network(value.partition("%")[0], strict=False).is_global
    except ValueError:
        return False
