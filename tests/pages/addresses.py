"""Every address that a browser asks for by GET, from the URL configuration: a new page cannot be forgotten."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.test import Client

from tests.crossing.operations import Operation, pages
from tests.crossing.world import World

METHOD = 405
# No page of this portal's: switched off, or of a product that is not set up here. Each answers 404.
ABSENT = {
    "accounts/<slug:provider_id>/login/callback/": "the company's sign-in is not set up",
    "accounts/oidc/": "the company's sign-in is not set up",
    "accounts/oidc/cancelled/": "the company's sign-in is not set up",
    "accounts/oidc/confirm/": "the company's sign-in is not set up",
    "accounts/confirm-email/": "switched off: an admin makes the accounts",
    "accounts/email/": "switched off: an admin makes the accounts",
    "accounts/login/code/confirm/": "switched off",
    "accounts/password/reset/": "mail is not set up",
    "accounts/password/reset/done/": "mail is not set up",
    "accounts/password/reset/key/done/": "mail is not set up",
    "accounts/password/set/": "switched off: everybody has a password",
    "accounts/signup/": "switched off: an admin makes the accounts",
    "accounts/2fa/app/deactivate/": "the admin has no second factor: tests/test_second_factor.py",
    "accounts/2fa/codes/": "the admin has no second factor: tests/test_second_factor.py",
    "practice/": "for the demo alone: tests/test_practice_pages.py",
    "practice/mail/<int:number>/": "for the demo alone: tests/test_practice_pages.py",
    "practice/servicenow/<slug:table>/<slug:sys_id>/": "for the demo alone: tests/test_practice_servicenow.py",
}
# What answers something else than a page, and with what.
OTHERWISE = {
    "accounts/2fa/app/activate/": 302,  # asks to confirm the login first
    "accounts/2fa/codes/generate/": 302,
    "accounts/2fa/keys/<int:pk>/remove/": 302,
    "accounts/2fa/keys/<int:pk>/rename/": 302,
    "accounts/2fa/keys/add/": 302,
    "accounts/2fa/authenticate/": 302,  # signed in already
    "accounts/2fa/keys/login/": 302,  # signed in already
    "accounts/2fa/keys/reauthenticate/": 302,  # has no key
    "accounts/2fa/reauthenticate/": 302,  # has no second factor
    "alerts/<str:number>/people/": 302,  # a list for a field, asked for by the page
    "alerts/<str:number>/runs/": 302,
    "incidents/<str:number>/more/": 302,
    "incidents/<str:number>/panel/<slug:name>/": 302,
    "incidents/<str:number>/people/": 302,
    "incidents/<str:number>/runs/": 302,
    "incidents/<str:number>/timeline/": 302,
    "feeds/blocklist/<str:type>.txt": 401,  # for firewalls, by a token
    "inbox/new/": 204,
    "incidents/new-since/": 204,
    "inbox/<int:pk>/": 404,  # the owner's own
    "exports/<int:pk>/file/": 302,  # to its page: it is not made yet
    "metrics": 404,  # without a token for it
    "playbooks/<str:ref>/access/close/": 404,  # nothing of it can be closed
    "sources/<slug:ref>/access/close/": 404,
    "sources/<slug:slug>/pull/": 404,  # alerts are sent to it
    "readyz": 503,  # there is no worker here
    "servicenow/links/<int:pk>/recreate/": 409,  # the ticket is not gone
    "servicenow/links/<int:pk>/relink/": 409,
    "settings/retention/preview/": 422,  # asked for without a rule
}  # fmt: skip
# Downloads and answers without a page, which no window shows.
FILES = {
    "alerts/export/", "incidents/export/", "evidence/<int:pk>/file/", "settings/scripts/<int:pk>/text/",
    "runs/<int:pk>/tasks.csv", "runs/export/",
    "playbooks/<int:pk>/export/", "playbooks/<int:pk>/cacao/", "settings/signing-keys/verify.py",
    "exports/<int:pk>/file/", "audit/export/<str:kind>/", "alerts/<str:number>/message/", "inbox/new/",
    "incidents/new-since/", "accounts/logout/",
}  # fmt: skip
# Pages of those who have not signed in.
OUTSIDE = ("accounts/login/",)
# Things that are somebody's own.
WHOSE = {"alerts/jobs/<int:pk>/": "owner", "timeline/<int:pk>/edit/": "owner"}


def gets() -> list[Operation]:
    """Every address, asked for by GET, but those that are not there."""
    return [one for one in pages() if one.method == "GET" and one.route not in ABSENT]


def who(operation: Operation, name: str) -> str:
    """Who is to ask, where ``name`` would have been told that there is nothing."""
    if operation.route in OUTSIDE:
        return "anonymous"
    return WHOSE.get(operation.route, name) if name == "admin" else name


def ask(world: World, name: str, operation: Operation) -> Any:
    """The answer to a person."""
    client = Client(raise_request_exception=False)
    if session := world.cast[who(operation, name)].session:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    return client.get(operation.path(world.values(operation, "")))


def body(answer: Any) -> bytes:
    """What came."""
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def is_document(answer: Any, text: bytes) -> bool:
    """Whether it is a whole page, not a part of one, nor a file."""
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html") and b"<html" in text[:600]
