"""Who is told of an approval that names nobody: an action by hand that is never-touch (17b, 18, 19)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from cases.models import Alert
from playbooks.models import Approval, NeverTouch
from soar.accounts.models import Team, User
from soar.connectors.actions import create_account
from soar.standins.server import Server
from soar.standins.slack import Slack
from soar.standins.smtp import Smtp
from tests.approving import blue_alert
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import text_of
from tests.response_tools import Range, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def post() -> Iterator[dict[str, Any]]:
    """State of a mail server and of a chat that are set up; both may carry anything."""
    with Server([Smtp(), Slack()]) as server:
        common = {"allow_internal": True, "cleared": "red"}
        mail = {"url": server.urls["smtp"]["url"], **server.standins["smtp"].settings, **common}
        create_account(None, "smtp", "Mail", mail, {})
        create_account(None, "slack", "SOC", {"url": server.urls["slack"]["url"], **common}, {})
        yield {kind: server.standins[kind].state for kind in ("smtp", "slack")}


@pytest.fixture
def alert(blue: Team) -> Alert:
    """On a host that is not to be touched."""
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the plant", added_by="Ada")
    return blue_alert(blue)


def isolate(responder: User, alert: Alert) -> tuple[Client, str]:
    """By hand; returns the page that follows."""
    client = client_of(responder)
    form = text_of(client.get(f"/responses/new/?alert={alert.number}&action=isolate_endpoint"))
    key = form.split('name="object" value="')[1].split('"')[0]
    given = {"alert": alert.number, "action": "isolate_endpoint", "object": key, "do": "start"}
    return client, text_of(client.post("/responses/new/", given, follow=True))


def test_the_portal_s_addresses_and_channels_are_told(
    tiny: Range, post: dict[str, Any], alert: Alert, responder: User, settings: Any
) -> None:
    settings.APPROVAL_RECIPIENTS, settings.APPROVAL_CHANNELS = ["soc@example.com"], ["SOC"]
    client, said = isolate(responder, alert)
    assert "1 waits for an approval." in said and "Nobody is told" not in said
    work()
    mail = post["smtp"]["messages"]
    assert len(mail) == 1 and mail[0]["to"] == "soc@example.com"
    assert "Approval needed: Isolate endpoint: LT-0042" in mail[0]["subject"]
    assert len(post["slack"]["messages"]) == 1
    page = text_of(client.get(f"/approvals/{Approval.objects.get().pk}/"))
    assert "Who was asked" in page and "soc@example.com" in page and "Sent." in page
    assert 'id="untold"' not in page


def test_where_nobody_is_named_the_pages_say_so(
    tiny: Range, post: dict[str, Any], alert: Alert, responder: User
) -> None:
    client, said = isolate(responder, alert)
    assert "1 waits for an approval. Nobody is told by message." in said
    work()
    assert (post["smtp"]["messages"], post["slack"]["messages"]) == ([], [])
    page = text_of(client.get(f"/approvals/{Approval.objects.get().pk}/"))
    assert "Nobody was told by message." in page


def test_a_channel_that_is_not_there_is_said(tiny: Range, alert: Alert, responder: User, settings: Any) -> None:
    settings.APPROVAL_CHANNELS = ["Nowhere"]
    client, _said = isolate(responder, alert)
    work()
    page = text_of(client.get(f"/approvals/{Approval.objects.get().pk}/"))
    assert "Nowhere" in page and "It is not set up, or disabled." in page
