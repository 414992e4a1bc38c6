"""A TAXII 2.1 server with one collection: small pages, all versions of an object, filters that it may overlook.

State: ``objects`` (each with ``added``), ``page``: objects a page, ``wordless``: pages without a word for the next one,
``deaf``: filters by type are overlooked, ``stuck``: every page names itself as the next, ``reads``."""

from __future__ import annotations

from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response
from soar.standins.reputation import BAD_NAMES

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
MEDIA = "application/taxii+json;version=2.1"


class Taxii(Standin):
    """Any sign-in but the user "stranger" is taken; none is needed."""

    kind: ClassVar[str] = "taxii"
    settings: ClassVar[dict[str, str]] = {"collection": COLLECTION, "every_minutes": "60"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        """Indicators of the demo's attackers."""
        objects = [indicator(number, f"[domain-name:value = '{name}']") for number, name in enumerate(BAD_NAMES[3:6])]
        return {"objects": objects, "page": 2, "wordless": False, "deaf": False, "stuck": False, "reads": 0}

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if MEDIA not in request.headers.get("accept", "").replace(" ", ""):
            return _error(406, "Not Acceptable")
        if request.headers.get("authorization", "").startswith("Basic c3RyYW5nZXI6"):
            return self.refused(401)
        if request.path == f"/collections/{COLLECTION}/":
            body = {"id": COLLECTION, "title": "Practice indicators", "can_read": True, "can_write": False}
            return json_response(body, Content_Type=MEDIA)
        if request.path == f"/collections/{COLLECTION}/objects/":
            return self._objects(request)
        return _error(404, "The requested object does not exist.")

    def refused(self, status: int) -> Response:
        return _error(status, "The sign-in is not known." if status == 401 else "You may not read this.")

    def _objects(self, request: Request) -> Response:
        self.state["reads"] += 1
        after, wanted = request.argument("added_after"), request.argument("match[type]")
        rows = [one for one in self.state["objects"] if one["added"] > after]
        if wanted and not self.state["deaf"]:
            rows = [one for one in rows if one["object"]["type"] == wanted]
        rows.sort(key=lambda one: one["added"])
        start = int(request.argument("next") or 0)
        size = min(self.state["page"], int(request.argument("limit") or 9999))
        page = rows[start : start + size]
        body: dict[str, Any] = {"objects": [one["object"] for one in page]} if page else {}
        if start + size < len(rows):
            body |= {"more": True} if self.state["wordless"] else {"more": True, "next": str(start + size)}
        if self.state["stuck"]:
            body |= {"more": True, "next": "0"}
        answer = json_response(body, Content_Type=MEDIA)
        if page:
            answer.headers |= {
                "X-TAXII-Date-Added-First": page[0]["added"],
                "X-TAXII-Date-Added-Last": page[-1]["added"],
            }
        return answer


def indicator(number: int, pattern: str, *, added: int | None = None, **more: Any) -> dict[str, Any]:
    """An indicator, added some hours after the first."""
    moment = f"2026-01-01T{number if added is None else added:02}:00:00.000001Z"
    made = {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{number:012}",
        "created": "2026-01-01T00:00:00.000Z", "modified": moment, "valid_from": "2026-01-01T00:00:00Z",
        "pattern": pattern, "pattern_type": "stix", "name": f"Indicator {number}", **more,
    }  # fmt: skip
    return {"added": moment, "object": made}


def _error(status: int, title: str) -> Response:
    return json_response({"title": title, "http_status": str(status)}, status, Content_Type=MEDIA)
