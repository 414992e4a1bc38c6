"""Texts of a report for people: Markdown that leads nowhere, times, labels, sizes. Nothing here trusts its input."""

from __future__ import annotations

import html
import re
from typing import Any

import nh3
from django.template.defaultfilters import filesizeformat

from soar.lib.hidden import shown
from soar.lib.text import ALLOWED_TAGS, defang, markdown

TEXT_AT_MOST = 20_000  # characters of one text in a report; the JSON export has all of it
LINK = re.compile(r'<a\s[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


def rich(text: str) -> str:
    """Markdown as safe HTML in which nothing can be opened: a link shows where it would have led, defanged."""
    made = LINK.sub(_led_to, str(markdown(cut(text))))
    return nh3.clean(made, tags=ALLOWED_TAGS - {"a"}, attributes={"ol": {"start"}}, allowed_classes={"span": {"at"}})


def _led_to(found: re.Match[str]) -> str:
    address, words = html.unescape(found[1]), found[2]
    inert = html.escape(defang(address))
    return f"<code>{inert}</code>" if html.unescape(words) == address else f"{words} (<code>{inert}</code>)"


def cut(text: Any) -> str:
    """A text with invisible characters shown, no longer than a report can bear."""
    whole = shown(str(text or ""))
    more = len(whole) - TEXT_AT_MOST
    return whole if more <= 0 else f"{whole[:TEXT_AT_MOST]}… [{more:,} more characters]"


def moment(iso: str | None) -> str:
    """``2026-03-12T09:41:07.120000Z`` as ``2026-03-12 09:41:07Z``; "" for none."""
    return f"{iso[:10]} {iso[11:19]}Z" if iso else ""


def label(word: Any) -> str:
    """``in_progress`` as ``In progress``."""
    return str(word or "").replace("_", " ").capitalize()


def size(number: int | None) -> str:
    """Bytes as people read them, with a plain space."""
    return filesizeformat(number or 0).replace("\xa0", " ")
