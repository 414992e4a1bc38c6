"""A playbook on the alerts that are ticked in the queue."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.models import Alert, BulkJob
from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from soar.lib.place import seal
from tests.bulk import work
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder
from tests.playbook_pages import HTMX, PLAIN, blue_alert, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
URL = "/runs/on-alerts/"


@pytest.fixture
def two(folder: Folder, blue: Team) -> list[Alert]:
    folder.load(PLAIN)
    return [blue_alert(blue, "One"), blue_alert(blue, "Two")]


def ticks(rows: list[Alert]) -> list[int]:
    return [row.pk for row in rows]


def test_the_queue_offers_it_to_those_who_may(two: list[Alert], as_analyst: Client, as_viewer: Client) -> None:
    assert 'id="open-bulk-run"' in text_of(as_analyst.get("/alerts/"))
    assert 'id="open-bulk-run"' not in text_of(as_viewer.get("/alerts/"))
    assert as_viewer.post(URL, {"alert": ticks(two)}).status_code == 403


def test_asking_names_the_alerts_and_the_playbooks(two: list[Alert], as_analyst: Client) -> None:
    text = text_of(as_analyst.post(URL, {"alert": ticks(two)}, headers=HTMX))
    assert "Run a playbook on 2 alerts" in text
    assert "plain · Looks a host up." in text
    assert "<html" not in text
    assert f"Run a playbook on {two[0].number}" in text_of(as_analyst.post(URL, {"alert": ticks(two[:1])}))
    assert not Run.objects.exists()


def test_a_run_for_each(two: list[Alert], as_analyst: Client, analyst: User) -> None:
    given = {"alert": ticks(two), "playbook": Playbook.objects.get().pk, "dry_run": "1"}
    answer = as_analyst.post(URL, given, headers=HTMX)
    assert "plain: 2 runs are queued." in text_of(answer)
    assert "dialog-close" in answer["HX-Trigger"]
    runs = Run.objects.order_by("alert")
    assert [(run.alert_id, run.acting_user, run.dry_run) for run in runs] == [(pk, analyst, True) for pk in ticks(two)]


def test_the_plain_door(two: list[Alert], as_analyst: Client) -> None:
    answer = as_analyst.post(URL, {"alert": ticks(two), "playbook": Playbook.objects.get().pk}, follow=True)
    assert "plain: 2 runs are queued." in text_of(answer)
    assert Run.objects.filter(dry_run=False).count() == 2


def test_alerts_of_others_are_refused_one_by_one(two: list[Alert], as_analyst: Client, red: Team) -> None:
    foreign = make_alert("Not for Blue", source=make_source(team=red))
    given = {"alert": ticks([two[0], foreign]), "playbook": Playbook.objects.get().pk}
    text = text_of(as_analyst.post(URL, given, headers=HTMX))
    assert "plain: 1 run is queued." in text
    assert f"{foreign.number}: There is no alert" in text
    assert Run.objects.get().alert == two[0]


@pytest.mark.parametrize("playbook", ["", "999999", "nothing"])
def test_what_cannot_run_is_said_in_the_dialog(two: list[Alert], as_analyst: Client, playbook: str) -> None:
    answer = as_analyst.post(URL, {"alert": ticks(two), "playbook": playbook}, headers=HTMX)
    assert answer.status_code == 422
    assert 'id="bulk-problem" role="alert"' in answer.content.decode()
    assert as_analyst.post(URL, {"alert": ticks(two), "playbook": playbook}).status_code == 422
    assert not Run.objects.exists()


def test_no_tick_and_nobodys_alerts(two: list[Alert], as_analyst: Client, stranger: User) -> None:
    assert as_analyst.post(URL, {}, headers=HTMX).status_code == 422
    answer = client_of(stranger).post(URL, {"alert": ticks(two)}, headers=HTMX)
    assert answer.status_code == 422
    assert "One" not in answer.content.decode()
    given = {"alert": ticks(two), "playbook": Playbook.objects.get().pk}
    assert client_of(stranger).post(URL, given, headers=HTMX).status_code == 422
    assert not Run.objects.exists()


def test_a_playbook_that_is_off_starts_nothing(two: list[Alert], as_analyst: Client) -> None:
    Playbook.objects.update(enabled=False)
    given = {"alert": ticks(two), "playbook": Playbook.objects.get().pk}
    answer = as_analyst.post(URL, given, headers=HTMX)
    assert answer.status_code == 409
    assert "starts nothing" in answer.content.decode()


def test_a_run_for_each_that_matches_the_filter(two: list[Alert], as_analyst: Client, analyst: User, red: Team) -> None:
    make_alert("Not for Blue", source=make_source(team=red))
    everything = {"all": "1", "query": "", "upto": seal(analyst.pk, 10**15)}
    assert "Run a playbook on 2 alerts" in text_of(as_analyst.post(URL, everything, headers=HTMX))
    refused = as_analyst.post(URL, {**everything, "playbook": "999999"}, headers=HTMX)
    assert (refused.status_code, BulkJob.objects.count()) == (422, 0)
    given = {**everything, "playbook": Playbook.objects.get().pk}
    assert as_analyst.post(URL, given, headers=HTMX).status_code == 200
    assert not Run.objects.exists()
    work()
    job = BulkJob.objects.get()
    assert (job.status, job.done) == ("successful", 2)
    assert sorted(run.alert.title for run in Run.objects.all() if run.alert) == ["One", "Two"]
    work()
    assert Run.objects.count() == 2


def test_who_may_not_run_playbooks_runs_none_on_all(two: list[Alert], as_viewer: Client, viewer: User) -> None:
    given = {"all": "1", "query": "", "upto": seal(viewer.pk, 10**15), "playbook": Playbook.objects.get().pk}
    assert as_viewer.post(URL, given, headers=HTMX).status_code == 403
    assert not BulkJob.objects.exists()


def test_2_in_an_incidents_list_of_alerts_a_playbook_is_run_on_one(
    two: list[Alert], as_analyst: Client, as_viewer: Client
) -> None:
    incident = make_incident("One case", two[0])
    page = f"/incidents/{incident.number}/"
    text = text_of(as_analyst.get(page))
    assert f"Run a playbook on {two[0].number}" in text and f"Run a playbook on {two[1].number}" not in text
    assert "Run a playbook on" not in text_of(as_viewer.get(page))
    asked = {"alert": two[0].number, "incident": incident.number}
    form = text_of(as_analyst.post(URL, asked, headers=HTMX))
    assert f"Run a playbook on {two[0].number}" in form and 'hx-target="this"' in form
    given = {**asked, "playbook": Playbook.objects.get().pk, "dry_run": "1"}
    done = as_analyst.post(URL, given, headers=HTMX)
    assert done.status_code == 200 and "dialog-close" in done["HX-Trigger"]
    assert Run.objects.get().alert == two[0]
    plain = as_analyst.post(URL, given)
    assert (plain.status_code, plain["Location"]) == (302, page)


@pytest.mark.parametrize("incident", ["", "x", "ALR-1", "https://evil.example/", "INC-1/../x"])
def test_an_incident_that_is_none_leads_back_to_the_queue(two: list[Alert], as_analyst: Client, incident: str) -> None:
    given = {"alert": ticks(two), "playbook": Playbook.objects.get().pk, "dry_run": "1", "incident": incident}
    assert as_analyst.post(URL, given)["Location"] == "/alerts/"
