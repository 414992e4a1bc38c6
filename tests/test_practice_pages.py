"""The practice range in the browser: the band, and what the stand-ins were told (connectors.md 5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.test import Client

from soar.connectors import notify, practice
from soar.connectors.messages import Message, Row, Section
from soar.standins import folder
from soar.standins import practice_range as program
from soar.standins.server import Server
from tests.acting import move_data

pytestmark = pytest.mark.django_db
BAND = "The products connected here are stand-ins on this machine."
LINK = "https://soar.example/approvals/7/"
TOLD = Message(
    "Approval for <script>ALR-7</script>",
    text="Isolate [FIN-LT-07]?",
    facts=(("Alert", "ALR-7"),),
    sections=(Section("Objects", (Row("FIN-LT-07", "highly_suspicious"),)),),
    link=LINK,
)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    move_data(tmp_path, monkeypatch)
    folder._range.cache_clear()
    with program.made() as server:
        practice.connect(server)
        program.remember(server, os.getpid())
        yield server
    folder._range.cache_clear()


def test_without_a_range_there_is_neither_band_nor_page(as_admin: Client) -> None:
    assert BAND not in as_admin.get("/connectors/").content.decode()
    assert as_admin.get("/practice/").status_code == 404


def test_the_band_stands_on_pages_that_name_products(
    as_analyst: Client, as_admin: Client, client: Client, running: Server
) -> None:
    for path in ("/playbooks/", "/runs/"):
        assert BAND in as_analyst.get(path).content.decode(), path
    assert BAND not in as_analyst.get("/alerts/").content.decode()
    for path in ("/settings/scripts/", "/settings/operations/"):
        assert BAND in as_admin.get(path).content.decode(), path
    for path in ("/settings/", "/settings/profile/", "/settings/retention/", "/settings/sla/", "/settings/tokens/"):
        assert BAND not in as_admin.get(path).content.decode(), path
    assert BAND not in client.get("/accounts/login/").content.decode()


def test_only_for_people_who_may_see_cases(
    client: Client, as_stranger: Client, as_viewer: Client, running: Server
) -> None:
    for path in ("/practice/", "/practice/mail/1/"):
        assert client.get(path).status_code == 302
    assert as_viewer.get("/practice/").status_code == 200
    assert as_viewer.get("/practice/?of=nonsense").status_code == 404
    assert as_viewer.get("/practice/mail/1/").status_code == 404


@pytest.mark.parametrize("kind", ["smtp", "slack", "teams", "mattermost"])
def test_what_was_told_can_be_read(as_analyst: Client, running: Server, kind: str) -> None:
    accounts = [*notify.channels(), notify.mail_account()]
    account = next(one for one in accounts if one is not None and one.kind == kind)
    assert "Nothing has been sent yet" in as_analyst.get(f"/practice/?of={kind}").content.decode()
    notify.send(account, TOLD, key="k")
    text = as_analyst.get(f"/practice/?of={kind}").content.decode()
    assert "Approval for &lt;script&gt;ALR-7&lt;/script&gt;" in text
    assert "Isolate [FIN-LT-07]?" in text
    assert "Highly suspicious" in text
    assert f'href="{LINK}"' in text


def test_what_a_webhook_was_told(as_analyst: Client, running: Server) -> None:
    webhook = notify.channel_named("Practice Webhook")
    assert webhook is not None
    notify.send(webhook, TOLD, key="run-7-1")
    text = as_analyst.get("/practice/?of=webhook").content.decode()
    assert "run-7-1" in text
    assert "<dd>right</dd>" in text
    assert "soar.notice" in text


def test_a_mail_as_a_mail_program_shows_it_may_do_nothing(as_analyst: Client, running: Server) -> None:
    mail = notify.mail_account()
    assert mail is not None
    notify.send(mail, TOLD, key="k")
    answer = as_analyst.get("/practice/mail/1/")
    assert "&lt;script&gt;" in answer.content.decode()
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert as_analyst.get("/practice/mail/2/").status_code == 404


def test_a_link_that_is_none_of_the_web_is_not_shown(as_analyst: Client, running: Server) -> None:
    blocks = [{"type": "actions", "elements": [{"type": "button", "url": "javascript:alert(1)"}]}]
    httpx.post(running.urls["slack"]["url"], json={"text": "Hello", "blocks": blocks})
    text = as_analyst.get("/practice/?of=slack").content.decode()
    assert "Hello" in text
    assert "javascript:" not in text


def test_what_others_put_there_does_not_break_the_page(as_analyst: Client, running: Server) -> None:
    httpx.post(running.urls["slack"]["url"], json={"text": "Hello", "blocks": [{"type": "section"}, {"type": "image"}]})
    httpx.post(running.urls["mattermost"]["url"], json={"text": "plain"})
    for kind in ("slack", "mattermost"):
        assert as_analyst.get(f"/practice/?of={kind}").status_code == 200
    httpx.post(f"{running.urls['slack']['control']}/reset")
    assert "Nothing has been sent yet" in as_analyst.get("/practice/?of=slack").content.decode()
