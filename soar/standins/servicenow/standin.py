"""The instance as a stand-in: how a request reaches it, and what is kept of it."""

from __future__ import annotations

import copy
import time
from email.utils import format_datetime
from typing import Any, ClassVar

from soar.lib import clock
from soar.standins.base import Request, Response, Standin, json_response, text_response
from soar.standins.servicenow import faults, oauth, seed
from soar.standins.servicenow.access import authenticate, password_right
from soar.standins.servicenow.answers import Refusal, down, failure, hibernating, not_signed_in
from soar.standins.servicenow.attachments import AttachmentApi
from soar.standins.servicenow.browsing import opened
from soar.standins.servicenow.control import Control, Refused
from soar.standins.servicenow.imports import ImportApi
from soar.standins.servicenow.limits import Budget, hurried
from soar.standins.servicenow.store import Store
from soar.standins.servicenow.tables import TableApi

LOGGED = 5_000
LONGEST_QUERY = 8_000


class ServiceNow(Standin):
    """Everybody's password is ``practice``; the portal is ``soar.integration`` (zone GMT). API key and OAuth
    client stand in ``seed``.

    A ticket is named by ``number``, ``sys_id`` or ``correlation_id`` (with ``table`` if it is not ``incident``).
    ``as`` is a user name (default ``o.strand``); ``set`` holds what that one types: raw values, or names, labels, times
    of the own zone. What the desk does is stopped by policies and rules, not by rights;
    with ``"force": true`` by nothing. Refused: the status and the words of ServiceNow. ``_control``:

    Looking (GET): ``state`` (tickets with fields, journal, attachments; settings, users, counts; ``?tickets=0``
    leaves them out) · ``ticket?number=`` · ``tickets`` (one line each) · ``requests?after=N`` (``n, at, method, path,
    query, user, status, sorts, wrote``) · ``choices?table=incident`` · ``people``.

    Tickets (POST), answered with the ticket: ``create {"as", "table", "set"}`` · ``change {"as", ..., "set"}`` ·
    ``note {"as", ..., "text", "element": "work_notes" | "comments"}`` · ``attach {"as", ..., "name", "content" |
    "base64", "content_type"}`` · ``close {"as", ..., "code", "notes", "state": 6 | 7}`` (a security incident goes all
    its steps) · ``reopen {"as", ...}`` · ``delete {...}`` · ``hide {...}``, ``show {...}`` (access rule for all but
    the desk) · ``auto-close {...}`` (6 to 7 by ``system``; of all without a name) · ``stock {"tickets": n,
    "correlation": "soar:{n}", "table", "set"}`` (many at once).

    Instance (POST): ``down {"seconds": 60, "how": "drop" | "503"}``, ``up`` · ``hibernate``, ``wake`` · ``budget
    {"per_hour": n | null, "window": 3600}`` · ``expire {"refresh": false}`` (tokens) · ``clock {"skew": s, "freeze":
    true | false}`` · ``delay {"seconds": 0.05}`` (of every request) · ``user {"user_name", "set", "roles",
    "password"}`` · ``property {"name", "value"}`` · ``arrange {setting: value}``, the settings of ``settings.py``
    (``journal_read``, ``audit_read``: "yes", "no" (403) or "empty"; ``unreadable``, ``unwritable``: fields;
    ``closed_tables``; ``refused_states``; ``members_only``; ``sir_process``: "stateful" or "open"; ``journal_limit``
    ...) · ``forget`` (the log of requests) · ``reset``.

    ``fault {"kind", "on", "skip", "times" | "seconds", "delay", "message", "detail", "headers"}``: kinds of base, and
    ``lost`` (the write is taken, the connection closed), ``late`` (taken, answered after ``delay``), ``first`` (right
    before it somebody at the desk does ``verb`` with ``wish``), ``hibernate``,
    ``400``. ``on``: any, read, write, create, update, journal, attach, delete, import, token, or a table's name."""

    kind: ClassVar[str] = "servicenow"
    settings: ClassVar[dict[str, str]] = {"auth": "basic", "username": seed.INTEGRATION}
    secrets: ClassVar[dict[str, str]] = {"password": seed.PASSWORD}
    lasting = True

    def __init__(self) -> None:
        super().__init__()
        self._store = Store(self.state)
        self._generation = 0
        self._budget = Budget()
        self.log: list[dict[str, Any]] = []
        self._logged = 0

    def fresh(self) -> dict[str, Any]:
        """An instance with people and three incidents of others."""
        return seed.fresh()

    def stamp(self) -> object:
        """See Standin."""
        return self._generation, self.store.changes

    def kept(self) -> dict[str, Any]:
        """See Standin. Rows are replaced, never changed: it is enough to copy what holds them."""
        tables = {name: dict(rows) for name, rows in self.state["tables"].items()}
        rest = {name: copy.deepcopy(value) for name, value in self.state.items() if name not in ("tables", "contents")}
        return {**rest, "tables": tables, "contents": dict(self.state["contents"])}

    @property
    def store(self) -> Store:
        """The rows of the state of now, which may have been brought back."""
        if self._store.state is not self.state:
            self._store = Store(self.state)
            self._generation += 1
        return self._store

    def control(self, request: Request) -> Response:
        """See the class."""
        verb = request.path.rpartition("/")[2]
        if verb == "fault" or (verb == "reset" and request.method == "POST"):
            if verb == "reset":
                self._forget()
            return super().control(request)
        try:
            with self.lock:
                return json_response(Control(self.store, self.log, self._budget).answer(verb, request))
        except Refusal as refusal:
            return refusal.response()
        except Refused as refused:
            return failure(refused.status, str(refused))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return failure(400, "This cannot be done", f"{type(error).__name__}: {error}")

    def serve(self, request: Request) -> Response:
        """See Standin. Its clock stands in the Date of every answer."""
        settings = self.store.settings
        if settings["delay"]:
            time.sleep(float(settings["delay"]))
        user = [""]
        answer = self._served(request, user)
        if not answer.drop:
            answer.headers.setdefault("Date", format_datetime(self.store.now(), usegmt=True))
        self._write_log(request, user[0], 0 if answer.drop else answer.status)
        return answer

    def hurried(self) -> Response:
        """See Standin."""
        return hurried(int(self.store.settings["budget"] or 1000), time.time() + 1)

    def refused(self, status: int) -> Response:
        """See Standin."""
        if status == 401:
            return not_signed_in().response()
        return failure(403, "User Not Authorized", "Failed API level ACL Validation")

    def gone(self, status: int) -> Response:
        """See Standin."""
        return failure(status, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")

    def _served(self, request: Request, user: list[str]) -> Response:
        settings = self.store.settings
        if sum(len(text) for values in request.query.values() for text in values) > LONGEST_QUERY:
            return text_response("<html><body>URI Too Long</body></html>", 414, "text/html")
        if time.time() < settings["down_until"]:
            return down() if settings["down_how"] == "503" else Response(drop=True)
        if settings["hibernating"]:
            return hibernating()
        with self.lock:
            fault = faults.take(self._faults, request)
        return self._faulty(request, user, fault) if fault else self._answered(request, user)

    def _faulty(self, request: Request, user: list[str], fault: dict[str, Any]) -> Response:
        kind = fault["kind"]
        if kind not in faults.TAKEN:
            return faults.worded(fault) or self._instead(kind)
        if kind == "slow":
            time.sleep(float(fault.get("delay", 2)))
        if kind == "first":
            with self.lock:
                Control(self.store, self.log, self._budget).do(str(fault["verb"]), dict(fault["wish"]))
        answer = self._answered(request, user)
        if kind == "late":
            time.sleep(float(fault.get("delay", 2)))
        return Response(drop=True) if kind in ("after", "lost") else answer

    def _answered(self, request: Request, user: list[str]) -> Response:
        try:
            with self.lock:
                return self._route(request, user)
        except Refusal as refusal:
            return refusal.response()

    def _route(self, request: Request, user: list[str]) -> Response:
        if request.path == "/oauth_token.do":
            return oauth.token(self.store, request, password_right)
        if request.path == "/nav_to.do" and request.method in ("GET", "HEAD"):
            return opened(self.store, request.argument("uri"))
        if not request.path.startswith("/api/now/"):
            return text_response("<html><body>Page not found</body></html>", 404, "text/html")
        person = authenticate(self.store, request)
        user[0] = person.name
        most, window = self.store.settings["budget"], float(self.store.settings["window"])
        if refusal := self._budget.refuse(person.name, most, window):
            return refusal
        answer = self._api(request, person)
        answer.headers |= self._budget.headers(person.name, most, window)
        return answer

    def _api(self, request: Request, person: Any) -> Response:
        parts = [part for part in request.path.removeprefix("/api/now/").split("/") if part]
        version = parts.pop(0) if parts and parts[0] in ("v1", "v2") else ""
        if parts[:1] == ["table"] and len(parts) in (2, 3):
            return TableApi(self.store, person, request, version).answer(parts[1], parts[2] if len(parts) == 3 else "")
        if parts[:1] == ["attachment"]:
            return AttachmentApi(self.store, person, request).answer(parts[1:])
        if parts[:1] == ["import"] and len(parts) in (2, 3):
            return ImportApi(self.store, person, request).answer(parts[1:])
        return failure(400, "Requested URI does not represent any resource", request.path)

    def _order(self, fault: Any) -> Response:
        try:
            made = faults.ordered(fault)
        except ValueError as error:
            return json_response({"error": str(error)}, 400)
        with self.lock:
            self._faults.append(made)
        return json_response({"ordered": fault})

    def _forget(self) -> None:
        with self.lock:
            self.log.clear()
            self._budget.clear()

    def _write_log(self, request: Request, user: str, status: int) -> None:
        query = {name: values[-1] for name, values in request.query.items()}
        with self.lock:
            self._logged += 1
            self.log.append(
                {
                    "n": self._logged, "at": clock.iso(clock.now()), "method": request.method, "path": request.path,
                    "query": query, "user": user, "status": status, "sorts": sorted(faults.sorts_of(request)),
                    "wrote": faults.written(request),
                }
            )  # fmt: skip
            del self.log[:-LOGGED]
