"""The pages of approvals (response-playbooks.md 20): the list, and the blast radius of one."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client

from cases.models import Alert, AlertAsset
from playbooks.models import Approval, NeverTouch, ResponseTask
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_own
from tests.approving import asked, blue_alert, run_out
from tests.factories import make_asset, make_incident
from tests.fixtures import client_of
from tests.playbook_pages import EVIL, text_of
from tests.response_tools import Range, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alert(blue: Team) -> Alert:
    """On a critical laptop, with a domain that is on our own list."""
    add_own(None, "domain", "evil-one.com", "Seen in an attack", effect="malicious")
    made = blue_alert(blue, ("domain", "evil-one.com"))
    asset = make_asset("LT-0042", criticality=4, groups=["Finance laptops"], type="laptop", system="Windows 11")
    AlertAsset.objects.create(alert=made, asset=asset)
    return made


def main_of(text: str) -> str:
    """The page without its frame."""
    return text.split("<main")[1].split("</main>", maxsplit=1)[0]


def test_20_the_blast_radius(tiny: Range, blue: Team, alert: Alert, as_responder: Client) -> None:
    incident = make_incident("Beacon", alert, team=blue)
    approval = asked(blue, "isolate_endpoint", "reset_password", "block", alert=alert)
    text = main_of(text_of(as_responder.get(f"/approvals/{approval.pk}/")))
    for words in (
        "LT-0042", "laptop, Windows 11", "Isolate endpoint", "It loses the network", "By Tiny.", "Critical",
        "Finance laptops", "Restore connection", "cannot be undone", "a.voss", "Force password reset",
        "evil-one[.]com", "Highly suspicious", "Exactly on a malicious list", "Remove from block list",
        "/do/isolate_endpoint", "Requests that would be sent", "If you do nothing", "Expires in 23 h",
        alert.number, incident.number, "endpoint loses the network", "soc@corp.example",
    ):  # fmt: skip
        assert words in text, words
    assert text.count("checked") == 3
    assert tiny.done == []


def test_18_what_is_held_is_not_ticked_and_says_why(
    tiny: Range, blue: Team, alert: Alert, as_responder: Client
) -> None:
    NeverTouch.objects.create(by="criticality", value="high", reason="Payroll", added_by="Ada")
    approval = asked(blue, alert=alert)
    text = main_of(text_of(as_responder.get(f"/approvals/{approval.pk}/")))
    assert "Never-touch list: Payroll (criticality high)" in text
    assert "Reason for LT-0042" in text
    assert "checked" not in text
    assert "held by the never-touch list" in text


def test_who_sees_it_and_who_is_asked(
    tiny: Range, blue: Team, alert: Alert, as_viewer: Client, as_stranger: Client, nobody: User, client: Client
) -> None:
    approval = asked(blue, alert=alert)
    url = f"/approvals/{approval.pk}/"
    seen = main_of(text_of(as_viewer.get(url)))
    assert "permission to approve and run response actions is missing" in seen
    assert "Responder, Admin" in seen
    assert 'name="decide"' not in seen
    assert "LT-0042" in seen
    assert as_stranger.get(url).status_code == 404
    assert client_of(nobody).get(url).status_code == 403
    assert client.get(url).status_code == 302
    assert approval.title not in text_of(as_stranger.get("/approvals/"))
    assert "Nothing to approve" in text_of(as_stranger.get("/approvals/"))
    assert as_viewer.post("/approvals/").status_code == 405
    assert as_viewer.get("/approvals/99999999999999999999/").status_code == 404


def test_the_list_has_what_waits_first_the_first_to_expire_on_top(
    tiny: Range, blue: Team, as_responder: Client, as_viewer: Client
) -> None:
    decided, late, soon = asked(blue), asked(blue), asked(blue)
    as_responder.post(f"/approvals/{decided.pk}/decide/", {"decide": "reject_all"})
    Approval.objects.filter(pk=soon.pk).update(expires_at=late.created_at + timedelta(hours=2))
    text = main_of(text_of(as_responder.get("/approvals/")))
    places = [text.index(f"/approvals/{one.pk}/") for one in (soon, late, decided)]
    assert places == sorted(places)
    assert text.count(">for you<") == 2
    assert ">for you<" not in main_of(text_of(as_viewer.get("/approvals/")))
    assert "Rejected" in text
    assert text_of(as_responder.get("/approvals/?cursor=nonsense"))


def test_21_an_expired_one_has_no_buttons(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue)
    run_out(approval)
    as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "approve_all"})
    text = main_of(text_of(as_responder.get(f"/approvals/{approval.pk}/")))
    assert "It expired: its tasks can never run." in text
    assert 'name="decide"' not in text


def test_words_from_outside_are_shown_not_run(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue, alert=blue_alert(blue, hostname=EVIL, entities=[], title=EVIL))
    assert ResponseTask.objects.get().target_value
    assert EVIL not in text_of(as_responder.get(f"/approvals/{approval.pk}/"))
    assert EVIL not in text_of(as_responder.get("/approvals/"))


def test_a_hidden_incident_is_not_named(tiny: Range, blue: Team, red: Team, as_responder: Client) -> None:
    alert = blue_alert(blue)
    hidden = make_incident("Red business", alert, team=red)
    approval = asked(blue, alert=alert)
    text = text_of(as_responder.get(f"/approvals/{approval.pk}/"))
    assert hidden.number not in text
    as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "reject_all"})
    assert hidden.number not in text_of(as_responder.get(f"/approvals/{approval.pk}/"))


def test_of_very_many_tasks_the_first_are_shown_and_all_can_be_decided(
    tiny: Range, blue: Team, as_responder: Client
) -> None:
    approval = asked(blue, "sandbox_url", alert=blue_alert(blue, ("domain", "evil-0.com")))
    only = approval.tasks.get()
    for number in range(1, 503):
        only.pk, only.idempotency_key, only.position = None, uuid.uuid4(), number
        only.target_value = f"evil-{number}.com"
        only.save(force_insert=True)
    text = main_of(text_of(as_responder.get(f"/approvals/{approval.pk}/")))
    assert "503 tasks" in text
    assert "The first 500 are shown." in text
    assert text.count('name="task"') == 500
    as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "reject_all"})
    assert approval.tasks.filter(status="rejected").count() == 503


def test_the_figure_of_the_navigation_follows_on_an_open_page(
    tiny: Range, blue: Team, as_responder: Client, as_viewer: Client
) -> None:
    page = text_of(as_responder.get("/alerts/"))
    url = page.split('id="nav-poll" hidden hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert as_responder.get(url).status_code == 204
    asked(blue)
    text = text_of(as_responder.get(url))
    assert '<span class="count ask t-violet" id="nav-n-approval-list" hx-swap-oob="true">1</span>' in text
    new = text.split('hx-get="')[1].split('"')[0]
    assert new != url and as_responder.get(new).status_code == 204
    assert 'id="nav-n-connector-list"' not in text_of(as_viewer.get("/nav/counts/"))
