"""Where a message came from: its Received headers, and what the receiving server said of SPF, DKIM and DMARC."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from typing import Any

from cases.ingest.mail import words
from cases.ingest.mail.parts import Part
from cases.ingest.shapes import OCTET, as_ip
from cases.ingest.when import parse_time

# Inside of somebody's network: no address that a message came from over the Internet.
INSIDE = [
    ipaddress.ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                "0.0.0.0/8", "::1/128", "::/128", "fc00::/7", "fe80::/10", "224.0.0.0/4", "ff00::/8")
]  # fmt: skip
MOST_HOPS = 50
BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{3,45})\]|\((?:IPv6:)?([0-9A-Fa-f:.]{3,45})\)")
BARE = re.compile(rf"(?<![\w.]){OCTET}(?:\.{OCTET}){{3}}(?![\w.])")
HELO = re.compile(r"(?i)^from\s+([^\s();]{1,253})")
BY = re.compile(r"(?i)\bby\s+([^\s();]{1,253})")
METHODS = ("spf", "dkim", "dmarc", "compauth", "arc")
RESULT = re.compile(r"(?i)(?<![\w.-])(spf|dkim|dmarc|compauth|arc)\s{0,5}=\s{0,5}([a-z]{1,20})")
CLIENT = re.compile(r"(?i)\bclient-ip\s{0,5}=\s{0,5}\[?([0-9a-f:.]{3,45})")
ORIGINATING = ("x-originating-ip", "x-sender-ip", "x-ms-exchange-crosstenant-originalclientip", "x-client-ip")


def hops(part: Part) -> list[dict[str, Any]]:
    """The servers that a message went through, the last one first: ``from``, ``by``, ``ip``, ``at``.

    Only what our own servers wrote at the top can be trusted; below it anybody may have written what they liked."""
    return [_hop(words.header(value)[:2_000]) for value in part.all("received")[:MOST_HOPS]]


def _hop(text: str) -> dict[str, Any]:
    clause, _, date = text.rpartition(";")
    clause = clause or text
    by = BY.search(clause)
    sender = clause[: by.start()] if by else clause
    helo = HELO.match(sender)
    moment = date_of(date)
    return {
        "from": helo[1].strip("[]") if helo else "",
        "by": by[1] if by else "",
        "ip": _address(sender),
        "at": moment.isoformat() if moment else "",
    }


def _address(text: str) -> str:
    for match in BRACKETED.finditer(text):
        if ip := as_ip(match[1] or match[2]):
            return ip
    bare = BARE.search(text)
    return as_ip(bare[0]) if bare else ""


def date_of(text: str) -> datetime | None:
    """A date as mail has it; a comment behind it (the zone's name) is left out."""
    return parse_time(re.sub(r"\([^()]*\)", "", text[:200]).strip())


def sending_address(part: Part, trail: list[dict[str, Any]]) -> str:
    """The public address that handed the message in: as the receiving server noted it, else the first in the trail."""
    for value in part.all("received-spf")[:1]:
        match = CLIENT.search(words.header(value))
        if match and (ip := _public(match[1])):
            return ip
    for hop in trail:
        if ip := _public(hop["ip"]):
            return ip
    return next((ip for name in ORIGINATING if (ip := _public(part.get(name).strip(" []")))), "")


def _public(text: str) -> str:
    if not (ip := as_ip(text)):
        return ""
    address = ipaddress.ip_address(ip)
    return "" if any(address in network for network in INSIDE) else ip


def verdicts(part: Part) -> dict[str, str]:
    """``{"spf": "fail", ...}`` as the last receiving server wrote it; what stands in older headers may be forged."""
    found: dict[str, str] = {}
    for value in part.all("authentication-results")[:1]:
        for method, result in RESULT.findall(_without_comments(words.header(value))):
            name, word = method.lower(), result.lower()
            if name not in found or (name == "dkim" and word == "pass"):
                found[name] = word  # one good signature is enough
    if "spf" not in found and (given := part.get("received-spf")):
        word = given.partition(" ")[0].strip(":;").lower()
        found |= {"spf": word} if word.isalpha() and len(word) <= 20 else {}
    return {name: found[name] for name in METHODS if name in found}


def _without_comments(text: str) -> str:
    return re.sub(r"\([^()]{0,1000}\)", " ", re.sub(r'"[^"]{0,1000}"', " ", text))
