"""Times that Python takes and PostgreSQL does not, in filters and cursors (ingest-and-api.md 10, 14)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/alerts/", "/incidents/"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_outside_of_all_time_is_refused(analyst: User, path: str, time: str) -> None:
    problem_of(Api(analyst).get(path, updated_since=time), 400)
    cursor = base64.urlsafe_b64encode(json.dumps(["updated_at", 0, time, 1]).encode()).decode()
    problem_of(Api(analyst).get(path, ordering="updated_at", cursor=cursor), 400)


def test_a_far_zone_is_understood(analyst: User) -> None:
    make_alert()
    for query in ({"updated_since": "2020-01-01T00:00:00+23:59"}, {"q": "received:>=2020-01-01T00:00:00-23:59"}):
        assert len(Api(analyst).get("/alerts/", **query).json()["results"]) == 1


ODD = ("2026-13-45T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "tomorrow")


@pytest.mark.parametrize("time", ODD)
def test_what_is_no_time_for_the_database_is_none_of_the_page_and_of_tasks(analyst: User, time: str) -> None:
    incident, browser = make_incident(), client_of(analyst)
    assert browser.get("/incidents/new-since/", {"since": time}).status_code == 204
    problem_of(Api(analyst).get("/tasks/", due_before=time), 400)
    answer = browser.post(f"/incidents/{incident.number}/tasks/add/", {"title": "Look", "due_at": time})
    assert answer.status_code in (400, 422)
    assert "Give a date and time" in answer.content.decode()
    assert not incident.tasks.exists()


def test_a_far_zone_is_understood_there_too(analyst: User) -> None:
    incident, browser = make_incident(), client_of(analyst)
    assert browser.get("/incidents/new-since/", {"since": "2020-01-01T00:00:00+23:59"}).status_code == 200
    form = {"title": "Look", "due_at": "2026-01-02T00:00+20:00"}
    assert browser.post(f"/incidents/{incident.number}/tasks/add/", form).status_code == 302
    assert incident.tasks.get().due_at == datetime(2026, 1, 1, 4, tzinfo=UTC)
    found = Api(analyst).get("/tasks/", due_before="2026-01-02T00:00:00-20:00").json()["results"]
    assert [row["title"] for row in found] == ["Look"]
