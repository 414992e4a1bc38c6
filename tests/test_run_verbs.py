"""Cancel, retry and decide on the page of a run: works, not twice, not for everybody, never by GET."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from playbooks.models import Run
from soar.accounts.models import Team
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import FAILING, HTMX, UNKNOWN, done_run, queued_run, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("verb", ["cancel/", "retry/", "tasks/{step}/decide/"])
def test_who_may_and_how(
    folder: Folder, blue: Team, as_stranger: Client, as_viewer: Client, as_analyst: Client, client: Client, verb: str
) -> None:
    run = done_run(folder, blue, UNKNOWN)
    url = f"/runs/{run.pk}/" + verb.format(step=run.steps.get().pk)
    assert as_analyst.get(url).status_code == 405
    assert as_stranger.post(url, {"outcome": "done"}).status_code == 404
    assert client.post(url, {"outcome": "done"}).status_code == 302
    refused = as_viewer.post(url, {"outcome": "done"})
    assert (refused.status_code, "permission to run playbooks is missing" in refused.content.decode()) == (403, True)
    run.refresh_from_db()
    assert run.status == "needs_decision"


def test_cancel(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = queued_run(folder, blue)
    answer = as_analyst.post(f"/runs/{run.pk}/cancel/")
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    run.refresh_from_db()
    assert (run.status, run.error) == ("cancelled", "Cancelled by Mara Lindqvist.")
    twice = as_analyst.post(f"/runs/{run.pk}/cancel/")
    assert "cancelled already" in text_of(twice, 409)
    work()
    assert not Run.objects.get().steps.exists()


def test_cancel_by_htmx_answers_the_run(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = queued_run(folder, blue)
    text = text_of(as_analyst.post(f"/runs/{run.pk}/cancel/", headers=HTMX))
    assert '<div id="run"' in text
    assert "Cancelled" in text
    assert 'id="live" hx-swap-oob' in text
    twice = text_of(as_analyst.post(f"/runs/{run.pk}/cancel/", headers=HTMX), 409)
    assert "cancelled already" in twice


def test_a_run_under_way_is_being_cancelled(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = queued_run(folder, blue)
    Run.objects.update(status="in_progress", started_at=timezone.now(), lease_owner="somebody",
                       lease_until=timezone.now() + timedelta(minutes=1))  # fmt: skip
    text = text_of(as_analyst.post(f"/runs/{run.pk}/cancel/", headers=HTMX))
    assert "Being cancelled" in text
    assert "/cancel/" not in text


def test_retry(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, FAILING)
    text = text_of(as_analyst.post(f"/runs/{run.pk}/retry/", headers=HTMX))
    assert "Queued" in text
    again = as_analyst.post(f"/runs/{run.pk}/retry/")
    assert "nothing to retry" in text_of(again, 409)
    work()
    assert run.steps.get().attempts == 2


def test_retry_waits_for_the_decision(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, UNKNOWN)
    assert "/retry/" not in text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "First decide" in text_of(as_analyst.post(f"/runs/{run.pk}/retry/"), 409)


@pytest.mark.parametrize(
    ("outcome", "status", "attempts"),
    [("done", "successful", 1), ("not_done", "unsuccessful", 1), ("repeat", "needs_decision", 2)],
)
def test_decide(folder: Folder, blue: Team, as_analyst: Client, outcome: str, status: str, attempts: int) -> None:
    run = done_run(folder, blue, UNKNOWN)
    step = run.steps.get()
    url = f"/runs/{run.pk}/tasks/{step.pk}/decide/"
    assert "A person is asked" in text_of(as_analyst.get(f"/runs/{run.pk}/"))
    answer = as_analyst.post(url, {"outcome": outcome, "comment": "Looked"})
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    twice = as_analyst.post(url, {"outcome": outcome})
    assert "nothing to decide" in text_of(twice, 409)
    work()
    run.refresh_from_db()
    step.refresh_from_db()
    assert step.decision is not None
    assert (run.status, step.attempts, step.decision["comment"]) == (status, attempts, "Looked")


@pytest.mark.parametrize(
    ("given", "told"),
    [({}, "Choose what happened"), ({"outcome": "maybe"}, "outcome is one of"),
     ({"outcome": "done", "comment": "x" * 6000}, "5000")],
)  # fmt: skip
def test_a_wrong_decision_is_told_beside_its_form(
    folder: Folder, blue: Team, as_analyst: Client, given: dict[str, str], told: str
) -> None:
    run = done_run(folder, blue, UNKNOWN)
    step = run.steps.get()
    url = f"/runs/{run.pk}/tasks/{step.pk}/decide/"
    text = text_of(as_analyst.post(url, given, headers=HTMX), 422)
    assert told in text.split(f'id="ask-error-{step.pk}"')[1].split("</p>")[0]
    assert told in text_of(as_analyst.post(url, given), 400)
    step.refresh_from_db()
    assert (step.status, step.decision) == ("unknown_outcome", None)


def test_a_step_of_another_run_is_not_there(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, UNKNOWN)
    url = f"/runs/{run.pk}/tasks/{run.steps.get().pk + 1}/decide/"
    assert as_analyst.post(url, {"outcome": "done"}).status_code == 404


def test_changed_code_asks_a_person(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, FAILING)
    Run.objects.update(status="needs_decision", error="The code changed: it now calls other.")
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    for words in ("A person is asked", "The code changed", "Go on with the code as it is"):
        assert words in text
