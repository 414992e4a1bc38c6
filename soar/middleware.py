"""What every request passes: an id, a short way for programs, care for a lost database, login, the time zone."""

from __future__ import annotations

import ipaddress
import re
import secrets
import sys
import time
import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import resolve
from django.utils import timezone
from django.utils.http import urlencode

from soar.errors import unavailable
from soar.lib import disks, room
from soar.lib.context import UNKNOWN, address, cause, doing, via
from soar.lib.database import AWAY, drop_dead_connection, forget_connection
from soar.lib.hidden import shown_page
from soar.lib.request_times import RequestTimes

NO_ROOM = "30"  # seconds until a full disk is worth another try
GetResponse = Callable[[HttpRequest], HttpResponseBase]
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # anything else could forge log lines
SAFE = ("GET", "HEAD", "OPTIONS")
request_times = RequestTimes(lambda: Path(settings.DATA_DIR) / "rates" / "times")
OWN_LOGIN = ("/api/", "/static/", "/healthz", "/readyz", "/accounts/login/")


class Timed:
    """Counts each request for ``/metrics``, by route and class of status, until its answer is begun to be sent."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match  # none for static files, and for addresses that there are not
        route = match.view_name if match else UNKNOWN
        with suppress(OSError):  # no room for the file: the answer matters more
            request_times.add(route, f"{response.status_code // 100}xx", time.perf_counter() - began)
        return response


class RequestId:
    """Takes the caller's ``X-Request-ID`` or makes one; on the request, on the answer and in every log line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, with the header ``X-Request-ID``."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        request.request_id = name  # type: ignore[attr-defined]
        known, named = address.set(_address(request)), via.set("")
        try:
            with doing(name):
                response = self.get_response(request)
                request.cause = cause.get()  # type: ignore[attr-defined]
        finally:
            address.reset(known)
            via.reset(named)
        response["X-Request-ID"] = name
        return response


class FastLane:
    """Calls the views of ``settings.FAST_PATHS`` and ``FAST_ADDRESSES`` at once: they know their callers and need no
    session, page or CSRF."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.paths = tuple(settings.FAST_PATHS)
        self.addresses = settings.FAST_ADDRESSES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The view's answer; 503 with ``Retry-After`` while the database is away."""
        drop_dead_connection()
        if not request.path_info.startswith(self.paths) and request.path_info not in self.addresses:
            return self.get_response(request)
        try:
            match = resolve(request.path_info)
        except Http404:
            return self.get_response(request)
        request.resolver_match = match
        try:
            answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        except (*AWAY, OSError) as error:
            if isinstance(error, OSError) and not room.is_full(error):
                raise
            forget_connection()
            return retry_later(request, error)
        return answer


class DatabaseAway:
    """A lost database is 503 "come back soon", never a 500. What only reads is tried once more on a new connection."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # Django turns an exception into an answer before a middleware sees it; this is its official way to hear of it.
        got_request_exception.connect(note_database_error, dispatch_uid="soar.middleware")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, the answer of the second try, or 503."""
        response = self.get_response(request)
        if not _lost(request):
            return response
        if request.method in SAFE:
            _forget(request)
            response = self.get_response(request)
            if not _lost(request):
                return response
        error = request.database_error  # type: ignore[attr-defined]
        _forget(request)
        return retry_later(request, error)


class LoginRequired(LoginRequiredMiddleware):
    """Sends strangers to the login page; an htmx request is told to move the whole page there (access.md)."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """None lets the request pass."""
        if request.path_info.startswith(OWN_LOGIN):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        """The way to the login page, and back to what was asked for if that can be asked for again."""
        if request.headers.get("HX-Request") != "true":
            return super().handle_no_permission(request, view_func)
        back = request.headers.get("HX-Current-URL", "/")
        where = resolve_url(settings.LOGIN_URL) + "?" + urlencode({REDIRECT_FIELD_NAME: _path(back)})
        return HttpResponse(status=204, headers={"HX-Redirect": where})


class TimeZone:
    """Shows times in the time zone the person chose; programs get UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        if request.path_info.startswith(("/api/", "/static/")):
            return self.get_response(request)
        with timezone.override(_zone(getattr(request.user, "time_zone", ""))):
            return self.get_response(request)


class VisibleText:
    """Shows characters that nobody would see, or that turn a line round, as signs (soar.lib.hidden): on every page,
    whoever wrote the text and wherever it stands. What is stored, and what programs get, stays as it is."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            page = shown_page(response.content)
            if page is not response.content:
                response.content = page
        return response


def note_database_error(request: HttpRequest | None = None, **_more: object) -> None:
    """Remember on the request that the error being handled is the database's, or a full disk's."""
    error = sys.exc_info()[1]
    if request is not None and (isinstance(error, AWAY) or room.is_full(error)):
        request.database_error = error  # type: ignore[attr-defined]


def retry_later(request: HttpRequest, error: BaseException) -> HttpResponse:
    """503 with ``Retry-After``: problem+json for programs, a page for people. Nothing was saved."""
    full = room.note(error) or disks.full()
    response = unavailable(request, full=full)
    response["Retry-After"] = NO_ROOM if full else "2"
    return response


def _address(request: HttpRequest) -> str:
    """The caller's address, as signing in counts it (ALLAUTH_TRUSTED_PROXY_COUNT); "" for what is none."""
    try:
        return str(ipaddress.ip_address(get_client_ip(request) or ""))
    except (ValueError, ImproperlyConfigured):
        return ""


def _lost(request: HttpRequest) -> bool:
    return getattr(request, "database_error", None) is not None


def _forget(request: HttpRequest) -> None:
    """Make the request as good as new: no broken connection, nobody looked up yet."""
    forget_connection()
    for name in ("database_error", "_cached_user", "_acached_user"):
        request.__dict__.pop(name, None)


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def _path(url: str) -> str:
    """The path and query of ``url``: a login never leads to another site."""
    parts = urlsplit(url)
    return ("/" + parts.path.lstrip("/")) + (f"?{parts.query}" if parts.query else "")
