"""A ServiceNow stand-in on a port of its own, an account connected to it, and the hands of the people there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from soar.connectors import actions, registry
from soar.connectors.models import ConnectorAccount
from soar.connectors.servicenow.connector import ServiceNow
from soar.standins.server import Server
from soar.standins.servicenow import seed
from soar.standins.servicenow.standin import ServiceNow as Instance

WAYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "basic": ({"username": seed.INTEGRATION}, {"password": seed.PASSWORD}),
    "password": (
        {"username": seed.INTEGRATION, "client_id": seed.CLIENT_ID},
        {"password": seed.PASSWORD, "client_secret": seed.CLIENT_SECRET},
    ),
    "client_credentials": (
        {"username": seed.INTEGRATION, "client_id": seed.CLIENT_ID},
        {"client_secret": seed.CLIENT_SECRET},
    ),
    "api_key": ({"username": seed.INTEGRATION}, {"api_key": seed.API_KEY}),
}


class Desk:
    """``do`` and ``look`` are the stand-in's control; ``connector`` is the one under test."""

    def __init__(self, instance: Instance, account: ConnectorAccount, control: str) -> None:
        self.instance, self.account, self._control = instance, account, control

    def connector(self, **options: Any) -> ServiceNow:
        found = registry.of(ConnectorAccount.objects.get(pk=self.account.pk), **options)
        assert isinstance(found, ServiceNow)
        return found

    def do(self, verb: str, **wish: Any) -> Any:
        answer = httpx.post(f"{self._control}/{verb}", json=wish, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, verb: str, **asked: Any) -> Any:
        answer = httpx.get(f"{self._control}/{verb}", params=asked, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def asked(self, part: str = "") -> list[dict[str, Any]]:
        """The requests to the product whose path holds ``part``, oldest first."""
        return [one for one in self.look("requests") if part in one["path"]]


@contextmanager
def desk(way: str = "basic", *, secrets: dict[str, str] | None = None, **settings: Any) -> Iterator[Desk]:
    """Signed in by ``way`` with the secrets of the instance, or those given."""
    instance = Instance()
    own, hidden = WAYS.get(way, ({}, {}))
    with Server([instance]) as server:
        place = server.urls["servicenow"]
        given = {"url": place["url"], "allow_internal": True, "timeout_seconds": 5, "auth": way, **own, **settings}
        account = actions.create_account(None, "servicenow", "Desk", given, hidden if secrets is None else secrets)
        yield Desk(instance, account, place["control"])
