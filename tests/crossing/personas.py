"""Who knocks: a person in a browser, or a program with that person's token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from soar.accounts.actions.users import create_token
from soar.accounts.models import User
from tests.factories import make_user
from tests.fixtures import client_of

# Columns of the table. The outsider is as the analyst, of the same team: the restricted incident is not for them.
NAMES = (
    "anonymous", "stranger", "viewer", "analyst", "responder", "author", "auditor", "admin", "owner", "outsider",
    "expired", "scope",
)  # fmt: skip
PROGRAMS = ("expired", "scope")  # there is no browser of theirs
# Whoever must not learn anything of the restricted incident: the owner alone has a grant.
OUTSIDE = tuple(name for name in NAMES if name != "owner")
STRANGE = ("anonymous", "stranger", "expired", "scope")  # to whom team Blue's things are hidden as well


@cache
def _handler() -> ClientHandler:
    """What answers all of them: making the chain of middleware for each browser would take longer than most answers."""
    return ClientHandler(enforce_csrf_checks=False)


@dataclass(slots=True)
class Persona:
    """One column: ``session`` for pages, ``token`` for the API; both None for the anonymous one."""

    name: str
    user: User | None = None
    session: str | None = None
    token: str | None = None

    def knock(self, method: str, path: str, body: bytes, kind: str, *, api: bool) -> Any:
        """Ask with this body of this kind. A browser of its own each time: what one answer sets does not meet the
        next."""
        client = Client(raise_request_exception=False)
        client.handler = _handler()
        if self.session and not api:
            client.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: self.session})
        headers = {"Authorization": f"Bearer {self.token}"} if self.token and api else {}
        return client.generic(method, path, body, kind, headers=headers)


@dataclass(slots=True)
class Cast:
    """All of them by name."""

    everybody: dict[str, Persona] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Persona:
        return self.everybody[name]

    def user(self, name: str) -> User:
        """The person of a column that has one."""
        found = self.everybody[name].user
        assert found is not None, name
        return found


def cast() -> Cast:
    """The people; Blue is the team whose things are knocked at, Red is the stranger's."""
    made = Cast({"anonymous": Persona("anonymous")})
    for name, role, team in (
        ("stranger", "Analyst", "Red"), ("viewer", "Viewer", "Blue"), ("analyst", "Analyst", "Blue"),
        ("responder", "Responder", "Blue"), ("author", "Playbook author", "Blue"), ("auditor", "Auditor", "Blue"),
        ("admin", "Admin", "Blue"), ("owner", "Analyst", "Blue"), ("outsider", "Analyst", "Blue"),
    ):  # fmt: skip
        user = make_user(f"the-{name}", role, teams=(team,))
        _, token = create_token(user, "crossing", actor=user)
        made.everybody[name] = Persona(name, user, client_of(user).cookies[settings.SESSION_COOKIE_NAME].value, token)
    admin = made.user("admin")
    row, token = create_token(admin, "over", actor=admin)
    type(row).objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    made.everybody["expired"] = Persona("expired", admin, token=token)
    _, token = create_token(admin, "narrow", actor=admin, scopes=("view_audit",))
    made.everybody["scope"] = Persona("scope", admin, token=token)
    return made
