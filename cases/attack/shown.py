"""Techniques as finished parts of a page: wherever an id is shown, its name is told."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cases.attack.stored import catalog
from soar.lib import parts


def label(id: str) -> str:
    """``T1566.002 Phishing: Spearphishing Link``; the id alone when ATT&CK does not know it."""
    return f"{id} {catalog().name(id)}".strip()


def pill(id: str, list_name: str) -> SafeString:
    """The id as a link to the list of that name; its name as tooltip, and read out."""
    url = f"{reverse(list_name)}?{urlencode({'technique': id})}"
    name = catalog().name(id)
    if not name:
        return format_html('<a class="pill out quiet" href="{}">{}</a>', url, id)
    told = '<a class="pill out quiet" href="{}" title="{}">{}<span class="visually-hidden"> {}</span></a>'
    return format_html(told, url, name, id, name)


def observable(value: str, url: str = "", type: str = "") -> SafeString:
    """An observable as ``soar.lib.parts.observable`` shows it; a technique with its name."""
    shown = parts.observable(value, url, type)
    name = catalog().name(value) if type == "technique" else ""
    return format_html('{} <span class="small ink-2">{}</span>', shown, name) if name else shown
