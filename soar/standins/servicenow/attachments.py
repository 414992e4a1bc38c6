"""``/api/now/attachment``: list, read, download, upload raw or as a form, delete."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from soar.standins.base import Request, Response
from soar.standins.servicenow.access import WRITERS, Person
from soar.standins.servicenow.answers import Refusal, no_record, result, security
from soar.standins.servicenow.multipart import parts_of
from soar.standins.servicenow.reading import find
from soar.standins.servicenow.rendering import View
from soar.standins.servicenow.schema import TABLES, Row
from soar.standins.servicenow.store import Store, new_id
from soar.standins.servicenow.tables import MOST, whole
from soar.standins.servicenow.writing import Writer

TABLE = "sys_attachment"
FAILED = "Failed to create the attachment"
MEGABYTE = 1024 * 1024


class AttachmentApi:
    """The requests of one person."""

    def __init__(self, store: Store, person: Person, request: Request) -> None:
        self.store, self.person, self.request = store, person, request

    def answer(self, parts: list[str]) -> Response:
        """Raises Refusal."""
        verb = self.request.method
        if verb == "POST" and parts in (["file"], ["upload"]):
            return self._upload(raw=parts == ["file"])
        if verb == "GET" and not parts:
            return self._list()
        if parts and len(parts) <= 2 and verb in ("GET", "HEAD", "DELETE"):
            return self._single(self._seen(parts[0]), parts[1:], verb)
        raise Refusal(400, "Requested URI does not represent any resource", self.request.path)

    def _single(self, row: Row, rest: list[str], verb: str) -> Response:
        if verb == "DELETE":
            check_writer(self.person, row["table_name"], "Delete")
            remove(self.store, row)
            return Response(204)
        if rest == ["file"]:
            content = base64.b64decode(self.store.state["contents"][row["sys_id"]])
            return Response(200, content, {"Content-Type": row["content_type"]})
        return result(self._shown(row))

    def _seen(self, sys_id: str) -> Row:
        row = self.store.get(TABLE, sys_id)
        if row is None or not self.person.sees(self.store, TABLE, row):
            raise no_record()
        return row

    def _list(self) -> Response:
        limit, offset = whole(self.request, "sysparm_limit", MOST), whole(self.request, "sysparm_offset", 0)
        page = find(self.store, self.person, TABLE, self.request.argument("sysparm_query"), limit, offset)
        return result([self._shown(row) for row in page.rows], X_Total_Count=str(page.total))

    def _shown(self, row: Row) -> dict[str, Any]:
        shown = View(self.store, self.person, self.request.base, links=False).shown(TABLE, row)
        return {**shown, "download_link": f"{self.request.base}/api/now/attachment/{row['sys_id']}/file"}

    def _upload(self, *, raw: bool) -> Response:
        table, sys_id, name, media, content = self._sent_raw() if raw else self._sent_form()
        if not name or table not in TABLES:
            raise Refusal(400, FAILED, "table_name, table_sys_id and file_name are required")
        parent = self.store.get(table, sys_id)
        if parent is None or not self.person.sees(self.store, table, parent):
            raise no_record()
        check_writer(self.person, table, "Insert")
        row = add(self.store, self.person, (table, sys_id), name, media, content)
        here = f"{self.request.base}/api/now/attachment/{row['sys_id']}"
        return result(self._shown(row), 201, Location=here)

    def _sent_raw(self) -> tuple[str, str, str, str, bytes]:
        asked = self.request.argument
        media = self.request.headers.get("content-type", "")
        if not media:
            raise Refusal(400, FAILED, "The Content-Type header is missing")
        return asked("table_name"), asked("table_sys_id"), asked("file_name"), media, self.request.body

    def _sent_form(self) -> tuple[str, str, str, str, bytes]:
        """The file is the last part; what comes after it is not read."""
        fields: dict[str, str] = {}
        for name, file_name, media, content in parts_of(
            self.request.headers.get("content-type", ""), self.request.body
        ):
            if file_name:
                return fields.get("table_name", ""), fields.get("table_sys_id", ""), file_name, media, content
            fields[name] = content.decode("utf-8", "replace").strip()
        raise Refusal(400, FAILED, "The file is missing")


def check_writer(person: Person, table: str, verb: str) -> None:
    """Raises Refusal (403) for whoever may not write the ticket."""
    if not (person.all_rights or (table in WRITERS and person.may(WRITERS, table))):
        raise security(verb)


def add(store: Store, person: Person, parent: tuple[str, str], name: str, media: str, content: bytes) -> Row:
    """Attach ``content`` to the ticket ``parent`` (table, sys_id). Raises Refusal: too large, or not let in."""
    _check_content(store, name, content)
    now = store.stamp()
    row = {
        "sys_id": new_id(), "file_name": name[:100], "table_name": parent[0], "table_sys_id": parent[1],
        "content_type": media, "size_bytes": str(len(content)), "size_compressed": str(len(content)),
        "hash": hashlib.sha256(content).hexdigest(), "state": "available", "compressed": "true", "sys_mod_count": "0",
        "sys_created_on": now, "sys_created_by": person.name, "sys_updated_on": now, "sys_updated_by": person.name,
    }  # fmt: skip
    store.state["contents"][row["sys_id"]] = base64.b64encode(content).decode()
    store.put(TABLE, row)
    if store.settings["attachment_touches"]:
        Writer(store, person).touch(*parent)
    return row


def remove(store: Store, row: Row) -> None:
    """Delete an attachment and its content."""
    store.remove(TABLE, row["sys_id"])
    store.state["contents"].pop(row["sys_id"], None)


def _check_content(store: Store, name: str, content: bytes) -> None:
    most = float(store.property("com.glide.attachment.max_size", "1024") or 1024)
    if len(content) > most * MEGABYTE:
        raise Refusal(413, FAILED, f"The file {name} is larger than the maximum of {most:g} MB")
    allowed = [one.strip().lower() for one in store.property("glide.attachment.extensions").split(",") if one.strip()]
    if allowed and name.rpartition(".")[2].lower() not in allowed:
        raise Refusal(400, FAILED, f"File type is not allowed or does not match the content for file {name}")
