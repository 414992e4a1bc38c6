"""The page of tasks over all incidents, and their figures in the list of incidents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.actions import incidents, tasks
from cases.actors import Actor
from cases.models import IncidentTask
from soar.accounts.models import Team, User
from tests.factories import make_incident
from tests.queries import counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def some(blue: Team, red: Team, analyst: User, responder: User) -> None:
    """Tasks of every sort, one of them in an incident of team Red, one in a closed incident."""
    now, actor = timezone.now(), Actor.system()
    case, hidden, ended = (make_incident(name, team=team) for name, team in (("C", blue), ("H", red), ("E", blue)))
    tasks.add(actor, case.pk, title="Mine and late", assignee=analyst, due_at=now - timedelta(hours=2), required=True)
    tasks.add(actor, case.pk, title="Hers", assignee=responder, due_at=now + timedelta(minutes=30))
    tasks.add(actor, case.pk, title="Of nobody")
    tasks.complete(actor, tasks.add(actor, case.pk, title="Done already", assignee=analyst).pk)
    tasks.add(actor, hidden.pk, title="Hidden")
    tasks.add(actor, ended.pk, title="Ended", assignee=analyst)
    incidents.set_status(actor, ended.pk, "closed", determination="benign")


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("", {"Mine and late"}),
        ("?tab=nonsense", {"Mine and late"}),
        ("?tab=late", {"Mine and late"}),
        ("?tab=unassigned", {"Of nobody"}),
        ("?tab=all", {"Mine and late", "Hers", "Of nobody"}),
    ],
)
def test_tabs(as_analyst: Client, some: None, query: str, there: set[str]) -> None:
    text = as_analyst.get(f"/tasks/{query}").content.decode()
    for title in ("Mine and late", "Hers", "Of nobody", "Done already", "Hidden", "Ended"):
        assert (f">{title}</a>" in text) == (title in there), title


def test_who_sees_no_cases_sees_no_tasks(some: None, nobody: User, as_stranger: Client) -> None:
    client = Client()
    client.force_login(nobody, backend="soar.accounts.backend.Backend")
    assert client.get("/tasks/").status_code == 403
    text = as_stranger.get("/tasks/?tab=all").content.decode()
    assert ">Hidden</a>" in text
    assert "Mine and late" not in text


def test_late_and_soon_say_so(as_analyst: Client, some: None) -> None:
    text = as_analyst.get("/tasks/?tab=all").content.decode()
    assert "2 h late" in text
    assert "is-overdue" in text
    assert "min left" in text
    assert "is-at_risk" in text


def test_empty_says_what_to_do(as_analyst: Client) -> None:
    text = as_analyst.get("/tasks/").content.decode()
    assert "Nothing to do" in text
    assert "/incidents/" in text


def test_the_list_of_incidents_counts_them(as_analyst: Client, some: None) -> None:
    assert "1/4" in as_analyst.get("/incidents/").content.decode()


def test_few_queries(as_analyst: Client, some: None) -> None:
    as_analyst.get("/tasks/?tab=all")
    with counted("tasks"):
        as_analyst.get("/tasks/?tab=all")


def test_more_tasks_cost_no_more_queries(as_analyst: Client, some: None, blue: Team) -> None:
    counts = []
    for _ in range(2):
        as_analyst.get("/incidents/")
        with CaptureQueriesContext(connection) as captured:
            as_analyst.get("/incidents/")
        counts.append(len(captured))
        incident = make_incident("More", team=blue)
        for number in range(20):
            tasks.add(Actor.system(), incident.pk, title=f"T{number}")
    assert counts[0] == counts[1]


def test_done_and_taken_from_the_list(as_analyst: Client, some: None, analyst: User) -> None:
    free = IncidentTask.objects.get(title="Of nobody")
    taken = as_analyst.post(f"/tasks/{free.pk}/mine/", {"tab": "unassigned"})
    assert (taken.status_code, taken["Location"]) == (302, "/tasks/?tab=unassigned")
    free.refresh_from_db()
    assert free.assignee == analyst
    done = as_analyst.post(f"/tasks/{free.pk}/done/", {"tab": "//evil.example"}, follow=True)
    assert done.redirect_chain == [("/tasks/", 302)]
    assert "Done: Of nobody" in done.content.decode()
    free.refresh_from_db()
    assert not free.is_open


@pytest.mark.parametrize("verb", ["done", "mine"])
def test_not_for_who_may_not(as_viewer: Client, as_analyst: Client, as_stranger: Client, some: None, verb: str) -> None:
    task = IncidentTask.objects.get(title="Of nobody")
    assert as_viewer.post(f"/tasks/{task.pk}/{verb}/").status_code == 403
    assert as_stranger.post(f"/tasks/{task.pk}/{verb}/").status_code == 404
    assert as_analyst.get(f"/tasks/{task.pk}/{verb}/").status_code == 405
    assert f"/{verb}/" not in as_viewer.get("/tasks/?tab=all").content.decode()
    ended = IncidentTask.objects.get(title="Ended")
    answer = as_analyst.post(f"/tasks/{ended.pk}/{verb}/", follow=True).content.decode()
    assert "Reopen it to change its tasks." in answer
    task.refresh_from_db()
    assert (task.is_open, task.assignee) == (True, None)
