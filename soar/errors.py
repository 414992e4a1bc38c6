"""Answers when something is refused or breaks: a page in our look, or problem+json for programs (RFC 9457).

None of these asks the database, so they also stand when it is down; the person is never looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from soar.accounts.models import Role
from soar.accounts.roles import BUILTIN
from soar.lib.errors import CaseError
from soar.problems import problem
from soar.theme import COOKIE, THEMES

FOR_PROGRAMS = ("/api/", "/healthz", "/readyz")
CODENAME = re.compile(r"(?:\w+\.)?([a-z]+(?:_[a-z]+)*)")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: what was sent cannot be read."""
    return _answer(request, 400, _("That request cannot be read"), _("Nothing was saved."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403. ``PermissionDenied("accounts.work_cases")`` names the missing right; other text is shown."""
    codename = _codename(exception)
    if codename is None:
        said = _said(exception) or _("Your role does not allow this.")
        return _answer(request, 403, _("You may not do that"), said)
    right = _right(codename)
    detail = _("Your role does not allow this.")
    if _for_program(request):
        return _answer(request, 403, "", _("This needs the right “%s”.") % right)
    more = {"right": right, "holders": ", ".join(_holders(codename))}
    return _answer(request, 403, _("You may not do that"), detail, more=more)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, also for what exists but is not for this person to see (access.md 4): both read alike."""
    text = _("There is nothing at this address, or it is not for you to see.")
    return _answer(request, 404, _("Not found"), text)


def refused(request: HttpRequest, error: CaseError) -> HttpResponse:
    """What an action refused and no view turned into a message of its form: its sentence, with its status."""
    if error.status == 404:
        return not_found(request)
    heading = _("You may not do that") if error.status == 403 else _("That was not done")
    return _answer(request, error.status, heading, error.message, template="refused.html")


class Refusals:
    """Middleware: an action's refusal that a page did not catch is an answer, never a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to a refusal; None leaves other errors to Django."""
        return refused(request, exception) if isinstance(exception, CaseError) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """500: what happened is in the log under the request's id."""
    text = _("Something went wrong here, not on your side. It is in the log under the number below.")
    return _answer(request, 500, _("That did not work"), text)


def unavailable(request: HttpRequest, *, full: bool = False) -> HttpResponse:
    """503: the database cannot be asked now (operations.md 8). Nothing was saved."""
    text = _("The database is away for a moment. Nothing was saved; try again.")
    if full:
        text = _("The disk is full. Nothing was saved; try again when there is room.")
    return _answer(request, 503, _("Back in a moment"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or old (setting ``CSRF_FAILURE_VIEW``). Nothing was saved."""
    text = _("This page was open too long or sent from elsewhere. Nothing was saved; open it again.")
    more = {"back": _came_from(request)}
    return _answer(request, 403, _("That form has run out"), text, more=more, template="403_csrf.html")


def _answer(
    request: HttpRequest,
    status: int,
    heading: str,
    text: str,
    *,
    more: dict[str, str] | None = None,
    template: str = "",
) -> HttpResponse:
    request_id = str(getattr(request, "request_id", "") or "")
    if _for_program(request):
        extra: dict[str, Any] = {"request_id": request_id} if request_id else {}
        return problem(status, text, **extra)
    context = {
        "heading": heading,
        "text": text,
        "request_id": request_id,
        "theme_cookie": _cookie(request),
        **(more or {}),
    }
    # No request is given: a context processor would load the session and the person.
    return HttpResponse(render_to_string(template or f"{status}.html", context), status=status)


def _for_program(request: HttpRequest) -> bool:
    """API paths, and htmx: the toast shows the detail (static/js/toasts.js)."""
    return request.path.startswith(FOR_PROGRAMS) or request.headers.get("HX-Request") == "true"


def _cookie(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else "auto"


def _said(exception: Exception | None) -> str:
    """The text of a refusal, which is written for people. Django's own technical texts are not shown."""
    if isinstance(exception, PermissionDenied) and exception.args:
        return str(exception.args[0])
    return ""


def _codename(exception: Exception | None) -> str | None:
    found = CODENAME.fullmatch(_said(exception))
    return found[1] if found and _is_right(found[1]) else None


def _is_right(codename: str) -> bool:
    return any(codename in rights for _text, rights in BUILTIN.values())


def _right(codename: str) -> str:
    return _(str(dict(Role._meta.permissions).get(codename, codename)))


def _holders(codename: str) -> list[str]:
    return [name for name, (_text, rights) in BUILTIN.items() if codename in rights]


def _came_from(request: HttpRequest) -> str:
    """The page the form was on, when it is one of ours."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, request.is_secure()):
        return "/"
    parts = urlsplit(referer)
    # One slash: a browser reads //name as another host.
    return "/" + parts.path.lstrip("/\\") + (f"?{parts.query}" if parts.query else "")
