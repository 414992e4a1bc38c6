"""A run that read what its reader may not see keeps its values from them, on pages and in the API (access.md 4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actors import Actor
from cases.models import Alert, Incident
from playbooks.actions import run_by_hand
from playbooks.models import Run
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import HTMX, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
# The name is in what the first call answers; the second is called with the title alone.
READS = """
@action
async def find(wanted):
    return {"number": NUMBER, "title": "Payroll theft"}

@action
async def report(title):
    return "told of " + title

@playbook(conditions={"title": "never"})
async def reading(alert):
    found = await find("all of it")
    await report(found["title"])
    return {"most like": found["title"]}
"""
FAILS = """
@playbook(conditions={"title": "never"})
async def failing(alert):
    raise ValueError("cannot go into " + NUMBER)
"""
SECRETS = ("Payroll theft", "all of it")


@pytest.fixture
def hidden(red: Team) -> Incident:
    """Team Red's alone."""
    return make_incident("Payroll theft", team=red)


def run_on(folder: Folder, alert: Alert, source: str, number: str) -> Run:
    """A run on the alert, done, by code that the server trusts; ``NUMBER`` in it is ``number``."""
    folder.load(f"NUMBER = {number!r}\n{source}")
    run = run_by_hand(Actor.system(), _name(source), alert=alert)
    work()
    return run


def _name(source: str) -> str:
    return source.partition("@playbook")[2].partition("async def ")[2].partition("(")[0]


def urls(run: Run) -> list[tuple[str, dict[str, Any]]]:
    """Every page that shows values of the run, with the headers for it."""
    steps = [f"/runs/{run.pk}/tasks/{step}/" for step in run.steps.values_list("pk", flat=True)]
    pages = [f"/runs/{run.pk}/", f"/runs/{run.pk}/live/?sig=x", f"/runs/{run.pk}/result/", *steps]
    return [*((url, {}) for url in pages), (f"/alerts/ALR-{run.alert_id}/runs/", HTMX)]


def test_values_are_kept_from_who_may_not_see_what_they_name(
    folder: Folder, blue: Team, hidden: Incident, as_analyst: Client, analyst: User
) -> None:
    run = run_on(folder, make_alert("Seen by Blue", source=make_source(team=blue)), READS, hidden.number)
    for url, headers in urls(run):
        text = text_of(as_analyst.get(url, headers=headers))
        for secret in (*SECRETS, hidden.number):
            assert secret not in text, url
    page = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "not shown to you" in page
    for name in ("find", "report", "Successful"):
        assert name in page
    whole = Api(analyst).get(f"/runs/{run.pk}/").json()
    (row,) = Api(analyst).get("/runs/").json()["results"]
    assert (whole["withheld"], whole["result"], row["withheld"], row["result"]) == (True, None, True, None)
    assert [(step["name"], step["status"], step["result"]) for step in whole["steps"]] == [
        ("find", "successful", None), ("report", "successful", None),
    ]  # fmt: skip
    assert not any(secret in str(whole) for secret in SECRETS)


@pytest.mark.parametrize("kind", ["alert", "incident"])
def test_who_sees_all_that_is_named_sees_the_values(
    folder: Folder, hidden: Incident, admin: User, stranger: User, red: Team, kind: str
) -> None:
    number = hidden.number if kind == "incident" else make_alert("Red too", team=red).number
    run = run_on(folder, make_alert("Everybody's"), READS, number)
    for user in (admin, stranger):
        page = text_of(client_of(user).get(f"/runs/{run.pk}/"))
        assert "Payroll theft" in page
        assert "not shown to you" not in page
        body = Api(user).get(f"/runs/{run.pk}/").json()
        assert (body["withheld"], body["result"]) == (False, {"most like": "Payroll theft"})
    assert "Payroll theft" in text_of(client_of(stranger).get(f"/alerts/ALR-{run.alert_id}/runs/", headers=HTMX))


def test_a_hidden_alert_counts_as_an_incident_does(folder: Folder, red: Team, as_analyst: Client) -> None:
    secret = make_alert("Payroll theft", team=red)
    run = run_on(folder, make_alert("Everybody's"), READS, secret.number.lower())
    assert "Payroll theft" not in text_of(as_analyst.get(f"/runs/{run.pk}/"))


def test_a_number_that_nothing_has_hides_nothing(folder: Folder, as_analyst: Client) -> None:
    run = run_on(folder, make_alert("Everybody's"), READS, "INC-999999999999")
    assert "Payroll theft" in text_of(as_analyst.get(f"/runs/{run.pk}/"))


def test_an_error_is_kept_too_also_in_the_timeline(
    folder: Folder, hidden: Incident, analyst: User, stranger: User
) -> None:
    alert = make_alert("Everybody's")
    run = run_on(folder, alert, FAILS, hidden.number)
    places = (f"/runs/{run.pk}/", f"/runs/{run.pk}/result/", f"/alerts/{alert.number}/")
    for user, seen in ((analyst, False), (stranger, True)):
        for url in places:
            assert ("cannot go into " in text_of(client_of(user).get(url))) is seen, url
        entries = Api(user).get(f"/alerts/{alert.pk}/timeline/").json()["results"]
        (ended,) = [entry for entry in entries if entry["kind"] == "run.finished"]
        assert (hidden.number in ended["text"]) is seen
        assert (ended["data"].get("hidden") == ["text"]) is not seen
