"""MISP: a search of attributes where % stands for anything, half of domain|ip is found, and pages may be short.

State besides that of all reputation services: ``known``: attributes by value (``to_ids``, ``event``, ``type``,
``sightings``), ``hidden``: how many of each page the key may not see, ``page``: attributes a page at most."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import BAD_NAMES, EICAR, Reputation

REFUSED = {"name": "Authentication failed. Please make sure you pass the API key", "message": "", "url": "/attributes"}


class Misp(Reputation):
    """The key comes as it is, without a word before it."""

    kind = "misp"
    key_header = "authorization"
    settings: ClassVar[dict[str, str]] = {**Reputation.settings, "every_minutes": "60", "days": "0"}

    def known(self) -> dict[str, Any]:
        """Names of the demo's attackers."""
        names = {name: {"type": "domain", "event": f"Campaign {number}"} for number, name in enumerate(BAD_NAMES[2:5])}
        return {**names, EICAR[1]: {"type": "sha256", "event": "Test files", "to_ids": False}}

    def fresh(self) -> dict[str, Any]:
        """See Reputation."""
        return {**super().fresh(), "hidden": 0, "page": 5000}

    def refused(self, status: int) -> Response:
        """A wrong key is 403 there."""
        return json_response(REFUSED, 403)

    def answer(self, request: Request) -> Response:
        """A browser, or whoever does not ask for JSON, is sent to the form."""
        if "json" not in request.headers.get("accept", ""):
            return Response(302, b"", {"Location": "/users/login"})
        if request.headers.get("authorization", "").startswith("Bearer "):
            return self.refused(403)
        return super().answer(request)

    def look_up(self, request: Request) -> Response:
        """A search, or the version."""
        if request.path == "/servers/getVersion":
            return json_response({"version": "2.4.190", "perm_sync": False})
        if request.path != "/attributes/restSearch" or request.method != "POST":
            return json_response({"name": "Not Found", "message": "Not Found", "url": request.path}, 404)
        asked = request.json()
        rows = [row for value, known in self.state["known"].items() if (row := attribute(value, known))]
        if "value" in asked:
            wanted = asked["value"] if isinstance(asked["value"], list) else str(asked["value"]).split("&&")
            self.state["asked"].extend(wanted)
            rows = [row for row in rows if any(_like(text, row["value"]) for text in wanted)]
        if asked.get("to_ids"):
            rows = [row for row in rows if row["to_ids"]]
        size, page = min(int(asked.get("limit", 60)), self.state["page"]), int(asked.get("page", 1))
        shown = rows[(page - 1) * size : page * size]
        shown = shown[: max(len(shown) - self.state["hidden"], 1)] if shown else []
        return json_response({"response": {"Attribute": shown}} if shown or page == 1 else {"response": []})


def attribute(value: str, known: dict[str, Any]) -> dict[str, Any]:
    """An attribute as it is sent."""
    event = str(known.get("event", "Event"))
    return {
        "id": str(abs(hash(value)) % 10**6), "event_id": event, "type": known.get("type", "domain"), "value": value,
        "to_ids": known.get("to_ids", True), "deleted": known.get("deleted", False), "comment": "",
        "Event": {"id": event, "info": event}, "Sighting": [{"type": one} for one in known.get("sightings", [])],
    }  # fmt: skip


def _like(pattern: str, value: str) -> bool:
    """As its database compares: without case, % for anything, and each half of a pair by itself."""
    rule = re.compile(".*".join(re.escape(part) for part in pattern.split("%")), re.IGNORECASE)
    return any(rule.fullmatch(one) for one in (value, *value.split("|")))
