"""Text for people: relative times, shortened hashes, initials, defanging, Markdown (interface.md 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from markdown_it import MarkdownIt

from soar.lib.checklists import with_checklists
from soar.lib.mentions import with_mentions

# Types of observables that programs make into links.
OPENABLE = frozenset({"url", "domain", "hostname", "ip", "source_ip", "cidr", "email"})
HASH = re.compile(r"[0-9a-fA-F]{32,128}")
ALLOWED_TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
}
ALLOWED_TAGS |= {"span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
KEPT_AT_MOST = 4_000  # characters of a Markdown text whose HTML is kept


def ago(moment: datetime, now: datetime) -> str:
    """How long ago ``moment`` was, as short as a dense column needs it: "40 s", "11 min", "3 h", "5 d".

    Both are aware. The future (a clock that runs ahead) reads as "0 s". static/js/live.js has the same steps.
    """
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return gettext("%d s") % seconds
    if seconds < 3600:
        return gettext("%d min") % (seconds // 60)
    if seconds < 86400:
        return gettext("%d h") % (seconds // 3600)
    return gettext("%d d") % (seconds // 86400)


def span_words(seconds: float) -> str:
    """How long something takes or took, in the two largest units: "40 s", "11 min", "1 h 12", "3 d 4 h".

    static/js/live.js has the same steps."""
    whole = max(0, int(seconds))
    if whole < 60:
        return gettext("%d s") % whole
    if whole < 3600:
        return gettext("%d min") % (whole // 60)
    if whole < 86400:
        hours, minutes = divmod(whole // 60, 60)
        return gettext("%d h") % hours + (f" {minutes:02d}" if minutes else "")
    days, hours = divmod(whole // 3600, 24)
    return gettext("%d d") % days + (" " + gettext("%d h") % hours if hours else "")


def shorten_hash(value: str, ends: int = 6) -> str:
    """``value`` with its middle left out (6…6) when it is a hash; anything else comes back unchanged."""
    return f"{value[:ends]}…{value[-ends:]}" if HASH.fullmatch(value) else value


def initials(name: str) -> str:
    """At most two capital letters for a face: first and last word of ``name``; "–" for no name. What stands in brackets
    is no name, nor is a sign."""
    words: list[str] = re.findall(r"[^\W_]+", re.sub(r"\([^()]*\)", " ", name)) or re.findall(r"[^\W_]+", name)
    if not words:
        return "–"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def defang(value: str, type: str = "") -> str:
    """``value`` that nobody opens by accident: hxxps://…[.]example, a.b[at]example[.]org, 203[.]0[.]113[.]7.

    Only the host of a URL is changed after its scheme, so that the path can still be read and compared. With a
    ``type`` of observable that no program would open (a file name, a user, a hash), it comes back as it is.
    """
    if type and type not in OPENABLE:
        return value
    scheme, separator, rest = value.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        return re.sub("^http", "hxxp", scheme, flags=re.I) + "://" + _dots(host) + slash + path
    name, at, host = value.rpartition("@")
    return f"{name}[at]{_dots(host)}" if at else _dots(host)


def _dots(host: str) -> str:
    """Every dot of a host name or address in brackets; a dot already in brackets stays as it is."""
    return re.sub(r"(?<!\[)\.(?!\])", "[.]", host)


def markdown(text: str, people: Mapping[str, str] | None = None) -> SafeString:
    """Markdown to safe HTML. Raw HTML and images are not taken; links tell search engines and sites nothing.

    ``people`` maps what may stand behind an ``@`` to what is shown: only these are marked as mentions.
    """
    named = tuple(sorted((people or {}).items())) if "@" in text else ()
    return _written(text, named) if len(text) <= KEPT_AT_MOST else _written.__wrapped__(text, named)


@lru_cache(maxsize=1000)
def _written(text: str, people: tuple[tuple[str, str], ...]) -> SafeString:
    """Once for the same text: a timeline of fifty notes is shown again and again."""
    html = _parser().render(text, {"people": dict(people)})
    return mark_safe(  # noqa: S308  cleaned on this very line
        nh3.clean(
            html,
            tags=ALLOWED_TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}},
            allowed_classes={"span": {"at"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener nofollow ugc",
        )
    )


def names_in(text: str) -> list[str]:
    """What stands behind each ``@`` of a Markdown text, each once, in order: not in code, in links or in words."""
    found: list[str] = []
    if "@" in text:
        _parser().parse(text, {"found": found})
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image"])
    return with_checklists(with_mentions(parser))
