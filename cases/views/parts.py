"""What views of cases share: who asks, and whether they may look at cases at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from soar.accounts.membership import may
from soar.accounts.models import User

View = Callable[..., HttpResponse]


def person_of(request: HttpRequest) -> User:
    """The person who is signed in."""
    return cast(User, request.user)


def needs(
    permission: str, granted: Callable[[User], bool] | None = None, *, read_by: str = ""
) -> Callable[[View], View]:
    """Let only people with this permission of the product in; others see which one is missing (403). ``granted`` lets
    in whoever was given some of it by name; what they may do there, the view asks for each thing. Whoever holds
    ``read_by`` may look (GET, HEAD)."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = person_of(request)
            looks = read_by and request.method in ("GET", "HEAD") and may(user, read_by)
            if not looks and not may(user, permission) and not (granted and granted(user)):
                raise PermissionDenied(f"accounts.{permission}")
            return view(request, *args, **kwargs)

        return inner

    return decorate


def check_may(request: HttpRequest, permission: str) -> None:
    """For a page that many read and some change: who may is asked before what was typed is looked at. Raises
    PermissionDenied."""
    if not may(person_of(request), permission):
        raise PermissionDenied(f"accounts.{permission}")


signed_in_reader = needs("view_cases")
