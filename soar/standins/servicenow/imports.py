"""``POST /api/now/import/<staging>``: an import set whose transform map coalesces on the correlation id."""

from __future__ import annotations

from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.servicenow.access import Person
from soar.standins.servicenow.answers import Refusal
from soar.standins.servicenow.schema import TABLES
from soar.standins.servicenow.store import Store
from soar.standins.servicenow.tables import body_of
from soar.standins.servicenow.writing import Writer

COALESCE = "correlation_id"


class ImportApi:
    """The requests of one person."""

    def __init__(self, store: Store, person: Person, request: Request) -> None:
        self.store, self.person, self.request = store, person, request

    def answer(self, parts: list[str]) -> Response:
        """Raises Refusal."""
        target = self.store.settings["staging"].get(parts[0])
        if target is None:
            raise Refusal(400, f"Invalid table {parts[0]}")
        if self.request.method != "POST":
            raise Refusal(405, "Method not supported", self.request.method)
        body = body_of(self.request)
        many = parts[1:] == ["insertMultiple"]
        records = body.get("records", []) if many else [body]
        results = [self._transform(target, {_plain(name): value for name, value in one.items()}) for one in records]
        number = self.store.state["counters"]["import"] = self.store.state["counters"].get("import", 10000) + 1
        head = {"import_set": f"ISET{number:07d}", "staging_table": parts[0]}
        return json_response({**head, "result": results}, 201)

    def _transform(self, table: str, values: dict[str, Any]) -> dict[str, Any]:
        shown = {"transform_map": f"Soar to {TABLES[table].label}", "table": table}
        wanted = str(values.get(COALESCE) or "")[:100]
        known = self.store.by(table, COALESCE, wanted) if wanted else []
        writer = Writer(self.store, self.person)
        try:
            row = writer.update(table, known[0], values) if known else writer.insert(table, values)
        except Refusal as refusal:
            return {**shown, "status": "error", "error_message": refusal.detail or refusal.message}
        status = ("ignored" if row is known[0] else "updated") if known else "inserted"
        link = f"{self.request.base}/api/now/table/{table}/{row['sys_id']}"
        named = {"display_name": "number", "display_value": row["number"], "record_link": link}
        return {**shown, **named, "status": status, "sys_id": row["sys_id"]}


def _plain(name: str) -> str:
    """Columns of a staging table begin with ``u_``."""
    return name.removeprefix("u_")
