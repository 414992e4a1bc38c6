"""The way back to where a ticket profile was wanted: the builder of a playbook (response-playbooks.md 23)."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

KEY = "ticket_profile_back"
LONGEST = 500


def remember(request: HttpRequest) -> None:
    """Keep ``?next=`` for this person, if it is a page of ours."""
    url = request.GET.get("next", "")
    if url and len(url) <= LONGEST and url_has_allowed_host_and_scheme(url, None) and url.startswith("/"):
        request.session[KEY] = url


def back_of(request: HttpRequest) -> str:
    """Where to go back to; "" for nowhere."""
    return str(request.session.get(KEY, ""))


def forget(request: HttpRequest) -> None:
    """The person is back."""
    request.session.pop(KEY, None)
