"""ATT&CK techniques of an incident: found by id or name, added, taken off; those of its alerts (casework.md 6)."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test import Client

from cases.actions.techniques import retag
from cases.actors import Actor
from cases.models import Incident, TimelineEntry
from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(analyst: User) -> Incident:
    alerts = [make_alert(title, techniques=["T1078"]) for title in ("A", "B")]
    incident = make_incident("Case", *alerts, team="Blue")
    retag(Actor.system(), incident.pk, add=["T1566.002", "T9999"], remove=["T1078"])
    return Incident.objects.get(pk=incident.pk)


def test_the_box_groups_them_by_tactic(as_analyst: Client, incident: Incident) -> None:
    text = as_analyst.get(f"/incidents/{incident.number}/facts/", headers=HTMX).content.decode()
    assert "Initial Access" in text and "Phishing: Spearphishing Link" in text
    assert "T9999" in text and "Other" in text
    alerts = text[text.index("On its alerts") :]
    assert "T1078 Valid Accounts" in alerts and "2 alerts" in alerts


def test_names_stand_wherever_an_id_does(as_analyst: Client, incident: Incident) -> None:
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert 'title="Phishing: Spearphishing Link"' in page
    alert = make_alert("One", techniques=["T1003.001"], observables=(("technique", "T1059.001"),))
    text = as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert 'title="OS Credential Dumping: LSASS Memory"' in text
    assert "Command and Scripting Interpreter: PowerShell" in text
    observable = alert.observable_links.get().observable
    for path in (f"/observables/{observable.pk}/", "/observables/?type=technique"):
        assert "Command and Scripting Interpreter: PowerShell" in as_analyst.get(path).content.decode()
    assert "T1003.001 OS Credential Dumping: LSASS Memory" in as_analyst.get("/alerts/?facets=1").content.decode()


def test_search_and_add(as_analyst: Client, incident: Incident) -> None:
    path = f"/incidents/{incident.number}/techniques/"
    found = as_analyst.get(f"{path}search/?q=kerberoast", headers=HTMX).content.decode()
    assert found.startswith('<div id="techniques-found">') and 'value="T1558.003"' in found
    assert "on it" in as_analyst.get(f"{path}search/?q=T1566.002", headers=HTMX).content.decode()
    nothing = as_analyst.get(f"{path}search/?q=%3Cb%3Ezzz", headers=HTMX).content.decode()
    assert "Nothing found" in nothing and "<b>zzz" not in nothing
    answer = as_analyst.post(path, {"add": "t1558.003"}, headers=HTMX)
    assert answer.status_code == 200 and "Kerberoasting" in answer.content.decode()
    assert Incident.objects.get(pk=incident.pk).techniques == ["T1566.002", "T9999", "T1558.003"]
    entry = TimelineEntry.objects.filter(incident=incident).latest("pk")
    assert (entry.data["field"], entry.data["old"]) == ("techniques", ["T1566.002", "T9999"])
    taken = as_analyst.post(path, {"remove": "T9999"}, headers=HTMX)
    assert taken.status_code == 200
    assert Incident.objects.get(pk=incident.pk).techniques == ["T1566.002", "T1558.003"]
    count = TimelineEntry.objects.count()
    as_analyst.post(path, {"add": "T1558.003"}, headers=HTMX)
    assert TimelineEntry.objects.count() == count


def test_without_scripts(as_analyst: Client, incident: Incident) -> None:
    path = f"/incidents/{incident.number}/techniques/"
    text = as_analyst.get(f"{path}search/?q=phishing").content.decode()
    assert "<h1>" in text and 'value="T1566"' in text and 'value="phishing"' in text
    answer = as_analyst.post(path, {"add": "T1566"})
    assert (answer.status_code, answer["Location"]) == (302, f"/incidents/{incident.number}/facts/")


@pytest.mark.parametrize(
    "given", [{"add": "phishing"}, {"add": "<b>"}, {"add": ""}, {}, {"add": "T1"}, {"remove": " "}]
)
def test_what_is_no_id_is_refused_beside_the_form(
    as_analyst: Client, incident: Incident, given: dict[str, str]
) -> None:
    for headers in (HTMX, {}):
        answer = as_analyst.post(f"/incidents/{incident.number}/techniques/", given, headers=headers)
        text = answer.content.decode()
        assert answer.status_code == 422 and 'id="techniques-error"' in text and "<b>is" not in text
    assert Incident.objects.get(pk=incident.pk).version == incident.version


def test_who_may(as_viewer: Client, as_stranger: Client, incident: Incident) -> None:
    path = f"/incidents/{incident.number}/techniques/"
    assert as_viewer.post(path, {"add": "T1566"}).status_code == 403
    assert as_viewer.get(f"{path}search/?q=x").status_code == 403
    assert as_stranger.post(path, {"add": "T1566"}).status_code == 404
    assert as_stranger.get(f"{path}search/?q=x").status_code == 404
    assert as_viewer.get(path).status_code == 405


def test_the_api_adds_and_takes_off(analyst: User, viewer: User, incident: Incident) -> None:
    api, path = Api(analyst), f"/incidents/{incident.pk}/techniques/"
    read = api.get(f"/incidents/{incident.pk}/")
    assert read.json()["technique_names"][0] == {
        "id": "T1566.002", "name": "Phishing: Spearphishing Link", "tactics": ["Initial Access"],
    }  # fmt: skip
    answer = api.post(path, {"add": ["t1003"], "remove": ["T9999"]}, {"If-Match": read["ETag"]})
    assert (answer.status_code, answer.json()["techniques"]) == (200, ["T1566.002", "T1003"])
    problem_of(api.post(path, {"add": ["T1004"]}, {"If-Match": read["ETag"]}), 412)
    problem_of(api.post(path, {"add": ["no"]}), 400)
    problem_of(api.post(path, {"add": [f"T{n}" for n in range(1000, 1200)]}), 400)
    problem_of(Api(viewer).post(path, {"add": ["T1003"]}), 403)


def test_of_more_than_one_may_put_there_any_is_taken_off(analyst: User) -> None:
    source, ids = make_source(), [f"T{n}" for n in range(1000, 1210)]
    incident = make_incident("Case", *(make_alert(source=source, techniques=ids[n : n + 70]) for n in (0, 70, 140)))
    api, path = Api(analyst), f"/incidents/{incident.pk}/"
    assert api.get(path).json()["techniques"] == ids
    taken = api.post(f"{path}techniques/", {"remove": ["T1000"]})
    assert (taken.status_code, len(taken.json()["techniques"])) == (200, 209)
    problem_of(api.post(f"{path}techniques/", {"add": ["T1300"]}), 400)
    problem_of(api.patch(path, {"techniques": [*ids, "T1300"]}), 400)
    assert api.patch(path, {"techniques": ids[:200]}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_at_once_lose_nothing(analyst: User) -> None:
    incident = make_incident("Case")
    ids = [f"T10{number}" for number in range(10, 18)]

    def add(id: str) -> None:
        retag(Actor.of(analyst), incident.pk, add=[id])
        connection.close()

    threads = [threading.Thread(target=add, args=(id,)) for id in ids]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(Incident.objects.get(pk=incident.pk).techniques) == ids


def test_an_incident_of_many_alerts_reads_its_techniques_once(as_analyst: Client, analyst: User) -> None:
    source = make_source("Mail")
    incident = make_incident(
        "Case", *[make_alert(f"A{n}", source=source, techniques=[f"T1{n:03d}"]) for n in range(60)]
    )
    Incident.objects.filter(pk=incident.pk).update(techniques=[])
    text = as_analyst.get(f"/incidents/{incident.number}/facts/").content.decode()
    assert text.count('name="add" value="T1') == 50
