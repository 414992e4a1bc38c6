"""The other side of the desk: what people and tests make the instance do. The verbs stand at ``ServiceNow``."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from typing import Any

from soar.standins.base import Request
from soar.standins.servicenow import looking, managing
from soar.standins.servicenow.access import Person
from soar.standins.servicenow.attachments import add
from soar.standins.servicenow.limits import Budget
from soar.standins.servicenow.rules import CLOSED, RESOLVED, SIR_CLOSED, SIR_ORDER
from soar.standins.servicenow.schema import TABLES, TICKETS, Row
from soar.standins.servicenow.store import Store
from soar.standins.servicenow.writing import Writer

DESK = "o.strand"
NAMES = ("sys_id", "number", "correlation_id")
REOPENED = {"incident": "2", "sn_si_incident": "16"}
CODES = {"incident": "Solution provided", "sn_si_incident": "Threat mitigated"}
Wish = dict[str, Any]


class Refused(Exception):
    """A wish that cannot be done, with its status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """One call of the control, under the lock of the stand-in."""

    def __init__(self, store: Store, log: list[Wish], budget: Budget) -> None:
        self.store, self.log, self.budget = store, log, budget

    def answer(self, verb: str, request: Request) -> Any:
        """Raises Refused, Refusal, ValueError, KeyError."""
        if request.method == "GET":
            return self._look(verb, {name: values[-1] for name, values in request.query.items()})
        wish = request.json() if request.body else {}
        if not isinstance(wish, dict):
            raise Refused("an object is expected")
        return self.do(verb, wish)

    def do(self, verb: str, wish: Wish) -> Any:
        """See answer."""
        if verb in managing.VERBS:
            self.store.changes += 1
            return managing.VERBS[verb](self.store, self.budget, wish)
        if verb == "forget":
            self.log.clear()
            return {"forgotten": True}
        verbs: dict[str, Callable[[Wish], Any]] = {
            "create": self._create, "change": self._change, "note": self._note, "attach": self._attach,
            "close": self._close, "reopen": self._reopen, "delete": self._delete, "hide": self._hide,
            "show": self._show, "auto-close": self._auto_close, "stock": self._stock,
        }  # fmt: skip
        if verb not in verbs:
            raise Refused(f"there is no {verb}", 404)
        return verbs[verb](wish)

    def _look(self, verb: str, asked: dict[str, str]) -> Any:
        if verb == "ticket":
            return looking.ticket(self.store, *self._found(asked))
        if verb == "requests":
            return [one for one in self.log if one["n"] > int(asked.get("after", 0))]
        if verb == "state":
            counts = dict(Counter(f"{one['method']} {one['path']}" for one in self.log))
            return {
                **looking.state(self.store, tickets=asked.get("tickets") != "0"),
                "requests": self.log,
                "counts": counts,
            }
        if verb in looking.VERBS:
            return looking.VERBS[verb](self.store, asked)
        raise Refused(f"there is no {verb}", 404)

    def _found(self, wish: Wish) -> tuple[str, Row]:
        """The ticket that is named. Raises Refused (404)."""
        tables = (wish["table"],) if wish.get("table") else TICKETS
        for table in tables:
            if table not in TICKETS:
                raise Refused(f"{table} holds no tickets")
            if wish.get("sys_id") and (row := self.store.get(table, wish["sys_id"])):
                return table, row
            for name in NAMES[1:]:
                if wish.get(name) and (rows := self.store.by(table, name, wish[name])):
                    return table, rows[0]
        raise Refused("there is no such ticket", 404)

    def _writer(self, wish: Wish, **more: Any) -> Writer:
        return Writer(self.store, self._person(wish), typed_in=True, forced=bool(wish.get("force")), **more)

    def _person(self, wish: Wish) -> Person:
        return managing.person(self.store, str(wish.get("as") or DESK))

    def _shown(self, table: str, row: Row) -> Wish:
        return looking.ticket(self.store, table, row)

    def _create(self, wish: Wish) -> Wish:
        table = str(wish.get("table") or "incident")
        if table not in TICKETS:
            raise Refused(f"{table} holds no tickets")
        return self._shown(table, self._writer(wish).insert(table, dict(wish.get("set") or {})))

    def _change(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        return self._shown(table, self._writer(wish).update(table, row, dict(wish["set"])))

    def _note(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        element = str(wish.get("element") or "work_notes")
        return self._shown(table, self._writer(wish).update(table, row, {element: str(wish["text"])}))

    def _attach(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        content = base64.b64decode(wish["base64"]) if "base64" in wish else str(wish.get("content", "")).encode()
        media = str(wish.get("content_type") or "text/plain")
        add(self.store, self._person(wish), (table, row["sys_id"]), str(wish["name"]), media, content)
        return self._shown(table, self.store.tables[table][row["sys_id"]])

    def _close(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        writer = self._writer(wish)
        closing = {"close_code": wish.get("code") or CODES[table], "close_notes": wish.get("notes") or "Done."}
        if table == "incident":
            return self._shown(table, writer.update(table, row, {**closing, "state": str(wish.get("state", RESOLVED))}))
        place = SIR_ORDER.index(row["state"]) if row["state"] in SIR_ORDER else 0
        for state in SIR_ORDER[place + 1 :]:
            row = writer.update(table, row, {"state": state, **(closing if state == SIR_CLOSED else {})})
        return self._shown(table, row)

    def _reopen(self, wish: Wish) -> Wish:
        """A closed security incident comes back only by force: its process never goes back."""
        table, row = self._found(wish)
        wish = {**wish, "force": True} if table == "sn_si_incident" else wish
        values = {"state": REOPENED[table], **({"active": "true", "closed_at": ""} if wish.get("force") else {})}
        return self._shown(table, self._writer(wish).update(table, row, values))

    def _delete(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        self._writer(wish).delete(table, row)
        return {"deleted": row["number"]}

    def _hide(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        self.store.state["hidden"][row["sys_id"]] = True
        self.store.changes += 1
        return self._shown(table, row)

    def _show(self, wish: Wish) -> Wish:
        table, row = self._found(wish)
        self.store.state["hidden"].pop(row["sys_id"], None)
        self.store.changes += 1
        return self._shown(table, row)

    def _auto_close(self, wish: Wish) -> Wish:
        named = any(wish.get(name) for name in NAMES)
        rows = [self._found(wish)[1]] if named else list(self.store.tables["incident"].values())
        writer = Writer(self.store, managing.system(self.store))
        closed = [writer.update("incident", row, {"state": CLOSED}) for row in rows if row["state"] == RESOLVED]
        return {"closed": [row["number"] for row in closed]}

    def _stock(self, wish: Wish) -> Wish:
        table = str(wish.get("table") or "incident")
        writer, pattern = self._writer(wish), str(wish.get("correlation", ""))
        made = []
        for place in range(int(wish["tickets"])):
            values = {"short_description": f"Stock {place}", **(wish.get("set") or {})}
            row = writer.insert(table, {**values, "correlation_id": pattern.replace("{n}", str(place))})
            made.append({"sys_id": row["sys_id"], "number": row["number"], "correlation_id": row["correlation_id"]})
        return {"stocked": made, "label": TABLES[table].label}
