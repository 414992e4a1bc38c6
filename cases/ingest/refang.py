"""Undoing what people do to addresses so that nobody clicks them, and doing it again for display."""

from __future__ import annotations

import re

# One bracketed sign: [.] (dot) {at} [:] [://] [/] ; no unbounded part, so linear on any text.
BRACKETED = re.compile(
    r"[\[({] ?(?:(?P<dot>\.|(?i:dot|d0t))|(?P<at>@|(?i:at))|(?P<slashes>:(?://|\\\\))|(?P<sign>[:/])) ?[\])}]"
)
HALF_OPEN = re.compile(r"(?<=\w)\[\.(?=\w)")  # evil[.com
HALF_CLOSED = re.compile(r"(?<=\w)\.\](?=\w)")  # evil.]com
DOT, AT = "\ue000", "\ue001"  # private characters that stand for a sign until its spaces are gone
SCHEME = re.compile(r"(?<![A-Za-z])(?i:h(?:xx|tx|xt|\*\*)ps?|fxp|meow)(?=:)")


def refang(text: str) -> str:
    """``text`` with ``hxxp``, ``[.]``, ``(dot)``, ``[at]``, ``[:]//`` and their relatives written plainly."""
    if "[" in text or "(" in text or "{" in text:
        text = _brackets(text)
    if "xp" in text or "XP" in text or "xP" in text or "Xp" in text or "**p" in text or "meow" in text:
        text = SCHEME.sub(_scheme, text)
    return text


def _brackets(text: str) -> str:
    text, count = BRACKETED.subn(_sign, text)
    if count:
        text = text.replace(f" {DOT} ", ".").replace(f" {AT} ", "@").replace(DOT, ".").replace(AT, "@")
    if "[." in text:
        text = HALF_OPEN.sub(".", text)
    return HALF_CLOSED.sub(".", text) if ".]" in text else text


def _sign(match: re.Match[str]) -> str:
    if match["dot"]:
        return DOT
    if match["at"]:
        return AT
    return "://" if match["slashes"] else match["sign"]


def _scheme(match: re.Match[str]) -> str:
    word = match.group().lower()
    if word == "meow":
        return "http"
    if word.startswith("f"):
        return "ftp"
    return "https" if word.endswith("s") else "http"


def defang(kind: str, value: str) -> str:
    """How an observable is shown: ``hxxps://evil[.]com/a``, ``1[.]2[.]3[.]4``, ``a[at]b[.]com``.

    Kinds that nothing would make into a link (hashes, CVEs, paths ...) come back as they are.
    """
    if kind == "url":
        scheme, separator, rest = value.partition("://")
        host, slash, path = rest.partition("/")
        return scheme.replace("http", "hxxp").replace("ftp", "fxp") + separator + _dots(host) + slash + path
    if kind == "email":
        return _dots(value).replace("@", "[at]")
    if kind in {"ip", "cidr", "domain", "hostname"}:
        return _dots(value) if "." in value else value.replace(":", "[:]")
    return value


def _dots(value: str) -> str:
    return value.replace(".", "[.]")
