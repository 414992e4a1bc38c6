"""Custom fields on an incident: set in place, stale forms, templates, and what closing needs (casework.md 5, 6)."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from cases.actions import custom_fields, incidents
from cases.actions.custom_values import set_values
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Refused
from cases.models import CustomField, Incident, IncidentTemplate, TimelineEntry
from soar.accounts.models import User
from soar.lib.hidden import shown
from tests.api import Api, problem_of
from tests.factories import make_incident, make_user
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EVIL = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7*7 }}{% debug %}", "javascript:alert(1)",
        "=cmd|' /C calc'!A0", "\u202eevil\u202c", "</textarea><svg onload=alert(1)>"]  # fmt: skip


def make_field(name: str, kind: str = "text", **more: Any) -> CustomField:
    return custom_fields.create(Actor.system(), fields={"name": name, "kind": kind, **more})


@pytest.fixture
def incident(analyst: User) -> Incident:
    return make_incident("Case", team="Blue")


def box(client: Client, incident: Incident) -> str:
    """The region with all its forms opened."""
    opened = {"field": list(CustomField.objects.values_list("key", flat=True))}
    return client.get(f"/incidents/{incident.number}/facts/", opened, headers=HTMX).content.decode()


def seen_in(text: str, key: str) -> str:
    form = text[text.index(f'id="cf-{key}-edit"') :]
    found = re.search(r'name="seen" value="([0-9a-f]*)"', form)
    assert found
    return found[1]


def save(client: Client, incident: Incident, key: str, value: Any, seen: str | None = None, htmx: bool = True) -> Any:
    given = {"value": value} | ({"seen": seen} if seen is not None else {})
    path = f"/incidents/{incident.number}/fields/{key}/"
    return client.post(path, given, headers=HTMX if htmx else {})


def values(incident: Incident) -> dict[str, Any]:
    found: dict[str, Any] = Incident.objects.get(pk=incident.pk).custom_fields
    return found


@pytest.mark.parametrize(
    ("kind", "typed", "stored", "told"),
    [
        ("text", " Frankfurt ", "Frankfurt", "Frankfurt"),
        ("long_text", "one\r\ntwo", "one\ntwo", "one<br>two"),
        ("number", "1250", 1250, "1250"),
        ("number", "3,5", 3.5, "3.5"),
        ("number", "0", 0, "0"),
        ("datetime", "2026-03-12T17:00", "2026-03-12T17:00:00Z", "2026-03-12 17:00"),
        ("boolean", "yes", True, "yes"),
        ("boolean", "no", False, "no"),
        ("choice", "EMEA", "EMEA", "EMEA"),
        ("multi_choice", ["APAC", "EMEA"], ["EMEA", "APAC"], "EMEA, APAC"),
        ("url", "https://wiki.example/x?a=1&b=2", "https://wiki.example/x?a=1&b=2", "https://wiki.example/x?a=1&amp;b=2"),
        ("user", "mara", "mara", "Mara Lindqvist"),
    ],
)  # fmt: skip
def test_each_kind_is_set_in_place_and_emptied(
    as_analyst: Client, incident: Incident, kind: str, typed: Any, stored: Any, told: str
) -> None:
    choices = {"choices": ["EMEA", "APAC"]} if kind in ("choice", "multi_choice") else {}
    make_field("Thing", kind, **choices)
    seen = seen_in(box(as_analyst, incident), "thing")
    answer = save(as_analyst, incident, "thing", typed, seen)
    text = answer.content.decode()
    assert (answer.status_code, values(incident)) == (200, {"thing": stored})
    assert told in text and 'id="live"' in text and answer["HX-Trigger"] == "changed"
    entry = TimelineEntry.objects.filter(incident=incident).latest("pk")
    assert (entry.kind, entry.data["field"], entry.data["name"], entry.data["old"]) == (
        "changed", "cf.thing", "Thing", None,
    )  # fmt: skip
    before = Incident.objects.get(pk=incident.pk).version
    seen = seen_in(box(as_analyst, incident), "thing")
    again = save(as_analyst, incident, "thing", typed, seen)
    assert (again.status_code, Incident.objects.get(pk=incident.pk).version) == (200, before)
    emptied = save(
        as_analyst, incident, "thing", [] if kind == "multi_choice" else "", seen_in(box(as_analyst, incident), "thing")
    )
    assert (emptied.status_code, values(incident)) == (200, {})
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "set Thing" in page


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("text", "x" * 501, "At most 500 characters"),
        ("text", "a\nb", "One line only"),
        ("long_text", "x" * 10_001, "At most 10000 characters"),
        ("number", "twelve", "must be a number"),
        ("number", "1e999", "must be a number"),
        ("number", "nan", "must be a number"),
        ("number", "9" * 400, "must be a number"),
        ("datetime", "yesterday", "Give a date and time"),
        ("datetime", "0001-01-01T00:00", "Give a date and time"),
        ("choice", "MARS", "One of: EMEA, APAC."),
        ("multi_choice", ["EMEA", "MARS"], "One of: EMEA, APAC."),
        ("url", "javascript:alert(1)", "begins with https://"),
        ("url", "https://", "begins with https://"),
        ("url", "data:text/html,x", "begins with https://"),
        ("user", "nobody-here", "no active user"),
    ],
)  # fmt: skip
def test_a_refusal_stands_beside_the_field_and_keeps_what_was_typed(
    as_analyst: Client, incident: Incident, kind: str, typed: Any, words: str
) -> None:
    choices = {"choices": ["EMEA", "APAC"]} if kind in ("choice", "multi_choice") else {}
    make_field("Thing", kind, **choices)
    entries = TimelineEntry.objects.count()
    answer = save(as_analyst, incident, "thing", typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text and 'id="cf-thing-error"' in text
    assert (values(incident), TimelineEntry.objects.count()) == ({}, entries)
    if kind in ("text", "number", "url") and "\n" not in str(typed):
        assert f'value="{typed}"' in text


def test_two_analysts_at_the_same_field(as_analyst: Client, responder: User, incident: Incident) -> None:
    make_field("Region")
    make_field("Loss", "number")
    hers, his = as_analyst, client_of(responder)
    seen = seen_in(box(hers, incident), "region")
    seen_loss = seen_in(box(hers, incident), "loss")
    assert save(his, incident, "region", "Lyon", seen).status_code == 200
    refused = save(hers, incident, "region", "Oslo", seen)
    text = refused.content.decode()
    assert refused.status_code == 412
    assert "“Oslo”" in text and "“Lyon”" in text and "Priya Raman" in text
    assert values(incident) == {"region": "Lyon"}
    assert 'value="Oslo"' in text  # kept, to be sent again
    assert save(hers, incident, "loss", "7", seen_loss).status_code == 200  # another field is not held up
    assert save(hers, incident, "region", "Oslo", seen_in(text, "region")).status_code == 200
    assert values(incident) == {"region": "Oslo", "loss": 7}
    same = save(his, incident, "region", "Oslo", seen)  # both want the same: nothing is lost
    assert same.status_code == 200
    plain = save(his, incident, "region", "Rome", seen, htmx=False)
    assert plain.status_code == 412 and "“Rome”" in plain.content.decode()


def test_without_scripts_the_page_does_it(as_analyst: Client, incident: Incident) -> None:
    make_field("Region", help_text="Where it <b>began</b>")
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert f'href="/incidents/{incident.number}/facts/"' in page
    text = as_analyst.get(f"/incidents/{incident.number}/facts/").content.decode()
    assert "<form" not in text.partition('id="cf-region-edit"')[2], "it comes when it is opened"
    path = text.partition('id="cf-region-edit"')[2].partition('href="')[2].partition("#")[0]
    text = as_analyst.get(path).content.decode()
    assert "<h1>" in text and "Where it &lt;b&gt;began" in text
    answer = save(as_analyst, incident, "region", "Lyon", seen_in(text, "region"), htmx=False)
    assert (answer.status_code, answer["Location"]) == (302, f"/incidents/{incident.number}/facts/")


def test_the_box_polls_cheaply(as_analyst: Client, incident: Incident) -> None:
    make_field("Region")
    path = f"/incidents/{incident.number}/facts/"
    assert as_analyst.get(f"{path}?version={incident.version}", headers=HTMX).status_code == 204
    set_values(Actor.system(), incident.pk, {"region": "Lyon"})
    assert "Lyon" in as_analyst.get(f"{path}?version={incident.version}", headers=HTMX).content.decode()
    with counted("incident facts"):
        as_analyst.get(path, headers=HTMX)


def test_who_may_set_it(as_viewer: Client, as_stranger: Client, nobody: User, incident: Incident) -> None:
    make_field("Region")
    assert save(as_viewer, incident, "region", "Lyon").status_code == 403
    assert "<form" not in box(as_viewer, incident).split('id="incident-fields"')[1]
    assert save(as_stranger, incident, "region", "Lyon").status_code == 404
    assert as_stranger.get(f"/incidents/{incident.number}/facts/").status_code == 404
    assert save(client_of(nobody), incident, "region", "Lyon").status_code == 403
    assert save(Client(), incident, "region", "Lyon", htmx=False).status_code == 302
    assert as_viewer.get(f"/incidents/{incident.number}/fields/region/").status_code == 405
    assert values(incident) == {}


def test_a_restricted_incident_is_not_there(as_admin: Client, incident: Incident) -> None:
    make_field("Region")
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    assert save(as_admin, incident, "region", "Lyon").status_code == 404
    assert as_admin.get(f"/incidents/{incident.number}/facts/").status_code == 404


def test_a_field_that_is_not_there(as_analyst: Client, incident: Incident) -> None:
    for key in ("nothing", "new", "x" * 300, "%00"):
        assert save(as_analyst, incident, key, "x").status_code == 404


def test_what_people_write_is_text_everywhere(as_analyst: Client, incident: Incident) -> None:
    for number, evil in enumerate(EVIL):
        make_field(f"N{number} {evil}"[:100], "long_text", key=f"f{number}", help_text=evil)
        make_field(f"C{number}", "multi_choice", key=f"c{number}", choices=[evil, "other"])
        save(as_analyst, incident, f"f{number}", evil)
        save(as_analyst, incident, f"c{number}", [shown(evil)])
    assert len(values(incident)) == 2 * len(EVIL)
    pages = [box(as_analyst, incident), as_analyst.get(f"/incidents/{incident.number}/").content.decode()]
    for text in pages:
        assert "<script>alert" not in text and "<img src" not in text and "<svg onload" not in text
        assert "&lt;script&gt;alert(1)" in text and ">49" not in text
        assert "\u202e" not in text


def test_a_person_who_has_left_stays_named(as_analyst: Client, incident: Incident) -> None:
    make_field("Contact", "user")
    gone = make_user("gone", "Analyst", teams=("Blue",), first_name="Gone", last_name="Away")
    save(as_analyst, incident, "contact", "gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    text = box(as_analyst, incident)
    assert '<option value="gone" selected>Gone Away</option>' in text
    assert save(as_analyst, incident, "contact", "gone", seen_in(text, "contact")).status_code == 200
    assert values(incident) == {"contact": "gone"}


def test_a_moment_that_was_not_touched_stays_to_the_second(as_analyst: Client, incident: Incident) -> None:
    make_field("Began", "datetime")
    set_values(Actor.system(), incident.pk, {"began": "2026-03-12T17:00:42.9+02:00"})
    assert values(incident) == {"began": "2026-03-12T15:00:42Z"}
    text = box(as_analyst, incident)
    assert 'value="2026-03-12T15:00"' in text
    save(as_analyst, incident, "began", "2026-03-12T15:00", seen_in(text, "began"))
    assert values(incident) == {"began": "2026-03-12T15:00:42Z"}


def test_closing_without_a_required_field_is_refused_everywhere(
    as_analyst: Client, analyst: User, incident: Incident
) -> None:
    make_field("Root cause", required=True)
    make_field("Loss", "number", required=True)
    words = f"{incident.number} cannot be resolved or closed: 2 required fields have no value: “Root cause”, “Loss”."
    assert "needed to close" in box(as_analyst, incident)
    form = {"status": "resolved", "determination": "malicious", "ending": "1"}
    page = as_analyst.post(f"/incidents/{incident.number}/status/", form)
    assert page.status_code == 409 and words in page.content.decode()
    api = Api(analyst)
    closed = {"status": "closed", "determination": "benign"}
    body = problem_of(api.post(f"/incidents/{incident.pk}/status/", closed), 409)
    assert (body["code"], body["detail"]) == ("missing_fields", words)
    changes = {"status": "resolved", "determination": "malicious", "custom_fields": {"root_cause": "Phish"}}
    patched = problem_of(api.patch(f"/incidents/{incident.pk}/", changes), 409)
    assert "1 required field has no value: “Loss”" in patched["detail"]
    assert values(incident) == {}  # all of it or nothing
    with pytest.raises(Conflict, match="Root cause"):
        incidents.set_status(Actor.playbook("Tidy up", 1, analyst), incident.pk, "resolved", determination="malicious")
    changes["custom_fields"]["loss"] = 0  # type: ignore[index]
    assert api.patch(f"/incidents/{incident.pk}/", changes).json()["status"] == "resolved"
    refused = save(as_analyst, incident, "loss", "")
    assert refused.status_code == 422
    assert "a resolved or closed incident needs it" in refused.content.decode()


def test_only_the_fields_of_its_template_are_asked_for(as_analyst: Client, incident: Incident) -> None:
    template = IncidentTemplate.objects.get(name="Phishing")
    make_field("Mailbox", templates=["Phishing"], required=True)
    assert "Mailbox" not in box(as_analyst, incident)
    with pytest.raises(Refused, match="not asked for"):
        set_values(Actor.system(), incident.pk, {"mailbox": "x@corp.example"})
    Incident.objects.filter(pk=incident.pk).update(template=template)
    assert "Mailbox" in box(as_analyst, incident)
    set_values(Actor.system(), incident.pk, {"mailbox": "x@corp.example"})
    template.delete()  # the field is then asked for nowhere, its value stays
    text = box(as_analyst, incident)
    assert "x@corp.example" in text and "not asked for with this template" in text
    incidents.set_status(Actor.system(), incident.pk, "resolved", determination="malicious")


def test_a_template_gives_values_and_replaces_none(admin: User, analyst: User) -> None:
    for name in ("Region", "Unit", "Old"):
        make_field(name)
    make_field("Contact", "user")
    make_user("gone")
    api = Api(admin)
    fields = {"region": "EMEA", "unit": "Retail", "contact": "gone", "old": "x"}
    made = api.post("/incident-templates/", {"name": "T", "kind": "other", "custom_fields": fields})
    assert (made.status_code, made.json()["custom_fields"]) == (201, fields)
    User.objects.filter(username="gone").update(is_active=False)
    custom_fields.retire(Actor.system(), "old")
    incident = make_incident("Case", custom_fields={"unit": "Wholesale"})
    used = Api(analyst).post(f"/incidents/{incident.pk}/template/", {"template": "T"}).json()
    assert used["custom_fields"] == {"unit": "Wholesale", "region": "EMEA"}
    entry = TimelineEntry.objects.get(incident=incident, kind="incident.template")
    assert sorted(entry.data["fields_left_out"]) == ["Contact", "Old"]
    opened = (
        Api(analyst).post("/incidents/", {"title": "New", "template": "T", "custom_fields": {"unit": "Lab"}}).json()
    )
    assert opened["custom_fields"] == {"unit": "Lab", "region": "EMEA"}
    for wrong in ({"nothing": 1}, {"contact": "nobody-here"}, {"region": 7}):
        problem_of(api.patch(f"/incident-templates/{made.json()['id']}/", {"custom_fields": wrong}), 400)


@pytest.mark.django_db(transaction=True)
def test_many_people_at_once_lose_nothing(analyst: User) -> None:
    incident = make_incident("Case")
    keys = [f"f{number}" for number in range(8)]
    for key in keys:
        make_field(key.upper(), key=key)
    errors: list[BaseException] = []

    def work(key: str) -> None:
        try:
            set_values(Actor.of(analyst), incident.pk, {key: f"of {key}"})
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not errors
    assert values(incident) == {key: f"of {key}" for key in keys}
    assert TimelineEntry.objects.filter(incident=incident, kind="changed").count() == len(keys)


@pytest.mark.django_db(transaction=True)
def test_a_choice_taken_away_while_it_is_picked(analyst: User) -> None:
    """Whoever is first, what is stored is one of the choices that there are."""
    incident = make_incident("Case")
    make_field("Region", "choice", choices=["EMEA", "APAC"])
    ready = threading.Barrier(2)
    said: list[str] = []

    def run(act: Any) -> None:
        ready.wait()
        try:
            act()
            said.append("done")
        except CaseError as error:
            said.append(type(error).__name__)
        finally:
            connection.close()

    def pick() -> None:
        set_values(Actor.of(analyst), incident.pk, {"region": "APAC"})

    def take() -> None:
        custom_fields.update(Actor.system(), "region", changes={"choices": ["EMEA"]})

    threads = [threading.Thread(target=run, args=(act,)) for act in (pick, take)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(said) in (["Conflict", "done"], ["Refused", "done"])
    stored = values(incident).get("region")
    assert stored is None or stored in CustomField.objects.get(key="region").choices
