"""The inbox in the browser: what stands in it, reading, marking, who else may not, and no number that leaks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actions import incidents
from cases.actions import notifications as choose
from cases.actors import Actor
from cases.models import Incident, Notification, NotificationDelivery, NotificationSettings, Watch
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_incident
from tests.fixtures import client_of
from tests.notification_tools import run

pytestmark = pytest.mark.django_db
HOSTILE = '"><script>alert(1)</script>{{ 7 }}'


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Takeover", team=blue)


@pytest.fixture
def told(incident: Incident, analyst: User, responder: User) -> list[Notification]:
    """An assignment and two notes of Priya's, in Mara's inbox."""
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst])
    for text in ("First word", HOSTILE):
        incidents.comment(Actor.of(responder), incident.pk, text)
    run()
    return list(Notification.objects.filter(user=analyst).order_by("pk"))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def bell(client: Client) -> str:
    """The figure beside the inbox on any page."""
    page = text_of(client.get("/settings/"))
    return page.partition('id="nav-n-inbox">')[2].partition("<")[0]


def test_it_shows_what_was_told(as_analyst: Client, told: list[Notification], incident: Incident) -> None:
    page = text_of(as_analyst.get("/inbox/"))
    assert "Priya Raman gave it to you" in page and page.count("Priya Raman wrote a note") >= 2
    assert incident.number in page and "First word" in page and "Today" in page
    assert "<script>alert" not in page
    assert bell(as_analyst) == "3"


def test_it_is_one_s_own(as_stranger: Client, as_viewer: Client, told: list[Notification], client: Client) -> None:
    for other in (as_stranger, as_viewer):
        assert "Priya" not in text_of(other.get("/inbox/?show=all"))
        for row in told:
            assert other.get(f"/inbox/{row.pk}/").status_code == 404
            assert other.post(f"/inbox/{row.pk}/mark/").status_code == 404
        assert bell(other) == ""
    assert client.get("/inbox/").status_code == 302
    assert Notification.objects.filter(read_at=None).count() == 3


def test_nobody_s_inbox_is_refused(nobody: User) -> None:
    assert client_of(nobody).get("/inbox/").status_code == 403


def test_opening_reads_and_leads_there(as_analyst: Client, told: list[Notification], incident: Incident) -> None:
    answer = as_analyst.get(f"/inbox/{told[1].pk}/")
    assert answer.status_code == 302
    assert answer["Location"] == f"/incidents/{incident.number}/#entry-{told[1].entry}"
    assert bell(as_analyst) == "2"
    assert "First word" not in text_of(as_analyst.get("/inbox/"))
    assert "First word" in text_of(as_analyst.get("/inbox/?show=all"))


def test_marking_one(as_analyst: Client, told: list[Notification]) -> None:
    address = f"/inbox/{told[0].pk}/mark/"
    assert as_analyst.get(address).status_code == 405
    region = text_of(as_analyst.post(address, {"do": "read"}, headers={"HX-Request": "true"}))
    assert f'id="notification-{told[0].pk}"' in region and "<html" not in region
    assert bell(as_analyst) == "2"
    as_analyst.post(address, {"do": "read"})
    assert bell(as_analyst) == "2"
    assert (
        as_analyst.post(address, {"do": "unread", "show": "all", "reason": "nonsense"})["Location"]
        == "/inbox/?show=all"
    )
    assert bell(as_analyst) == "3"


def test_marking_all_keeps_what_came_since(as_analyst: Client, told: list[Notification]) -> None:
    as_analyst.post("/inbox/read/", {"up_to": told[1].pk})
    assert bell(as_analyst) == "1"
    as_analyst.post("/inbox/read/", {"up_to": "nonsense"})
    assert bell(as_analyst) == ""
    assert "All read" in text_of(as_analyst.get("/inbox/"))


def test_by_reason_and_by_page(
    as_analyst: Client, told: list[Notification], incident: Incident, responder: User
) -> None:
    assert "gave it to you" not in text_of(as_analyst.get("/inbox/?reason=comment"))
    assert "gave it to you" in text_of(as_analyst.get("/inbox/?reason=nonsense&cursor=nonsense"))
    for number in range(35):
        incidents.comment(Actor.of(responder), incident.pk, f"Note {number}")
    run()
    first = text_of(as_analyst.get("/inbox/"))
    older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Note 34" in first and "gave it to you" not in first
    second = text_of(as_analyst.get(older))
    assert "gave it to you" in second and "Note 34" not in second and 'rel="prev"' in second


def test_what_is_new_is_said(as_analyst: Client, told: list[Notification]) -> None:
    assert as_analyst.get(f"/inbox/new/?after={told[-1].pk}").status_code == 204
    assert as_analyst.get("/inbox/new/?after=x").status_code == 204
    assert "2 new" in text_of(as_analyst.get(f"/inbox/new/?after={told[0].pk}"))


def test_what_is_not_seen_any_more_is_gone_and_not_counted(
    as_analyst: Client, told: list[Notification], incident: Incident
) -> None:
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    page = text_of(as_analyst.get("/inbox/?show=all"))
    assert incident.number not in page and "Takeover" not in page
    assert bell(as_analyst) == ""
    assert as_analyst.get(f"/inbox/{told[0].pk}/").status_code == 404
    assert as_analyst.get("/inbox/new/?after=0").status_code == 204


def test_many_lines_cost_no_more_queries(
    as_analyst: Client, told: list[Notification], blue: Team, responder: User, analyst: User,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for number in range(10):
        one = make_incident(f"Other {number}", team=blue)
        incidents.owners(Actor.of(responder), one.pk, add=[analyst])
        incidents.comment(Actor.of(responder), one.pk, "Word")
    run()
    with django_assert_max_num_queries(19):
        as_analyst.get("/inbox/")


def test_a_failure_is_shown(as_analyst: Client, told: list[Notification], analyst: User) -> None:
    now = clock.now()
    NotificationDelivery.objects.create(
        notification=told[0], user=analyst, channel="email", mode="at_once", state="failed",
        said="The mailbox is full.", due_at=now, created_at=now, finished_at=now,
    )  # fmt: skip
    for address in ("/inbox/", "/inbox/settings/"):
        page = text_of(as_analyst.get(address))
        assert "E-mail: the last message to you could not be sent." in page and "The mailbox is full." in page


SENT = {"digest_hour": "7", "workdays_only": "on", "quiet_from": "22:00", "quiet_until": "06:30", "paused_until": "",
        "chat_way": "", "inbox-mention": "on", "email-mention": "daily", "chat-mention": "off"}  # fmt: skip


def test_choosing(as_analyst: Client, analyst: User) -> None:
    assert as_analyst.get("/inbox/settings/").status_code == 200
    assert as_analyst.post("/inbox/settings/", {**SENT, "version": "1"}).status_code == 302
    row = NotificationSettings.objects.get(user=analyst)
    assert row.choices["mention"] == {"inbox": True, "email": "daily", "chat": "off"}
    assert row.choices["comment"]["inbox"] is False
    assert (row.digest_hour, str(row.quiet_until)) == (7, "06:30:00")
    page = text_of(as_analyst.get("/inbox/settings/"))
    assert '<option value="daily" selected>' in page
    assert "/inbox/settings/" in text_of(as_analyst.get("/settings/"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"digest_hour": "25"}, "Select a valid choice"),
        ({"quiet_until": ""}, "Quiet hours have a beginning and an end."),
        ({"quiet_from": "25:99"}, "Enter a valid time"),
        ({"paused_until": "soon"}, "Enter a valid date"),
        ({"chat_way": "handle"}, "Choose one of the connectors."),
        ({"chat_way": "webhook", "chat_kind": "", "chat_url": "https://hooks.example/x"}, "One of: slack"),
        ({"chat_way": "webhook", "chat_kind": "slack", "chat_url": "javascript:alert(1)"}, "no address"),
        ({"chat_way": "webhook", "chat_kind": "slack", "chat_url": "https://u:p@hooks.example/"}, "no address"),
        ({"email-mention": "never"}, "email and chat are one of"),
    ],
)
def test_a_wrong_choice_is_said_and_nothing_is_kept(
    as_analyst: Client, analyst: User, changed: dict[str, str], said: str
) -> None:
    answer = as_analyst.post("/inbox/settings/", {**SENT, **changed})
    assert answer.status_code == 422 and said in text_of(answer)
    assert NotificationSettings.objects.count() == 0


def test_a_stale_form_is_refused(as_analyst: Client, analyst: User) -> None:
    choose.save_settings(analyst, {"digest_hour": 5})
    choose.save_settings(analyst, {"digest_hour": 6})
    answer = as_analyst.post("/inbox/settings/", {**SENT, "version": "1"})
    assert answer.status_code == 422 and "changed in the meantime" in text_of(answer)
    assert NotificationSettings.objects.get().digest_hour == 6


def test_the_address_of_a_webhook_is_never_shown(as_analyst: Client, analyst: User) -> None:
    secret = "https://hooks.slack.example/services/T0/B0/verysecret"
    given = {**SENT, "chat_way": "webhook", "chat_kind": "slack", "chat_url": secret}
    assert as_analyst.post("/inbox/settings/", given).status_code == 302
    page = text_of(as_analyst.get("/inbox/settings/"))
    assert "verysecret" not in page and "One is kept, encrypted" in page
    assert as_analyst.post("/inbox/settings/", {**given, "chat_url": ""}).status_code == 302
    row = NotificationSettings.objects.get()
    assert row.chat_url == secret
    assert as_analyst.post("/inbox/settings/", SENT).status_code == 302
    assert not NotificationSettings.objects.get().chat_url  # off: it is forgotten


def test_a_test_of_the_chat_says_what_came_of_it(as_analyst: Client) -> None:
    page = text_of(as_analyst.post("/inbox/settings/test/", follow=True))
    assert "Your chat is not set up" in page


def test_watching_on_the_page(as_analyst: Client, analyst: User, incident: Incident) -> None:
    address = f"/incidents/{incident.number}/watch/"
    assert address in text_of(as_analyst.get(f"/incidents/{incident.number}/"))
    assert "Follow" in text_of(as_analyst.get(address))
    assert as_analyst.post(address, {"state": "follow"}).status_code == 302
    assert Watch.objects.get().muted is False
    as_analyst.post(address, {"state": "mute", "for": "8"})
    watch = Watch.objects.get()
    assert watch.muted and watch.until is not None
    assert as_analyst.post(address, {"state": "nonsense"}).status_code == 422
    as_analyst.post(address, {"state": "none"})
    assert Watch.objects.count() == 0


def test_what_is_not_seen_cannot_be_watched(as_stranger: Client, incident: Incident) -> None:
    address = f"/incidents/{incident.number}/watch/"
    assert as_stranger.get(address).status_code == 404
    assert as_stranger.post(address, {"state": "follow"}).status_code == 404
    assert Watch.objects.count() == 0


def test_looking_as_somebody_else_reads_nothing_for_them(
    as_admin: Client, analyst: User, told: list[Notification]
) -> None:
    as_admin.post("/people/view-as/", {"user": analyst.username, "reason": "help"})
    as_admin.get(f"/inbox/{told[0].pk}/")
    assert Notification.objects.filter(user=analyst, read_at=None).count() == 3
