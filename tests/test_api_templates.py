"""``/api/v1/incident-templates/``, and what an incident takes from a template (casework.md 10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cases.actions import tasks
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Incident, IncidentTask, IncidentTemplate
from cases.shipped_templates import TEMPLATES
from soar.accounts.models import AuditEntry, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident

NEW: dict[str, Any] = {
    "name": "Stolen laptop",
    "kind": "data_loss",
    "severity": "high",
    "tlp": "red",
    "tags": ["Theft", "laptop"],
    "tasks": [
        {"title": "Wipe it", "required": True, "due_minutes": 30},
        {"title": "Tell the police", "description": "Note the number."},
    ],
}


@pytest.fixture
def template(admin: User) -> IncidentTemplate:
    """The template above."""
    return IncidentTemplate.objects.get(pk=Api(admin).post("/incident-templates/", NEW).json()["id"])


@pytest.mark.django_db
def test_who_may_what(analyst: User, viewer: User, nobody: User, admin: User) -> None:
    pk = IncidentTemplate.objects.get(name="Phishing").pk
    for user in (analyst, viewer):
        api = Api(user)
        assert len(api.get("/incident-templates/").json()["results"]) == len(TEMPLATES)
        assert api.get(f"/incident-templates/{pk}/").json()["kind"] == "phishing"
        problem_of(api.post("/incident-templates/", NEW), 403)
        problem_of(api.patch(f"/incident-templates/{pk}/", {"name": "X"}), 403)
        problem_of(api.delete(f"/incident-templates/{pk}/"), 403)
    problem_of(Api(nobody).get("/incident-templates/"), 403)
    problem_of(Api(nobody).get(f"/incident-templates/{pk}/"), 403)
    problem_of(Api(None).get("/incident-templates/"), 401)
    problem_of(Api(admin, scopes=("view_cases",)).delete(f"/incident-templates/{pk}/"), 403)
    assert IncidentTemplate.objects.count() == len(TEMPLATES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": " "}, "name", ""),
        ({"name": "x" * 101}, "name", ""),
        ({"name": "PHISHING"}, "name", "already"),
        ({"kind": "burglary"}, "kind", "phishing"),
        ({"severity": "awful"}, "severity", "critical"),
        ({"tlp": "pink"}, "tlp", "amber"),
        ({"tasks": [{"title": "A"}, {"title": " "}]}, "tasks", "Task 2: title"),
        ({"tasks": [{"title": "A"}, {"title": "a"}]}, "tasks", "Task 2"),
        ({"tasks": [{"title": "A", "due_minutes": 0}]}, "tasks.0.due_minutes", ""),
        ({"tasks": [{"title": "A", "due_minutes": 10**9}]}, "tasks.0.due_minutes", ""),
        ({"tasks": [{"title": "A", "assignee": "mara"}]}, "tasks.0.assignee", "Not known"),
        ({"tasks": [{"title": f"T{n}"} for n in range(101)]}, "tasks", "100"),
        ({"playbooks": ["x"]}, "playbooks", "Not known"),
    ],
)
def test_what_a_template_cannot_be(admin: User, changes: dict[str, Any], field: str, words: str) -> None:
    refused = problem_of(Api(admin).post("/incident-templates/", {**NEW, **changes}), 400)
    assert [error["field"] for error in refused["errors"]] == [field]
    assert words in refused["errors"][0]["message"]
    assert IncidentTemplate.objects.count() == len(TEMPLATES)


@pytest.mark.django_db
def test_made_changed_and_deleted_each_with_its_audit_row(admin: User) -> None:
    api = Api(admin)
    made = api.post("/incident-templates/", NEW)
    assert made.status_code == 201
    assert made.json()["tags"] == ["theft", "laptop"]
    assert made.json()["tasks"][1] == {
        "title": "Tell the police", "description": "Note the number.", "required": False, "due_minutes": None,
    }  # fmt: skip
    path = f"/incident-templates/{made.json()['id']}/"
    stale = api.get(path)["ETag"]
    assert api.patch(path, {"name": "stolen LAPTOP", "severity": None, "tlp": ""}).json()["version"] == 2
    problem_of(api.patch(path, {"name": "Other"}, {"If-Match": stale}), 412)
    problem_of(api.delete(path, {"If-Match": stale}), 412)
    problem_of(api.patch(path, {"name": "Ransomware"}), 400)
    assert api.delete(path).status_code == 204
    problem_of(api.get(path), 404)
    verbs = AuditEntry.objects.filter(verb__startswith="template.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["template.created", "template.changed", "template.deleted"]


@pytest.mark.django_db
def test_the_shipped_ones_keep_the_rules(admin: User) -> None:
    for row in list(IncidentTemplate.objects.all()):
        body = {name: getattr(row, name) for name in ("kind", "tags", "tasks", "description")}
        again = Api(admin).post("/incident-templates/", {**body, "name": f"{row.name} again"})
        assert again.status_code == 201, again.content
        assert 6 <= len(row.tasks) <= 12
        assert any(task["required"] for task in row.tasks)


@pytest.mark.django_db
def test_an_incident_is_opened_from_it(analyst: User, template: IncidentTemplate) -> None:
    alert = make_alert("Lost", severity=Severity.LOW, tlp="green")
    body = {"alerts": [alert.number], "template": "stolen laptop", "tags": ["theft", "finance"]}
    made = Api(analyst).post("/incidents/", body)
    assert made.status_code == 201, made.content
    incident = Incident.objects.get()
    assert made.json().items() >= {
        "severity": "high", "tlp": "red", "template": "Stolen laptop", "tags": ["theft", "finance", "laptop"],
    }.items()  # fmt: skip
    rows = list(incident.tasks.all())
    assert [(row.title, row.required) for row in rows] == [("Wipe it", True), ("Tell the police", False)]
    assert rows[0].due_at is not None
    assert abs(rows[0].due_at - incident.created_at - timedelta(minutes=30)) < timedelta(minutes=1)
    assert rows[1].due_at is None
    assert incident.timeline.get(kind="incident.template").data == {
        "template": "Stolen laptop", "tasks": 2, "tags": ["laptop"],
    }  # fmt: skip


@pytest.mark.django_db
def test_what_is_given_beats_the_template(analyst: User, template: IncidentTemplate) -> None:
    body = {"title": "By hand", "severity": "low", "tlp": "clear", "template": template.pk}
    assert Api(analyst).post("/incidents/", body).json().items() >= {"severity": "low", "tlp": "clear"}.items()


@pytest.mark.django_db
def test_worse_alerts_beat_the_template(analyst: User, template: IncidentTemplate) -> None:
    alert = make_alert("Worse", severity=Severity.CRITICAL)
    made = Api(analyst).post(f"/alerts/{alert.pk}/escalate/", {"template": template.name})
    assert made.json()["severity"] == "critical"
    assert made.json()["template"] == template.name


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["No such", 999_999, "0", ""])
def test_a_template_that_is_not_there_opens_nothing(analyst: User, wanted: Any) -> None:
    answer = Api(analyst).post("/incidents/", {"title": "T", "template": wanted})
    if wanted == "":
        assert answer.status_code == 201
        assert answer.json()["template"] is None
        return
    assert problem_of(answer, 400)["errors"][0]["field"] == "template"
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_using_it_twice_adds_nothing_twice(analyst: User, template: IncidentTemplate) -> None:
    incident = make_incident("Case", tags=["theft"], severity="low")
    tasks.add(Actor.system(), incident.pk, title="WIPE IT")
    path = f"/incidents/{incident.number}/template/"
    first = Api(analyst).post(path, {"template": template.name}).json()
    second = Api(analyst).post(path, {"template": template.pk}).json()
    assert first == second
    assert (first["tags"], first["severity"], first["tlp"]) == (["theft", "laptop"], "low", "amber")
    titles = IncidentTask.objects.filter(incident=incident).values_list("title", flat=True)
    assert list(titles) == ["WIPE IT", "Tell the police"]
    assert incident.timeline.filter(kind="incident.template").count() == 1


@pytest.mark.django_db
def test_a_deleted_template_leaves_what_was_taken_from_it(admin: User, template: IncidentTemplate) -> None:
    incident = make_incident("Case", template=template)
    assert Api(admin).delete(f"/incident-templates/{template.pk}/").status_code == 204
    incident.refresh_from_db()
    assert incident.template == template
    assert incident.tasks.count() == 2
