"""Outgoing webhooks over real HTTP (ingest-and-api.md 15): what fails, what is tried again, what is never sent."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from cases import purge, timeline
from cases.actions import webhook_log
from cases.actions import webhooks as actions
from cases.actors import Actor
from cases.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from cases.webhooks import considering, settling, tidying
from soar.accounts.models import AuditEntry, Team, User
from tests.connector_server import Product
from tests.factories import make_alert, make_incident, make_source, make_user
from tests.webhook_tools import UNANSWERED, endpoint_to, ids, later, receiver, run, signed, status, told

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db


def only(endpoint: WebhookEndpoint) -> WebhookDelivery:
    return WebhookDelivery.objects.get(endpoint=endpoint)


@pytest.mark.parametrize("reply", [status(500), status(404), status(429), UNANSWERED])
def test_what_is_not_taken_is_tried_again_under_the_same_id(receiver: Product, admin: User, reply: Any) -> None:
    endpoint, secret = endpoint_to(receiver, admin)
    receiver.replies = [reply, status(200)]
    make_alert("Beacon")
    run()
    delivery = only(endpoint)
    assert (delivery.state, delivery.attempts) == ("waiting", 1) and delivery.said
    assert 3 < (delivery.due_at - timezone.now()).total_seconds() <= 7
    run()
    assert len(receiver.seen) == 1, "it was not due yet"
    later(endpoint)
    delivery.refresh_from_db()
    assert (delivery.state, len(receiver.seen)) == ("delivered", 2)
    assert len(set(ids(receiver))) == 1 and receiver.seen[0]["body"] == receiver.seen[1]["body"]
    assert all(signed(request, secret) for request in receiver.seen)
    calls = list(WebhookAttempt.objects.order_by("pk").values_list("status", "error"))
    assert calls[0][1] and calls[1] == (200, "")


def test_a_receiver_that_is_down_is_left_alone_for_a_while_and_given_up_after_the_last_try(
    receiver: Product, admin: User
) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.stop()
    make_alert("Beacon")
    run()
    for _ in range(len(settling.PAUSES)):
        assert only(endpoint).state == "waiting"
        later(endpoint)
    delivery = only(endpoint)
    endpoint.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("failed", len(settling.PAUSES) + 1)
    assert endpoint.resume_at is not None and endpoint.enabled and endpoint.failures == delivery.attempts
    assert "cannot be reached" in endpoint.last_error


def test_the_pauses_grow_from_seconds_to_a_day() -> None:
    found = [settling.pause(n) for n in range(1, len(settling.PAUSES) + 1)]
    assert found[0] is not None and 4 <= found[0] <= 6
    assert found[-1] is not None and 0.8 * 86400 <= found[-1] <= 86400
    assert settling.pause(len(settling.PAUSES) + 1) is None
    assert settling.pause(1, 600) == 600 and settling.pause(1, 10**9) == 86400


def test_retry_after_is_honoured(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [status(503, Retry_After="900")]
    make_alert("Beacon")
    run()
    endpoint.refresh_from_db()
    assert endpoint.resume_at is not None
    for moment in (only(endpoint).due_at, endpoint.resume_at):
        assert 880 < (moment - timezone.now()).total_seconds() <= 900
    make_alert("Another")
    run()
    assert len(receiver.seen) == 1, "a receiver that asks for a pause is given one"


def test_a_receiver_that_never_answers_costs_one_call(receiver: Product, admin: User, settings: Any) -> None:
    settings.WEBHOOK_SECONDS = 1
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [lambda handler: time.sleep(3)]
    make_alert("Beacon")
    run()
    call = WebhookAttempt.objects.get()
    assert call.status is None and "too long" in call.error
    assert call.milliseconds is not None and 900 <= call.milliseconds < 3000
    assert only(endpoint).state == "waiting"


def test_gone_switches_the_endpoint_off(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [status(410)]
    make_alert("Beacon")
    make_alert("Another")
    run()
    endpoint.refresh_from_db()
    assert not endpoint.enabled and "410" in endpoint.off_reason
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}
    assert len(receiver.seen) == 1
    assert AuditEntry.objects.filter(verb="webhook.switched_off").count() == 1


def test_days_of_failures_switch_it_off(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [status(500)]
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    make_alert("Beacon")
    run()
    endpoint.refresh_from_db()
    assert not endpoint.enabled and "5 days" in endpoint.off_reason
    assert only(endpoint).state == "failed"


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/", "http://169.254.169.254/latest", "/elsewhere"])
def test_a_redirect_is_not_followed(receiver: Product, admin: User, target: str) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [status(307, Location=target)]
    make_alert("Beacon")
    run()
    assert [request["path"] for request in receiver.seen] == ["/hook/?key=s3cr3t"]
    assert "redirects" in only(endpoint).said and only(endpoint).state == "waiting"


@pytest.mark.parametrize("reply", [(200, {}, b"x" * 300_000), (200, {}, b"\x00\xff not JSON"), (202, {}, b"")])
def test_any_2xx_is_success_whatever_comes_with_it(receiver: Product, admin: User, reply: Any) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [reply]
    make_alert("Beacon")
    run()
    assert only(endpoint).state == "delivered"


def test_nothing_is_queued_while_no_endpoint_is_on(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin, enabled=False)
    make_alert("Beacon")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM soar_queue WHERE task LIKE 'cases.tasks.webhooks%'")
        assert cursor.fetchone() == (0,)
    actions.update(Actor.of(admin), endpoint.pk, changes={"enabled": True})
    make_alert("Told")
    run()
    assert [body["data"]["title"] for body in told(receiver)] == ["Told"]


def test_switched_off_meanwhile_sends_nothing_more(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    make_alert("Beacon")
    considering.consider(WebhookDelivery.objects.values_list("entry", flat=True))
    actions.update(Actor.of(admin), endpoint.pk, changes={"enabled": False})
    run()
    assert receiver.seen == []
    actions.update(Actor.of(admin), endpoint.pk, changes={"enabled": True})
    run()
    assert receiver.seen == [], "what ended stays ended until it is replayed"


@pytest.mark.parametrize("loss", ["off", "roles"])
def test_an_owner_who_lost_the_rights_switches_it_off(receiver: Product, admin: User, loss: str) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    make_alert("Beacon")
    receiver.replies = [status(500)]
    run()
    if loss == "off":
        User.objects.filter(pk=admin.pk).update(is_active=False)
    else:
        admin.groups.clear()
        User.objects.filter(pk=admin.pk).update(is_superuser=False)
    later(endpoint)
    endpoint.refresh_from_db()
    assert not endpoint.enabled and "may no longer" in endpoint.off_reason
    assert len(receiver.seen) == 1 and only(endpoint).state == "failed"


def test_only_what_its_owner_sees_is_sent(receiver: Product, admin: User, blue: Team, red: Team) -> None:
    owner = _bounded_owner()
    endpoint, _ = endpoint_to(receiver, owner)
    make_alert("Blue's", source=make_source(team=blue))
    make_alert("Red's", source=make_source(team=red))
    run()
    assert [body["data"]["title"] for body in told(receiver)] == ["Blue's"]
    assert endpoint.deliveries.count() == 1, "not even the existence of the other is written down"


def test_what_became_invisible_before_it_was_sent_is_withheld(receiver: Product, blue: Team, red: Team) -> None:
    endpoint, _ = endpoint_to(receiver, _bounded_owner())
    alert = make_alert("Blue's", source=make_source(team=blue))
    receiver.replies = [status(500)]
    run()
    alert.team = red
    alert.save()
    later(endpoint)
    delivery = only(endpoint)
    assert (delivery.state, delivery.body, len(receiver.seen)) == ("withheld", "", 1)


def test_a_number_that_the_owner_does_not_see_is_taken_out(receiver: Product, blue: Team, red: Team) -> None:
    endpoint_to(receiver, _bounded_owner(), kinds=["alert.linked"])
    alert = make_alert("Everybody's")
    incident = make_incident("Red's secret", team=red)
    timeline.record("alert.linked", _locked(alert), Actor.system(), data={"incident": incident.number})
    run()
    [body] = told(receiver)
    assert incident.number not in str(body) and body["data"]["entry"]["data"]["hidden"] == ["incident"]


def test_tlp_is_respected_and_a_replay_after_clearing_sends_it(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin, cleared="green")
    make_alert("Amber", tlp="amber")
    make_alert("Green", tlp="green")
    run()
    assert [body["data"]["title"] for body in told(receiver)] == ["Green"]
    held = endpoint.deliveries.get(state="withheld")
    assert held.body == "" and "TLP:AMBER" in held.said
    actions.update(Actor.of(admin), endpoint.pk, changes={"cleared": "red"})
    webhook_log.replay(Actor.of(admin), endpoint.pk, held.pk)
    run()
    assert [body["data"]["title"] for body in told(receiver)] == ["Green", "Amber"]


@pytest.mark.parametrize(
    ("fields", "titles"),
    [
        ({"kinds": ["comment"]}, []),
        ({"kinds": ["group:changes"]}, ["Low", "High"]),
        ({"least_severity": "high"}, ["High"]),
        ({"team": "Blue"}, ["High"]),
        ({"source": "edr"}, ["Low"]),
    ],
)
def test_filters(receiver: Product, admin: User, blue: Team, fields: dict[str, Any], titles: list[str]) -> None:
    source = make_source()
    source.slug = "edr"
    source.save()
    endpoint_to(receiver, admin, **fields)
    make_alert("Low", severity=1, source=source)
    make_alert("High", severity=3, source=make_source(team=blue))
    run()
    assert [body["data"]["title"] for body in told(receiver)] == titles


def test_the_payload(receiver: Product, admin: User) -> None:
    _, secret = endpoint_to(receiver, admin)
    alert = make_alert("Beacon", severity=3)
    run()
    [body], [request] = told(receiver), receiver.seen
    data = body["data"]
    assert body["type"] == "alert.opened" and body["timestamp"].endswith("Z")
    assert (data["subject"], data["number"], data["severity"], data["status"]) == ("alert", alert.number, "high", "new")
    assert data["url"].endswith(f"/alerts/{alert.number}/") and data["entry"]["kind"] == "alert.opened"
    assert request["headers"]["Content-Type"] == "application/json" and signed(request, secret)
    assert not signed({**request, "body": request["body"] + b" "}, secret)


def test_a_huge_entry_is_bounded(receiver: Product, admin: User) -> None:
    endpoint_to(receiver, admin, kinds=["comment"])
    timeline.record("comment", _locked(make_alert()), Actor.system(), text="ß" * 50_000, data={"x": "y" * 90_000})
    run()
    assert len(receiver.seen[0]["body"]) <= 64 * 1024
    [body] = told(receiver)
    assert body["data"]["truncated"] is True and body["data"]["entry"]["text"].startswith("ß")


def test_both_secrets_sign_while_one_replaces_the_other(receiver: Product, admin: User) -> None:
    endpoint, old = endpoint_to(receiver, admin)
    _, new = actions.rotate(Actor.of(admin), endpoint.pk, overlap_hours=1)
    make_alert()
    run()
    assert old != new and signed(receiver.seen[0], old) and signed(receiver.seen[0], new)
    WebhookEndpoint.objects.update(old_until=timezone.now() - timedelta(seconds=1))
    make_alert()
    run()
    assert not signed(receiver.seen[1], old) and signed(receiver.seen[1], new)
    tidying.tidy()
    endpoint.refresh_from_db()
    assert (str(endpoint.old_secret), endpoint.old_until) == ("", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, url FROM cases_webhookendpoint")
        stored = str(cursor.fetchone())
    assert new not in stored and "s3cr3t" not in stored


def test_an_entry_is_sent_once_however_often_it_is_considered(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    make_alert()
    run()
    considering.consider([only(endpoint).entry])
    considering.consider([only(endpoint).entry])
    run()
    assert len(receiver.seen) == 1


def test_replay_of_one_and_of_all_that_failed(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    receiver.replies = [status(500)]
    for n in range(3):
        make_alert(f"Alert {n}")
    run()
    WebhookDelivery.objects.update(state="failed", finished_at=timezone.now())
    WebhookEndpoint.objects.update(failures=0, resume_at=None)
    receiver.replies = [status(200)]
    before = set(ids(receiver))
    first = endpoint.deliveries.order_by("pk").first()
    assert first is not None
    webhook_log.replay(Actor.of(admin), endpoint.pk, first.pk)
    run()
    first.refresh_from_db()
    assert first.state == "delivered"
    assert webhook_log.replay_failed(Actor.of(admin), endpoint.pk, since=timezone.now()) == 0
    assert webhook_log.replay_failed(Actor.of(admin), endpoint.pk) == 2
    run()
    assert set(endpoint.deliveries.values_list("state", flat=True)) == {"delivered"}
    assert set(ids(receiver)) == before, "a replay keeps its id"


def test_purged_alerts_take_their_deliveries_along_and_old_ones_go(receiver: Product, admin: User) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    alert, incident = make_alert("Beacon"), make_incident("Case")
    run()
    assert endpoint.deliveries.filter(alert=alert).exists() and endpoint.deliveries.filter(incident=incident).exists()
    purge.purge(admin, alerts=[alert.pk], incidents=[incident.pk], reason="test")
    assert endpoint.deliveries.count() == 0 and WebhookAttempt.objects.count() == 0
    make_alert("Old")
    run()
    endpoint.deliveries.update(finished_at=timezone.now() - timedelta(days=31))
    assert tidying.tidy() == 1


def _bounded_owner() -> User:
    """Manages connectors but sees only what is of team Blue."""
    user = make_user("bounded", "Analyst", teams=("Blue",))
    user.user_permissions.add(Permission.objects.get(codename="manage_connectors"))
    return User.objects.get(pk=user.pk)


def _locked(alert: Any) -> Any:
    return type(alert).objects.select_for_update().get(pk=alert.pk)
