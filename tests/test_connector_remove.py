"""Connectors are removed only when nothing open uses them; their past stays readable (connectors.md 1)."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from guardian.shortcuts import assign_perm

from cases.models import AlertPull, ServiceNowInstance
from playbooks.models import Playbook, PlaybookVersion, ResponseTask, Run
from playbooks.response import tasks as task_rows
from soar.accounts.models import AuditEntry, User
from soar.connectors import actions, attempts, notify, registry, routing, selectors
from soar.connectors.errors import ConnectorError, Forbidden, NoConnector, Refused
from soar.connectors.intelligence.lookup import look_up
from soar.connectors.models import AccessToken, ConnectorAccount, ConnectorUserPermission, FeedEntry
from soar.connectors.removal import InUse, remove_account
from soar.lib import clock
from tests.api import Api, problem_of
from tests.factories import make_source
from tests.feed_files import drain, send, take
from tests.fixtures import client_of
from tests.playbook_files import until, work
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db
URL = {"url": "https://edr.example"}


def http(name: str = "EDR") -> ConnectorAccount:
    return actions.create_account(None, "http", name, URL, {"token": "s3cr3t-0123456789"})


def slack(name: str = "SOC") -> ConnectorAccount:
    return actions.create_account(None, "slack", name, {"url": "https://hooks.slack.example/services/T/B/x"}, {})


def texts(account: ConnectorAccount) -> list[str]:
    """What stands in the way."""
    with pytest.raises(InUse) as caught:
        remove_account(None, account.pk)
    assert ConnectorAccount.objects.filter(pk=account.pk).exists()
    return [one.text for one in caught.value.uses]


def test_what_is_removed_is_off_has_no_secrets_and_frees_its_name(admin: User) -> None:
    account = http()
    assign_perm("connectors.use_connectoraccount", admin, account)
    AccessToken.objects.create(account=account, fingerprint="x", token="t", expires_at=clock.now())
    attempts.begin(account, "host.isolate", {"url": "https://edr.example/isolate"}, key="k", cause=None)
    remove_account(admin, account.pk)
    row = ConnectorAccount.everything.get(pk=account.pk)
    assert (row.enabled, row.secrets, row.removed_by) == (False, {}, admin.display_name())
    assert row.attempts.count() == 1
    assert not AccessToken.objects.exists() and not ConnectorUserPermission.objects.exists()
    entry = AuditEntry.objects.get(verb="connector.removed")
    assert (entry.actor_id, entry.target) == (admin.pk, "connector EDR")
    again = http("edr")
    assert again.pk != account.pk
    with pytest.raises(Refused, match="already a connector named"):
        http("Edr")


def test_nobody_finds_or_uses_it_any_more(admin: User) -> None:
    gone, chat = http(), slack()
    for one in (gone, chat):
        remove_account(None, one.pk)
    assert not ConnectorAccount.objects.exists()
    assert not selectors.usable_by(admin).exists() and not selectors.managed_by(admin).exists()
    assert selectors.enabled_accounts() == [] and notify.channels() == []
    with pytest.raises(NoConnector):
        registry.get("EDR")
    for change in (
        lambda: actions.update_account(None, gone.pk, enabled=True),
        lambda: actions.update_account(None, gone.pk, secrets={"token": "x"}),
        lambda: actions.test_account(None, gone.pk),
    ):
        with pytest.raises(NoConnector):
            change()
    with pytest.raises(ConnectorError, match="EDR was removed"):
        attempts.begin(gone, "x", {}, key="", cause=None)
    assert gone.attempts.count() == 0


def test_twice_and_without_the_permission(admin: User, responder: User) -> None:
    account = http()
    assign_perm("connectors.manage_connectoraccount", responder, account)
    with pytest.raises(Forbidden):
        remove_account(responder, account.pk)
    remove_account(admin, account.pk)
    with pytest.raises(NoConnector):
        remove_account(admin, account.pk)
    assert AuditEntry.objects.filter(verb="connector.removed").count() == 1


def test_a_rule_a_reading_and_an_instance_stand_in_the_way() -> None:
    edr = actions.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": "t" * 20})
    routing.add_route(None, account=edr.pk, capability="isolate_endpoint")
    AlertPull.objects.create(source=make_source("Alerts of V1", kind="visionone"), account=edr)
    desk = actions.create_account(
        None, "servicenow", "Desk", {"url": "https://desk.example", "username": "u"}, {"password": "p"}
    )
    ServiceNowInstance.objects.create(account=desk, slug="desk", webhook_secret="s", due_at=clock.now())
    assert texts(edr) == [
        "A rule of “Which connector acts”: Isolate endpoint", "Reading of the source Alerts of V1"
    ]  # fmt: skip
    assert texts(desk) == ["The ServiceNow instance desk"]


def test_a_feed_goes_with_its_values_but_not_while_they_come() -> None:
    account = actions.create_account(None, "feed", "Evil", {}, {})
    take(account.pk, b"evil.example\n")
    send(None, account.pk, b"other.example\n")
    assert texts(account) == ["An import of the feed that is under way"]
    drain()
    remove_account(None, account.pk)
    assert not FeedEntry.objects.exists()
    assert look_up([("domain", "other.example")])["domain", "other.example"].risk == "unrated"


def drawn(name: str, *nodes: dict[str, Any], on: bool = True) -> Playbook:
    row = publish(graph(*nodes), name)
    Playbook.objects.filter(pk=row.pk).update(enabled=on)
    return row


def note(channel: str) -> dict[str, Any]:
    return action("n", ("channel", {"channels": [channel]}), type="notify")


ASKS = {"subject_prefix": "", "recipients": [], "two_people": False}


def test_playbooks_that_are_on_and_name_it_stand_in_the_way() -> None:
    chat = slack()
    drawn("Tells", note("soc"))
    drawn("Asks", action("a", "tag", approval={**ASKS, "method": "channel", "channels": ["SOC"]}))
    drawn("Off", note("SOC"), on=False)
    drawn("Other", note("Another"))
    files = Playbook.objects.create(name="File", kind="python", trigger="webhook", enabled=True)
    PlaybookVersion.objects.create(playbook=files, number=1, digest="1", source="connector('SOC').send()")
    assert texts(chat) == [f"The playbook {name}, which is on" for name in ("Asks", "File", "Tells")]
    Playbook.objects.update(enabled=False)
    remove_account(None, chat.pk)


def test_the_only_one_that_can_do_what_a_playbook_does_stands_in_its_way() -> None:
    first = actions.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": "t" * 20})
    mail = actions.create_account(None, "smtp", "Mail", {"url": "smtp://mail.example", "sender": "a@b.example"}, {})
    drawn("Contains", action("a", "isolate_endpoint"))
    drawn("Writes", action("n", ("email", {"recipients": ["a@b.example"]}), type="notify"))
    assert texts(first) == ["The playbook Contains, which is on"]
    assert texts(mail) == ["The playbook Writes, which is on"]
    actions.create_account(None, "visionone", "V2", {"url": "https://v2.example"}, {"token": "t" * 20})
    remove_account(None, first.pk)


def test_settings_that_name_who_is_told_stand_in_the_way(settings: Any) -> None:
    chat = slack()
    settings.APPROVAL_CHANNELS = ["soc"]
    assert texts(chat) == ["The setting SOAR_APPROVAL_CHANNELS, which names it"]


@pytest.mark.django_db(transaction=True)
def test_open_tasks_and_runs_stand_in_the_way(tiny: Range, responder: User) -> None:
    row = publish(graph(action("a", "isolate_endpoint", approval={**ASKS, "method": "email"})), "Contain")
    run = run_now(row, alert_of())
    Playbook.objects.update(enabled=False)
    found = texts(tiny.account)
    assert found == ["The open task “Isolate endpoint LT-0042”", f"Run {run.pk} of Contain, which is not over"]
    ResponseTask.objects.update(status="rejected")
    Run.objects.update(status="unsuccessful")
    remove_account(None, tiny.account.pk)
    page = client_of(responder).get(f"/responses/{ResponseTask.objects.get().pk}/")
    assert (page.status_code, "Tiny" in page.content.decode()) == (200, True)


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_made_at_the_same_moment_sends_nothing(tiny: Range) -> None:
    """Its row is written and not committed yet, so that who removes the connector cannot see it."""

    def remove() -> None:
        remove_account(None, tiny.account.pk)
        connection.close()

    thread = threading.Thread(target=remove)
    with transaction.atomic():
        task_rows.create([task_on(tiny.account)])
        thread.start()
        thread.join()
    work()
    task = ResponseTask.objects.get()
    assert (task.status, task.reason) == ("unsuccessful", "The connector Tiny was removed.")
    assert tiny.done == []


@pytest.mark.django_db(transaction=True)
def test_a_call_that_begins_while_it_is_removed_waits_and_is_refused(tiny: Range) -> None:
    told: list[str] = []

    def call() -> None:
        try:
            attempts.begin(tiny.account, "isolate", {}, key="k", cause=None)
        except ConnectorError as error:
            told.append(error.message)
        finally:
            connection.close()

    thread = threading.Thread(target=call)
    with transaction.atomic():
        remove_account(None, tiny.account.pk)
        thread.start()
        until(waits_for_a_lock)
    thread.join()
    assert told == ["The connector Tiny was removed."]
    assert not tiny.account.attempts.exists()


@pytest.mark.django_db(transaction=True)
def test_a_task_that_starts_too_late_fails_and_sends_nothing(tiny: Range) -> None:
    remove_account(None, tiny.account.pk)
    task_rows.create([task_on(tiny.account)])
    work()
    task = ResponseTask.objects.get()
    assert (task.status, task.reason) == ("unsuccessful", "The connector Tiny was removed.")
    assert tiny.done == []


def task_on(account: ConnectorAccount) -> ResponseTask:
    target: dict[str, Any] = {"kind": "endpoint", "value": "LT-0042", "facts": {}, "asset": None}
    return task_rows.draft(action="isolate_endpoint", cause=uuid.uuid4(), target=target, account=account)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


# Page and API


def test_page_names_what_uses_it_and_removes_what_is_free(admin: User) -> None:
    chat, client = slack("SOC <1>"), client_of(admin)
    row = drawn("Tells", note("SOC <1>"))
    for answer in (client.get(f"/connectors/{chat.pk}/remove/"), client.post(f"/connectors/{chat.pk}/remove/")):
        text = answer.content.decode()
        assert f'<a href="/playbooks/{row.pk}/">The playbook Tells, which is on</a>' in text
        assert "SOC &lt;1&gt; cannot be removed yet." in text
    assert answer.status_code == 409
    Playbook.objects.update(enabled=False)
    assert "This cannot be undone" in client.get(f"/connectors/{chat.pk}/remove/").content.decode()
    assert client.post(f"/connectors/{chat.pk}/remove/", follow=True).redirect_chain == [("/connectors/", 302)]
    text = client.get("/connectors/").content.decode()
    assert "1 removed" in text and f'href="/connectors/{chat.pk}/"' in text
    text = client.get(f"/connectors/{chat.pk}/").content.decode()
    assert f"Removed by {admin.display_name()}" in text
    assert "Test connection" not in text
    for verb in ("remove", "enable", "disable", "test", "edit"):
        again = client.post(f"/connectors/{chat.pk}/{verb}/")
        assert again.status_code == (302 if verb == "remove" else 404), verb
    assert not ConnectorAccount.everything.get(pk=chat.pk).enabled


def test_calls_of_a_removed_one_stay_readable(admin: User) -> None:
    account = http()
    attempts.begin(account, "host.isolate", {"url": "https://edr.example/x"}, key="k", cause=None)
    account.attempts.update(started_at=clock.now().replace(year=2020))
    remove_account(None, account.pk)
    assert "host.isolate" in client_of(admin).get(f"/connectors/{account.pk}/").content.decode()


def test_page_is_for_those_who_manage_all(responder: User, viewer: User) -> None:
    account = http()
    assign_perm("connectors.manage_connectoraccount", responder, account)
    for person in (responder, viewer):
        client = client_of(person)
        assert client.get(f"/connectors/{account.pk}/remove/").status_code == 403
        assert client.post(f"/connectors/{account.pk}/remove/").status_code == 403
    assert Client().post(f"/connectors/{account.pk}/remove/").status_code == 302
    assert ConnectorAccount.objects.count() == 1
    remove_account(None, account.pk)
    assert client_of(responder).get(f"/connectors/{account.pk}/").status_code == 403


def test_a_feed_in_use_leads_from_its_page_to_what_uses_it(admin: User) -> None:
    account = actions.create_account(None, "feed", "Evil", {}, {})
    send(None, account.pk, b"evil.example\n")
    answer = client_of(admin).post(f"/settings/feeds/{account.pk}/remove/", follow=True)
    assert "An import of the feed that is under way" in answer.content.decode()
    drain()


def test_api(admin: User, responder: User) -> None:
    chat, api = slack(), Api(admin)
    row = drawn("Tells", note("SOC"))
    problem_of(Api(responder).delete(f"/connectors/{chat.pk}/"), 403)
    problem_of(Api(admin, scopes=("view_cases",)).delete(f"/connectors/{chat.pk}/"), 403)
    problem = problem_of(api.delete(f"/connectors/{chat.pk}/"), 409)
    (use,) = problem["uses"]
    assert use["text"] == "The playbook Tells, which is on" and use["url"].endswith(f"/playbooks/{row.pk}/")
    Playbook.objects.update(enabled=False)
    assert api.delete(f"/connectors/{chat.pk}/").status_code == 204
    problem_of(api.delete(f"/connectors/{chat.pk}/"), 404)
    problem_of(api.get(f"/connectors/{chat.pk}/"), 404)
    problem_of(api.delete("/connectors/99999999999999999999/"), 404)
    assert api.get("/connectors/").json()["results"] == []


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    account = http("EDR")
    call_command("connector", "remove", "edr")
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["kind"]) == ("EDR", "http") and told["removed_at"]
    account = ConnectorAccount.everything.get(pk=account.pk)
    assert account.removed_at and account.secrets == {}
    for name in ("EDR", "no such"):
        with pytest.raises(CommandError):
            call_command("connector", "remove", name)


def test_the_command_line_names_what_uses_it(capsys: pytest.CaptureFixture[str]) -> None:
    account = http("Reader")
    AlertPull.objects.create(source=make_source("Gateway", kind="visionone"), account=account)
    with pytest.raises(CommandError, match="Gateway"):
        call_command("connector", "remove", "Reader")
    assert ConnectorAccount.objects.filter(pk=account.pk).exists()
    assert not capsys.readouterr().out
