"""A run of a response playbook whose tasks name what the reader may not see keeps their words from them (access.md 4);
of thousands of tasks only those that name anything are read for it."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test import Client

from cases.actors import Actor
from cases.models import Alert
from playbooks.disclosure import NAMED
from playbooks.models import ResponseTask, Run
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source
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


def test_tasks_that_name_nothing_are_not_read(run: Run) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {NAMED}", {"runs": [run.pk]})
        assert any("rtask_named" in line for (line,) in cursor.fetchall())
