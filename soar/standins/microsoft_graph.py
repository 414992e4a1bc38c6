"""A stand-in for Microsoft Graph security: lists of alerts and incidents."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from soar.standins.base import Request, Response, json_response
from soar.standins.microsoft import MicrosoftStandin, failure

CONDITION = re.compile(r"lastUpdateDateTime (ge|le) (\S+)")
LISTS = {"alerts_v2": "alerts", "incidents": "incidents"}


class MicrosoftGraph(MicrosoftStandin):
    """``page``: most of a page. ``links``: whether the next one is told; without, a full page is all there is to see.
    ``newest_first``: the order, by the last change. ``stir``: alerts that are changed one by one while a list is read.
    ``elsewhere``: where links lead instead."""

    kind = "microsoft_graph"

    def fresh(self) -> dict[str, Any]:
        return {
            **super().fresh(), "alerts": {}, "incidents": {}, "page": 100, "links": True, "newest_first": True,
            "stir": [], "hidden": [], "elsewhere": "", "asked": [],
        }  # fmt: skip

    def serve_signed_in(self, request: Request) -> Response:
        """See MicrosoftStandin."""
        name = request.path.removeprefix("/v1.0/security/")
        if name not in LISTS:
            return failure(404, "ResourceNotFound", "Invalid version or path")
        if name in self.state["hidden"]:
            return self.refused(403)
        return self._list(request, LISTS[name])

    def refused(self, status: int) -> Response:
        if status == 403:
            return failure(403, "Forbidden", "Missing application roles. API required roles: SecurityAlert.Read.All")
        return super().refused(status)

    def _list(self, request: Request, what: str) -> Response:
        conditions = CONDITION.findall(request.argument("$filter"))
        if request.argument("$filter") and not conditions:
            return failure(400, "BadRequest", "Invalid filter clause")
        self.state["asked"].append(request.argument("$filter"))
        found = [one for one in self.state[what].values() if _fits(one, conditions)]
        found.sort(key=lambda one: _moment(one["lastUpdateDateTime"]), reverse=self.state["newest_first"])
        start, size = int(request.argument("$skip", "0")), int(request.argument("$top", "100"))
        shown = found[start : start + min(size, self.state["page"])]
        plain = request.argument("$expand") != "alerts"
        value = [{key: part for key, part in one.items() if not (plain and key == "alerts")} for one in shown]
        answer: dict[str, Any] = {"@odata.context": f"{request.base}/v1.0/$metadata", "value": value}
        if start + len(shown) < len(found):
            if self.state["links"]:
                answer["@odata.nextLink"] = self._link(request, start + len(shown))
            self._stir(what)
        return json_response(answer)

    def _link(self, request: Request, skip: int) -> str:
        kept = [(name, values[-1]) for name, values in request.query.items() if name != "$skip"]
        query = urlencode([*kept, ("$skip", str(skip))], quote_via=quote)
        return f"{self.state['elsewhere'] or request.base}{request.path}?{query}"

    def _stir(self, what: str) -> None:
        if self.state["stir"]:
            changed = self.state[what].get(self.state["stir"].pop(0))
            if changed:
                changed["lastUpdateDateTime"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _fits(one: dict[str, Any], conditions: list[tuple[str, str]]) -> bool:
    when = _moment(one["lastUpdateDateTime"])
    return all(when >= _moment(text) if sign == "ge" else when <= _moment(text) for sign, text in conditions)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
