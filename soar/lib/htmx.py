"""Answers to htmx: regions of a page, out-of-band parts, toasts, a line for readers (interface.md 2, 3).

A region is a named partial inside its page's template, so the page and the answer are made of the same piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a region. A boosted link or a page of the history is whole."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def is_typing(request: HttpRequest) -> bool:
    """Whether somebody is still typing what is asked for: half a word is no mistake, so it is not called one."""
    return is_partial(request) and request.headers.get("HX-Typing") == "true"


def render_regions(
    request: HttpRequest,
    template: str,
    partials: Sequence[str],
    context: Mapping[str, Any] | None = None,
    *,
    extra: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    """The named partials of ``template`` in one answer.

    The first is what the element asked for; the others are rendered with ``oob`` true, so that ``{% oob %}``
    in their outer element writes ``hx-swap-oob``. ``extra`` are finished pieces behind them
    (``toast()``, ``live()``).
    """
    parts: list[str] = []
    for number, name in enumerate(partials):
        given = {**(context or {}), "oob": number > 0}
        parts.append(render_to_string(f"{template}#{name}", given, request))
    return HttpResponse("".join([*parts, *extra]), status=status, headers={"Vary": "HX-Request"})


def toast(
    text: object,
    tone: str = "green",
    *,
    detail: object = "",
    undo_url: str = "",
    request: HttpRequest | None = None,
) -> SafeString:
    """A message that htmx adds to ``#toasts``. ``tone``: green, blue, amber, violet, red (stays).

    ``undo_url`` is posted to by the Undo button; it needs ``request`` for the form's token.
    """
    context = {"text": text, "tone": tone, "detail": detail, "undo_url": undo_url}
    message = render_to_string("components/toast.html", context, request)
    return format_html('<div id="toasts" hx-swap-oob="beforeend">{}</div>', mark_safe(message))  # noqa: S308  own template


def live(text: object) -> SafeString:
    """One line for screen readers, sent with a swap: "42 alerts", "ALR-7 assigned to you"."""
    return format_html('<div id="live" hx-swap-oob="innerHTML">{}</div>', text)


def push_url(response: HttpResponse, url: str) -> HttpResponse:
    """``response`` that makes ``url`` the address of the page."""
    response["HX-Push-Url"] = url
    return response


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Sends the person to ``url``: by header for htmx (a whole new page), with 302 for a plain form."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponse(status=302, headers={"Location": url})


def trigger(response: HttpResponse, *events: str) -> HttpResponse:
    """``response`` that fires ``events`` on the page after it arrives (each a plain name)."""
    response["HX-Trigger"] = ", ".join(events)
    return response
