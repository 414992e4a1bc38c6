"""The ATT&CK matrix: figures of what one may see, each a link to a list of that length (casework.md 6)."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from cases.actions import merge
from cases.actors import Actor
from cases.attack import counts
from cases.attack.stored import catalog
from cases.models import Alert, Incident
from cases.views.attack import shade_of
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def work(blue: Team, red: Team) -> None:
    """Three alerts of team Blue, one of them old, one of team Red; an incident with a technique."""
    source = make_source("Mail", team=blue)
    make_alert("A", source=source, techniques=["T1566.001", "T1566.002", "T1078"])
    make_alert("B", source=source, techniques=["T1566", "T9999", "T1086"])
    make_alert("Old", source=source, techniques=["T1566"], age=timedelta(days=60))
    make_alert("Red", source=make_source("Theirs", team=red), techniques=["T1003"])
    incident = make_incident("Case", team="Blue")
    Incident.objects.filter(pk=incident.pk).update(techniques=["T1566.001"])


def links(text: str) -> list[tuple[str, int]]:
    """Each figure's address and number."""
    found = re.findall(r'<a href="([^"]+technique=[^"]+)">(\d+) ', text)
    return [(unescape(url), int(n)) for url, n in found]


def listed(client: Client, url: str) -> int:
    text = client.get(url).content.decode()
    return len(re.findall(r'<tr[^>]* id="(?:alert|incident)-\d+"', text))


def test_figures_are_links_to_lists_of_that_length(work: None, as_analyst: Client) -> None:
    text = as_analyst.get("/attack/").content.decode()
    found = links(text)
    assert {url.split("technique=")[1].split("&")[0] for url, _n in found} == {
        "T1566", "T1566.001", "T1566.002", "T1078", "T9999", "T1086",
    }  # fmt: skip
    for url, n in found:
        assert listed(as_analyst, url) == n, url
    alerts = {url.split("technique=")[1].split("&")[0]: n for url, n in found if url.startswith("/alerts/")}
    assert alerts["T1566"] == 2  # with its sub-techniques, each alert once
    assert "T1003" not in text
    assert "In no column" in text and "PowerShell (now T1059.001)" in text


def test_what_was_merged_counts_once(analyst: User, blue: Team, as_analyst: Client) -> None:
    first, second = (make_incident(name, team="Blue") for name in ("First", "Second"))
    Incident.objects.update(techniques=["T1566.001"])
    merge.merge(Actor.of(analyst), first.pk, [second.pk])
    found = links(as_analyst.get("/attack/?by=incidents").content.decode())
    assert [n for _url, n in found] == [1, 1]  # the technique and its sub-technique
    assert [listed(as_analyst, url) for url, _n in found] == [1, 1]
    rows = Api(analyst).get("/attack/matrix/").json()["rows"]
    assert {row["id"]: row["incidents"] for row in rows} == {"T1566": 1, "T1566.001": 1}


def test_a_longer_time_another_colour_and_all(work: None, as_analyst: Client) -> None:
    longer = as_analyst.get("/attack/?period=90d").content.decode()
    assert [n for url, n in links(longer) if "/alerts/" in url and "technique=T1566&" in url] == [3]
    assert longer.count('<li class="heat') < 20
    every = as_analyst.get("/attack/?all=1").content.decode()
    assert every.count('<li class="heat') > 691
    assert "Drive-by Compromise" in every and "Drive-by Compromise" not in longer
    by_incidents = as_analyst.get("/attack/?by=incidents").content.decode()
    assert re.search(r'heat-5"><span class="mono small">T1566<', by_incidents)
    assert re.search(r'heat-0"><span class="mono small">T1078<', by_incidents)
    for odd in ("period=1000y", "by=<script>", "all=2", "period=", "by=\x00"):
        assert as_analyst.get(f"/attack/?{odd}").status_code == 200


def test_for_htmx_the_matrix_alone_with_its_address(work: None, as_analyst: Client) -> None:
    answer = as_analyst.get("/attack/?period=7d", headers=HTMX)
    text = answer.content.decode()
    assert text.startswith('<div id="attack-matrix">')
    assert answer["HX-Push-Url"] == "/attack/?period=7d"


def test_nothing_yet_says_what_to_do(as_analyst: Client) -> None:
    text = as_analyst.get("/attack/").content.decode()
    assert "No technique in this time" in text
    assert "?period=30d&amp;by=alerts&amp;all=1" in text


def test_who_sees_it(work: None, nobody: User, as_viewer: Client, as_stranger: Client, as_admin: Client) -> None:
    assert Client().get("/attack/").status_code == 302
    assert client_of(nobody).get("/attack/").status_code == 403
    assert as_viewer.post("/attack/").status_code == 405
    assert "T1566" in as_viewer.get("/attack/").content.decode()
    theirs = as_stranger.get("/attack/").content.decode()
    assert "T1003" in theirs and "T1566" not in theirs
    assert "T1003" in as_admin.get("/attack/").content.decode()


def test_a_restricted_incident_adds_to_no_figure(work: None, as_admin: Client, admin: User) -> None:
    incident = Incident.objects.get(title="Case")
    alert = make_alert("Inside", techniques=["T1490"])
    Alert.objects.filter(pk=alert.pk).update(incident=incident, restricted=True)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    text = as_admin.get("/attack/").content.decode()
    assert "T1490" not in text
    assert not [url for url, _n in links(text) if url.startswith("/incidents/")]


def test_names_from_outside_are_shown_as_text(as_analyst: Client) -> None:
    make_alert("Evil", techniques=["<img src=x>"])
    text = as_analyst.get("/attack/").content.decode()
    assert "<img" not in text and "&lt;img src=x&gt;" in text


def test_figures_behind_the_bound_are_the_least_there_are(
    work: None, as_analyst: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "ROWS", 1)
    text = as_analyst.get("/attack/").content.decode()
    assert "the figures are the least there are" in text


def test_its_queries_do_not_grow(work: None, as_analyst: Client) -> None:
    as_analyst.get("/attack/")
    with counted("attack matrix"):
        as_analyst.get("/attack/?all=1")


def test_shades_are_logarithmic() -> None:
    assert [shade_of(n, 1000) for n in (0, 1, 10, 100, 1000)] == [0, 1, 2, 4, 5]
    assert (shade_of(1, 1), shade_of(0, 0), shade_of(5, 0)) == (5, 0, 0)


def test_the_api_gives_the_same_figures(work: None, analyst: User, stranger: User, nobody: User) -> None:
    answer = Api(analyst).get("/attack/matrix/").json()
    rows = {row["id"]: row for row in answer["rows"]}
    assert rows["T1566"] == {
        "id": "T1566", "name": "Phishing", "tactics": ["Initial Access"], "alerts": 2, "incidents": 1,
    }  # fmt: skip
    assert (rows["T9999"]["name"], rows["T9999"]["alerts"], answer["more"]) == ("", 1, False)
    assert "T1003" not in rows and answer["version"] == catalog().version
    assert [row["id"] for row in Api(stranger).get("/attack/matrix/").json()["rows"]] == ["T1003"]
    problem_of(Api(analyst).get("/attack/matrix/", since="yesterday"), 400)
    problem_of(Api(analyst).get("/attack/matrix/", tactic="x"), 400)
    problem_of(Api(nobody).get("/attack/matrix/"), 403)


def test_the_api_finds_techniques(analyst: User, nobody: User) -> None:
    api = Api(analyst)
    found = api.get("/attack/techniques/", q="spearphishing link").json()["results"]
    assert found[0] == {
        "id": "T1566.002", "name": "Spearphishing Link", "full_name": "Phishing: Spearphishing Link",
        "tactics": ["Initial Access"], "replaced_by": None,
    }  # fmt: skip
    assert len(api.get("/attack/techniques/").json()["results"]) == 691
    reconnaissance = api.get("/attack/techniques/", tactic="ta0043").json()["results"]
    assert {tuple(one["tactics"]) for one in reconnaissance} == {("Reconnaissance",)}
    assert api.get("/attack/techniques/T1086/").json()["replaced_by"] == "T1059.001"
    problem_of(api.get("/attack/techniques/T9999/"), 404)
    problem_of(api.get("/attack/techniques/", tactic="none"), 400)
    problem_of(Api(nobody).get("/attack/techniques/"), 403)
    problem_of(Api(nobody).get("/attack/techniques/T1566/"), 403)


def test_the_filter_of_a_technique_means_its_sub_techniques(work: None, analyst: User) -> None:
    api = Api(analyst)
    titles = {row["title"] for row in api.get("/alerts/", technique="T1566").json()["results"]}
    assert titles == {"A", "B", "Old"}
    assert [row["title"] for row in api.get("/alerts/", technique="t1566.002").json()["results"]] == ["A"]
    assert [row["title"] for row in api.get("/incidents/", technique="T1566", opened="1d").json()["results"]] == [
        "Case"
    ]
    row = api.get("/alerts/", technique="T1078", expand="technique_names").json()["results"][0]
    assert row["technique_names"][2] == {"id": "T1078", "name": "Valid Accounts", "tactics": [
        "Initial Access", "Persistence", "Privilege Escalation", "Defense Evasion"]}  # fmt: skip
