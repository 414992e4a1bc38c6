"""Approvals in the inbox: those who are named, else those who may decide; mailed once, by whichever way names them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from cases.models import Alert, Notification
from playbooks.models import Approval, NeverTouch
from soar.accounts.models import Team, User
from tests.approving import blue_alert
from tests.factories import make_user
from tests.fixtures import client_of
from tests.notification_tools import Post, post_office, reasons, run, told
from tests.playbook_files import work
from tests.playbook_pages import text_of
from tests.response_tools import Range, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@pytest.fixture
def alert(blue: Team) -> Alert:
    """On a host that is not to be touched."""
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the plant", added_by="Ada")
    return blue_alert(blue)


@pytest.fixture
def chief(blue: Team) -> User:
    """May decide, and has an address."""
    return make_user("chief", "Responder", teams=("Blue",), email="chief@blue.example")


def isolate(responder: User, alert: Alert) -> Client:
    """By hand: it waits for an approval."""
    client = client_of(responder)
    form = text_of(client.get(f"/responses/new/?alert={alert.number}&action=isolate_endpoint"))
    key = form.split('name="object" value="')[1].split('"')[0]
    given = {"alert": alert.number, "action": "isolate_endpoint", "object": key, "do": "start"}
    client.post("/responses/new/", given, follow=True)
    work()
    run()
    return client


def test_where_nobody_is_named_those_who_may_decide_are_told(
    tiny: Range, post: Post, alert: Alert, responder: User, chief: User, viewer: User, stranger: User
) -> None:
    far = make_user("far", "Responder", teams=("Red",))
    isolate(responder, alert)
    assert reasons(chief) == ["approval"]
    assert [reasons(one) for one in (responder, viewer, stranger, far)] == [[], [], [], []]
    assert [mail["to"] for mail in post.mails] == ["chief@blue.example"]
    approval = Approval.objects.get()
    row = Notification.objects.get(user=chief)
    assert client_of(chief).get(f"/inbox/{row.pk}/")["Location"] == f"/approvals/{approval.pk}/"
    assert "approval" in told(chief)[0][1]


def test_who_is_named_is_mailed_once(
    tiny: Range, post: Post, alert: Alert, responder: User, chief: User, settings: Any
) -> None:
    other = make_user("other", "Responder", teams=("Blue",), email="other@blue.example")
    settings.APPROVAL_RECIPIENTS = ["Chief@blue.example"]
    isolate(responder, alert)
    assert reasons(chief) == ["approval"] and reasons(other) == []
    (mail,) = post.mails
    assert mail["to"] == "Chief@blue.example" and "Approval needed" in mail["subject"]


def test_a_mailbox_of_nobody_leaves_those_who_may_decide(
    tiny: Range, post: Post, alert: Alert, responder: User, chief: User, settings: Any
) -> None:
    settings.APPROVAL_RECIPIENTS = ["soc@blue.example"]
    isolate(responder, alert)
    assert reasons(chief) == ["approval"]
    assert sorted(mail["to"] for mail in post.mails) == ["chief@blue.example", "soc@blue.example"]
