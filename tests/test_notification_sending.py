"""What leaves the portal: mail and chat by one's own choice, once, tried again, and never what may not be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone

from cases import timeline
from cases.actions import incidents, merge, restriction
from cases.actions import notifications as choose
from cases.actors import Actor
from cases.models import Incident, NoticeState, NotificationDelivery
from cases.notifications import holding, moments, sending
from cases.tasks import notifications_consider, notifications_due, notifications_send
from soar.accounts.models import Team, User
from soar.connectors.actions import create_account
from soar.connectors.models import ConnectorAccount
from soar.standins.mattermost import Mattermost
from soar.standins.server import Server
from soar.standins.slack import Slack
from tests.factories import make_incident
from tests.notification_tools import Post, later, post_office, run, states

pytestmark = pytest.mark.django_db(transaction=True)
LINK = "/inbox/"


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@pytest.fixture
def reader(analyst: User) -> User:
    """Who is told: with an address."""
    User.objects.filter(pk=analyst.pk).update(email="mara@blue.example", time_zone="Europe/Oslo")
    analyst.refresh_from_db()
    return analyst


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Takeover of payroll", team=blue)


@transaction.atomic
def mention(incident: Incident, by: User, *whom: User, text: str = "Look at the proxy log") -> None:
    locked = Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)
    timeline.record("comment", locked, Actor.of(by), text=text, data={"mentions": [one.pk for one in whom]})


def test_a_mail_at_once(post: Post, reader: User, responder: User, incident: Incident) -> None:
    mention(incident, responder, reader)
    run()
    (mail,) = post.mails
    assert mail["to"] == "mara@blue.example"
    assert mail["subject"] == f"{incident.number}: Priya Raman mentioned you"
    for text in (mail["text"], mail["html"]):
        assert "Look at the proxy log" in text and "Takeover of payroll" in text and LINK in text
        assert "/inbox/settings/" in text
    assert states(reader) == [("email", "sent")]
    run()
    later()
    assert len(post.mails) == 1 and post.mails[0]["copies"] == 1


def test_without_mail_or_without_an_address_nothing_waits(
    reader: User, responder: User, viewer: User, incident: Incident
) -> None:
    mention(incident, responder, reader, viewer)
    run()
    assert states(reader) == states(viewer) == []


@pytest.mark.parametrize("how", ["restricted", "red", "above what mail may carry"])
def test_what_is_confidential_is_not_told(
    how: str, reader: User, responder: User, incident: Incident, admin: User
) -> None:
    with post_office(cleared="green" if how.startswith("above") else "red") as post:
        if how == "restricted":
            incidents.owners(Actor.of(responder), incident.pk, add=[reader])
            run()
            restriction.restrict(Actor.of(admin), incident.pk, reason="")
            before = len(post.mails)
        else:
            Incident.objects.filter(pk=incident.pk).update(tlp="red" if how == "red" else "amber")
            before = 0
        mention(incident, admin, reader)
        run()
        assert len(post.mails) == before + 1
        mail = post.mails[-1]
        for text in (mail["subject"], mail["text"], mail["html"]):
            assert incident.number not in text and "payroll" not in text and "proxy" not in text and "Ada" not in text
        assert LINK in mail["text"]


def test_what_may_not_be_seen_any_more_is_not_sent(
    post: Post, reader: User, responder: User, incident: Incident, red: Team
) -> None:
    choose.save_settings(reader, {"choices": {"mention": {"email": "hourly"}}})
    mention(incident, responder, reader)
    run()
    Incident.objects.filter(pk=incident.pk).update(team=red)
    later()
    assert post.mails == [] and states(reader) == [("email", "skipped")]


def test_what_was_read_before_is_not_sent(post: Post, reader: User, responder: User, incident: Incident) -> None:
    choose.save_settings(reader, {"choices": {"mention": {"email": "daily"}}})
    mention(incident, responder, reader)
    run()
    choose.mark_all(reader)
    later()
    assert post.mails == [] and states(reader) == [("email", "skipped")]


def test_what_is_not_wanted_any_more_is_not_sent(post: Post, reader: User, responder: User, incident: Incident) -> None:
    choose.save_settings(reader, {"choices": {"mention": {"email": "daily"}}})
    mention(incident, responder, reader)
    run()
    choose.save_settings(reader, {"choices": {"mention": {"email": "off"}}})
    later()
    assert post.mails == [] and states(reader) == [("email", "skipped")]


def test_a_digest_is_one_mail_for_a_period(post: Post, reader: User, responder: User, incident: Incident) -> None:
    choose.save_settings(reader, {"choices": {"mention": {"email": "daily"}}, "digest_hour": 7, "workdays_only": False})
    for number in range(4):
        mention(incident, responder, reader, text=f"Word {number}")
    red_one = make_incident("Secret zebra", team=incident.team)
    Incident.objects.filter(pk=red_one.pk).update(tlp="red")
    mention(red_one, responder, reader)
    run()
    due = set(NotificationDelivery.objects.values_list("due_at", flat=True))
    assert len(due) == 1 and due.pop().astimezone(ZoneInfo("Europe/Oslo")).hour == 7
    notifications_due()
    assert run() == 0 and post.mails == []  # not yet
    later()
    later()
    (mail,) = post.mails
    assert mail["subject"] == "5 notifications from Soar"
    assert mail["text"].count(incident.number) == 4
    assert "zebra" not in mail["text"] + mail["html"] and red_one.number not in mail["text"]
    assert "1 more is confidential" in mail["text"]


def test_many_at_once_are_one_mail(post: Post, reader: User, responder: User, incident: Incident) -> None:
    choose.save_settings(reader, {"quiet_from": time(0), "quiet_until": time(23, 59, 59)})
    for _number in range(8):
        mention(incident, responder, reader)
    run()
    assert post.mails == []  # it is quiet
    later()
    (mail,) = post.mails
    assert mail["subject"] == "8 notifications from Soar"


def test_paused(post: Post, reader: User, responder: User, incident: Incident) -> None:
    choose.save_settings(reader, {"paused_until": timezone.now() + timedelta(hours=1)})
    mention(incident, responder, reader)
    run()
    assert (post.mails, states(reader)) == ([], [])


def test_a_failure_is_tried_again_and_said(post: Post, reader: User, responder: User, incident: Incident) -> None:
    post.fault("503")
    mention(incident, responder, reader)
    run()
    row = NotificationDelivery.objects.get()
    assert (row.state, row.attempts) == (NoticeState.WAITING, 1) and row.said
    assert row.due_at > timezone.now() + timedelta(seconds=30)
    later()
    assert len(post.mails) == 1 and states(reader) == [("email", "sent")]


def test_another_try_waits_for_the_end_of_quiet_hours(
    post: Post, reader: User, responder: User, incident: Incident
) -> None:
    """A try that fails just before them is not repeated within them."""
    post.fault("503")
    mention(incident, responder, reader)
    notifications_consider(*incident.timeline.values_list("pk", flat=True))
    choose.save_settings(reader, {"quiet_from": time(0), "quiet_until": time.max})
    notifications_send(reader.pk, "email")
    row = NotificationDelivery.objects.get()
    assert (row.state, row.attempts) == (NoticeState.WAITING, 1)
    assert row.due_at.astimezone(moments.zone_of(reader.time_zone)).time() == time.max
    later()
    assert len(post.mails) == 1 and states(reader) == [("email", "sent")]


def test_a_failure_for_good_is_not_tried_again(post: Post, reader: User, responder: User, incident: Incident) -> None:
    post.fault("404", times=3)
    mention(incident, responder, reader)
    run()
    later()
    assert post.mails == [] and states(reader) == [("email", "failed")]


def test_it_is_given_up_at_last(post: Post, reader: User, responder: User, incident: Incident) -> None:
    post.fault("503", times=20)
    mention(incident, responder, reader)
    run()
    for _try in range(10):
        later()
    row = NotificationDelivery.objects.get()
    assert (row.state, row.attempts) == (NoticeState.FAILED, len(holding.PAUSES) + 1)


def test_a_worker_that_dies_while_it_sends(post: Post, reader: User, responder: User, incident: Incident) -> None:
    """Before the mail was handed in: it goes out once. After: it goes out again under the same Message-ID, which a
    mailbox shows once."""
    mention(incident, responder, reader)
    notifications_consider(*incident.timeline.values_list("pk", flat=True))
    dead = holding.take(reader.pk, "email")
    assert dead is not None
    notifications_send(reader.pk, "email")
    assert post.mails == []  # another worker has it, as far as anybody knows
    later()
    assert len(post.mails) == 1 and states(reader) == [("email", "sent")]
    NotificationDelivery.objects.update(state=NoticeState.SENDING, finished_at=None)  # handed in, then killed
    later()
    assert len(post.mails) == 1 and post.mails[0]["copies"] == 2
    assert states(reader) == [("email", "sent")]


@pytest.fixture
def chats() -> Iterator[Server]:
    with Server([Slack(), Mattermost()]) as server:
        yield server


def sent_to(server: Server, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.standins[kind].state["messages"]
    return found


def test_a_direct_message_by_mattermost(chats: Server, reader: User, responder: User, incident: Incident) -> None:
    given = {"url": chats.urls["mattermost"]["url"], "allow_internal": True, "cleared": "red"}
    create_account(None, "mattermost", "Chat", given, {})
    account = ConnectorAccount.objects.get()
    choose.save_settings(reader, {"chat_way": "handle", "chat_account": account, "chat_handle": "Mara.L"})
    mention(incident, responder, reader)
    run()
    (message,) = sent_to(chats, "mattermost")
    assert "@mara.l" in str(message) and "mentioned you" in str(message)
    assert states(reader) == [("chat", "sent")]


def test_a_webhook_of_one_s_own(
    chats: Server, reader: User, responder: User, incident: Incident, settings: Any
) -> None:
    settings.CHAT_INTERNAL = True
    url = chats.urls["slack"]["url"]
    choose.save_settings(reader, {"chat_way": "webhook", "chat_kind": "slack", "chat_url": url})
    mention(incident, responder, reader)
    run()
    (message,) = sent_to(chats, "slack")
    assert "mentioned you" in str(message) and incident.number in str(message)
    assert states(reader) == [("chat", "sent")]


def test_a_webhook_of_one_s_own_reaches_nothing_inside(
    chats: Server, reader: User, responder: User, incident: Incident
) -> None:
    url = chats.urls["slack"]["url"]
    choose.save_settings(reader, {"chat_way": "webhook", "chat_kind": "slack", "chat_url": url})
    mention(incident, responder, reader)
    run()
    assert sent_to(chats, "slack") == []
    row = NotificationDelivery.objects.get()
    assert row.state != NoticeState.SENT and url.rpartition("/")[2] not in row.said


def test_a_name_that_nobody_has_switches_nothing_off(
    chats: Server, reader: User, responder: User, incident: Incident
) -> None:
    given = {"url": chats.urls["mattermost"]["url"], "allow_internal": True}
    create_account(None, "mattermost", "Chat", given, {})
    account = ConnectorAccount.objects.get()
    choose.save_settings(reader, {"chat_way": "handle", "chat_account": account, "chat_handle": "@nobody"})
    mention(incident, responder, reader)
    run()
    account.refresh_from_db()
    assert account.enabled and states(reader) == [("chat", "failed")]


def test_a_chat_message_of_which_nobody_knows_is_not_repeated(
    chats: Server, reader: User, responder: User, incident: Incident, settings: Any
) -> None:
    settings.CHAT_INTERNAL = True
    url = chats.urls["slack"]["url"]
    choose.save_settings(reader, {"chat_way": "webhook", "chat_kind": "slack", "chat_url": url})
    mention(incident, responder, reader)
    run()
    NotificationDelivery.objects.update(state=NoticeState.SENDING, finished_at=None)
    later()
    assert len(sent_to(chats, "slack")) == 1
    assert NotificationDelivery.objects.get().said == sending.UNKNOWN


def test_a_merge_is_told_without_the_title_of_the_other_one(
    post: Post, reader: User, responder: User, incident: Incident
) -> None:
    other = make_incident("Name of an informer", tlp="red")
    incidents.owners(Actor.of(responder), incident.pk, add=[reader])
    choose.save_settings(reader, {"choices": {"status": {"email": "at_once"}, "assigned": {"email": "off"}}})
    merge.merge(Actor.of(responder), other.pk, [incident.pk])
    run()
    (mail,) = post.mails
    assert other.number in mail["subject"]
    assert "Name of an informer" not in str(mail)
