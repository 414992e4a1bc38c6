"""A fresh login before what matters (access.md 1): who is not fresh confirms first, and then goes on with what was
typed. Off while ``SOAR_FRESH_LOGIN_SECONDS`` is 0."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.core.internal.httpkit import serialize_request
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from soar.lib.htmx import redirect

SAFE = ("GET", "HEAD", "OPTIONS")


def is_asked(request: HttpRequest, url_name: str) -> bool:
    """Whether this page, asked for like this, wants a fresh login."""
    if not settings.FRESH_LOGIN_SECONDS:
        return False
    if request.method in SAFE:
        return url_name in settings.FRESH_LOGIN_FORMS
    if url_name in settings.FRESH_LOGIN_BODIES:
        name, value = settings.FRESH_LOGIN_BODIES[url_name]
        return name in request.POST and value in (None, request.POST[name].strip())
    return url_name in settings.FRESH_LOGIN_POSTS


def is_asked_of_call(request: HttpRequest, url_name: str) -> bool:
    """Whether this call of the API wants a fresh login: by its name, or by what stands in its body. A body that cannot
    be read here wants one as well."""
    if not settings.FRESH_LOGIN_SECONDS or request.method in SAFE:
        return False
    if url_name not in settings.FRESH_LOGIN_BODIES:
        return url_name in settings.FRESH_LOGIN_CALLS
    name, value = settings.FRESH_LOGIN_BODIES[url_name]
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return True
    return isinstance(body, dict) and name in body and value in (None, str(body[name]).strip())


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person has signed in or confirmed it within the seconds of the setting. True for whoever has nothing
    to confirm with."""
    if not settings.FRESH_LOGIN_SECONDS:
        return True
    records = get_authentication_records(request, request.user)
    last = max((float(one["at"]) for one in records if one.get("reauthenticated")), default=0.0)
    return time.time() - last < settings.FRESH_LOGIN_SECONDS or not get_adapter().get_reauthentication_methods(
        request.user
    )


def ask(request: HttpRequest) -> HttpResponse:
    """The way to the confirmation. What was posted is kept in the session and done after it, as by a plain form: what
    htmx said of the page that was there no longer holds."""
    where = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
    if request.method in SAFE:
        back = _page(request) if request.headers.get("HX-Request") == "true" else request.get_full_path()
    else:
        back = request.path
        request.META = {name: value for name, value in request.META.items() if not name.startswith("HTTP_HX_")}
        request.session[STATE_SESSION_KEY] = {"request": serialize_request(request)}
    return redirect(request, f"{where}?{urlencode({REDIRECT_FIELD_NAME: back})}")


def _page(request: HttpRequest) -> str:
    """The path of the page that an htmx request came from: never another site."""
    parts = urlsplit(request.headers.get("HX-Current-URL", "/"))
    return "/" + parts.path.lstrip("/\\") + (f"?{parts.query}" if parts.query else "")
