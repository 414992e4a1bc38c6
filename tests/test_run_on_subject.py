"""The box of runs on the pages of alerts and incidents, and running a playbook from it."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.actors import Actor
from playbooks.actions import run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from tests.factories import make_incident
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import FAILING, HTMX, PLAIN, UNKNOWN, blue_alert, done_run, queued_run, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


def box(browser: Client, number: str, kind: str = "alerts") -> str:
    """The region as htmx asks for it."""
    return text_of(browser.get(f"/{kind}/{number}/runs/", headers=HTMX))


def box_url(text: str) -> str:
    """Where the box polls."""
    return text.split('hx-get="', 1)[1].split('"', 1)[0]


def test_runs_with_their_steps(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, FAILING)
    text = box(as_analyst, f"ALR-{run.alert_id}")
    assert text.startswith('<section class="box" id="subject-runs"')
    for words in ("failing", "Unsuccessful", "block", "ValueError: refused Odd logi", f"/runs/{run.pk}/"):
        assert words in text
    assert box(as_analyst, str(run.alert_id)).count("box-run-") == 1


def test_it_polls_and_says_nothing_when_nothing_changed(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = queued_run(folder, blue)
    url = box_url(box(as_analyst, f"ALR-{run.alert_id}"))
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    work()
    text = text_of(as_analyst.get(url, headers=HTMX))
    assert "look_up" in text
    assert as_analyst.get(box_url(text), headers=HTMX).status_code == 204


def test_a_decision_is_asked_for_here_too(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, UNKNOWN)
    assert ">Decide</a>" in box(as_analyst, f"ALR-{run.alert_id}")


def test_without_scripts_it_leads_to_the_list(folder: Folder, blue: Team, as_analyst: Client) -> None:
    alert = blue_alert(blue)
    answer = as_analyst.get(f"/alerts/{alert.number}/runs/")
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/?alert={alert.number}")


def test_the_incident_shows_runs_of_its_alerts(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue)
    assert run.alert is not None
    incident = make_incident("It", run.alert, team=blue)
    text = box(as_analyst, incident.number, "incidents")
    assert f"box-run-{run.pk}" in text
    assert f"ALR-{run.alert_id}" in text


@pytest.mark.parametrize("kind", ["alerts", "incidents"])
def test_who_sees_and_runs(
    folder: Folder,
    blue: Team,
    as_stranger: Client,
    as_viewer: Client,
    as_analyst: Client,
    nobody: User,
    client: Client,
    kind: str,
) -> None:
    folder.load("@playbook(trigger='manual')\nasync def it(subject):\n    return 1\n")
    subject = blue_alert(blue) if kind == "alerts" else make_incident("It", team=blue)
    url = f"/{kind}/{subject.number}/"
    given = {"playbook": Playbook.objects.get().pk}
    for number in (subject.number, f"{subject.number}9", "x", "9" * 30):
        assert as_stranger.get(f"/{kind}/{number}/runs/", headers=HTMX).status_code == 404
        assert as_stranger.post(f"/{kind}/{number}/run/", given).status_code == 404
    assert client_of(nobody).get(f"{url}runs/", headers=HTMX).status_code == 403
    assert client_of(nobody).post(f"{url}run/", given).status_code == 403
    assert client.post(f"{url}run/", given).status_code == 302
    assert as_analyst.get(f"{url}run/").status_code == 405
    assert as_analyst.post(f"{url}runs/").status_code == 405
    assert "Run playbook" not in box(as_viewer, subject.number, kind)
    assert "permission to run playbooks is missing" in text_of(as_viewer.post(f"{url}run/", given), 403)
    assert not Run.objects.exists()


def test_running_one(folder: Folder, blue: Team, as_analyst: Client, analyst: User) -> None:
    folder.load(PLAIN)
    alert = blue_alert(blue)
    text = box(as_analyst, alert.number)
    assert "No playbook has run on this alert." in text
    playbook = Playbook.objects.get()
    assert f'name="playbook" value="{playbook.pk}"' in text
    answer = text_of(as_analyst.post(f"/alerts/{alert.number}/run/", {"playbook": playbook.pk}, headers=HTMX))
    assert "Queued" in answer
    assert "plain is queued." in answer
    run = Run.objects.get()
    assert (run.alert, run.started_by, run.trigger, run.dry_run) == (alert, analyst, "manual", False)
    plain = as_analyst.post(f"/alerts/{alert.number}/run/", {"playbook": "plain", "dry_run": "1"})
    latest = Run.objects.latest("pk")
    assert (plain["Location"], latest.dry_run) == (f"/runs/{latest.pk}/", True)
    work()
    assert {run.status for run in Run.objects.all()} == {"successful"}


def test_only_what_fits_is_offered(folder: Folder, blue: Team, as_analyst: Client) -> None:
    folder.load("""
@playbook(trigger="incident", conditions={"title": "never"})
async def on_incident(incident): pass
@playbook(trigger="schedule", cron="0 0 * * *")
async def by_clock(nothing): pass
@playbook(trigger="manual")
async def by_hand(subject): pass
@playbook(conditions={"title": "never"})
async def on_alert(alert): pass
@playbook(conditions={"title": "never"}, enabled=False)
async def switched_off(alert): pass
""")
    alert, incident = blue_alert(blue), make_incident("It", team=blue)
    offered = {name for name in Playbook.objects.values_list("name", flat=True) if f">{name}</button>" in
               box(as_analyst, alert.number)}  # fmt: skip
    assert offered == {"by_hand", "on_alert"}
    text = box(as_analyst, incident.number, "incidents")
    assert ">on_incident</button>" in text
    assert ">by_hand</button>" in text
    assert ">on_alert</button>" not in text


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [("", 422, "Choose a playbook"), ("on_incident", 422, "runs on an incident"), ("off", 409, "It is disabled")],
)
def test_what_cannot_run_is_told_in_the_box(
    folder: Folder, blue: Team, as_analyst: Client, name: str, status: int, told: str
) -> None:
    folder.load("""
@playbook(trigger="incident", conditions={"title": "never"})
async def on_incident(incident): pass
@playbook(conditions={"title": "never"}, enabled=False)
async def off(alert): pass
""")
    url = f"/alerts/{blue_alert(blue).number}/run/"
    assert told in text_of(as_analyst.post(url, {"playbook": name}, headers=HTMX), status)
    assert told in text_of(as_analyst.post(url, {"playbook": name}), 400 if status == 422 else 409)
    assert as_analyst.post(url, {"playbook": "no such"}, headers=HTMX).status_code == 404
    assert not Run.objects.exists()


def test_many_runs_stay_a_small_box(
    folder: Folder, blue: Team, as_analyst: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    folder.load(PLAIN)
    alert = blue_alert(blue)
    for _ in range(12):
        run_by_hand(Actor.system(), "plain", alert=alert)
    work()
    text = box(as_analyst, alert.number)
    assert text.count("box-run-") == 8
    assert "All runs" in text
    with django_assert_max_num_queries(19):
        box(as_analyst, alert.number)
