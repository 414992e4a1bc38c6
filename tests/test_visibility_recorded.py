"""Whoever looks at a restricted incident is in the audit log: once in a while, and nothing for others (access.md 7)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from cases.actions.tasks import add as add_task
from cases.actors import Actor
from cases.models import Alert, Incident
from cases.permissions import incident_for
from cases.restricted_views import VERB
from playbooks.models import Approval, Playbook, ResponseTask, Run
from soar.accounts.models import AuditEntry, User
from tests.api import Api
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(analyst: User) -> Incident:
    incident = make_incident("Secret", make_alert("Inside"))
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    assign_perm("cases.view_incident", analyst, incident)
    return Incident.objects.get(pk=incident.pk)


def views() -> list[tuple[int | None, str]]:
    return list(AuditEntry.objects.filter(verb=VERB).order_by("pk").values_list("actor_id", "target"))


@pytest.mark.parametrize(
    "path",
    [
        "/incidents/{number}/",
        "/incidents/{number}/live/",
        "/api/v1/incidents/{pk}/",
        "/api/v1/incidents/{pk}/timeline/",
        "/api/v1/incidents/{pk}/alerts/",
        "/api/v1/incidents/{pk}/observables/",
        "/api/v1/incidents/{pk}/tasks/",
        "/api/v1/incidents/{pk}/evidence/",
        "/alerts/{alert}/",
        "/api/v1/alerts/{alert}/",
        "/api/v1/alerts/{alert}/timeline/",
    ],
)
def test_every_way_to_look_is_recorded(analyst: User, admin: User, secret: Incident, path: str) -> None:
    where = path.format(number=secret.number, pk=secret.pk, alert=secret.alerts.get().number)
    # One who does not see it leaves no trace of having seen it.
    assert client_of(admin).get(where).status_code == 404
    assert views() == []
    assert client_of(analyst).get(where).status_code in (200, 204)
    assert views() == [(analyst.pk, secret.number)]


@pytest.mark.parametrize(
    "path",
    [
        "/alerts/",
        "/api/v1/alerts/?expand=description,observables",
        "/incidents/",
        "/api/v1/incidents/",
        "/tasks/?tab=all",
        "/api/v1/tasks/",
        "/api/v1/evidence/",
        "/runs/",
        "/api/v1/runs/",
        "/runs/{run}/",
        "/api/v1/runs/{run}/",
        "/responses/",
        "/api/v1/response-tasks/",
        "/responses/{response}/",
        "/api/v1/response-tasks/{response}/",
        "/approvals/",
        "/api/v1/approvals/",
        "/approvals/{approval}/",
        "/api/v1/approvals/{approval}/",
    ],
)
def test_so_is_what_lists_runs_and_responses_tell_of_it(
    analyst: User, admin: User, secret: Incident, path: str, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR = tmp_path
    where = path.format(**what_hangs_on(secret))
    others = client_of(admin).get(where)
    assert others.status_code == (404 if "{" in path else 200) and views() == []
    assert client_of(analyst).get(where).status_code == 200
    assert views() == [(analyst.pk, secret.number)]


def what_hangs_on(incident: Incident) -> dict[str, int]:
    alert = incident.alerts.get()
    add_task(Actor.system(), incident.pk, title="Ask")
    keep(incident)
    playbook = Playbook.objects.create(name="looks", trigger="webhook")
    run = Run.objects.create(playbook=playbook, alert=alert, trigger="manual", cause=alert.cause, status="successful")
    response = ResponseTask.objects.create(
        action="block",
        incident=incident,
        cause=incident.cause,
        status="successful",
        target_kind="domain",
        target_value="evil.example.org",
    )
    approval = Approval.objects.create(
        alert=alert, status="pending", expires_at=timezone.now() + timedelta(hours=1), title="Block?", cause=alert.cause
    )
    return {"run": run.pk, "response": response.pk, "approval": approval.pk}


def test_once_for_a_person_and_incident_in_a_while(analyst: User, viewer: User, secret: Incident) -> None:
    assign_perm("cases.view_incident", viewer, secret)
    for _ in range(3):
        client_of(analyst).get(f"/incidents/{secret.number}/")
        Api(analyst).get(f"/incidents/{secret.pk}/timeline/")
    assert views() == [(analyst.pk, secret.number)]
    client_of(viewer).get(f"/incidents/{secret.number}/")
    assert views() == [(analyst.pk, secret.number), (viewer.pk, secret.number)]
    with connection.cursor() as cursor:  # the log refuses changes: time is let pass beside it
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER audit_append_only")
    AuditEntry.objects.update(at=Now() - timedelta(minutes=16))
    client_of(analyst).get(f"/incidents/{secret.number}/")
    assert len(views()) == 3


def test_an_incident_that_is_not_restricted_costs_nothing(analyst: User, secret: Incident) -> None:
    plain = make_incident("Plain")
    with CaptureQueriesContext(connection) as found:
        incident_for(analyst, plain.pk)
    assert not any("auditentry" in one["sql"] for one in found.captured_queries)
    assert views() == []


def test_playbooks_and_soar_are_no_people(analyst: User, secret: Incident) -> None:
    incident_for(Actor.system(), secret.pk)
    incident_for(Actor.playbook("Any", 1, analyst), secret.pk)
    assert views() == []


def test_who_looks_as_somebody_else_is_named(admin: User, as_admin: Any, analyst: User, secret: Incident) -> None:
    assign_perm("cases.view_incident", admin, secret)
    as_admin.post("/accounts/view-as/", {"person": analyst.username})
    assert as_admin.get(f"/incidents/{secret.number}/").status_code == 200
    entry = AuditEntry.objects.get(verb=VERB)
    assert (entry.actor_id, entry.target, entry.data) == (admin.pk, secret.number, {"viewing_as": "mara"})


@pytest.mark.django_db(transaction=True)
def test_it_is_recorded_where_nothing_else_can_be_written(
    admin: User, as_admin: Any, analyst: User, secret: Incident
) -> None:
    """While one sees the portal as somebody else, the database refuses all other writes."""
    assign_perm("cases.view_incident", admin, secret)
    as_admin.post("/accounts/view-as/", {"person": analyst.username})
    assert as_admin.get(f"/incidents/{secret.number}/").status_code == 200
    assert views() == [(admin.pk, secret.number)]
