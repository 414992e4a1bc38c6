"""Mail about the portal's own state, over real SMTP: silent sources, webhooks that Soar switched off,
disks that are nearly full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from cases import tasks
from cases.models import AlertSource, SourceUserPermission, WebhookEndpoint
from cases.webhooks.switching import switch_off
from soar.accounts.models import User
from soar.connectors import actions as connectors
from soar.connectors.errors import ConnectorError
from soar.lib.queue import enqueue
from soar.models import QueuedTask
from soar.standins.server import Server
from soar.standins.smtp import Smtp
from tests.connector_server import Product
from tests.factories import make_alert, make_source, make_team, make_user
from tests.webhook_tools import endpoint_to, receiver, run, status

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def post(db: None) -> Iterator[Server]:
    """A mail server that the portal sends with, and two who keep the portal running, one of them gone."""
    with Server([Smtp()]) as server:
        given = {"url": server.urls["smtp"]["url"], "allow_internal": "true", "timeout_seconds": "5"}
        connectors.create_account(None, "smtp", "Mail", {**given, "sender": "Soar <soar@blue.example>"}, {})
        make_user("ada", "Admin", email="ada@blue.example")
        left = make_user("left", "Admin", email="left@blue.example")
        User.objects.filter(pk=left.pk).update(is_active=False)
        make_user("mia", "Analyst", email="mia@blue.example")
        yield server


def mails(post: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{post.urls['smtp']['control']}/state").json()["messages"]
    return found


def fault(post: Server, kind: str) -> None:
    httpx.post(f"{post.urls['smtp']['control']}/fault", json={"kind": kind, "times": 1}).raise_for_status()


def silent() -> AlertSource:
    return make_source("Gateway", silent_since=timezone.now(), last_seen_at=timezone.now())


def told_off() -> None:
    """What a worker does with the tasks that tell of webhooks."""
    for row in QueuedTask.objects.filter(task="cases.tasks.tell_webhook_off"):
        tasks.tell_webhook_off(*row.args)


def test_who_manages_it_by_a_grant_is_written_to_as_well(post: Server) -> None:
    source, team = silent(), make_team("Plant")
    people = {
        name: make_user(name, "Analyst", email=f"{name}@blue.example") for name in ("holder", "off", "late", "see")
    }
    make_user("member", "Analyst", teams=("Plant",), email="member@blue.example")
    for name in ("holder", "off", "late"):
        assign_perm("cases.manage_source", people[name], source)
    assign_perm("cases.manage_source", team.group, source)
    assign_perm("cases.view_source", people["see"], source)
    assign_perm("cases.manage_source", User.objects.get(username="mia"), make_source("Another"))
    User.objects.filter(username="off").update(is_active=False)
    over = timezone.now() - timedelta(days=1)
    SourceUserPermission.objects.filter(user__username="late").update(expires_at=over)
    tasks.tell_silent(source.pk)
    told = {address.strip() for mail in mails(post) for address in mail["to"].split(",")}
    assert told == {"ada@blue.example", "holder@blue.example", "member@blue.example"}


def test_a_silent_source_is_written_to_those_who_manage_sources(post: Server) -> None:
    source = silent()
    tasks.tell_silent(source.pk)
    (mail,) = mails(post)
    assert mail["to"] == "ada@blue.example"
    assert mail["subject"] == "Source Gateway is silent"
    assert f"/sources/{source.slug}/" in mail["text"]


def test_told_again_it_is_the_same_mail(post: Server) -> None:
    """A worker that died after the sending sends it once more: the same Message-ID, which mail programs know."""
    source = silent()
    tasks.tell_silent(source.pk)
    tasks.tell_silent(source.pk)
    assert len({mail["headers"]["Message-ID"] for mail in mails(post)}) == 1


def test_one_that_spoke_meanwhile_is_not_told_of(post: Server) -> None:
    source = silent()
    AlertSource.objects.filter(pk=source.pk).update(silent_since=None)
    tasks.tell_silent(source.pk)
    assert mails(post) == []


def test_a_mail_server_that_is_busy_is_asked_again(post: Server) -> None:
    source = silent()
    fault(post, "429")
    with pytest.raises(ConnectorError):
        tasks.tell_silent(source.pk)
    assert mails(post) == []
    tasks.tell_silent(source.pk)
    assert len(mails(post)) == 1


def test_one_that_refuses_for_good_stops_nothing(post: Server) -> None:
    source = silent()
    fault(post, "500")
    tasks.tell_silent(source.pk)
    assert mails(post) == []
    assert AlertSource.objects.get(pk=source.pk).silent_since, "the page still says it"


def test_a_webhook_that_is_gone_is_written_to_its_maker_and_to_admins(
    post: Server, admin: User, receiver: Product, as_admin: Client
) -> None:
    User.objects.filter(pk=admin.pk).update(email="maker@blue.example")
    endpoint, _ = endpoint_to(receiver, admin, name="Chat")
    receiver.replies = [status(410)]
    make_alert("Beacon")
    run()
    told_off()
    (mail,) = mails(post)
    assert sorted(mail["to"].split(", ")) == ["ada@blue.example", "maker@blue.example"]
    assert mail["subject"] == "Webhook Chat is switched off"
    assert "410" in mail["text"] and f"/webhooks/{endpoint.pk}/" in mail["text"]
    endpoint.refresh_from_db()
    assert str(endpoint.secret) not in mail["text"]
    page = as_admin.get(f"/webhooks/{endpoint.pk}/").content.decode()
    assert "Soar has switched it off." in page and "410" in page
    assert "Switched off" in as_admin.get("/webhooks/").content.decode()


def test_one_that_somebody_dealt_with_is_not_told_of(post: Server, admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    switch_off(endpoint.pk, "It is gone.")
    switch_off(endpoint.pk, "It is gone.")
    assert QueuedTask.objects.filter(task="cases.tasks.tell_webhook_off").count() == 1
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(enabled=True, off_reason="", version=99)
    told_off()
    enqueue("cases.tasks.tell_webhook_off", 0, 1)
    told_off()
    assert mails(post) == []


@pytest.mark.parametrize("path", ["/webhooks/4711/", "/webhooks/4711/edit/", "/webhooks/4711/deliveries/1/"])
def test_webhooks_that_are_not_there(as_admin: Client, path: str) -> None:
    assert as_admin.get(path).status_code == 404
    assert as_admin.get(f"/api/v1{path.removesuffix('edit/')}").status_code == 404


def test_a_disk_that_is_nearly_full_is_written_to_those_who_manage_settings(
    post: Server, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR, settings.DISK_LOW_MB = tmp_path, 2**40
    tasks.watch_disks()
    for _twice in range(2):
        tasks.tell_low_disk(*QueuedTask.objects.get().args)
    first = mails(post)[0]
    assert first["to"] == "ada@blue.example" and "is nearly full" in first["subject"]
    assert "Holds: data folder" in first["text"] and "/settings/operations/" in first["text"]
    assert {mail["headers"]["Message-ID"] for mail in mails(post)} == {first["headers"]["Message-ID"]}
