"""A stand-in for Microsoft Graph security: the sign-in that gives tokens, and lists of alerts and incidents."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from soar.standins.base import Request, Response, Standin, json_response

CONDITION = re.compile(r"lastUpdateDateTime (ge|le) (\S+)")
LISTS = {"alerts_v2": "alerts", "incidents": "incidents"}


class MicrosoftGraph(Standin):
    """``page``: most of a page. ``links``: whether the next one is told; without, a full page is all there is to see.
    ``newest_first``: the order, by the last change. ``stir``: alerts that are changed one by one while a list is read.
    ``uses``: after so many calls a token is at its end (0: it lasts). ``elsewhere``: where links lead instead."""

    kind = "microsoft_graph"
    settings: ClassVar[dict[str, str]] = {"tenant": "practice.example.com", "client_id": "practice"}

    def fresh(self) -> dict[str, Any]:
        return {
            "alerts": {}, "incidents": {}, "page": 100, "links": True, "newest_first": True, "stir": [], "uses": 0,
            "tokens": {}, "grants": 0, "secret": "", "hidden": [], "elsewhere": "", "asked": [],
        }  # fmt: skip

    def answer(self, request: Request) -> Response:
        if request.path.endswith("/oauth2/v2.0/token"):
            return self._grant(request)
        if refusal := self._refusal_of(request):
            return refusal
        name = request.path.removeprefix("/v1.0/security/")
        if name not in LISTS:
            return _failure(404, "ResourceNotFound", "Invalid version or path")
        if name in self.state["hidden"]:
            return self.refused(403)
        return self._list(request, LISTS[name])

    def hurried(self) -> Response:
        answer = _failure(429, "TooManyRequests", "Too many requests")
        answer.headers["Retry-After"] = "120"
        return answer

    def refused(self, status: int) -> Response:
        if status == 401:
            return _failure(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        return _failure(403, "Forbidden", "Missing application roles. API required roles: SecurityAlert.Read.All")

    def _grant(self, request: Request) -> Response:
        form = request.form()
        secret = self.state["secret"]
        if form.get("grant_type") != "client_credentials" or not form.get("scope", "").endswith("/.default"):
            return json_response({"error": "invalid_request", "error_description": "AADSTS900144: wrong grant"}, 400)
        if not form.get("client_id") or not form.get("client_secret") or secret not in ("", form["client_secret"]):
            told = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 7d1b"
            return json_response({"error": "invalid_client", "error_description": told}, 401)
        self.state["grants"] += 1
        token = f"practice-access-{self.state['grants']:04d}"
        self.state["tokens"][token] = 0
        return json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _refusal_of(self, request: Request) -> Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        uses = self.state["tokens"].get(token)
        if uses is None or 0 < self.state["uses"] <= uses:
            return self.refused(401)
        self.state["tokens"][token] += 1
        return None

    def _list(self, request: Request, what: str) -> Response:
        conditions = CONDITION.findall(request.argument("$filter"))
        if request.argument("$filter") and not conditions:
            return _failure(400, "BadRequest", "Invalid filter clause")
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


def _failure(status: int, code: str, message: str) -> Response:
    return json_response(
        {"error": {"code": code, "message": message, "innerError": {"client-request-id": "0"}}}, status
    )
