"""Incident templates under the settings, and using them on an incident, a new one and an escalated alert."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.actions import custom_fields, incidents, template_use, templates
from cases.actions.custom_values import set_values
from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.models import Incident, IncidentTemplate
from cases.shipped_templates import TEMPLATES
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source
from tests.queries import counted
from tests.ticket_profiles import make_instance, make_profile

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EVIL = "<script>alert(1)</script>\"'>"
FORM: dict[str, Any] = {
    "name": "Stolen laptop", "kind": "data_loss", "description": "Lost or stolen", "severity": "high", "tlp": "",
    "tags": "Theft, laptop", "task_title": ["Wipe it", "", "Tell the police"], "task_description": ["Now", "", ""],
    "task_order": ["2", "9", "1"], "task_due": ["2", "", ""], "task_unit": ["hours", "hours", "days"],
    "task_required": ["1"],
}  # fmt: skip


def phishing() -> IncidentTemplate:
    return IncidentTemplate.objects.get(name="Phishing")


@pytest.mark.parametrize("path", ["", "new/", "1/", "1/delete/"])
def test_only_for_those_who_manage_settings(as_analyst: Client, as_viewer: Client, path: str) -> None:
    for client in (as_analyst, as_viewer):
        assert client.post(f"/settings/templates/{path}", FORM).status_code in (403, 405)
        assert client.get(f"/settings/templates/{path}").status_code in (403, 405)
        assert "Incident templates" not in client.get("/settings/").content.decode()
    assert Client().get("/settings/templates/").status_code == 302
    assert IncidentTemplate.objects.count() == len(TEMPLATES)


def test_one_that_is_not_there(as_admin: Client) -> None:
    for pk in ("999999", str(10**25)):
        assert as_admin.get(f"/settings/templates/{pk}/").status_code == 404
        assert as_admin.post(f"/settings/templates/{pk}/delete/").status_code == 404
    assert as_admin.get(f"/settings/templates/{phishing().pk}/delete/").status_code == 405


def test_made_in_the_order_of_the_numbers(as_admin: Client) -> None:
    assert as_admin.post("/settings/templates/new/", FORM).status_code == 302
    made = IncidentTemplate.objects.get(name="Stolen laptop")
    assert made.tasks == [
        {"title": "Tell the police", "description": "", "required": False, "due_minutes": None},
        {"title": "Wipe it", "description": "Now", "required": True, "due_minutes": 120},
    ]
    assert (made.tags, made.changed_by) == (["theft", "laptop"], "Ada Admin")
    text = as_admin.get("/settings/templates/").content.decode()
    assert "Stolen laptop" in text
    assert "(1 required)" in text
    assert "/settings/templates/" in as_admin.get("/settings/").content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "phishing"}, "There is a template of this name already."),
        ({"kind": "burglary"}, "Select a valid choice"),
        ({"tags": "x" * 101}, "tags of at most 100"),
        ({"task_due": ["x", "", ""]}, "Task 2: due_minutes"),
        ({"task_due": ["-5", "", ""]}, "Task 2: due_minutes"),
        ({"task_due": ["999999", "", ""]}, "Task 2: due_minutes"),
        ({"task_title": ["Same", "", "same"]}, "Task 2: there is another of this title."),
    ],
)
def test_a_refusal_keeps_everything_typed(as_admin: Client, changes: dict[str, Any], words: str) -> None:
    answer = as_admin.post("/settings/templates/new/", {**FORM, **changes, "description": EVIL})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert ">Now</textarea>" in text
    assert "<script>alert(1)" not in text
    assert IncidentTemplate.objects.count() == len(TEMPLATES)


def test_saving_it_unchanged_changes_nothing(as_admin: Client) -> None:
    before = phishing()
    text = as_admin.get(f"/settings/templates/{before.pk}/").content.decode()
    assert 'value="Get the message with its headers"' in text
    tasks = before.tasks
    fields = {
        "name": before.name, "kind": before.kind, "description": before.description, "severity": "medium", "tlp": "",
        "tags": ", ".join(before.tags), "version": "1", "task_title": [task["title"] for task in tasks],
        "task_description": [task["description"] for task in tasks], "task_order": range(1, len(tasks) + 1),
        "task_due": [task["due_minutes"] for task in tasks], "task_unit": ["minutes"] * len(tasks),
        "task_required": [number for number, task in enumerate(tasks, 1) if task["required"]],
    }  # fmt: skip
    assert as_admin.post(f"/settings/templates/{before.pk}/", fields).status_code == 302
    after = phishing()
    assert (after.version, after.tasks) == (1, before.tasks)


def test_a_stale_form_is_refused_and_may_be_saved_again(as_admin: Client) -> None:
    pk = phishing().pk
    assert as_admin.post(f"/settings/templates/{pk}/", {**FORM, "version": "1"}).status_code == 302
    stale = as_admin.post(f"/settings/templates/{pk}/", {**FORM, "name": "Other", "version": "1"})
    assert stale.status_code == 412
    assert "changed by somebody else" in stale.content.decode()
    assert 'name="version" value="2"' in stale.content.decode()
    assert as_admin.post(f"/settings/templates/{pk}/", {**FORM, "name": "Other", "version": "2"}).status_code == 302
    assert IncidentTemplate.objects.filter(name="Other").exists()


def test_what_a_deleted_one_asks_for_is_asked_still_also_after_a_reopening(as_admin: Client, admin: User) -> None:
    actor = Actor.of(admin)
    template = templates.create(actor, fields={"name": "Legal case", "kind": "data_loss"})
    fields = {"name": "Legal reference", "kind": "text", "required": True, "templates": [template.pk]}
    field = custom_fields.create(actor, fields=fields)
    waiting, ended = make_incident("Open", template=template), make_incident("Ended", template=template)
    set_values(actor, ended.pk, {field.key: "L-7"})
    incidents.set_status(actor, ended.pk, "closed", determination="benign")
    assert as_admin.post(f"/settings/templates/{template.pk}/delete/").status_code == 302
    incidents.set_status(actor, ended.pk, "open")
    set_values(actor, ended.pk, {field.key: None})
    for one in (waiting, ended):
        with pytest.raises(Conflict, match="Legal reference"):
            incidents.set_status(actor, one.pk, "resolved", determination="benign")
        set_values(actor, one.pk, {field.key: "L-8"})
        incidents.set_status(actor, one.pk, "resolved", determination="benign")
    form = as_admin.get(f"/settings/fields/{field.key}/").content.decode()
    assert "Legal case (deleted)" in form
    api = Api(admin)
    assert api.patch(f"/custom-fields/{field.key}/", {"templates": ["Legal case (deleted)"]}).status_code == 200
    assert list(field.templates.values_list("pk", flat=True)) == [template.pk]


def test_a_deleted_one_is_offered_nowhere_and_its_name_is_free(as_admin: Client, admin: User) -> None:
    incident, template = make_incident("Case", template=phishing()), phishing()
    other = make_incident("Other")
    assert as_admin.post(f"/settings/templates/{template.pk}/delete/").status_code == 302
    for url in ("/incidents/new/", "/settings/templates/", f"/incidents/{other.number}/template/"):
        assert ">Phishing<" not in as_admin.get(url).content.decode(), url
    assert as_admin.get(f"/settings/templates/{template.pk}/").status_code == 404
    api = Api(admin)
    problem_of(api.get(f"/incident-templates/{template.pk}/"), 404)
    assert "Phishing" not in {row["name"] for row in api.get("/incident-templates/").json()["results"]}
    for named in ("Phishing", template.pk):
        problem_of(api.post(f"/incidents/{other.number}/template/", {"template": named}), 400)
    assert api.get(f"/incidents/{incident.number}/").json()["template"] == "Phishing (deleted)"
    made = api.post("/incident-templates/", {"name": "phishing", "kind": "phishing"})
    assert made.status_code == 201
    assert api.post(f"/incidents/{other.number}/template/", {"template": "Phishing"}).json()["template"] == "phishing"
    assert api.delete(f"/incident-templates/{made.json()['id']}/").status_code == 204
    assert api.get(f"/incidents/{other.number}/").json()["template"] == "phishing (deleted 2)"


def test_one_that_nothing_refers_to_is_gone(as_admin: Client) -> None:
    pk = phishing().pk
    assert as_admin.post(f"/settings/templates/{pk}/delete/").status_code == 302
    assert not IncidentTemplate.objects.filter(pk=pk).exists()


def test_a_rule_for_tickets_does_not_come_to_mean_all(as_admin: Client) -> None:
    profile = make_profile(make_instance())
    profile.templates.add(phishing())
    pk = phishing().pk
    assert as_admin.post(f"/settings/templates/{pk}/delete/").status_code == 302
    assert list(profile.templates.values_list("pk", flat=True)) == [pk]


def test_one_that_is_deleted_while_somebody_uses_it_is_refused(analyst: User) -> None:
    template, incident = phishing(), make_incident("Case")
    templates.delete(Actor.system(), template.pk)
    with pytest.raises(Refused, match="no incident template Phishing any more"):
        template_use.apply(Actor.of(analyst), incident.pk, template)


def test_deleted(as_admin: Client) -> None:
    incident = make_incident("Case", template=phishing())
    assert as_admin.post(f"/settings/templates/{phishing().pk}/delete/").status_code == 302
    text = as_admin.get(f"/incidents/{incident.number}/").content.decode()
    assert "Find everybody who got it" in text


def test_an_incident_is_opened_from_it(as_analyst: Client) -> None:
    form = as_analyst.get("/incidents/new/").content.decode()
    assert ">Ransomware</option>" in form
    wanted = IncidentTemplate.objects.get(name="Ransomware")
    answer = as_analyst.post("/incidents/new/", {"title": "Notes on NAS-02", "template": wanted.pk, "owned": "on"})
    incident = Incident.objects.get()
    assert answer["Location"] == f"/incidents/{incident.number}/"
    text = as_analyst.get(answer["Location"]).content.decode()
    for words in (
        "Critical",
        "Call the crisis team",
        "0 of 11",
        "used the template <b>Ransomware</b>: 11 tasks, 1 tag",
    ):
        assert words in text
    again = as_analyst.post("/incidents/new/", {"title": "T", "template": "999999"})
    assert again.status_code == 422
    assert Incident.objects.count() == 1


def test_an_alert_is_escalated_with_it(as_analyst: Client, blue: Team) -> None:
    alert = make_alert("Reported", source=make_source(team=blue))
    assert ">Phishing</option>" in as_analyst.get(f"/alerts/{alert.number}/ask/escalate/").content.decode()
    path = f"/alerts/{alert.number}/escalate/"
    fields = {"title": "Case", "asked": "1", "template": "999999"}
    refused = as_analyst.post(path, fields, headers=HTMX)
    assert refused.status_code == 422
    assert "There is no incident template 999999." in refused.content.decode()
    assert not Incident.objects.exists()
    as_analyst.post(path, {**fields, "template": phishing().pk})
    assert Incident.objects.get().tasks.count() == len(phishing().tasks)


def test_used_on_an_incident(as_analyst: Client, as_viewer: Client, as_stranger: Client, blue: Team) -> None:
    incident = make_incident("Case", team=blue)
    path = f"/incidents/{incident.number}/tasks/template/"
    wanted = {"template": phishing().pk}
    for method in ("get", "post"):
        assert getattr(as_viewer, method)(path, wanted).status_code == 403
        assert getattr(as_stranger, method)(path, wanted).status_code == 404
    assert as_analyst.post(path, {"template": ""}, headers=HTMX).status_code == 422
    assert "Phishing (8 tasks)" in as_analyst.get(path).content.decode()
    assert as_analyst.post(path, wanted).status_code == 302
    again = as_analyst.post(path, wanted, headers=HTMX)
    assert (again.status_code, again["HX-Retarget"]) == (200, "#incident-tasks")
    assert "0 of 8" in again.content.decode()
    assert incident.timeline.filter(kind="incident.template").count() == 1


def test_few_queries_and_a_small_page(
    as_analyst: Client, as_admin: Client, blue: Team, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    incident = make_incident("Case", make_alert("One", source=make_source(team=blue)), team=blue)
    for shipped in TEMPLATES:
        as_analyst.post(f"/incidents/{incident.number}/tasks/template/", {"template": shipped["name"]})
    assert incident.tasks.count() > 45
    with django_assert_max_num_queries(20):
        text = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert len(text) < 100_000
    as_admin.get("/settings/templates/")
    with counted("templates"):
        as_admin.get("/settings/templates/")


def test_values_that_incidents_begin_with(as_admin: Client) -> None:
    for name, kind in (("Region", "choice"), ("Loss", "number"), ("Units", "multi_choice")):
        more = {"choices": ["EMEA", "APAC"]} if "choice" in kind else {}
        custom_fields.create(Actor.system(), fields={"name": name, "kind": kind, **more})
    pk = phishing().pk
    text = as_admin.get(f"/settings/templates/{pk}/").content.decode()
    assert 'name="cf-region"' in text and 'name="cf-loss"' in text
    form = {**FORM, "name": "Phishing", "cf-region": "APAC", "cf-loss": "1250,5", "cf-units": ["APAC", "EMEA"]}
    assert as_admin.post(f"/settings/templates/{pk}/", form).status_code == 302
    assert phishing().custom_fields == {"region": "APAC", "loss": 1250.5, "units": ["EMEA", "APAC"]}
    wrong = as_admin.post(f"/settings/templates/{pk}/", {**form, "cf-loss": EVIL})
    page = wrong.content.decode()
    assert wrong.status_code == 422 and "Loss: This must be a number." in page
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert phishing().custom_fields["loss"] == 1250.5
    assert as_admin.post(f"/settings/templates/{pk}/", {**FORM, "name": "Phishing"}).status_code == 302
    assert phishing().custom_fields == {}
