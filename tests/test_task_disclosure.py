"""A run of a response playbook whose tasks name what the reader may not see keeps their words from them (access.md 4);
of thousands of tasks only those that name anything are read for it."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from cases.actors import Actor
from cases.models import Alert, Incident
from playbooks.disclosure import NAMED
from playbooks.models import Approval, ResponseTask, Run
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of
from tests.playbook_pages import text_of
from tests.response_tools import Range, action, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(tiny: Range, admin: User, blue: Team) -> Run:
    """A run of team Blue whose task has said something."""
    alert: Alert = make_alert("Beacon", source=make_source(team=blue), hostname="FIN-1")
    made = run_now(publish(graph(action("a1", "isolate_endpoint")), by=admin), alert, Actor.of(admin))
    ResponseTask.objects.filter(run=made).update(message="Payroll theft goes on")
    return made


@pytest.mark.parametrize("field", ["reason", "message", "data", "answer"])
def test_words_that_name_a_hidden_incident_are_kept(run: Run, red: Team, as_analyst: Client, field: str) -> None:
    assert "Payroll theft" in text_of(as_analyst.get(f"/runs/{run.pk}/"))
    said = f"Payroll theft, as {make_incident('Secret', team=red).number.lower()}"
    ResponseTask.objects.filter(run=run).update(**{field: {"said": said} if field in ("data", "answer") else said})
    page = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "Payroll theft" not in page
    assert "not shown to you" in page


@pytest.mark.parametrize("field", ["reason", "message", "data", "answer"])
def test_the_same_words_are_kept_wherever_the_task_is_read(run: Run, red: Team, analyst: User, field: str) -> None:
    said = f"Payroll theft, as {make_incident('Secret', team=red).number}"
    tasks = ResponseTask.objects.filter(run=run)
    tasks.update(**{"message": "", field: {"said": said} if field in ("data", "answer") else said})
    task, browser, api = tasks.get(), client_of(analyst), Api(analyst)
    for text in (
        text_of(browser.get("/responses/")),
        text_of(browser.get(f"/responses/{task.pk}/")),
        text_of(api.get("/response-tasks/")),
        text_of(api.get(f"/response-tasks/{task.pk}/")),
    ):
        assert "Payroll theft" not in text and f"INC-{Incident.objects.get().pk}" not in text
    admin_api = Api(User.objects.get(username="admin"))
    assert "Payroll theft" in text_of(admin_api.get(f"/response-tasks/{task.pk}/"))


def test_an_approval_keeps_the_words_and_the_incident_of_its_tasks(run: Run, red: Team, analyst: User) -> None:
    hidden = make_incident("Secret", team=red)
    approval = Approval.objects.create(
        run=run, alert=run.alert, incident=hidden, title="Isolate", expires_at=timezone.now(), cause=run.cause
    )
    words = {"message": f"Payroll theft, as {hidden.number}", "params": {"note": "Payroll theft"}}
    words |= {"status": "pending_approval", "reason": "On the never-touch list: the chief's own"}
    ResponseTask.objects.filter(run=run).update(approval=approval, incident=hidden, **words)
    api, browser = Api(analyst), client_of(analyst)
    task = ResponseTask.objects.get(run=run)
    for path in ("/approvals/", f"/approvals/{approval.pk}/", f"/response-tasks/{task.pk}/", f"/runs/{run.pk}/"):
        text = text_of(api.get(path))
        assert "Payroll theft" not in text and hidden.number not in text
    page = text_of(browser.get(f"/approvals/{approval.pk}/"))
    assert "Payroll theft" not in page and "not shown to you" in page
    assert f"ALR-{run.alert_id}" in text_of(api.get(f"/approvals/{approval.pk}/"))


def test_tasks_that_name_nothing_are_not_read(run: Run) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {NAMED}", {"runs": [run.pk]})
        assert any("rtask_named" in line for (line,) in cursor.fetchall())
