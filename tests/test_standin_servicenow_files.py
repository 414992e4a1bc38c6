"""The stand-in ServiceNow: attachments and import sets (visionone-servicenow.md B2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servicenow_range import Desk, servicenow

FILES = "/api/now/attachment"
CONTENT = b"\x00\xffevidence"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with servicenow() as found:
        yield found


def send(desk: Desk, sys_id: str, name: str = "a.bin", content: bytes = CONTENT) -> httpx.Response:
    place = {"table_name": "incident", "table_sys_id": sys_id, "file_name": name}
    return desk.api.post(f"{FILES}/file", params=place, content=content, headers={"Content-Type": "image/png"})


def test_sent_raw_listed_read_and_deleted(desk: Desk) -> None:
    ticket = desk.create()
    answer = send(desk, ticket["sys_id"])
    assert answer.status_code == 201
    made = answer.json()["result"]
    assert (made["hash"], made["size_bytes"]) == (hashlib.sha256(CONTENT).hexdigest(), str(len(CONTENT)))
    listed = desk.api.get(FILES, params={"sysparm_query": f"table_sys_id={ticket['sys_id']}"}).json()["result"]
    assert [one["sys_id"] for one in listed] == [made["sys_id"]]
    file = desk.api.get(made["download_link"])
    assert (file.content, file.headers["Content-Type"]) == (CONTENT, "image/png")
    assert desk.api.get(f"{FILES}/{made['sys_id']}").json()["result"]["file_name"] == "a.bin"
    assert desk.api.delete(f"{FILES}/{made['sys_id']}").status_code == 204
    assert desk.api.get(f"{FILES}/{made['sys_id']}/file").status_code == 404


def test_sent_as_a_form_the_file_comes_last(desk: Desk) -> None:
    sys_id = desk.create()["sys_id"]
    fields = {"table_name": "incident", "table_sys_id": sys_id}
    sent = desk.api.post(f"{FILES}/upload", data=fields, files={"uploadFile": ("b.png", CONTENT, "image/png")})
    assert sent.status_code == 201
    assert desk.api.get(sent.json()["result"]["download_link"]).content == CONTENT
    first: dict[str, Any] = {"uploadFile": ("c.png", CONTENT, "image/png"), "table_sys_id": (None, sys_id.encode())}
    assert desk.api.post(f"{FILES}/upload", files=first).status_code == 400


def test_an_attachment_does_not_touch_its_ticket_unless_arranged(desk: Desk) -> None:
    ticket = desk.create()
    send(desk, ticket["sys_id"])
    assert desk.ask("ticket", sys_id=ticket["sys_id"])["fields"]["sys_mod_count"] == "0"
    desk.tell("arrange", attachment_touches=True)
    send(desk, ticket["sys_id"])
    assert desk.ask("ticket", sys_id=ticket["sys_id"])["fields"]["sys_mod_count"] == "1"


def test_what_is_too_large_or_of_a_kind_not_let_in(desk: Desk) -> None:
    sys_id = desk.create()["sys_id"]
    desk.tell("property", name="com.glide.attachment.max_size", value="1")
    assert send(desk, sys_id, content=b"x" * 1_048_577).status_code == 413
    desk.tell("property", name="glide.attachment.extensions", value="png, txt")
    refused = send(desk, sys_id, "run.exe")
    assert refused.status_code == 400
    assert "File type is not allowed" in refused.json()["error"]["detail"]
    assert send(desk, sys_id, "A.PNG").status_code == 201


def test_what_hangs_on_a_hidden_ticket_is_hidden(desk: Desk) -> None:
    sys_id = desk.create()["sys_id"]
    made = send(desk, sys_id).json()["result"]
    desk.tell("hide", sys_id=sys_id)
    assert desk.api.get(f"{FILES}/{made['sys_id']}").status_code == 404
    assert desk.api.get(FILES).json()["result"] == []
    assert send(desk, sys_id).status_code == 404
    assert send(desk, "0" * 32).status_code == 404


def test_an_import_set_is_inserted_once_by_its_correlation_id(desk: Desk) -> None:
    def sent(**fields: str) -> dict[str, str]:
        answer = desk.api.post("/api/now/import/u_soar_incident", json=fields)
        assert answer.status_code == 201
        found: dict[str, str] = answer.json()["result"][0]
        return found

    first = sent(u_correlation_id="i-1", u_short_description="One")
    assert (first["status"], first["table"], first["display_name"]) == ("inserted", "incident", "number")
    assert sent(u_correlation_id="i-1", u_short_description="One")["status"] == "ignored"
    again = sent(correlation_id="i-1", short_description="Two")
    assert (again["status"], again["sys_id"]) == ("updated", first["sys_id"])
    failed = sent(u_correlation_id="i-1", u_state="6")
    assert (failed["status"], "mandatory" in failed["error_message"]) == ("error", True)
    assert sent(u_short_description="No id")["sys_id"] != sent(u_short_description="No id")["sys_id"]
    assert desk.api.post("/api/now/import/u_nothing", json={}).status_code == 400


def test_several_rows_of_an_import_set(desk: Desk) -> None:
    rows = {"records": [{"u_correlation_id": "m-1"}, {"u_correlation_id": "m-2"}, {"u_correlation_id": "m-1"}]}
    found = desk.api.post("/api/now/import/u_soar_incident/insertMultiple", json=rows).json()["result"]
    assert [one["status"] for one in found] == ["inserted", "inserted", "ignored"]
