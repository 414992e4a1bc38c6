"""The ServiceNow of the practice range for tests: over real HTTP, with its control at hand."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from soar.standins.server import Server
from soar.standins.servicenow.seed import INTEGRATION, PASSWORD
from soar.standins.servicenow.standin import ServiceNow

Fields = dict[str, Any]
PLAIN = ssl.create_default_context()  # made once: it takes longer than a request


class Desk:
    """``url`` is the instance's address; ``api`` speaks to it as the portal does; the methods play the other side."""

    def __init__(self, server: Server, standin: ServiceNow) -> None:
        self.standin = standin
        self.url = server.urls["servicenow"]["url"]
        self.control = server.urls["servicenow"]["control"]
        self.api = httpx.Client(base_url=self.url, auth=(INTEGRATION, PASSWORD), timeout=10, verify=PLAIN)
        self._http = httpx.Client(timeout=30, verify=PLAIN)

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
        self._http.close()

    def tell(self, verb: str, /, **wish: Any) -> Any:
        """Order something of the control; fails when it is refused. ``as_`` stands for ``as``."""
        answer = self.order(verb, **wish)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, verb: str, /, **wish: Any) -> httpx.Response:
        """The same, whatever the answer."""
        body = {("as" if name == "as_" else name): value for name, value in wish.items()}
        return self._http.post(f"{self.control}/{verb}", json=body)

    def ask(self, verb: str, /, **asked: Any) -> Any:
        """Look at something: ``ticket``, ``tickets``, ``requests``, ``state``, ``choices``, ``people``."""
        answer = self._http.get(f"{self.control}/{verb}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, *, table: str = "incident", as_: str = "o.strand", **fields: Any) -> Any:
        """A ticket of the desk."""
        return self.tell("create", table=table, as_=as_, set={"short_description": "A ticket", **fields})

    def change(self, ticket: Fields, *, as_: str = "o.strand", **fields: Any) -> Any:
        """Somebody changes a ticket, given as any answer about it."""
        return self.tell("change", table=ticket["table"], sys_id=ticket["sys_id"], as_=as_, set=fields)

    def requests(self, *sorts: str) -> list[Fields]:
        """What came since ``forget``, of these sorts."""
        return [one for one in self.ask("requests") if set(sorts) <= set(one["sorts"])]


@contextmanager
def servicenow() -> Iterator[Desk]:
    """An instance of its own."""
    standin = ServiceNow()
    with Server([standin]) as server:
        desk = Desk(server, standin)
        try:
            yield desk
        finally:
            desk.close()
