"""What ``soar.connectors`` offers a playbook: the lists that rate observables, and the configured connectors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection

from playbooks.calls import idempotency_key, in_event_loop
from playbooks.scribe import in_thread
from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.base import Connector
from soar.connectors.intelligence.lookup import look_up

VALUES_AT_MOST = 1000


def known(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The verdicts on (type, value) pairs, in their order, as JSON. Raises ValueError for more than 1,000."""
    if len(pairs) > VALUES_AT_MOST:
        raise ValueError(f"At most {VALUES_AT_MOST} values at once, these are {len(pairs)}.")
    verdicts = look_up(pairs)
    return [
        {
            "type": type,
            "value": value,
            "risk": verdicts[type, value].risk,
            "benign": verdicts[type, value].benign,
            "rule": verdicts[type, value].rule,
            "evidence": verdicts[type, value].evidence,
        }
        for type, value in pairs
    ]


def open_connector(name: str, user: User | None, cause: uuid.UUID, dry_run: bool) -> Handle:
    """The connector of this name that ``user`` may use. Raises NoConnector, ConnectorError for a disabled one."""
    return Handle(registry.get(name, user=user, cause=cause, dry_run=dry_run))


class Handle:
    """A connector as a playbook has it: ``call`` is awaited inside ``async def`` and just called elsewhere.

    Its calls carry the idempotency key of the action that they are made in."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def __repr__(self) -> str:
        return repr(self._connector)

    def __getattr__(self, verb: str) -> Any:
        """The connector's own verbs, callable in the same two ways."""
        found = getattr(self._connector, verb)
        return self._either(found) if callable(found) else found

    def call(self, operation: str, method: str, path: str, **content: Any) -> Any:
        """One request to the product; see ``soar.connectors.base``."""
        content.setdefault("idempotency_key", idempotency_key())
        return self._either(self._connector.call)(operation, method, path, **content)

    @staticmethod
    def _either(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if in_event_loop():
                return in_thread(own_thread(lambda: function(*args, **kwargs)))
            return function(*args, **kwargs)

        return call


def own_thread(function: Callable[[], Any]) -> Callable[[], Any]:
    """``function`` for a thread of its own: a database connection that it opened is closed at its end."""

    def run() -> Any:
        try:
            return function()
        finally:
            connection.close()

    return run
