"""Observables: found by value, seen only through what one may see (rulings 21), with their evidence."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import observables
from cases.models import Observable
from soar.accounts.models import Team
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
HASH = "9f2c41" + "0" * 52 + "d87e0b"


@pytest.fixture
def seen(blue: Team, red: Team) -> None:
    """Two of team Blue, one of team Red, one of both."""
    ours, theirs = make_source(team=blue), make_source(team=red)
    make_alert("Ours", source=ours, observables=(("ip", "203.0.113.77"), ("sha256", HASH), ("ip", "192.0.2.1")))
    make_alert("Theirs", source=theirs, observables=(("domain", "secret-site.com"), ("ip", "192.0.2.1")))


def found(client: Client, query: str) -> list[str]:
    """The values of the list."""
    answer = client.get(f"/observables/{query}")
    assert answer.status_code == 200
    pks = [row["pk"] for row in answer.context["rows"]]
    values = Observable.objects.in_bulk(pks)
    return sorted(values[pk].value for pk in pks)


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", ["192.0.2.1", "203.0.113.77", HASH]),
        ("?q=203.0.113.77", ["203.0.113.77"]),
        ("?q=203[.]0[.]113[.]77", ["203.0.113.77"]),
        ("?q=203.0", ["203.0.113.77"]),
        (f"?q={HASH.upper()}", [HASH]),
        ("?q=9F2C41", [HASH]),
        ("?q=20", []),
        ("?q=secret-site.com", []),
        ("?q=secret", []),
        ("?type=sha256", [HASH]),
        ("?type=nonsense", ["192.0.2.1", "203.0.113.77", HASH]),
        ("?risk=highly_suspicious", []),
        ("?q=%25", []),
    ],
)
def test_the_list_shows_what_the_person_may_see(as_analyst: Client, query: str, values: list[str]) -> None:
    assert found(as_analyst, query) == values


@pytest.mark.usefixtures("seen")
def test_by_risk(as_analyst: Client) -> None:
    observables.rate(Observable.objects.get(value=HASH), "highly_suspicious", {"rule": "Exact hit", "evidence": []})
    assert found(as_analyst, "?risk=highly_suspicious") == [HASH]
    assert "<html" not in as_analyst.get("/observables/?q=203.0", headers=HTMX).content.decode()


@pytest.mark.usefixtures("seen")
def test_the_page_of_one(as_analyst: Client, blue: Team) -> None:
    one = Observable.objects.get(value="203.0.113.77")
    evidence = [{"list": "Bad <addresses>", "text": "since Monday", "effect": "malicious"}]
    observables.rate(one, "highly_suspicious", {"rule": "On a malicious list", "evidence": evidence})
    alert = make_alert("Second", source=make_source(team=blue), observables=(("ip", "203.0.113.77"),))
    incident = make_incident("Case", alert, team=blue)
    text = as_analyst.get(f"/observables/{one.pk}/").content.decode()
    for words in ("203[.]0[.]113[.]77", "Ours", "Second", incident.number, "Highly suspicious", "On a malicious list",
                  "Bad &lt;addresses&gt;", "since Monday", 'data-copy="203.0.113.77"',
                  'data-copy="203[.]0[.]113[.]77"'):  # fmt: skip
        assert words in text


@pytest.mark.usefixtures("seen")
def test_sightings_only_where_one_may_look(as_analyst: Client) -> None:
    one = Observable.objects.get(value="192.0.2.1")
    text = as_analyst.get(f"/observables/{one.pk}/").content.decode()
    assert "Ours" in text
    assert "Theirs" not in text


@pytest.mark.usefixtures("seen")
def test_what_is_hidden_is_not_there(as_analyst: Client, as_stranger: Client) -> None:
    hidden = Observable.objects.get(value="secret-site.com")
    assert as_analyst.get(f"/observables/{hidden.pk}/").status_code == 404
    assert as_stranger.get(f"/observables/{hidden.pk}/").status_code == 200
    assert as_analyst.get("/observables/999999/").status_code == 404
    assert as_analyst.get("/observables/99999999999999999999/").status_code == 404


def test_hostile_values_are_escaped(as_analyst: Client, blue: Team) -> None:
    evil = "<script>alert(1)</script>"
    make_alert("x", source=make_source(team=blue), observables=(("process", evil),))
    one = Observable.objects.get()
    for url in ("/observables/", f"/observables/{one.pk}/", f"/observables/?q={evil}"):
        assert "<script>alert" not in as_analyst.get(url).content.decode()


def test_of_an_incident(as_analyst: Client, as_stranger: Client, blue: Team) -> None:
    alert = make_alert("x", source=make_source(team=blue), observables=(("ip", "198.51.100.9"),))
    make_alert("y", source=make_source(team=blue), observables=(("ip", "198.51.100.10"),))
    incident = make_incident("Case", alert, team=blue)
    assert found(as_analyst, f"?incident={incident.number}") == ["198.51.100.9"]
    assert as_stranger.get(f"/observables/?incident={incident.number}").status_code == 404


def test_few_queries(as_analyst: Client, seen: None, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    one = Observable.objects.get(value="192.0.2.1")
    for url in ("/observables/", "/observables/?q=192.0", f"/observables/{one.pk}/"):
        with django_assert_max_num_queries(15):
            as_analyst.get(url)


def test_a_file_name_is_read_as_it_is_on_every_page(as_analyst: Client) -> None:
    alert = make_alert("Mail", observables=(("file_name", "report.pdf"), ("domain", "evil-site.com")))
    incident = make_incident("Mail", alert)
    pks = Observable.objects.values_list("pk", flat=True)
    pages = ["/observables/", f"/alerts/{alert.number}/", f"/incidents/{incident.number}/"]
    shown = "".join(as_analyst.get(url).content.decode() for url in (*pages, *(f"/observables/{pk}/" for pk in pks)))
    assert "report[.]pdf" not in shown
    assert shown.count("report.pdf") >= 4
    assert shown.count("evil-site[.]com") >= 4
