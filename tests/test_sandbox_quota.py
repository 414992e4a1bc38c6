"""The sandbox's remaining quota is shown where somebody is about to spend it (response-playbooks.md, the table of
actions; 17b): what the product said last, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from soar.accounts.models import Team, User
from soar.connectors import actions, quota, quota_asking
from soar.connectors.capabilities import Target
from soar.connectors.models import SandboxQuota
from soar.lib import clock
from soar.models import QueuedTask
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice
from tests.approving import blue_alert
from tests.drawn import drawn, graph
from tests.fixtures import client_of
from tests.playbook_pages import text_of

pytestmark = pytest.mark.django_db
URL = Target("url", "http://evil.example/")


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}, name="Vision One") as found:
        yield found


def test_each_submission_and_each_test_tells_it(here: Range) -> None:
    here.connector().perform("sandbox_url", URL, {}, key="k-1")
    assert quota.left().startswith("49 submissions are left at Vision One (as of ")
    here.state["quota"] = 1
    assert actions.test_account(None, here.account.pk).ok
    assert quota.left().startswith("1 submission is left at Vision One (as of ")


def test_it_is_asked_for_now_and_then_and_a_dead_product_keeps_its_figure(here: Range) -> None:
    quota_asking.ring()
    (queued,) = QueuedTask.objects.filter(task=quota_asking.TASK)
    quota_asking.ask(*queued.args)
    assert quota.left().startswith("50 submissions")
    here.state["quota"] = 1
    here.fault("503", times=9)
    quota_asking.ask(here.account.pk)
    assert quota.left().startswith("50 submissions")


@pytest.mark.parametrize("left", [None, -1, "many", True])
def test_an_odd_answer_is_no_figure(here: Range, left: object) -> None:
    here.state["quota"] = left
    quota_asking.ask(here.account.pk)
    assert not SandboxQuota.objects.exists()


def test_old_figures_and_those_of_others_are_not_shown(here: Range, analyst: User) -> None:
    quota.told(here.account, 10**12)
    assert quota.left(analyst).startswith("2,147,483,647 submissions")
    here.account.restricted = True
    here.account.save()
    assert quota.left(analyst) == ""
    SandboxQuota.objects.update(told_at=clock.now() - timedelta(days=2))
    assert quota.left() == ""


def test_who_draws_and_who_acts_by_hand_sees_it(here: Range, author: User, responder: User, blue: Team) -> None:
    quota.told(here.account, 7)
    words = "7 submissions are left at Vision One (as of "
    node = {"id": "a1", "type": "action", "parent": "target", "side": "right", "actions": []}
    row = drawn(author, graph("Look", node))
    text = text_of(client_of(author).get(f"/playbooks/{row.pk}/edit/?node=a1"))
    assert text.count(words) == 2, "beside files and beside addresses"
    alert = blue_alert(blue, ("url", URL.value))
    origin = {"alert": alert.number}
    assert words in text_of(client_of(responder).get("/responses/new/", {"action": "sandbox_url", **origin}))
    assert words not in text_of(client_of(responder).get("/responses/new/", {"action": "block", **origin}))


def test_it_goes_with_its_connector(here: Range, as_admin: Client) -> None:
    quota.told(here.account, 7)
    actions.update_account(None, here.account.pk, enabled=False)
    assert quota.left() == ""
    assert as_admin.post(f"/connectors/{here.account.pk}/remove/").status_code == 302
    assert not SandboxQuota.objects.exists()
