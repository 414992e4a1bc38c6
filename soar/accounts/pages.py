"""What the pages of administration share: who asks, whether they may, secrets that are shown once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib.crypto import DecryptionError, decrypt, encrypt
from soar.lib.errors import CaseError, Missing

T = TypeVar("T")
View = Callable[..., HttpResponseBase]
TEXT_AT_MOST = 200


def person_of(request: HttpRequest) -> User:
    """The person who is signed in."""
    return cast(User, request.user)


def needs(permission: str, *, read_by: str = "") -> Callable[[View], View]:
    """Let only people with this permission of the product in; others see which one is missing (403). Whoever holds
    ``read_by`` may look (GET, HEAD)."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = person_of(request)
            looks = read_by and request.method in ("GET", "HEAD") and may(user, read_by)
            if not looks and not may(user, permission):
                raise PermissionDenied(f"accounts.{permission}")
            return view(request, *args, **kwargs)

        return inner

    return decorate


def asked(request: HttpRequest, name: str = "q") -> str:
    """A text of the query string, without what the database does not take."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:TEXT_AT_MOST]


def tried(request: HttpRequest, act: Callable[[], T]) -> T | None:
    """What came of it, or None and a message that says why not. What may not be seen stays a 404."""
    try:
        return act()
    except Missing:
        raise
    except CaseError as error:
        messages.error(request, error.message)
        return None


def beside(form: forms.Form, error: CaseError) -> None:
    """Put a refusal beside its field, or over the form. Raises what may not be seen."""
    if isinstance(error, Missing):
        raise error
    form.add_error(error.field if error.field in form.fields else None, error.message)


def status_of(form: forms.Form) -> int:
    """Of the page with the form: 422 when something in it is wrong."""
    return 422 if form.errors else 200


def keep_secret(request: HttpRequest, name: str, pk: int, secret: str) -> None:
    """Keep a secret, encrypted, for the page that shows it once."""
    request.session[name] = [pk, encrypt(secret)]


def take_secret(request: HttpRequest, name: str, pk: int) -> str:
    """The secret kept for this page, once; "" when there is none."""
    kept = request.session.get(name)
    if not kept or kept[0] != pk:
        return ""
    del request.session[name]
    try:
        return decrypt(kept[1])
    except DecryptionError:  # the key was changed in between
        return ""


def unkept(answer: HttpResponse) -> HttpResponse:
    """The answer, which no cache keeps."""
    answer["Cache-Control"] = "no-store"
    return answer
