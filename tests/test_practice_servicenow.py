"""The other side of the desk in the browser: the pages of the practice range's ServiceNow (connectors.md 5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cases.ticket_words import ticket_url
from soar.standins import folder
from soar.standins import practice_range as program
from soar.standins.server import Server
from soar.standins.servicenow.standin import ServiceNow
from soar.standins.smtp import Smtp
from tests.acting import move_data

pytestmark = pytest.mark.django_db
HOME = "/practice/?of=servicenow"


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    move_data(tmp_path, monkeypatch)
    folder._range.cache_clear()
    with Server([ServiceNow(), Smtp()]) as server:
        program.remember(server, os.getpid())
        yield server
    folder._range.cache_clear()


def order(server: Server, verb: str, **wish: Any) -> Any:
    body = {("as" if name == "as_" else name): value for name, value in wish.items()}
    return httpx.post(f"{server.urls['servicenow']['control']}/{verb}", json=body).json()


def made(server: Server, **fields: str) -> tuple[str, dict[str, Any]]:
    ticket = order(server, "create", set={"short_description": "Odd <b>mail</b>", **fields})
    return f"/practice/servicenow/{ticket['table']}/{ticket['sys_id']}/", ticket


def now(server: Server, ticket: dict[str, Any]) -> dict[str, Any]:
    asked = {"sys_id": ticket["sys_id"]}
    found: dict[str, Any] = httpx.get(f"{server.urls['servicenow']['control']}/ticket", params=asked).json()
    return found


def told(client: Client, path: str, **fields: Any) -> str:
    return client.post(path, fields, follow=True).content.decode()


def test_without_a_range_there_is_no_page(as_analyst: Client) -> None:
    assert as_analyst.get(HOME).status_code == 404
    assert as_analyst.get("/practice/servicenow/incident/abc/").status_code == 404


def test_who_may_look_and_who_may_play(client: Client, as_viewer: Client, nobody: Any, running: Server) -> None:
    page, ticket = made(running)
    for path in (HOME, page):
        assert client.get(path).status_code == 302
        assert as_viewer.get(path).status_code == 200
    assert "You may look." in as_viewer.get(page).content.decode()
    for path in (f"{page}delete/", "/practice/servicenow/instance/down/", "/practice/servicenow/new/"):
        assert as_viewer.post(path).status_code == 403
    client.force_login(nobody, backend="soar.accounts.backend.Backend")
    assert client.get(page).status_code == 403
    assert now(running, ticket)["fields"]["state"] == "1"


def test_the_list_names_number_state_priority_and_correlation(as_analyst: Client, running: Server) -> None:
    _, ticket = made(running, correlation_id="soar:1:2:3", impact="1", urgency="1", assigned_to="Ola Strand")
    text = as_analyst.get(HOME).content.decode()
    for words in (ticket["number"], "Odd &lt;b&gt;mail", "1 - Critical", "Ola Strand", "soar:1:2:3", "New"):
        assert words in text


def test_a_ticket_is_opened_changed_and_closed_as_somebody(as_analyst: Client, running: Server) -> None:
    answer = as_analyst.post(
        "/practice/servicenow/new/", {"short_description": "Found it", "table": "incident", "as": "l.becker"}
    )
    page = answer["Location"]
    ticket = {"sys_id": page.strip("/").rpartition("/")[2]}
    told(
        as_analyst,
        f"{page}change/",
        **{"impact": "1", "was_impact": "3", "urgency": "3", "was_urgency": "3", "as": "priya.raman"},
    )
    fields = now(running, ticket)["fields"]
    assert (fields["impact"], fields["sys_updated_by"], fields["sys_created_by"]) == ("1", "priya.raman", "l.becker")
    told(as_analyst, f"{page}note/", text="Looking <i>now</i>", element="comments")
    assert "Looking &lt;i&gt;now&lt;/i&gt;" in as_analyst.get(page).content.decode()
    told(as_analyst, f"{page}close/", close_code="User error", close_notes="Was nothing")
    assert now(running, ticket)["fields"]["close_code"] == "User error"
    assert "Close it as the system does" in as_analyst.get(page).content.decode()
    told(as_analyst, f"{page}reopen/")
    assert now(running, ticket)["labels"]["state"] == "In Progress"


def test_a_form_left_open_takes_nothing_back(as_analyst: Client, running: Server) -> None:
    page, ticket = made(running)
    order(running, "change", sys_id=ticket["sys_id"], set={"urgency": "1"})
    told(as_analyst, f"{page}change/", was_urgency="3", urgency="3", was_impact="3", impact="2")
    fields = now(running, ticket)["fields"]
    assert (fields["urgency"], fields["impact"]) == ("1", "2")


def test_what_it_refuses_is_said_in_its_own_words(as_analyst: Client, running: Server) -> None:
    page, ticket = made(running)
    text = told(as_analyst, f"{page}change/", was_state="1", state="6")
    assert "The following fields are mandatory: Resolution code, Close notes" in text
    assert now(running, ticket)["fields"]["state"] == "1"
    assert "Nothing was changed." in told(as_analyst, f"{page}change/", was_state="1", state="1")
    assert "Say something first." in told(as_analyst, f"{page}note/", text=" ")


def test_a_small_file_is_attached_and_a_large_one_is_not(as_analyst: Client, running: Server) -> None:
    page, ticket = made(running)
    assert "Choose a file first." in told(as_analyst, f"{page}attach/")
    large = SimpleUploadedFile("large.bin", b"x" * 1_000_001)
    assert "larger than 1 MB" in told(as_analyst, f"{page}attach/", file=large)
    assert "shot.png" in told(as_analyst, f"{page}attach/", file=SimpleUploadedFile("shot.png", b"png", "image/png"))
    assert [one["file_name"] for one in now(running, ticket)["attachments"]] == ["shot.png"]


def test_hidden_shown_and_deleted(as_analyst: Client, running: Server) -> None:
    page, _ = made(running)
    assert "hidden from the portal" in told(as_analyst, f"{page}hide/")
    assert "hidden from the portal" not in told(as_analyst, f"{page}show/")
    as_analyst.post(f"{page}delete/")
    assert as_analyst.get(page).status_code == 404
    assert as_analyst.post(f"{page}nonsense/").status_code == 404


def test_down_for_a_minute_asleep_and_awake(as_analyst: Client, running: Server) -> None:
    assert "it answers nobody" in told(as_analyst, "/practice/servicenow/instance/down/")
    assert "it answers nobody" not in told(as_analyst, "/practice/servicenow/instance/up/")
    assert "hibernates" in told(as_analyst, "/practice/servicenow/instance/hibernate/")
    assert "hibernates" not in told(as_analyst, "/practice/servicenow/instance/wake/")
    assert as_analyst.post("/practice/servicenow/instance/nonsense/").status_code == 404


def test_a_range_that_does_not_answer_is_no_error(as_analyst: Client, running: Server) -> None:
    page, _ = made(running)
    running.__exit__()
    assert "does not answer now" in as_analyst.get(HOME).content.decode()
    assert "does not answer now" in as_analyst.get(page, follow=True).content.decode()
    assert "does not answer now" in told(as_analyst, f"{page}note/", text="Hello")


def test_a_security_incident_has_a_page(as_analyst: Client, running: Server) -> None:
    ticket = order(running, "create", table="sn_si_incident", set={"short_description": "S"})
    text = as_analyst.get(f"/practice/servicenow/sn_si_incident/{ticket['sys_id']}/").content.decode()
    assert "Draft" in text and "Eradicate" in text


def test_open_in_servicenow_leads_to_the_ticket_s_page(as_analyst: Client, running: Server, settings: Any) -> None:
    path, ticket = made(running)
    base = running.urls["servicenow"]["url"]
    link = SimpleNamespace(sys_id=ticket["sys_id"], table=ticket["table"], instance=_instance(base))
    answer = httpx.get(ticket_url(link))  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["location"]) == (302, f"{settings.SOAR_URL}{path}")
    assert as_analyst.get(path).status_code == 200


@pytest.mark.parametrize(
    "uri",
    ["", "incident.do", "incident.do?sys_id=0", "nothing.do?sys_id={id}", "https://evil.example/incident.do?sys_id=1",
     "//evil.example/incident.do?sys_id={id}", "../incident.do?sys_id={id}"],
)  # fmt: skip
def test_what_is_no_ticket_is_not_found_and_leads_nowhere(running: Server, uri: str) -> None:
    _path, ticket = made(running)
    base = running.urls["servicenow"]["url"]
    answer = httpx.get(f"{base}/nav_to.do", params={"uri": uri.replace("{id}", ticket["sys_id"])})
    if answer.status_code == 302:
        assert "evil" not in answer.headers["location"]
    else:
        assert (answer.status_code, "Record not found" in answer.text) == (404, True)


def _instance(base: str) -> Any:
    return SimpleNamespace(account=SimpleNamespace(settings={"url": base}))
