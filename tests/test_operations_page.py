"""The page of operations: what it tells, to whom, empty and full, and in how many queries (operations.md 7)."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases.actions import given_up, webhooks
from cases.actors import Actor
from cases.errors import Forbidden
from cases.models import DeadLetter, WebhookEndpoint
from soar import __version__
from soar.accounts import audit
from soar.accounts.actions import people, roles
from soar.accounts.models import AuditEntry, User
from soar.connectors.health import disable
from soar.connectors.models import ConnectorAccount
from soar.lib import clock, heartbeat, queue
from soar.models import Heartbeat, QueuedTask
from tests.factories import make_source, make_user
from tests.queries import counted
from tests.test_approval_decide import at_once

pytestmark = pytest.mark.django_db
PATH = "/settings/operations/"


def page(client: Client, **headers: str) -> str:
    answer = client.get(PATH, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def words(html: str, name: str = "") -> str:
    """The text of the page, or of the section whose heading has this id."""
    if name:
        found = re.search(rf'<section[^>]*aria-labelledby="{name}".*?</section>', html, re.S)
        assert found, f"there is no section {name}"
        html = found[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def failed(task: str, error: str, *args: Any) -> int:
    queue.enqueue(task, *args)
    row = QueuedTask.objects.latest("pk")
    QueuedTask.objects.filter(pk=row.pk).update(failed_at=timezone.now(), error=error, starts=5)
    return row.pk


def letter(source: Any) -> None:
    DeadLetter.objects.create(source=source, status=400, error="No JSON", size=1, kept=1, body=b"{")


@pytest.fixture
def trouble(admin: User) -> dict[str, Any]:
    """Something wrong with everything."""
    task = failed("playbooks.tasks.run", "IntegrityError: Key (title)=(Payroll) exists", 17)
    failed("cases.tasks.push", "Its worker died 5 times while it ran.", 3)
    source = make_source("Proxy", slug="proxy")
    letter(source)
    letter(source)
    endpoint, _ = webhooks.create(
        Actor.of(admin), fields={"name": "Chat relay", "url": "https://relay.example.com/x", "kinds": ["all"]}
    )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=timezone.now(), last_error="It answered 500.")
    works = ConnectorAccount.objects.create(kind="http", name="Fine", settings={"url": "https://a.example"})
    ConnectorAccount.objects.filter(pk=works.pk).update(last_ok_at=timezone.now())
    broken = ConnectorAccount.objects.create(kind="http", name="EDR", settings={"url": "https://b.example"})
    disable(broken.pk, "The token was refused.")
    return {"task": task, "connector": broken.pk, "webhook": endpoint.pk}


def test_it_is_for_those_who_manage_settings(
    client: Client, as_analyst: Client, as_viewer: Client, as_admin: Client
) -> None:
    assert client.get(PATH)["Location"].startswith("/accounts/login/")
    assert [one.get(PATH).status_code for one in (as_analyst, as_viewer, as_admin)] == [403, 403, 200]
    assert as_admin.post(PATH).status_code == 405
    assert PATH in as_admin.get("/settings/").content.decode()
    assert PATH not in as_analyst.get("/settings/").content.decode()


def test_a_portal_where_nothing_has_happened(as_admin: Client, settings: Any) -> None:
    settings.QUEUE_AT_MOST = 0
    html = page(as_admin)
    text = words(html)
    assert (
        "Tasks 0" in text
        and "none waits" in text
        and "Refuses at never" in text
        and "How full the queue is" not in html
    )
    assert "No worker has given a sign of life for 15 seconds" in text
    assert "No scheduler has given a sign of life" in text
    assert "None has given a sign of life in the last hour." in text
    assert "None. A task that fails is tried five times." in text
    assert "None was made with manage.py backup" in text
    assert "Every delivery could be read." in text
    assert words(html, "op-connectors").endswith("None is set up.")
    assert words(html, "op-webhooks").endswith("None is set up.")
    assert f"Soar {__version__}, PostgreSQL {connection.pg_version // 10_000}." in text  # type: ignore[attr-defined]


def test_the_queue_with_its_threshold(as_admin: Client, settings: Any) -> None:
    settings.QUEUE_AT_MOST = 3
    queue.enqueue("tests.tasks.nothing")
    queue.enqueue("tests.tasks.nothing")
    QueuedTask.objects.update(created_at=timezone.now() - timedelta(minutes=7, seconds=5))
    html = page(as_admin)
    assert words(html, "op-queue") == "Queue Tasks 2 Oldest 7 min Refuses at 3 tasks 2"
    assert "The queue is full" not in html
    queue.enqueue("tests.tasks.nothing")
    assert "The queue is full: alerts are refused with 503" in page(as_admin)


def test_who_is_silent_is_told_from_who_lives(as_admin: Client) -> None:
    heartbeat.beat("worker")
    heartbeat.beat("scheduler")
    Heartbeat.objects.create(name="worker", host="host-b", pid=4711, at=timezone.now() - timedelta(minutes=3))
    html = page(as_admin)
    rows = [words(row) for row in re.findall(r"<tr>.*?</tr>", html, re.S)[1:]]
    assert sum(row.startswith("Alive") for row in rows) == 2
    assert "Silent Worker host-b 4711 3 min ago" in rows
    assert "sign of life for" not in html


@pytest.mark.parametrize("seconds", [-60, 60])
def test_whose_clock_is_wrong_takes_nobody_for_dead(as_admin: Client, seconds: int) -> None:
    """The signs bear the database's time; the host that shows them may have another."""
    heartbeat.beat("worker")
    Heartbeat.objects.create(name="scheduler", host="host-b", pid=4711, at=timezone.now() - timedelta(seconds=40))
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        rows = [words(row) for row in re.findall(r"<tr>.*?</tr>", page(as_admin), re.S)[1:]]
    assert sum(row.startswith("Alive Worker") for row in rows) == 1
    assert any(row.startswith("Silent Scheduler") for row in rows)


@pytest.mark.parametrize(("seconds", "said"), [(90, "ahead"), (-90, "behind")])
def test_whose_clock_is_off_is_named(as_admin: Client, seconds: int, said: str) -> None:
    heartbeat.beat("worker")
    assert "Its clock" not in page(as_admin)
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        heartbeat.beat("scheduler")
    rows = [words(row) for row in re.findall(r"<tr>.*?</tr>", page(as_admin), re.S)[1:]]
    assert [f"Its clock is 1 min {said}" in row for row in rows] == ["Scheduler" in row for row in rows]


def test_tasks_that_were_given_up_tell_no_case(as_admin: Client, trouble: dict[str, Any]) -> None:
    text = words(page(as_admin), "op-failed")
    assert f"playbooks.tasks.run task-{trouble['task']} 17 IntegrityError 5" in text
    assert "cases.tasks.push" in text and "Its worker died" in text
    assert "Payroll" not in text


def test_what_fails_outside_leads_to_where_it_is_handled(as_admin: Client, trouble: dict[str, Any]) -> None:
    html = page(as_admin)
    assert "EDR The token was refused. Switched off by Soar 1 of 2 need a look" in words(html, "op-connectors")
    assert "Fine" not in words(html, "op-connectors")
    assert "Chat relay It answered 500. Failing" in words(html, "op-webhooks")
    assert "Proxy 2 newest" in words(html, "op-letters")
    for link in (
        f"/connectors/{trouble['connector']}/", f"/webhooks/{trouble['webhook']}/?state=failed",
        "/sources/proxy/dead-letters/?state=waiting", "/sources/dead-letters/",
    ):  # fmt: skip
        assert f'href="{link}"' in html
        assert as_admin.get(link).status_code == 200


def test_what_others_manage_is_for_them(admin: User, client: Client, trouble: dict[str, Any]) -> None:
    roles.create(admin, "Caretaker", description="", permissions=["view_cases", "manage_settings"])
    keeper = make_user("keeper")
    people.update(admin, keeper.pk, {"roles": ["Caretaker"]})
    client.force_login(keeper)
    html = page(client)
    assert "playbooks.tasks.run" in html
    for hidden in ("op-connectors", "op-webhooks", "op-letters", "Proxy", "EDR", "Chat relay"):
        assert hidden not in html


def test_the_last_backup(as_admin: Client) -> None:
    audit.record(None, "backup.made", "old.soar", size=5, files=1, encrypted=False)
    audit.record(None, "backup.made", "new.soar", size=3 * 1024 * 1024, files=1, encrypted=True)
    text = words(page(as_admin), "op-portal")
    assert "new.soar" in text and "3.0" in text and text.endswith("encrypted") and "not encrypted" not in text
    assert "old.soar" not in text


def test_an_open_page_asks_for_its_inside_alone(as_admin: Client, trouble: dict[str, Any]) -> None:
    part = page(as_admin, **{"HX-Request": "true"})
    assert part.strip().startswith('<div class="stack stack-l" id="operations"') and "<html" not in part
    assert "playbooks.tasks.run" in part


# --- what was given up is tried again, or forgotten


def send(client: Client, path: str, **fields: Any) -> str:
    """The page that the click leads to, in words."""
    answer = client.post(f"{PATH}tasks/{path}", fields, follow=True)
    assert answer.redirect_chain == [(PATH, 302)]
    return words(answer.content.decode())


def test_one_is_tried_again_from_the_start(as_admin: Client, admin: User) -> None:
    pk = failed("cases.tasks.push", "ValueError: x", 3)
    QueuedTask.objects.filter(pk=pk).update(created_at=timezone.now() - timedelta(days=3))
    other = failed("cases.tasks.push", "ValueError: x", 4)
    assert "Queued again: cases.tasks.push" in send(as_admin, f"{pk}/retry/")
    row = QueuedTask.objects.get(pk=pk)
    assert (row.failed_at, row.starts, row.error, row.args) == (None, 0, "", [3])
    assert row.ready_at <= timezone.now() and timezone.now() - row.created_at < timedelta(days=1)
    assert QueuedTask.objects.get(pk=other).failed_at
    entry = AuditEntry.objects.get(verb="task.retried")
    assert (entry.actor_id, entry.target, entry.data) == (admin.pk, "cases.tasks.push", {"task": pk})


def test_one_is_forgotten(as_admin: Client) -> None:
    pk, other = failed("cases.tasks.push", "ValueError: x", 3), failed("cases.tasks.push", "ValueError: x", 4)
    assert "Forgotten: cases.tasks.push" in send(as_admin, f"{pk}/forget/")
    assert list(QueuedTask.objects.values_list("pk", flat=True)) == [other]
    assert AuditEntry.objects.get(verb="task.forgotten").data == {"task": pk}


def test_all_of_a_kind_and_no_other(as_admin: Client) -> None:
    rows = [failed("cases.tasks.push", "ValueError: x", number) for number in range(30)]
    other = failed("playbooks.tasks.run", "ValueError: x", 1)
    queue.enqueue("cases.tasks.push", 99)  # waits by itself
    text = words(page(as_admin), "op-failed")
    assert "cases.tasks.push 30" in text and "The newest 20." in text
    assert "30 tasks are queued again" in send(as_admin, "retry/", task="cases.tasks.push")
    assert QueuedTask.objects.exclude(failed_at=None).get().pk == other
    assert AuditEntry.objects.get(verb="tasks.retried").data == {"number": 30, "tasks": rows}
    assert "1 task is forgotten" in send(as_admin, "forget/", task="playbooks.tasks.run")
    assert QueuedTask.objects.filter(task="cases.tasks.push", failed_at=None).count() == 31
    assert QueuedTask.objects.count() == 31


@pytest.mark.parametrize("path", ["{pk}/retry/", "{pk}/forget/", "retry/", "forget/"])
def test_twice_is_once_and_says_so(as_admin: Client, path: str) -> None:
    pk = failed("cases.tasks.push", "ValueError: x")
    send(as_admin, path.format(pk=pk), task="cases.tasks.push")
    left = list(QueuedTask.objects.values())
    assert "meanwhile" in send(as_admin, path.format(pk=pk), task="cases.tasks.push")
    assert list(QueuedTask.objects.values()) == left
    assert AuditEntry.objects.filter(verb__startswith="task").count() == 1


def test_what_waits_or_is_not_there_is_not_touched(as_admin: Client) -> None:
    queue.enqueue("cases.tasks.push", 1)
    pk = QueuedTask.objects.get().pk
    for path in (f"{pk}/retry/", f"{pk}/forget/", "999999999/retry/", f"{10**25}/forget/"):
        assert "meanwhile" in send(as_admin, path)
    for task in ("cases.tasks.push", "", "no\0such", "x' OR '1'='1"):
        assert "meanwhile" in send(as_admin, "forget/", task=task)
    assert QueuedTask.objects.get().starts == 0
    assert not AuditEntry.objects.filter(verb__startswith="task").exists()


@pytest.mark.parametrize("path", ["{pk}/retry/", "{pk}/forget/", "retry/", "forget/"])
def test_only_those_who_manage_settings_may(client: Client, as_analyst: Client, as_admin: Client, path: str) -> None:
    pk = failed("cases.tasks.push", "ValueError: x")
    where = f"{PATH}tasks/{path.format(pk=pk)}"
    assert client.post(where, {"task": "cases.tasks.push"})["Location"].startswith("/accounts/login/")
    assert as_analyst.post(where, {"task": "cases.tasks.push"}).status_code == 403
    assert as_admin.get(where).status_code == 405
    assert QueuedTask.objects.get(pk=pk).failed_at
    with pytest.raises(Forbidden):
        given_up.forget(Actor.of(make_user("somebody")), pk)


def test_a_task_tried_again_is_run_by_a_worker(admin: User) -> None:
    pk = failed("tests.tasks.mark", "ValueError: x", "tried-again")
    given_up.retry(Actor.of(admin), pk)
    row = QueuedTask.objects.get(pk=pk)
    queue.deliver([(pk, row.claim, row.args)], row.task)
    assert cache.get("tried-again") == 1
    assert not QueuedTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_retry_and_forget_of_all_at_once_have_one_outcome(admin: User) -> None:
    """The second waits for the first and then finds nothing; none deadlocks."""
    actor = Actor.of(admin)
    for number in range(50):
        failed("cases.tasks.push", "ValueError: x", number)

    acts = [given_up.retry_kind, given_up.forget_kind, given_up.retry_kind, given_up.forget_kind]
    done = at_once(*(partial(act, actor, "cases.tasks.push") for act in acts))
    assert sorted(map(str, done)) == ["50", "Missing", "Missing", "Missing"]
    assert QueuedTask.objects.filter(failed_at=None).count() in (0, 50)
    assert AuditEntry.objects.filter(verb__startswith="tasks.").count() == 1


def test_a_full_page_takes_few_queries(as_admin: Client, trouble: dict[str, Any]) -> None:
    for number in range(5):
        letter(make_source(f"S{number}", slug=f"s-{number}"))
        failed("cases.tasks.push", "ValueError: x", number)
        Heartbeat.objects.create(name="worker", host="h", pid=number)
        ConnectorAccount.objects.create(kind="http", name=f"C{number}", last_error="It answered 500.")
    page(as_admin)
    with counted("operations"):
        page(as_admin)
