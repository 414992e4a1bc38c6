"""Answers when something is refused or breaks: a page in our look, or problem+json for programs (RFC 9457).

None of these asks the database, so they also stand when it is down; the person is never looked up here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from soar.accounts.roles import BUILTIN
from soar.theme import COOKIE, THEMES

FOR_PROGRAMS = ("/api/", "/healthz", "/readyz")
CODENAME = re.compile(r"(?:\w+\.)?([a-z]+(?:_[a-z]+)*)")
TITLES = {400: "Bad request", 403: "Forbidden", 404: "Not found", 500: "Internal server error"}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: what was sent cannot be read."""
    return _answer(
        request, 400, _("That request cannot be read"), _said(exception) or _("Nothing was saved.")
    )


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
    said = _said(exception) if isinstance(exception, Http404) else ""
    text = said or _("There is nothing at this address, or it is not for you to see.")
    return _answer(request, 404, _("Not found"), text)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: what happened is in the log under the request's id."""
    text = _("Something went wrong here, not on your side. It is in the log under the number below.")
    return _answer(request, 500, _("That did not work"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or old (setting ``CSRF_FAILURE_VIEW``). Nothing was saved."""
    text = _(
        "This page was open for too long, or it was sent from elsewhere. Nothing was saved; open it again."
    )
    return _answer(
        request, 403, _("That form has run out"), text, {"back": _came_from(request)}, "403_csrf.html"
    )


def problem(status: int, detail: str, request_id: str = "", title: str = "") -> JsonResponse:
    """An RFC 9457 problem document."""
    body = {
        "type": "about:blank",
        "title": title or TITLES.get(status, ""),
        "status": status,
        "detail": detail,
    }
    if request_id:
        body["request_id"] = request_id
    return JsonResponse(body, status=status, content_type="application/problem+json")


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
        return problem(status, text, request_id)
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
    """The text of an exception that was written for people. Django's own technical texts are not."""
    if (
        isinstance(exception, PermissionDenied | Http404)
        and exception.args
        and isinstance(exception.args[0], str)
    ):
        return exception.args[0]
    return ""


def _codename(exception: Exception | None) -> str | None:
    found = CODENAME.fullmatch(_said(exception))
    return found[1] if found and _is_right(found[1]) else None


def _is_right(codename: str) -> bool:
    return any(codename in rights for _text, rights in BUILTIN.values())


def _right(codename: str) -> str:
    from soar.accounts.models import Role

    return dict(Role._meta.permissions).get(codename, codename)


def _holders(codename: str) -> list[str]:
    return [name for name, (_text, rights) in BUILTIN.items() if codename in rights]


def _came_from(request: HttpRequest) -> str:
    """The page the form was on, when it is one of ours."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, request.is_secure()):
        return "/"
    return urlsplit(referer)._replace(scheme="", netloc="").geturl()
