"""The list of incidents: tabs, filters, facets, paging, what came since; and a new one by hand."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from cases.models import Incident
from soar.accounts.models import Team, User
from tests.factories import make_incident

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incidents(blue: Team, red: Team, analyst: User, responder: User) -> dict[str, Incident]:
    """By title: five of team Blue, one of team Red."""
    made = {
        "Mine": make_incident("Mine", team=blue, severity="critical", owners=[analyst], tags=["vip"]),
        "Theirs": make_incident("Theirs", team=blue, severity="high", owners=[responder]),
        "Nobodys": make_incident("Nobodys", team=blue, severity="low"),
        "Ended": make_incident("Ended", team=blue, severity="medium"),
        "Public": make_incident("Public", severity="medium"),
        "Hidden": make_incident("Hidden", team=red, severity="critical"),
    }
    Incident.objects.filter(pk=made["Ended"].pk).update(status=4, determination=1)
    return made


def listed(client: Client, query: str = "") -> list[str]:
    """The titles of the rows, in order."""
    answer = client.get(f"/incidents/{query}")
    assert answer.status_code == 200
    return [row.incident.title for row in answer.context["rows"]]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Mine", "Theirs", "Public", "Nobodys"]),
        ("?tab=mine", ["Mine"]),
        ("?tab=unowned", ["Public", "Nobodys"]),
        ("?tab=closed", ["Ended"]),
        ("?tab=nonsense", ["Mine", "Theirs", "Public", "Nobodys"]),
        ("?severity=critical,high", ["Mine", "Theirs"]),
        ("?owner=me", ["Mine"]),
        ("?owner=none", ["Public", "Nobodys"]),
        ("?owner=priya", ["Theirs"]),
        ("?team=blue", ["Mine", "Theirs", "Nobodys"]),
        ("?team=none", ["Public"]),
        ("?tag=VIP", ["Mine"]),
        ("?status=closed", ["Ended"]),
        ("?q=nob", ["Nobodys"]),
        ("?q=severity:>=high", ["Mine", "Theirs"]),
        ("?q=-owner:me", ["Theirs", "Public", "Nobodys"]),
        ("?q=is:ended", ["Ended"]),
        ("?q=hidden", []),
        ("?sort=number", ["Public", "Nobodys", "Theirs", "Mine"]),
    ],
)
def test_tabs_and_filters(as_analyst: Client, incidents: dict[str, Incident], query: str, titles: list[str]) -> None:
    assert listed(as_analyst, query) == titles


def test_by_number(as_analyst: Client, incidents: dict[str, Incident]) -> None:
    assert listed(as_analyst, f"?q={incidents['Theirs'].number}") == ["Theirs"]
    assert listed(as_analyst, f"?q={incidents['Hidden'].number}") == []


@pytest.mark.parametrize(
    "query",
    ["?severity=worse", "?q=severity:x", "?cursor=xx", "?q=%00", "?tlp=purple", "?q=" + "a" * 3000, "?updated_since=x"],
)
def test_nonsense_is_said_not_an_error(as_analyst: Client, incidents: dict[str, Incident], query: str) -> None:
    listed(as_analyst, query)


def test_a_wrong_value_is_named(as_analyst: Client, incidents: dict[str, Incident]) -> None:
    assert "is not one of" in as_analyst.get("/incidents/?severity=worse").content.decode()


def test_facets_and_counts_see_only_what_the_person_sees(as_analyst: Client, incidents: dict[str, Incident]) -> None:
    context = as_analyst.get("/incidents/").context
    assert {facet["severity"].word: facet["n"] for facet in context["facets"]} == {
        "critical": 1, "high": 1, "medium": 1, "low": 1,
    }  # fmt: skip
    assert [(tab["name"], tab["n"]) for tab in context["tabs"]][:3] == [("open", 4), ("mine", 1), ("unowned", 2)]


def test_htmx_gets_the_rows_with_counts_and_a_line(as_analyst: Client, incidents: dict[str, Incident]) -> None:
    answer = as_analyst.get("/incidents/?q=mine", headers=HTMX)
    text = answer.content.decode()
    assert answer["HX-Push-Url"] == "/incidents/?q=mine"
    assert text.lstrip().startswith('<div id="incident-rows"')
    for part in (
        'id="incident-tabs" aria-label="Views" hx-swap-oob',
        'id="incident-counts" hx-swap-oob',
        "1 incident<",
    ):
        assert part in text
    assert "<html" not in text


def test_pages_by_key(as_analyst: Client, analyst: User, blue: Team) -> None:
    for number in range(55):
        make_incident(f"Case {number}", team=blue)
    first = as_analyst.get("/incidents/")
    older = first.context["older_url"]
    second = as_analyst.get(older)
    titles = {row.incident.title for page in (first, second) for row in page.context["rows"]}
    assert (len(first.context["rows"]), len(second.context["rows"]), len(titles)) == (50, 5, 55)
    back = as_analyst.get(second.context["newer_url"])
    assert [row.incident.pk for row in back.context["rows"]] == [row.incident.pk for row in first.context["rows"]]


def test_what_came_since(as_analyst: Client, incidents: dict[str, Incident], blue: Team, red: Team) -> None:
    since = quote(timezone.now().isoformat())
    url = f"/incidents/new-since/?since={since}"
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    make_incident("Another of Red", team=red)
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    make_incident("Another of Blue", team=blue)
    answer = as_analyst.get(url, headers=HTMX)
    assert "1 new" in answer.content.decode()
    assert as_analyst.get("/incidents/new-since/?since=x", headers=HTMX).status_code == 204
    early = quote((timezone.now() - timedelta(days=1)).isoformat())
    assert as_analyst.get(f"/incidents/new-since/?since={early}&tab=closed", headers=HTMX).status_code == 200


def test_few_queries(as_analyst: Client, incidents: dict[str, Incident], django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    listed(as_analyst)
    with django_assert_max_num_queries(15):
        text = as_analyst.get("/incidents/").content
    assert len(text) < 100_000


def test_titles_are_escaped(as_analyst: Client, blue: Team) -> None:
    make_incident("<img src=x onerror=alert(1)>", team=blue)
    text = as_analyst.get("/incidents/?q=%3Cimg&tag=%22%3E%3Cb%3E").content.decode()
    assert "<img" not in text
    assert '"><b>' not in text


def test_a_viewer_is_not_offered_a_new_one(as_viewer: Client, incidents: dict[str, Incident]) -> None:
    assert "/incidents/new/" not in as_viewer.get("/incidents/").content.decode()
    assert as_viewer.get("/incidents/new/").status_code == 403
    assert as_viewer.post("/incidents/new/", {"title": "x", "severity": "low", "tlp": "red"}).status_code == 403


def test_a_new_one_by_hand(as_analyst: Client, blue: Team, analyst: User) -> None:
    assert as_analyst.get("/incidents/new/").status_code == 200
    sent = {
        "title": "Called in", "severity": "high", "tlp": "red", "team": "Blue", "tags": "phone, vip", "owned": "on",
        "summary": "Somebody called",
    }  # fmt: skip
    answer = as_analyst.post("/incidents/new/", sent)
    incident = Incident.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/incidents/{incident.number}/"
    assert (incident.title, incident.severity, incident.tlp, incident.team) == ("Called in", 3, "red", blue)
    assert incident.tags == ["phone", "vip"]
    assert list(incident.owner_rows.values_list("user", "lead")) == [(analyst.pk, True)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "This field is required"),
        ({"severity": "worse"}, "Select a valid choice"),
        ({"team": "No such"}, "Select a valid choice"),
        ({"tags": "x" * 101}, "at most 100 characters"),
        ({"title": "a\x00b"}, "Null characters"),
    ],
)
def test_a_new_one_that_cannot_be(as_analyst: Client, blue: Team, fields: dict[str, str], words: str) -> None:
    sent = {"title": "Kept words", "severity": "high", "tlp": "red", "summary": "Kept summary", **fields}
    answer = as_analyst.post("/incidents/new/", sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Kept summary" in answer.content.decode()
    assert not Incident.objects.exists()
