"""The queue: tabs, filter, facets, order, paging, empty states; who sees what."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from cases.actions import alerts, links
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EVIL = '"><script>alert(1)</script>'


def page_of(client: Client, query: str = "", headers: dict[str, str] | None = None) -> str:
    answer = client.get(f"/alerts/{query}", headers=headers or {})
    assert answer.status_code == 200
    return answer.content.decode()


def titles(page: str) -> list[str]:
    """The titles of the rows, in order."""
    return re.findall(r'<a class="cut" id="to-\d+" href="/alerts/ALR-\d+/">([^<]*)</a>', page)


@pytest.fixture
def three(blue: Team, analyst: User) -> list[Alert]:
    """Low, critical (mine) and medium (resolved) alerts of team Blue."""
    source = make_source("Sensors", team=blue)
    low = make_alert("Low one", source=source, severity=Severity.LOW, hostname="LT-1", tags=["finance"])
    worst = make_alert("Worst one", source=source, severity=Severity.CRITICAL, owner=analyst, detection_model="C2")
    done = make_alert("Done one", source=source)
    alerts.resolve(Actor.of(analyst), done.pk, determination="malicious")
    return [low, worst, done]


def test_open_work_comes_most_urgent_first(as_analyst: Client, three: list[Alert]) -> None:
    page = as_analyst.get("/alerts/").content.decode()
    assert titles(page) == ["Worst one", "Low one"]
    assert '<b class="ink">2</b> open' in page
    assert "Sensors · C2" in page


def test_the_model_is_named_where_it_says_more_than_the_title(as_analyst: Client, blue: Team) -> None:
    source = make_source("Sensors", team=blue)
    make_alert("LSASS memory read", source=source, detection_model="LSASS Memory Read")
    make_alert("Beacon on LT-0114", source=source, detection_model="beacon")
    make_alert("Odd login", source=source, detection_model="Impossible travel")
    found = re.findall(r'<span class="src cut">([^<]+)</span>', page_of(as_analyst))
    assert sorted(found) == ["Sensors", "Sensors", "Sensors · Impossible travel"]


def test_tabs_have_counts_and_lead_to_their_rows(as_analyst: Client, three: list[Alert]) -> None:
    page = page_of(as_analyst)
    found = re.findall(r'<a href="([^"]+)"[^>]*>([\w ]+) <span class="n">(\d+)</span></a>', page)
    tabs = {label: (url.replace("&amp;", "&"), int(n)) for url, label, n in found}
    assert {label: n for label, (_url, n) in tabs.items()} == {
        "My queue": 1, "Open": 2, "Unassigned": 1, "SLA at risk": 0, "Resolved today": 1,
    }  # fmt: skip
    for url, number in tabs.values():
        page = as_analyst.get(url).content.decode()
        assert len(titles(page)) == number
        assert page.count('aria-current="page"') == 2  # the place in the navigation, and the tab


def test_a_stranger_sees_nothing_of_it(as_stranger: Client, three: list[Alert]) -> None:
    page = page_of(as_stranger, "?status=any")
    assert titles(page) == []
    for text in ("Worst one", "Sensors", "finance"):
        assert text not in page


def test_somebody_without_a_role_is_told(nobody: User) -> None:
    for path in ("/", "/alerts/", "/alerts/poll/"):
        answer = client_of(nobody).get(path)
        assert answer.status_code == 403
        assert "See alerts, incidents and runs" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?severity=critical", ["Worst one"]),
        ("?severity=critical,low", ["Worst one", "Low one"]),
        ("?severity=critical&severity=low", ["Worst one", "Low one"]),
        ("?status=any", ["Done one", "Worst one", "Low one"]),
        ("?status=resolved", ["Done one"]),
        ("?owner=me", ["Worst one"]),
        ("?owner=none", ["Low one"]),
        ("?q=worst", ["Worst one"]),
        ("?q=-tag:finance", ["Worst one"]),
        ("?q=severity:>=high", ["Worst one"]),
        ("?q=host:LT-1", ["Low one"]),
        ("?tag=finance", ["Low one"]),
        ("?model=c2", ["Worst one"]),
        ("?source=nowhere", []),
        ("?has_incident=any", []),
        ("?received=1h&until=2030-01-01", ["Worst one", "Low one"]),
        ("?sort=newest", ["Worst one", "Low one"]),
        ("?sort=oldest", ["Low one", "Worst one"]),
        ("?sort=nonsense", ["Worst one", "Low one"]),
        ("?nonsense=1", ["Worst one", "Low one"]),
    ],
)
def test_the_filter(as_analyst: Client, three: list[Alert], query: str, found: list[str]) -> None:
    assert titles(page_of(as_analyst, query)) == found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?severity=huge", "is not one of"),
        ("?q=ab", "too short"),
        ("?incident=x", "give a number"),
        ("?received=never", "is no date or time"),
        ("?received=9999999999999999999999d", "is no date or time"),
        ("?tlp=pink", "tlp: one of"),
    ],
)
def test_what_cannot_be_read_is_said_under_the_box(
    as_analyst: Client, three: list[Alert], query: str, said: str
) -> None:
    page = page_of(as_analyst, query)
    assert said in page.partition('id="q-errors"')[2]
    assert page.count(said) == 1


def test_texts_of_the_query_are_escaped(as_analyst: Client) -> None:
    for name in ("q", "host", "tag", "source", "owner", "severity", "sort", "cursor", "model", "observable", "team"):
        page = as_analyst.get("/alerts/", {name: EVIL}).content.decode()
        assert "<script>alert" not in page, name


@pytest.mark.parametrize(
    "value", ["\x00", "a\x00b", "%", "_", "'", "\\", '"', "(" * 50, "x" * 3000, "é" * 300, "-", ":"]
)
def test_odd_texts_are_no_error(as_analyst: Client, three: list[Alert], value: str) -> None:
    for name in ("q", "host", "observable", "tag", "owner", "source", "incident", "received"):
        assert as_analyst.get("/alerts/", {name: value}).status_code == 200


def test_chips_take_a_filter_off_again(as_analyst: Client, three: list[Alert]) -> None:
    page = page_of(as_analyst, "?severity=critical&q=worst+-tag:finance")
    urls = [u.replace("&amp;", "&") for u in re.findall(r'<span class="chip">.*?<a href="([^"]+)"', page)]
    assert len(urls) == 3
    assert [len(titles(as_analyst.get(url).content.decode())) for url in urls] == [1, 1, 1]
    assert "severity" not in urls[0]


def test_facets_count_open_work_only_and_ignore_themselves(as_analyst: Client, three: list[Alert]) -> None:
    page = page_of(as_analyst, "?severity=critical&status=any")
    facets = dict(re.findall(r"</svg>(\w+) <span class=\"n\">([^<]+)</span>", page.partition('id="alert-counts"')[2]))
    assert facets == {"Critical": "1", "High": "0", "Medium": "0", "Low": "1", "Informational": "0"}


def test_incidents_of_others_are_not_named(
    as_analyst: Client, as_stranger: Client, three: list[Alert], red: Team, admin: User
) -> None:
    hidden = make_incident("Secret", make_alert(source=make_source(team=red)), team=red)
    links.link(Actor.of(admin), [three[0].pk], hidden.pk)
    assert hidden.number not in page_of(as_analyst)
    assert hidden.number in page_of(as_stranger)


def test_pages_are_linked_both_ways(as_analyst: Client) -> None:
    source = make_source()
    for number in range(120):
        make_alert(f"Number {number:03}", source=source, severity=Severity(number % 5))
    seen, url, pages = [], "/alerts/", []
    while url:
        page = as_analyst.get(url).content.decode()
        pages.append(titles(page))
        seen += titles(page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        url = found[1].replace("&amp;", "&") if found else ""
    assert [len(one) for one in pages] == [30, 30, 30, 30]
    assert len(set(seen)) == 120
    back = re.search(r'href="([^"]+)" rel="prev"', page)
    assert back
    assert titles(as_analyst.get(back[1].replace("&amp;", "&")).content.decode()) == pages[-2]


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "a" * 2000, "é"])
def test_a_cursor_of_another_list_leads_to_the_beginning(as_analyst: Client, three: list[Alert], cursor: str) -> None:
    answer = as_analyst.get("/alerts/", {"cursor": cursor})
    assert answer.status_code == 200
    assert "That place in the list is gone" in answer.content.decode()
    assert len(titles(answer.content.decode())) == 2


def test_counts_are_capped(as_analyst: Client, monkeypatch: pytest.MonkeyPatch, three: list[Alert]) -> None:
    defaults = {"cap": 1, "order": ""}
    monkeypatch.setattr("cases.stats.Base.where.__kwdefaults__", defaults)
    assert '<b class="ink">1+</b> open' in page_of(as_analyst)


def test_no_alert_at_all_says_how_to_begin(as_analyst: Client, as_admin: Client) -> None:
    page = page_of(as_analyst)
    assert "No alerts yet" in page
    assert "curl -H" in page
    assert "/api/v1/ingest/" in page
    assert "People who may manage sources can add one" in page
    assert "People who may manage sources" not in page_of(as_admin)


def test_nothing_left_to_do(as_analyst: Client, analyst: User) -> None:
    alerts.resolve(Actor.of(analyst), make_alert().pk, determination="malicious")
    assert "Clear skies" in page_of(as_analyst)


def test_nothing_matches(as_analyst: Client, three: list[Alert]) -> None:
    page = page_of(as_analyst, "?q=nothing-like-it")
    assert "Nothing matches" in page
    assert ">Clear the filter</a>" in page


def test_alerts_of_others_only_is_not_said_to_be_the_beginning(as_stranger: Client, three: list[Alert]) -> None:
    page = page_of(as_stranger)
    assert "Clear skies" in page
    assert "curl" not in page


def test_htmx_gets_the_rows_and_what_counts_them(as_analyst: Client, three: list[Alert]) -> None:
    answer = as_analyst.get("/alerts/?q=worst&host=", headers={**HTMX, "HX-Trigger": "alert-filter"})
    page = answer.content.decode()
    assert page.lstrip().startswith('<div id="alert-rows">')
    assert titles(page) == ["Worst one"]
    assert answer["HX-Push-Url"] == "/alerts/?q=worst"
    for region in ("alert-tabs", "alert-total", "alert-counts", "bulk-bar", "alert-keys", "alert-new"):
        assert f'id="{region}"' in page
    assert 'id="alert-filter"' not in page  # it is being typed in
    assert 'id="alert-filter"' in page_of(as_analyst, "?q=worst", HTMX)


@pytest.mark.parametrize("text", ["fo", "worst fo", "severity:hi", "received:7"])
def test_half_a_word_is_a_mistake_only_when_it_is_submitted(as_analyst: Client, three: list[Alert], text: str) -> None:
    asked = {**HTMX, "HX-Trigger": "alert-filter"}
    typing = as_analyst.get("/alerts/", {"q": text}, headers={**asked, "HX-Typing": "true"})
    assert (typing.status_code, typing.content) == (204, b"")
    assert "HX-Push-Url" not in typing
    for headers in (asked, {}, {"HX-Typing": "true"}):
        assert 'id="q-errors"' in as_analyst.get("/alerts/", {"q": text}, headers=headers).content.decode()
    whole = as_analyst.get("/alerts/", {"q": "worst"}, headers={**asked, "HX-Typing": "true"})
    assert titles(whole.content.decode()) == ["Worst one"]


def test_a_viewer_reads_without_ticks_and_verbs(as_viewer: Client, three: list[Alert]) -> None:
    page = page_of(as_viewer)
    assert len(titles(page)) == 2
    assert 'name="alert"' not in page
    assert 'value="claim"' not in page


def test_other_methods(as_analyst: Client) -> None:
    assert as_analyst.post("/alerts/").status_code == 405


def test_the_number_of_queries_and_the_size(as_analyst: Client, analyst: User, responder: User) -> None:
    for number in range(60):
        make_alert(
            "Credential dumping: LSASS memory read by rundll32.exe", source=make_source(), hostname=f"FIN-LT-{number}",
            username="a.voss", detection_model="Credential Access via LSASS", tags=["finance"],
            owner=[None, analyst, responder][number % 3],
        )  # fmt: skip
    make_incident("Case", make_alert())
    page_of(as_analyst)
    with counted("queue"):
        page = page_of(as_analyst)
    assert len(page) < 100_000
