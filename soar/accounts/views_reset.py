"""Setting a password anew by mail is there only where mail is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from soar.accounts.notices import mail_is_ready

View = Callable[..., HttpResponseBase]


def if_there_is_mail(view: View) -> View:
    """``view``, or 404 while the portal can send no mail."""

    @login_not_required
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not mail_is_ready():
            raise Http404
        return view(request, *args, **kwargs)

    return asked
