"""``/api/now[/v1|/v2]/table/<table>[/<sys_id>]``: list, read, insert, update, delete."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from soar.standins.base import Request, Response
from soar.standins.servicenow.access import Person, check_table
from soar.standins.servicenow.answers import Refusal, no_record, result
from soar.standins.servicenow.reading import find
from soar.standins.servicenow.rendering import View
from soar.standins.servicenow.schema import Row
from soar.standins.servicenow.store import Store
from soar.standins.servicenow.writing import Writer

MOST = 10_000
LARGEST_BODY = 10 * 1024 * 1024
UNREADABLE = Refusal(400, "Exception while reading request", "The payload is not valid JSON.")


class TableApi:
    """The requests of one person. ``version``: "v1" answers an empty list with 404."""

    def __init__(self, store: Store, person: Person, request: Request, version: str) -> None:
        self.store, self.person, self.request, self.version = store, person, request, version
        self.view = View.of(store, person, request)

    def answer(self, table: str, sys_id: str) -> Response:
        """Raises Refusal."""
        check_table(self.store, self.person, table)
        verb = self.request.method
        if verb in ("GET", "HEAD"):
            return self._one(table, sys_id) if sys_id else self._list(table)
        if verb == "POST" and not sys_id:
            row = self._writer().insert(table, body_of(self.request))
            here = f"{self.request.base}/api/now/table/{table}/{row['sys_id']}"
            return result(self.view.shown(table, row), 201, Location=here)
        if not sys_id or verb not in ("PATCH", "PUT", "DELETE"):
            raise Refusal(405, "Method not supported", f"{verb} is not supported")
        return self._change(table, self._seen(table, sys_id), verb)

    def _change(self, table: str, row: Row, verb: str) -> Response:
        if verb == "DELETE":
            self._writer().delete(table, row)
            return Response(204)
        after = self._writer().update(table, row, body_of(self.request))
        return result(self.view.shown(table, after))

    def _writer(self) -> Writer:
        typed_in = self.request.argument("sysparm_input_display_value") == "true"
        return Writer(self.store, self.person, typed_in=typed_in)

    def _seen(self, table: str, sys_id: str) -> Row:
        row = self.store.get(table, sys_id)
        if row is None or not self.person.sees(self.store, table, row):
            raise no_record()
        return row

    def _one(self, table: str, sys_id: str) -> Response:
        return result(self.view.shown(table, self._seen(table, sys_id)))

    def _list(self, table: str) -> Response:
        limit, offset = whole(self.request, "sysparm_limit", MOST), whole(self.request, "sysparm_offset", 0)
        page = find(self.store, self.person, table, self.request.argument("sysparm_query"), limit, offset)
        if not page.rows and self.version == "v1":
            raise no_record()
        answer = result([self.view.shown(table, row) for row in page.rows])
        if self.request.argument("sysparm_no_count") != "true":
            answer.headers["X-Total-Count"] = str(page.total)
        if self.request.argument("sysparm_suppress_pagination_header") != "true" and 0 < limit < page.total:
            answer.headers["Link"] = _links(self.request, limit, offset, page.total)
        return answer


def whole(request: Request, name: str, default: int) -> int:
    """A number of the query; what is none counts as not given."""
    text = request.argument(name)
    return int(text) if text.isdecimal() else default


def body_of(request: Request) -> dict[str, Any]:
    """The fields of a write. Of several records only the first is taken. Raises Refusal (400, 413)."""
    if "json" not in request.headers.get("content-type", ""):
        raise Refusal(400, "Unsupported media type", "The Content-Type header is missing or not supported")
    accept = request.headers.get("accept", "*/*")
    if "json" not in accept and "*" not in accept:
        raise Refusal(400, "Unacceptable media type", "The Accept header is not supported")
    if len(request.body) > LARGEST_BODY:
        raise Refusal(413, "Request entity too large", f"The payload is larger than {LARGEST_BODY} bytes")
    try:
        found = json.loads(request.body or b"")
    except ValueError:
        raise UNREADABLE from None
    if isinstance(found, list):
        found = found[0] if found else {}
    if not isinstance(found, dict):
        raise UNREADABLE
    return found


def _links(request: Request, limit: int, offset: int, total: int) -> str:
    last = max(0, (total - 1) // limit * limit)
    places = {"first": 0, "prev": max(0, offset - limit), "next": offset + limit, "last": last}
    if offset == 0:
        del places["prev"]
    if offset + limit >= total:
        del places["next"]
    kept = {name: values[-1] for name, values in request.query.items() if name != "sysparm_offset"}
    address = request.base + request.path
    return ",".join(
        f'<{address}?{urlencode({**kept, "sysparm_limit": str(limit), "sysparm_offset": str(place)})}>;rel="{name}"'
        for name, place in places.items()
    )
