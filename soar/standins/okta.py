"""Okta: users whose state decides what may be done to them.

State: ``users`` (id -> the user); ``calls``: how often each thing was done; ``sessions``: logins whose sessions were
revoked, with whether the tokens of apps were too; ``skew``: seconds by which its clock is ahead."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, ClassVar
from urllib.parse import unquote

from soar.standins.arranged import Arranged, counted, moment
from soar.standins.base import Request, Response, json_response

DOMAIN = "practice.example.com"
USER = re.compile(r"/api/v1/users/([^/]+)(/lifecycle/(\w+)|/sessions)?")
SEARCH = re.compile(r'profile\.(login|email) (eq|sw) "((?:[^"\\]|\\.)*)"')
User = dict[str, Any]


class Refusal(Exception):
    """An error of Okta."""

    def __init__(self, status: int, code: str, summary: str, cause: str = "") -> None:
        super().__init__(summary)
        self.status, self.code, self.summary, self.cause = status, code, summary, cause


class Okta(Arranged):
    """Any token but "expired" is taken; every user is known, by login or the part before its @, unless the name begins
    with "unknown"."""

    kind: ClassVar[str] = "okta"
    settings: ClassVar[dict[str, str]] = {"domain": "PRACTICE,NORDHAVN"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {"users": {}, "calls": {}, "sessions": {}, "skew": 0, "next": []}

    def hurried(self) -> Response:
        answer = _failure(Refusal(429, "E0000047", "API call exceeded rate limit due to too many requests."))
        now = time.time() + self.state["skew"]
        answer.headers |= {
            "X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int(now) + 40),
            "Date": formatdate(now, usegmt=True),
        }  # fmt: skip
        return answer

    def refused(self, status: int) -> Response:
        if status == 401:
            return _failure(Refusal(401, "E0000011", "Invalid token provided"))
        return _failure(
            Refusal(403, "E0000006", "You do not have permission to perform the requested action"),
        )

    def gone(self, status: int) -> Response:
        return Response(status, b"<!DOCTYPE html><title>Okta</title>Page not found", {"Content-Type": "text/html"})

    def answer(self, request: Request) -> Response:
        """See Standin."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "SSWS" or token in ("", "expired"):
            return self.refused(401)
        try:
            if request.path == "/api/v1/users" and request.method == "GET":
                return json_response(self._search(request.argument("search")))
            if match := USER.fullmatch(request.path):
                return self._about(request, unquote(match[1]), match[2] or "", match[3] or "")
        except Refusal as refusal:
            return _failure(refusal)
        return self.gone(404)

    def _about(self, request: Request, name: str, below: str, verb: str) -> Response:
        user = self._found(name)
        if below == "/sessions" and request.method == "DELETE":
            self.state["sessions"][user["profile"]["login"]] = request.argument("oauthTokens") == "true"
            counted(self.state["calls"], "sessions")
            return Response(204)
        if verb and request.method == "POST":
            return self._act(user, verb)
        if not below and request.method == "GET":
            return json_response(user)
        raise Refusal(405, "E0000022", "The endpoint does not support the provided HTTP method")

    def _act(self, user: User, verb: str) -> Response:
        acts: dict[str, Callable[[User], Any]] = {
            "suspend": self._suspend, "unsuspend": self._unsuspend, "unlock": self._unlock,
            "expire_password": self._expire,
        }  # fmt: skip
        if verb not in acts:
            raise Refusal(404, "E0000022", "The endpoint does not exist")
        told = acts[verb](user)
        user["statusChanged"] = moment()
        counted(self.state["calls"], verb)
        return json_response(told)

    def _suspend(self, user: User) -> User:
        if user["status"] != "ACTIVE":
            raise _against("suspend: Cannot suspend a user that is not active")
        user["status"] = "SUSPENDED"
        return {}

    def _unsuspend(self, user: User) -> User:
        if user["status"] != "SUSPENDED":
            raise _against("unsuspend: Cannot unsuspend a user that is not suspended")
        user["status"] = "ACTIVE"
        return {}

    def _unlock(self, user: User) -> User:
        if user["status"] != "LOCKED_OUT":
            raise Refusal(403, "E0000032", "Unlock is not allowed for this user.")
        user["status"] = "ACTIVE"
        return {}

    def _expire(self, user: User) -> User:
        if user["status"] in ("SUSPENDED", "DEPROVISIONED"):
            raise Refusal(403, "E0000038", "This operation is not allowed in the user's current status.")
        user["status"] = "PASSWORD_EXPIRED"
        return user

    def _found(self, name: str) -> User:
        if name == "me":
            return self._known("soar")
        if name in self.state["users"]:
            found: User = self.state["users"][name]
            return found
        rows = [one for one in self.state["users"].values() if _named(one, name)]
        if len(rows) == 1:
            only: User = rows[0]
            return only
        short = name.removesuffix(f"@{DOMAIN}")
        if rows or "@" in short or "/" in name or name.startswith(("unknown", "00u")):
            raise Refusal(404, "E0000007", f"Not found: Resource not found: {name} (User)")
        return self._known(short)

    def _known(self, name: str) -> User:
        login = f"{name}@{DOMAIN}"
        for user in self.state["users"].values():
            if user["profile"]["login"] == login:
                found: User = user
                return found
        identity = f"00u{len(self.state['users']) + 1:017d}"
        made = {
            "id": identity, "status": "ACTIVE", "passwordChanged": "2025-01-01T00:00:00.000Z",
            "profile": {"login": login, "email": login}, "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
        }  # fmt: skip
        self.state["users"][identity] = made
        return made

    def _search(self, text: str) -> list[User]:
        if not text:
            return [self._known("soar")]
        match = SEARCH.fullmatch(text)
        if match is None:
            raise Refusal(400, "E0000031", f"Invalid search criteria: {text}")
        field, operator, value = match.groups()
        value = value.replace('\\"', '"').replace("\\\\", "\\")
        rows = [(one, one["profile"][field]) for one in self.state["users"].values()]
        return [one for one, told in rows if told == value or (operator == "sw" and told.startswith(value))]


def _named(user: User, name: str) -> bool:
    login = user["profile"]["login"]
    return name in (login, login.partition("@")[0])


def _against(cause: str) -> Refusal:
    return Refusal(400, "E0000001", f"Api validation failed: {cause.partition(':')[0]}User", cause)


def _failure(refusal: Refusal) -> Response:
    causes = [{"errorSummary": refusal.cause}] if refusal.cause else []
    told = {"errorCode": refusal.code, "errorSummary": refusal.summary, "errorLink": refusal.code, "errorId": "oae0"}
    return json_response({**told, "errorCauses": causes}, refusal.status)
