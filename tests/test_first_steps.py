"""The guided path of a first day (interface.md 8)."""

from __future__ import annotations

import pytest

from cases.models import AlertSource
from playbooks.models import Playbook, Run
from soar.accounts.models import AuditEntry, Team, User
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


def page(user: User) -> str:
    answer = client_of(user).get("/start/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_is_for_who_may_add_sources(analyst: User, viewer: User) -> None:
    assert client_of(analyst).get("/start/").status_code == 403
    assert "First steps" not in client_of(analyst).get("/").content.decode()


def test_each_step_is_done_when_it_is_seen_in_the_data(admin: User, blue: Team) -> None:
    assert "0 of 4 done" in page(admin)
    source = make_source("Feed", team=blue)
    assert "1 of 4 done" in page(admin)
    alert = make_alert("First one", source=source, team=blue)
    assert "2 of 4 done" in page(admin) and alert.number in page(admin)
    playbook = Playbook.objects.create(name="Sort", trigger="webhook")
    Run.objects.create(playbook=playbook, alert=alert, status="successful", trigger="manual", cause=alert.cause)
    assert "3 of 4 done" in page(admin)
    make_incident("Case", alert, team=blue)
    assert "4 of 4 done" in page(admin)
    assert "First steps" not in client_of(admin).get("/").content.decode()


def test_demo_data_do_not_count(admin: User) -> None:
    make_alert("Demo", source=make_source("Demo feed", demo=True))
    html = page(admin)
    assert "0 of 4 done" in html and "seed_demo --remove" in html


def test_it_is_hidden_for_all_by_who_manages_settings_and_comes_back(admin: User, analyst: User) -> None:
    assert "First steps" in client_of(admin).get("/").content.decode()
    assert client_of(analyst).post("/start/hide/").status_code == 403
    client_of(admin).post("/start/hide/")
    assert "First steps" not in client_of(admin).get("/").content.decode()
    assert AuditEntry.objects.filter(verb="setting.changed", target="first_steps").exists()
    assert "0 of 4 done" in page(admin) and not AlertSource.objects.exists()
