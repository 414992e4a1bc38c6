"""Custom fields under the settings and in the API: defined, changed, retired, deleted; no value is ever lost by it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actions.custom_values import set_values
from cases.actors import Actor
from cases.models import CustomField, Incident, IncidentTemplate
from soar.accounts.models import AuditEntry, User
from tests.api import Api, problem_of
from tests.factories import make_incident
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>\"'>"
FORM: dict[str, Any] = {
    "name": "Business unit", "key": "", "kind": "choice", "choices": "Retail\nWholesale\n\n",
    "help_text": "Whose it is", "everywhere": "1", "required": "on",
}  # fmt: skip


@pytest.fixture
def unit(as_admin: Client) -> CustomField:
    assert as_admin.post("/settings/fields/new/", FORM).status_code == 302
    return CustomField.objects.get()


@pytest.fixture
def incident(unit: CustomField) -> Incident:
    incident = make_incident("Case")
    return set_values(Actor.system(), incident.pk, {"business_unit": "Wholesale"})


@pytest.mark.parametrize("path", ["", "new/", "business_unit/", "business_unit/retire/", "business_unit/delete/"])
def test_only_for_those_who_manage_settings(
    unit: CustomField, as_analyst: Client, as_viewer: Client, path: str
) -> None:
    for client in (as_analyst, as_viewer):
        assert client.post(f"/settings/fields/{path}", FORM).status_code in (403, 405)
        assert client.get(f"/settings/fields/{path}").status_code in (403, 405)
        assert "Custom fields" not in client.get("/settings/").content.decode()
    assert Client().get("/settings/fields/").status_code == 302
    assert CustomField.objects.get().retired_at is None


def test_made_with_a_key_of_its_name(unit: CustomField, as_admin: Client) -> None:
    assert (unit.key, unit.choices, unit.required, unit.everywhere) == (
        "business_unit", ["Retail", "Wholesale"], True, True,
    )  # fmt: skip
    text = as_admin.get("/settings/fields/").content.decode()
    assert "Business unit" in text and "One of several" in text and "all incidents" in text
    assert "/settings/fields/" in as_admin.get("/settings/").content.decode()
    assert AuditEntry.objects.get(verb="custom_field.created").data == {"key": "business_unit", "kind": "choice"}
    with counted("custom field list"):
        as_admin.get("/settings/fields/")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "business UNIT"}, "There is a custom field of this name already."),
        ({"name": "Other", "key": "business_unit"}, "There is a custom field of this key already."),
        ({"name": "Other", "key": "Äh"}, "Small letters, digits"),
        ({"name": "Other", "key": "new"}, "Small letters, digits"),
        ({"name": "中文"}, "Small letters, digits"),
        ({"name": "Other", "kind": "colour"}, "Select a valid choice"),
        ({"name": "Other", "choices": ""}, "Write at least one choice."),
        ({"name": "Other", "choices": "A\na"}, "Two choices are the same."),
        ({"name": "Other", "choices": "x" * 101}, "At most 100 characters"),
        ({"name": "Other", "choices": "\n".join(map(str, range(101)))}, "At most 100 choices."),
        ({"name": "Other", "everywhere": ""}, "a list of at least one template"),
        ({"name": "Other", "everywhere": "", "templates": ["999999"]}, "Select a valid choice"),
    ],
)
def test_a_refusal_keeps_what_was_typed(
    unit: CustomField, as_admin: Client, changes: dict[str, Any], words: str
) -> None:
    answer = as_admin.post("/settings/fields/new/", {**FORM, "help_text": EVIL, **changes})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text and "&lt;script&gt;alert(1)" in text and "<script>alert(1)" not in text
    assert CustomField.objects.count() == 1


def test_the_name_changes_the_key_and_the_values_do_not(incident: Incident, as_admin: Client) -> None:
    form = {**FORM, "name": EVIL, "version": "1"}
    assert as_admin.post("/settings/fields/business_unit/", form).status_code == 302
    field = CustomField.objects.get()
    assert (field.key, field.version) == ("business_unit", 2)
    assert Incident.objects.get().custom_fields == {"business_unit": "Wholesale"}
    for path in ("/settings/fields/", "/settings/fields/business_unit/", f"/incidents/{incident.number}/facts/"):
        assert "<script>alert(1)" not in as_admin.get(path).content.decode()


def test_a_change_that_values_do_not_fit_is_refused_with_them(incident: Incident, as_admin: Client) -> None:
    page = as_admin.get("/settings/fields/business_unit/").content.decode()
    assert "1 incident</a>" in page and "?cf.business_unit=any&amp;status=any" in page
    fewer = as_admin.post("/settings/fields/business_unit/", {**FORM, "choices": "Retail"})
    assert fewer.status_code == 409 and "“Wholesale” (1)" in fewer.content.decode()
    number = as_admin.post("/settings/fields/business_unit/", {**FORM, "kind": "number", "choices": ""})
    assert number.status_code == 409 and "“Wholesale” (1)" in number.content.decode()
    assert CustomField.objects.get().kind == "choice"
    more = {**FORM, "choices": "Lab\nWholesale\nRetail"}
    assert as_admin.post("/settings/fields/business_unit/", more).status_code == 302
    assert as_admin.post("/settings/fields/business_unit/", {**FORM, "kind": "text"}).status_code == 302
    assert (CustomField.objects.get().kind, CustomField.objects.get().choices) == ("text", [])
    assert as_admin.post("/settings/fields/business_unit/", {**FORM, "choices": "Wholesale"}).status_code == 302
    assert Incident.objects.get().custom_fields == {"business_unit": "Wholesale"}


def test_values_of_a_restricted_incident_hold_but_are_not_told(incident: Incident, as_admin: Client) -> None:
    Incident.objects.update(restricted=True)
    page = as_admin.get("/settings/fields/business_unit/").content.decode()
    assert "Incidents that you may not see have a value." in page and "Wholesale (" not in page
    refused = as_admin.post("/settings/fields/business_unit/", {**FORM, "choices": "Retail"})
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "incidents that you may not see" in text and "“Wholesale”" not in text
    assert as_admin.post("/settings/fields/business_unit/delete/").status_code == 302
    assert CustomField.objects.count() == 1


def test_retired_restored_deleted(incident: Incident, as_admin: Client, as_analyst: Client) -> None:
    answer = as_admin.post("/settings/fields/business_unit/delete/", follow=True)
    assert "has values on 1 incident. Retire it: they stay." in answer.content.decode()
    assert as_admin.post("/settings/fields/business_unit/retire/").status_code == 302
    text = as_analyst.get(f"/incidents/{incident.number}/facts/").content.decode()
    assert "Wholesale" in text and "(retired)" in text
    path = f"/incidents/{incident.number}/fields/business_unit/"
    refused = as_analyst.post(path, {"value": "Retail"})
    assert refused.status_code == 422 and "it takes no new values" in refused.content.decode()
    other = make_incident("Other")
    assert "Business unit" not in as_analyst.get(f"/incidents/{other.number}/facts/").content.decode()
    as_admin.post("/settings/fields/business_unit/retire/")
    as_admin.post("/settings/fields/business_unit/restore/")
    assert as_analyst.post(path, {"value": ""}).status_code == 302
    assert as_admin.post("/settings/fields/business_unit/delete/").status_code == 302
    assert not CustomField.objects.exists()
    verbs = AuditEntry.objects.filter(verb__startswith="custom_field.").order_by("pk").values_list("verb", flat=True)
    assert [verb.partition(".")[2] for verb in verbs] == ["created", "retired", "restored", "deleted"]


def test_templates_that_begin_with_a_value_stand_in_the_way(unit: CustomField, as_admin: Client) -> None:
    IncidentTemplate.objects.filter(name="Phishing").update(custom_fields={"business_unit": "Retail"})
    assert "Templates begin with one: Phishing" in as_admin.get("/settings/fields/business_unit/").content.decode()
    as_admin.post("/settings/fields/business_unit/delete/")
    assert as_admin.post("/settings/fields/business_unit/", {**FORM, "choices": "Lab"}).status_code == 409
    assert CustomField.objects.get().choices == ["Retail", "Wholesale"]


def test_a_stale_form_is_refused(unit: CustomField, as_admin: Client) -> None:
    assert as_admin.post("/settings/fields/business_unit/", {**FORM, "name": "Unit", "version": "1"}).status_code == 302
    answer = as_admin.post("/settings/fields/business_unit/", {**FORM, "name": "Other", "version": "1"})
    assert answer.status_code == 412 and "changed by somebody else" in answer.content.decode()
    assert CustomField.objects.get().name == "Unit"


def test_moved_up_and_down(as_admin: Client) -> None:
    for name in ("A", "B", "C"):
        as_admin.post("/settings/fields/new/", {**FORM, "name": name, "kind": "text"})

    def names() -> list[str]:
        return list(CustomField.objects.values_list("name", flat=True))

    as_admin.post("/settings/fields/c/up/")
    assert names() == ["A", "C", "B"]
    as_admin.post("/settings/fields/a/down/")
    assert names() == ["C", "A", "B"]
    as_admin.post("/settings/fields/c/up/")
    as_admin.post("/settings/fields/b/down/")
    assert names() == ["C", "A", "B"]
    assert as_admin.post("/settings/fields/c/explode/").status_code == 404
    assert as_admin.post("/settings/fields/nothing/up/").status_code == 404
    assert as_admin.get("/settings/fields/c/up/").status_code == 405


def test_the_api_defines_them(admin: User, analyst: User, nobody: User) -> None:
    api = Api(admin)
    made = api.post("/custom-fields/", {"name": "Loss", "kind": "number", "templates": ["phishing"], "required": True})
    assert made.status_code == 201
    assert {key: made.json()[key] for key in ("key", "kind", "choices", "templates", "retired_at", "position")} == {
        "key": "loss", "kind": "number", "choices": [], "templates": ["Phishing"], "retired_at": None, "position": 1,
    }  # fmt: skip
    assert [one["key"] for one in Api(analyst).get("/custom-fields/").json()["results"]] == ["loss"]
    read = Api(analyst).get("/custom-fields/loss/")
    changed = api.patch("/custom-fields/loss/", {"templates": None}, {"If-Match": read["ETag"]})
    assert changed.json()["templates"] is None
    problem_of(api.patch("/custom-fields/loss/", {"name": "X"}, {"If-Match": read["ETag"]}), 412)
    problem_of(api.patch("/custom-fields/loss/", {"key": "other"}), 400)
    problem_of(api.patch("/custom-fields/loss/", {"choices": ["A"]}), 400)
    problem_of(api.post("/custom-fields/", {"name": "Loss", "kind": "text"}), 400)
    problem_of(api.post("/custom-fields/", {"name": "X", "kind": "choice"}), 400)
    assert api.post("/custom-fields/loss/move/", {"position": 1}).status_code == 200
    assert api.post("/custom-fields/loss/retire/", {}).json()["retired_at"]
    assert api.post("/custom-fields/loss/restore/", {}).json()["retired_at"] is None
    for verb in ("retire", "restore"):
        problem_of(Api(analyst).post(f"/custom-fields/loss/{verb}/", {}), 403)
    problem_of(Api(analyst).post("/custom-fields/", {"name": "X", "kind": "text"}), 403)
    problem_of(Api(analyst).patch("/custom-fields/loss/", {"name": "X"}), 403)
    problem_of(Api(analyst).delete("/custom-fields/loss/"), 403)
    problem_of(Api(nobody).get("/custom-fields/"), 403)
    problem_of(Api(None).get("/custom-fields/"), 401)
    problem_of(api.get("/custom-fields/nothing/"), 404)
    incident = make_incident("Case", custom_fields={"loss": 7})
    problem_of(api.delete("/custom-fields/loss/"), 409)
    Api(analyst).patch(f"/incidents/{incident.pk}/", {"custom_fields": {"loss": None}})
    assert api.delete("/custom-fields/loss/").status_code == 204
    problem_of(api.delete("/custom-fields/loss/"), 404)


def test_a_hundred_at_most(admin: User) -> None:
    rows = [CustomField(key=f"f{n}", name=f"F{n}", kind="text") for n in range(100)]
    CustomField.objects.bulk_create(rows)
    body = problem_of(Api(admin).post("/custom-fields/", {"name": "One more", "kind": "text"}), 400)
    assert "There are 100 custom fields already" in body["detail"]
    incident = make_incident("Case", team=None)
    assert client_of(admin).get(f"/incidents/{incident.number}/facts/").status_code == 200
