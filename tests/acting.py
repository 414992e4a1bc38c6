"""A practice range with one stand-in, and the connector that talks to it over HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from soar.connectors import actions, registry
from soar.connectors.models import ConnectorAccount
from soar.connectors.responder import Responder
from soar.paths import data_dir
from soar.standins.base import Request, Response, Standin
from soar.standins.server import Server


class Range:
    """``standin``: its state may be looked at and changed. ``account`` is connected to it."""

    def __init__(self, standin: Standin, account: ConnectorAccount) -> None:
        self.standin = standin
        self.account = account

    @property
    def state(self) -> dict[str, Any]:
        return self.standin.state

    def connector(self, **options: Any) -> Responder:
        found = registry.of(ConnectorAccount.objects.get(pk=self.account.pk), **options)
        assert isinstance(found, Responder)
        return found

    def fault(self, kind: str, **how: Any) -> None:
        assert self.standin._order({"kind": kind, **how}).status == 200

    @contextmanager
    def losing(self, *endings: str) -> Iterator[None]:
        """Calls of these paths arrive and are done, and their answers are lost."""
        serve = self.standin.serve

        def lossy(request: Request) -> Response:
            if request.method != "GET" and request.path.endswith(endings):
                self.fault("after")
            return serve(request)

        self.standin.serve = lossy  # type: ignore[method-assign]
        try:
            yield
        finally:
            self.standin.serve = serve  # type: ignore[method-assign]


def move_data(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another data folder with the same key: what there is already, such as a session, is read with it."""
    if (key := data_dir() / "encryption_key").exists():
        copy(key, folder)
    monkeypatch.setenv("SOAR_DATA", str(folder))


@contextmanager
def over_tls(standin: Standin, context: ssl.SSLContext) -> Iterator[str]:
    """Serve ``standin`` by TLS as localhost; yields its address."""
    server = Server([standin])
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    with server:
        yield server.urls[standin.kind]["url"].replace("http://127.0.0.1", "https://localhost")


@contextmanager
def practice(standin: Standin, secrets: dict[str, str], name: str = "", **settings: Any) -> Iterator[Range]:
    """Serve ``standin`` on a port of its own with an account that is connected to it."""
    with Server([standin]) as server:
        given = {"url": server.urls[standin.kind]["url"], "allow_internal": True, "timeout_seconds": 5, **settings}
        yield Range(standin, actions.create_account(None, standin.kind, name or standin.kind, given, secrets))
