"""Search over everything: what the box beside every page leads to (interface.md 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cases.filters import AlertFilter
from cases.models import Alert
from cases.restricted_views import note_rows
from cases.searching import SHOWN, WORD_AT_LEAST, Found, Hit, search
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib import parts

BEFORE, AROUND = 60, 220  # letters of an excerpt before the first word, and of all of it
LABELS = {
    "incident": gettext_lazy("Incidents"), "observable": gettext_lazy("Observables of incidents"),
    "note": gettext_lazy("Notes"), "task": gettext_lazy("Tasks"),
    "evidence": gettext_lazy("Evidence"), "hand-over": gettext_lazy("Hand-overs"), "asset": gettext_lazy("Assets"),
}  # fmt: skip
# Where all of a sort are found by the same words; others are narrowed by another word.
LISTS = {"asset": "asset-list"}
EVERY = {"status": "any", "suppressed": "all"}  # the queue shows open alerts alone if not told otherwise
Section = dict[str, Any]


@signed_in_reader
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """What the person may see of what holds all the words of ``?q=``."""
    user = person_of(request)
    found = search(user, request.GET.get("q", ""))
    sections = [_section(found, sort) for sort in LABELS if found.hits.get(sort)]
    alerts = _alerts(user, found) if found.words else None
    context = {
        "q": found.text,
        "numbers": [_line(hit, found.words) for hit in found.hits["numbers"]],
        "sections": [one for one in (alerts, *sections) if one and one["lines"]],
        "short": ", ".join(found.short),
        "least": WORD_AT_LEAST,
        "lists": [
            (_("Alerts"), reverse("alert-list")),
            (_("Observables"), reverse("observable-list")),
        ],
    }
    return render(request, "cases/search.html", context)


def _alerts(user: User, found: Found) -> Section:
    """The newest alerts that the queue's own filter finds by the words, as they stand; ended ones too."""
    rows = AlertFilter.parse({"q": _literal(found)}).apply(Alert.objects.visible_to(user), user)
    listed = list(rows.with_line_data().order_by("-pk")[: SHOWN + 1])  # type: ignore[attr-defined]
    note_rows(user, listed[:SHOWN])
    lines = [
        {
            "number": one.number,
            "title": marked(one.title, found.words),
            "url": reverse("alert-detail", args=[one.number]),
            "text": marked(" · ".join(filter(None, (one.hostname, one.username, one.source_ip))), found.words),
            "by": "",
            "age": parts.ago(one.received_at),
        }
        for one in listed[:SHOWN]
    ]
    address = f"{reverse('alert-list')}?{urlencode({'q': _literal(found), **EVERY})}"
    return {"name": "alert", "label": _("Alerts"), "lines": lines, "more": len(listed) > SHOWN, "all": address}


def _section(found: Found, sort: str) -> Section:
    lines = [_line(hit, found.words) for hit in found.hits[sort]]
    address = f"{reverse(LISTS[sort])}?{urlencode({'q': _literal(found)})}" if sort in LISTS else ""
    return {"name": sort, "label": LABELS[sort], "lines": lines, "more": sort in found.more, "all": address}


def _literal(found: Found) -> str:
    """The words for the filter of a list, which takes ``a:b`` for a field and ``-a`` for its opposite unless it stands
    in quotation marks."""
    return " ".join(f'"{word}"' for word in found.words)


def _line(hit: Hit, words: Sequence[str]) -> Section:
    subject = f"INC-{hit.incident}" if hit.incident else f"ALR-{hit.alert}" if hit.alert else ""
    text = excerpt(hit.text.removeprefix(hit.title), words) if hit.text else ""
    headed = "" if hit.sort in ("note", "hand-over") else marked(hit.title, words)
    return {
        "number": f"{hit.sort}-{hit.pk}" if hit.sort in ("INC", "ALR") else subject,
        "title": headed,
        "text": excerpt(hit.text, words) if hit.sort in ("note", "hand-over") else text,
        "url": _address(hit, subject),
        "by": hit.by,
        "age": parts.ago(hit.at) if hit.at else "",
    }


def _address(hit: Hit, subject: str) -> str:
    if hit.sort in ("INC", "ALR"):
        return reverse("incident-detail" if hit.sort == "INC" else "alert-detail", args=[f"{hit.sort}-{hit.pk}"])
    if hit.sort == "note":
        page = reverse("incident-detail" if hit.incident else "alert-detail", args=[subject])
        return f"{page}?entry={hit.pk}#entry-{hit.pk}"
    if hit.sort == "task":
        return f"{reverse('incident-detail', args=[subject])}#task-{hit.pk}"
    if hit.sort == "observable":
        return f"{reverse('incident-detail', args=[subject])}#incident-observables"
    if hit.sort == "incident":
        return reverse("incident-detail", args=[subject])
    names = {"evidence": "evidence-detail", "hand-over": "hand-over-page", "asset": "asset-detail"}
    return reverse(names[hit.sort], args=[hit.pk])


def excerpt(text: str, words: Sequence[str]) -> SafeString:
    """The text around the first of the words that it holds, each word marked; "" where it holds none of them."""
    line = " ".join(text.split())
    places = [place for word in words if (place := line.lower().find(word.lower())) >= 0]
    if not places:
        return SafeString("")
    begin = max(min(places) - BEFORE, 0)
    if begin and (gap := line.find(" ", begin, min(places))) >= 0:
        begin = gap + 1  # not in the middle of a word
    cut = line[begin : begin + AROUND]
    more = "…" if begin + AROUND < len(line) else ""
    return format_html("{}{}{}", "…" if begin else "", marked(cut, words), more)


def marked(text: str, words: Sequence[str]) -> SafeString:
    """The text, escaped, with each of the words marked."""
    low, spans, at = text.lower(), [], 0
    if len(low) != len(text):  # a letter that is two in small ones: places would not fit
        return format_html("{}", text)
    while at < len(text):
        found = [(low.find(word.lower(), at), len(word)) for word in words]
        place, length = min((one for one in found if one[0] >= 0), default=(-1, 0))
        if place < 0:
            break
        spans.append((text[at:place], text[place : place + length]))
        at = place + length
    return format_html("{}{}", format_html_join("", "{}<mark>{}</mark>", spans), text[at:])
