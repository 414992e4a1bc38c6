"""Everything that matches the queue's filter, from the bar to the end of the job and its undo."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from cases.choices import AlertStatus
from cases.models import Alert, BulkJob
from soar.accounts.models import Team, User
from soar.lib.place import seal, unseal
from tests.bulk import chains_hold, work
from tests.factories import make_alert, make_source
from tests.fixtures import client_of

HTMX = {"HX-Request": "true"}
ALL = {"all": "1", "query": "severity=medium"}


@pytest.fixture
def three(blue: Team) -> list[Alert]:
    """Three alerts that match, one that does not, one of another team."""
    source = make_source(team=blue)
    make_alert("Low", source=source, severity=1)
    return [make_alert(f"Match {n}", source=source) for n in range(3)]


def upto_of(page: str) -> str:
    """The sealed place that a form keeps."""
    found = re.search(r'name="upto" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_dialog_says_what_is_done_to_how_many(
    as_analyst: Client, analyst: User, three: list[Alert], red: Team
) -> None:
    make_alert("Not for Blue", source=make_source(team=red))
    for verb in ("assign", "claim", "resolve", "status", "severity", "tag", "incident"):
        answer = as_analyst.post(f"/alerts/bulk/ask/{verb}/", ALL, headers=HTMX)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "3 alerts" in page
        assert "Not for Blue" not in page
        assert 'name="all" value="1"' in page
        assert unseal(analyst.pk, upto_of(page)) == Alert.objects.latest("pk").pk
    assert not BulkJob.objects.exists()


def test_claiming_all_asks_first(as_analyst: Client, three: list[Alert]) -> None:
    answer = as_analyst.post("/alerts/bulk/", {**ALL, "action": "claim"}, headers=HTMX)
    assert answer["HX-Retarget"] == "#dialog"
    assert "Assign 3 alerts to you" in answer.content.decode()
    assert not BulkJob.objects.exists()
    plain = as_analyst.post("/alerts/bulk/", {**ALL, "action": "claim"})
    assert "Assign 3 alerts to you" in plain.content.decode()


def test_a_job_its_progress_and_its_undo(as_analyst: Client, analyst: User, three: list[Alert]) -> None:
    upto = seal(analyst.pk, three[-1].pk)
    make_alert("Match later", source=three[0].source)
    given = {**ALL, "action": "resolve", "determination": "benign", "upto": upto}
    answer = as_analyst.post("/alerts/bulk/", given, headers=HTMX)
    assert answer.status_code == 200
    assert "bulk-clear" in answer["HX-Trigger"]
    job = BulkJob.objects.get()
    url = f"/alerts/jobs/{job.pk}/"
    waiting = as_analyst.get(url, headers=HTMX).content.decode()
    assert f'hx-get="{url}"' in waiting
    assert "Cancel" in waiting
    assert url in as_analyst.get("/alerts/").content.decode()
    work()
    ended = as_analyst.get(url, headers=HTMX)
    assert "3 of 3 alerts done" in ended.content.decode()
    assert "hx-get" not in ended.content.decode()
    assert ended["HX-Trigger"] == "poll"
    assert Alert.objects.filter(status=AlertStatus.RESOLVED).count() == 3
    undo = as_analyst.post(f"{url}undo/", headers=HTMX)
    assert undo.status_code == 200
    work()
    assert not Alert.objects.filter(status=AlertStatus.RESOLVED).exists()
    again = as_analyst.post(f"{url}undo/", headers=HTMX)
    assert (again.status_code, "undone already" in again.content.decode()) == (409, True)
    chains_hold()


def test_without_scripts(as_analyst: Client, analyst: User, three: list[Alert]) -> None:
    given = {**ALL, "action": "tag", "tags": "x", "upto": seal(analyst.pk, three[-1].pk)}
    answer = as_analyst.post("/alerts/bulk/", given)
    job = BulkJob.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/alerts/jobs/{job.pk}/")
    work()
    assert "3 of 3 alerts done" in as_analyst.get(f"/alerts/jobs/{job.pk}/").content.decode()
    assert "Add tags" in as_analyst.get("/alerts/jobs/").content.decode()
    as_analyst.post(f"/alerts/jobs/{job.pk}/undo/")
    work()
    assert not Alert.objects.exclude(tags=[]).exists()


def test_ticked_ones_can_be_undone_from_the_toast(as_analyst: Client, three: list[Alert]) -> None:
    given = {"alert": [three[0].pk], "action": "severity", "severity": "critical"}
    page = as_analyst.post("/alerts/bulk/", given, headers=HTMX).content.decode()
    undo = f"/alerts/jobs/{BulkJob.objects.get().pk}/undo/"
    assert f'hx-post="{undo}"' in page
    as_analyst.post(undo, headers=HTMX)
    work()
    assert Alert.objects.get(pk=three[0].pk).severity == 2


@pytest.mark.parametrize(
    ("query", "word"),
    [("severity=huge", "huge"), ("q=received:never", "never"), ("severity=critical", "there is none")],
)
def test_a_filter_that_means_nothing_is_refused(
    as_analyst: Client, analyst: User, three: list[Alert], query: str, word: str
) -> None:
    for url, given in (
        ("/alerts/bulk/ask/tag/", {}),
        ("/alerts/bulk/", {"action": "tag", "tags": "x", "upto": seal(analyst.pk, 9)}),
    ):
        answer = as_analyst.post(url, {"all": "1", "query": query, **given}, headers=HTMX)
        assert answer.status_code == 422
        assert word in answer.content.decode()
    assert not BulkJob.objects.exists()


def test_more_than_the_limit_is_refused_before_it_is_asked(
    as_analyst: Client, three: list[Alert], settings: Any
) -> None:
    settings.BULK_AT_MOST = 2
    answer = as_analyst.post("/alerts/bulk/ask/tag/", ALL, headers=HTMX)
    assert (answer.status_code, "there are more" in answer.content.decode()) == (422, True)


def test_a_form_whose_place_is_lost_is_asked_for_again(as_analyst: Client, viewer: User, three: list[Alert]) -> None:
    """What came meanwhile would be meant too: nobody was told of it."""
    for upto in ("999999", "x" * 100, "", seal(viewer.pk, 10**15)):
        given = {**ALL, "action": "tag", "tags": "x", "upto": upto}
        answer = as_analyst.post("/alerts/bulk/", given, headers=HTMX)
        assert (answer.status_code, "Ask for it again" in answer.content.decode()) == (422, True)
    assert not BulkJob.objects.exists()


def test_jobs_of_others_are_not_there(
    three: list[Alert], as_analyst: Client, analyst: User, responder: User, viewer: User
) -> None:
    as_analyst.post("/alerts/bulk/", {**ALL, "action": "tag", "tags": "x", "upto": seal(analyst.pk, 10**15)})
    pk = BulkJob.objects.get().pk
    other, reader = client_of(responder), client_of(viewer)
    assert other.get(f"/alerts/jobs/{pk}/").status_code == 404
    assert other.post(f"/alerts/jobs/{pk}/cancel/").status_code == 404
    assert reader.post(f"/alerts/jobs/{pk}/cancel/").status_code == 403
    assert reader.post("/alerts/bulk/", {**ALL, "action": "tag", "tags": "x"}).status_code == 403
    assert str(pk) not in other.get("/alerts/jobs/").content.decode().partition("<main")[2]
    assert as_analyst.get(f"/alerts/jobs/{pk}/cancel/").status_code == 405


def test_what_the_queue_leaves_out_unsaid_is_not_touched(as_analyst: Client, analyst: User, three: list[Alert]) -> None:
    Alert.objects.filter(pk=three[0].pk).update(status=AlertStatus.RESOLVED, determination=1)
    as_analyst.post(
        "/alerts/bulk/", {"all": "1", "query": "", "action": "tag", "tags": "x", "upto": seal(analyst.pk, 10**15)}
    )
    work()
    assert sorted(Alert.objects.filter(tags=["x"]).values_list("title", flat=True)) == ["Low", "Match 1", "Match 2"]


def test_the_strip_says_to_what_and_how_to_get_on(as_analyst: Client, analyst: User, three: list[Alert]) -> None:
    given = {**ALL, "action": "resolve", "determination": "benign", "upto": seal(analyst.pk, three[-1].pk)}
    as_analyst.post("/alerts/bulk/", given, headers=HTMX)
    url = f"/alerts/jobs/{BulkJob.objects.get().pk}/"
    work()
    beside = as_analyst.get(url, headers={**HTMX, "HX-Current-URL": "http://soar.example/alerts/?q=x"}).content.decode()
    assert '<b class="nowrap">Resolve: benign</b>' in beside
    assert '<a class="small" href="">Show the queue anew</a>' in beside and "Details" in beside
    own = as_analyst.get(url, headers={**HTMX, "HX-Current-URL": f"http://soar.example{url}"}).content.decode()
    assert "Show the queue anew" not in own and "Details" not in own
    assert "Resolve: benign" in as_analyst.get("/alerts/jobs/").content.decode()
