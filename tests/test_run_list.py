"""The list of runs: filters, tabs, paging by key, rows that change in place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.actors import Actor
from playbooks.actions import run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import Team
from tests.factories import make_incident
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import FAILING, HTMX, PLAIN, UNKNOWN, blue_alert, done_run, queued_run, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(folder: Folder, blue: Team) -> list[Run]:
    """One run that succeeded, one that failed, one that waits for a person; in this order."""
    for number, source in enumerate((PLAIN, FAILING, UNKNOWN)):
        folder.write(source, f"{number}.py")
    folder.load("", "none.py")
    runs = []
    for name, title in (("plain", "First"), ("failing", "Second"), ("asking", "Third")):
        runs.append(run_by_hand(Actor.system(), name, alert=blue_alert(blue, title)))
        work()
    return runs


def listed(text: str) -> list[int]:
    """The ids of the rows, from above."""
    return [int(piece.split('"')[0]) for piece in text.split('<tr id="run-')[1:]]


def test_newest_first_with_what_a_row_needs(three: list[Run], as_analyst: Client) -> None:
    text = text_of(as_analyst.get("/runs/"))
    assert listed(text) == [run.pk for run in reversed(three)]
    for words in ("asking", "Needs a decision", "Third", f"ALR-{three[2].alert_id}", "Unsuccessful", "Successful",
                  "By hand"):  # fmt: skip
        assert words in text


def test_a_run_of_another_day_began_at_a_date(three: list[Run], as_analyst: Client) -> None:
    before = timezone.now() - timedelta(days=2)
    Run.objects.filter(pk=three[0].pk).update(started_at=before)
    text = text_of(as_analyst.get("/runs/"))
    assert f">{timezone.localtime(before):%Y-%m-%d %H:%M}</time>" in text
    today = Run.objects.get(pk=three[1].pk).started_at
    assert today is not None and f">{timezone.localtime(today):%H:%M}</time>" in text


def test_others_see_nothing_of_it(three: list[Run], as_stranger: Client) -> None:
    text = text_of(as_stranger.get("/runs/"))
    assert listed(text) == []
    assert "No runs yet" in text
    ids = ",".join(str(run.pk) for run in three)
    assert listed(text_of(as_stranger.get(f"/runs/poll/?ids={ids}", headers=HTMX))) == []


def test_the_tab_of_decisions_counts(three: list[Run], as_analyst: Client) -> None:
    text = text_of(as_analyst.get("/runs/?tab=decide"))
    assert listed(text) == [three[2].pk]
    assert '<span class="pill t-violet">1</span>' in text


def test_filters(three: list[Run], as_analyst: Client, folder: Folder, blue: Team) -> None:
    first, second, third = three
    Run.objects.filter(pk=first.pk).update(queued_at=timezone.now() - timedelta(days=3))
    assert second.alert is not None
    incident = make_incident("Of the second", second.alert)
    for query, expected in (
        ("status=unsuccessful", [second]), (f"playbook={first.playbook_id}", [first]), ("time=24h", [third, second]),
        ("time=7d", [third, second, first]), (f"alert=ALR-{third.alert_id}", [third]),
        (f"incident={incident.number}", [second]), ("trigger=automatic", []),
        ("trigger=manual&status=successful", [first]),
    ):  # fmt: skip
        text = text_of(as_analyst.get(f"/runs/?{query}"))
        assert listed(text) == [run.pk for run in expected], query
        assert 'class="chip"' in text
        if not expected:
            assert "Nothing matches" in text


@pytest.mark.parametrize(
    "query",
    ["status=banana", "playbook=x", "playbook=99999999999999999999", "time=1y", "alert=INC-1", "alert=%00",
     "incident=-1", "trigger=x", "cursor=x", "cursor=W10", "tab=x"],
)  # fmt: skip
def test_nonsense_narrows_nothing_and_is_said(three: list[Run], as_analyst: Client, query: str) -> None:
    text = text_of(as_analyst.get(f"/runs/?{query}"))
    assert len(listed(text)) == 3
    assert ('class="note' in text.split('id="run-rows"')[1]) == (query != "tab=x")


def test_pages_by_key(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = done_run(folder, blue)
    Run.objects.bulk_create(
        Run(playbook=run.playbook, alert=run.alert, trigger="manual", cause=run.cause, status="successful")
        for _ in range(120)
    )
    seen: list[int] = []
    url = "/runs/?status=successful"
    while url:
        text = text_of(as_analyst.get(url, headers=HTMX))
        seen += listed(text)
        older = text.split('rel="next"')[0].rsplit('href="', 1)[1] if 'rel="next"' in text else ""
        url = older.split('"')[0].replace("&amp;", "&")
    assert seen == list(Run.objects.order_by("-pk").values_list("pk", flat=True))
    assert "121" in text_of(as_analyst.get("/runs/"))


def poll_url(text: str) -> str:
    """Where the page polls."""
    return text.split('id="run-live" hx-get="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")


def test_rows_change_in_place_and_new_ones_wait(folder: Folder, blue: Team, as_analyst: Client) -> None:
    first = queued_run(folder, blue)
    url = poll_url(text_of(as_analyst.get("/runs/")))
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    run_by_hand(Actor.system(), Playbook.objects.get(), alert=blue_alert(blue, "Another"))
    work()
    text = text_of(as_analyst.get(url, headers=HTMX))
    assert listed(text) == [first.pk]
    assert 'hx-swap-oob="morph"' in text
    assert "Successful" in text
    assert "1 new run" in text
    assert as_analyst.get(poll_url(text), headers=HTMX).status_code == 204


def test_a_row_stays_although_it_no_longer_matches(folder: Folder, blue: Team, as_analyst: Client) -> None:
    run = queued_run(folder, blue)
    url = poll_url(text_of(as_analyst.get("/runs/?status=queued")))
    work()
    text = text_of(as_analyst.get(url, headers=HTMX))
    assert listed(text) == [run.pk]
    assert "Successful" in text


@pytest.mark.parametrize("ids", ["x", "1,2,x", "99999999999999999999", "," * 200, ""])
def test_a_poll_with_nonsense(three: list[Run], as_analyst: Client, ids: str) -> None:
    assert as_analyst.get(f"/runs/poll/?ids={ids}&newest=x&sig=", headers=HTMX).status_code == 200


def test_few_queries_however_many_runs(
    folder: Folder, blue: Team, as_analyst: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = done_run(folder, blue)
    for number in range(60):
        alert = blue_alert(blue, f"Alert {number}")
        Run.objects.create(playbook=run.playbook, alert=alert, trigger="manual", cause=run.cause)
    as_analyst.get("/runs/")
    with django_assert_max_num_queries(19):
        text = text_of(as_analyst.get("/runs/"))
    assert len(text) < 100_000
    with django_assert_max_num_queries(19):
        as_analyst.get(poll_url(text) + "x", headers=HTMX)
