"""The page of a run: what it shows, to whom, and how it stays true."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.actors import Actor
from playbooks.actions import decide, run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from soar.lib import heartbeat
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import EVIL, FAILING, HTMX, NEVER, PLAIN, UNKNOWN, blue_alert, done_run, queued_run, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_it_shows_what_happened(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    for words in ("plain", "Successful", "look_up", "#1", "Odd login", "version 1", f"ALR-{run.alert_id}",
                  str(run.cause), "the command line", f"/playbooks/{run.playbook_id}/"):  # fmt: skip
        assert words in text
    assert "poll from:body" not in text.split('id="run"')[1].split(">")[0]


def test_secrets_are_masked_also_in_full(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue)
    whole = text_of(as_analyst.get(f"/runs/{run.pk}/tasks/{run.steps.get().pk}/"))
    for text in (text_of(as_analyst.get(f"/runs/{run.pk}/")), whole):
        assert "t0ps3cret" not in text
        assert "api_token" in text


def test_markup_in_arguments_results_and_errors_stays_text(folder: Folder, blue: Team, as_analyst: Client) -> None:
    for source in (PLAIN, FAILING, UNKNOWN):
        Run.objects.all().delete()
        Playbook.objects.all().delete()
        run = done_run(folder, blue, source, EVIL)
        step = run.steps.get().pk
        for url in (f"/runs/{run.pk}/", f"/runs/{run.pk}/tasks/{step}/", f"/runs/{run.pk}/result/", "/runs/",
                    f"/alerts/ALR-{run.alert_id}/runs/", f"/playbooks/{run.playbook_id}/"):  # fmt: skip
            text = text_of(as_analyst.get(url, headers=HTMX if "/alerts/" in url else {}))
            assert "<script>alert" not in text, url


def test_a_failure_is_told_with_its_traceback(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue, FAILING)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    for words in ("Unsuccessful", "refused Odd login", "Traceback", "one.py", "Retry 1 failed"):
        assert words in text


def test_nobody_else_sees_a_trace(
    folder: Folder, blue: Team, as_stranger: Client, as_analyst: Client, client: Client, nobody: User
) -> None:
    run = done_run(folder, blue)
    step = run.steps.get().pk
    for path in ("", "live/", "result/", f"tasks/{step}/"):
        assert as_stranger.get(f"/runs/{run.pk}/{path}").status_code == 404
        assert as_analyst.get(f"/runs/{run.pk + 1000}/{path}").status_code == 404
        assert as_analyst.get(f"/runs/{10**25}/{path}").status_code == 404
        assert client_of(nobody).get(f"/runs/{run.pk}/{path}").status_code == 403
        assert client.get(f"/runs/{run.pk}/{path}").status_code == 302
    assert as_analyst.get(f"/runs/{run.pk}/tasks/{10**25}/").status_code == 404


def test_a_viewer_reads_and_is_told_who_may_do_more(folder: Folder, blue: Team, as_viewer: Client) -> None:
    run = done_run(folder, blue, UNKNOWN)
    text = text_of(as_viewer.get(f"/runs/{run.pk}/"))
    assert "Analyst" in text
    for verb in ("/cancel/", "/retry/", "/decide/"):
        assert verb not in text


def test_a_run_on_nothing_is_for_authors_and_its_starter(
    folder: Folder, as_analyst: Client, analyst: User, author: User, admin: User, stranger: User
) -> None:
    folder.load("@playbook(trigger='manual')\nasync def it(nothing):\n    return 1\n")
    run = run_by_hand(Actor.of(stranger), "it")
    assert as_analyst.get(f"/runs/{run.pk}/").status_code == 404
    for user in (author, admin, stranger):
        assert client_of(user).get(f"/runs/{run.pk}/").status_code == 200
        assert f"/runs/{run.pk}/" in text_of(client_of(user).get("/runs/"))
    assert f"/runs/{run.pk}/" not in text_of(as_analyst.get("/runs/"))


def live_url(text: str) -> str:
    """Where the page polls."""
    return text.split('hx-get="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")


def test_the_poll_is_silent_until_something_happens_and_ends_with_the_run(
    folder: Folder, blue: Team, as_analyst: Client
) -> None:
    run = queued_run(folder, blue)
    page = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    region = page.split('<div id="run"')[1]
    assert "waits for its turn" in region
    url = live_url(region)
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    work()
    text = text_of(as_analyst.get(url, headers=HTMX))
    assert text.lstrip().startswith('<div id="run"')
    assert "look_up" in text
    assert "/live/" not in text


def test_it_says_that_no_worker_is_alive(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = queued_run(folder, blue)
    told = "No worker is alive"
    for url in (f"/runs/{run.pk}/", "/runs/", "/playbooks/"):
        assert told in text_of(as_analyst.get(url))
    heartbeat.beat("worker")
    for url in (f"/runs/{run.pk}/", "/runs/", "/playbooks/"):
        assert told not in text_of(as_analyst.get(url))
    assert "1 worker" in text_of(as_analyst.get("/playbooks/"))


def test_the_sequence_stands_as_a_strip(folder: Folder, blue: Team, as_analyst: Client) -> None:
    for number in (1, 2, 3):
        body = f"@playbook(order={number})\nasync def p{number}(alert):\n    return {number}\n"
        folder.write(body, f"{number}.py")
    folder.load("", "none.py")
    blue_alert(blue)
    work()
    runs = list(Run.objects.order_by("position"))
    assert [run.position for run in runs] == [1, 2, 3]
    text = text_of(as_analyst.get(f"/runs/{runs[1].pk}/"))
    assert "2 of 3" in text
    for run in runs:
        assert f'href="/runs/{run.pk}/"' in text
    assert text.index("1 p1, Successful") < text.index("2 p2, Successful") < text.index("3 p3, Successful")


def test_many_steps_come_in_pages_but_what_must_be_decided_is_always_there(
    folder: Folder, blue: Team, as_analyst: Client
) -> None:
    body = f"""
@action
async def one(x):
    return x

@action(timeout=0.05)
async def slow():
    await asyncio.sleep(9)

@playbook({NEVER})
async def long(alert):
    for number in range(70):
        await one("y" * 900)
    await slow()
"""
    run = done_run(folder, blue, body)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "did slow happen?" in text
    assert text.count('id="step-') == 41
    assert len(text) < 100_000
    later = text.split("?after=")[1].split('"')[0]
    assert text_of(as_analyst.get(f"/runs/{run.pk}/?after={later}")).count('id="step-') == 31
    assert as_analyst.get(f"/runs/{run.pk}/?after=x").status_code == 200
    first = run.steps.first()
    assert first is not None
    whole = text_of(as_analyst.get(f"/runs/{run.pk}/tasks/{first.pk}/"))
    assert "y" * 900 in whole
    assert "y" * 900 not in text


def test_a_decision_is_shown_where_it_was_made(folder: Folder, blue: Team, as_analyst: Client, analyst: User) -> None:
    run = done_run(folder, blue, UNKNOWN)
    decide(Actor.of(analyst), run, run.steps.get(), "done", "The ticket is there")
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "Mara Lindqvist decided: it happened. The ticket is there" in text


def test_few_queries(
    folder: Folder, blue: Team, as_analyst: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = done_run(folder, blue, UNKNOWN)
    for url in (f"/runs/{run.pk}/", f"/runs/{run.pk}/live/?sig=x"):
        as_analyst.get(url, headers=HTMX)
        with django_assert_max_num_queries(19):
            as_analyst.get(url, headers=HTMX)


def test_only_reading(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue)
    for url in (f"/runs/{run.pk}/", f"/runs/{run.pk}/live/", f"/runs/{run.pk}/result/", "/runs/", "/runs/poll/"):
        assert as_analyst.post(url).status_code == 405


def test_the_cause_is_the_alerts(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue)
    assert isinstance(run.cause, uuid.UUID)
    assert run.alert is not None
    assert run.cause == run.alert.cause
