"""Reading alerts from Elasticsearch: none skipped, none twice; what is answered only for a part counts as nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cases.actions import pulls
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.models import Alert, AlertPull, TimelineEntry
from soar.connectors import actions
from soar.connectors.elasticsearch import connector
from soar.connectors.errors import Refused
from soar.connectors.models import Attempt
from soar.lib import clock
from soar.standins.elasticsearch import Elasticsearch as Standin
from tests.acting import Range, practice
from tests.factories import make_source
from tests.pulling import moment, now, read, reader, refs

pytestmark = pytest.mark.django_db
KEY = "ZWxhc3RpYy1rZXktMTIzNA=="
INDEX = connector.INDEX


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Standin(), {"token": KEY}) as found:
        found.state["indices"][INDEX] = {}
        yield found


@pytest.fixture
def row(here: Range) -> AlertPull:
    return pulls.set_pull(Actor.system(), make_source("Elastic", kind="elastic").slug, account=here.account.name)


def put(here: Range, name: str, minutes: float, *, index: str = INDEX, **more: Any) -> dict[str, Any]:
    """An alert there, of so many minutes ago."""
    source = {
        "@timestamp": moment(minutes), "kibana.alert.uuid": name, "kibana.alert.rule.name": f"Rule {name}",
        "kibana.alert.severity": "high", "kibana.alert.workflow_status": "open", "host": {"name": "ws-1"}, **more,
    }  # fmt: skip
    assert isinstance(here.standin, Standin)
    here.standin.put(index, name, source)
    return source


def briefly(row: AlertPull) -> AlertPull:
    """Read an hour back at first, which is one search of several pages."""
    row.look_back_hours = 1
    row.save()
    return row


def change(here: Range, **settings: Any) -> None:
    actions.update_account(None, here.account.pk, settings=settings)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", "unable to authenticate"), ("403", "privilege read"), ("429", "overloaded"), ("html", "an HTML page"),
        ("garbage", "no whole answer"), ("500", "answered 500"), ("before", "no whole answer"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_kept_and_tried_again(here: Range, row: AlertPull, fault: str, words: str) -> None:
    put(here, "a1", 5)
    here.fault(fault, times=9)
    read(row)
    assert words in row.last_error and KEY not in row.last_error
    assert (row.failures, row.read_until, row.last_ok_at) == (1, None, None)
    here.standin._faults.clear()
    assert (read(row).last_error, refs()) == ("", ["a1"])


@pytest.mark.parametrize(("trap", "words"), [("failing", "1 of 1 shards failed"), ("late", "out of time")])
def test_an_answer_for_a_part_moves_nothing_on(here: Range, row: AlertPull, trap: str, words: str) -> None:
    for number in range(6):
        put(here, f"a{number}", 30 - number)
    here.state[trap] = 1
    assert words in read(row).last_error
    assert row.read_until is None
    read(row)
    assert (len(refs()), row.last_error) == (6, "")


def test_a_part_in_the_middle_skips_nothing(here: Range, row: AlertPull) -> None:
    row = briefly(row)
    here.state["most"] = 4
    for number in range(10):
        put(here, f"a{number}", 30 - number)
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == 3:
            here.state["failing"] = 1
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    read(row)
    assert (len(refs()), row.read_until) == (4, None)
    read(row)
    assert len(refs()) == 10


def test_a_closed_index_is_said_and_read_once_it_is_open(here: Range, row: AlertPull) -> None:
    put(here, "a1", 5)
    here.state["closed"] = [INDEX]
    assert "index_closed_exception" in read(row).last_error
    here.state["closed"] = []
    here.state["blocked"] = [INDEX]
    assert "cluster_block_exception" in read(row).last_error
    assert row.read_until is None
    here.state["blocked"] = []
    read(row)
    assert refs() == ["a1"]


@pytest.mark.parametrize("index", ["nowhere", "nowhere-*"])
def test_an_index_that_is_not_there_is_no_silence(here: Range, row: AlertPull, index: str) -> None:
    change(here, index=index)
    error = read(row).last_error
    assert "no such index" in error or "No index is called nowhere-*" in error
    assert row.read_until is None
    assert not reader(here).test().ok


def test_pages_are_read_to_the_end_and_nothing_comes_twice(here: Range, row: AlertPull) -> None:
    here.state["most"] = 7
    for number in range(40):
        put(here, f"a{number:02d}", 60 - number)
    for _ in range(3):
        read(row)
    assert refs() == [f"a{number:02d}" for number in range(40)]
    row.source.refresh_from_db()
    assert (row.source.accepted, row.source.repeats, row.last_error) == (40, 0, "")
    assert here.state["pits"] == {}  # none is left open


def test_equal_times_over_the_border_of_two_pages(here: Range, row: AlertPull) -> None:
    here.state["most"] = 4
    same = moment(10)
    for number in range(10):
        put(here, f"a{number}", 10, **{"@timestamp": same})
    read(row)
    assert len(refs()) == 10


def test_what_comes_while_it_is_read_comes_with_the_next_reading(here: Range, row: AlertPull) -> None:
    row = briefly(row)
    here.state["most"] = 3
    for number in range(9):
        put(here, f"a{number}", 30 - number)
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == 3:
            put(here, "b1", 29.5)
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    read(row)
    assert len(refs()) == 9
    change(here, look_back_minutes=60)
    row.account.refresh_from_db()  # type: ignore[union-attr]
    read(row)
    assert len(refs()) == 10


def test_what_is_indexed_late_is_not_skipped(here: Range, row: AlertPull) -> None:
    put(here, "a1", 30)
    read(row)
    put(here, "a2", 14)
    read(row)
    assert refs() == ["a1", "a2"]


@pytest.mark.parametrize("hours", [5, -5])
def test_a_clock_that_is_wrong_here_leaves_nothing_out(here: Range, row: AlertPull, hours: int) -> None:
    put(here, "a1", 1)
    with clock.at(now() + timedelta(hours=hours)):
        read(row)
    put(here, "a2", 0.01)
    AlertPull.objects.update(lease=None, leased_until=None)
    read(row)
    with clock.at(now() + timedelta(hours=hours)):
        read(row)
    assert refs() == ["a1", "a2"]


def test_a_change_there_is_noted_however_old_the_alert(here: Range, row: AlertPull) -> None:
    source = put(here, "a1", 600)
    read(row)
    closed = {"kibana.alert.workflow_status": "closed", "kibana.alert.workflow_status_updated_at": moment(0.1)}
    put(here, "a1", 600, **{**closed, "@timestamp": source["@timestamp"]})
    read(row)
    read(row)
    alert = Alert.objects.get()
    assert (alert.count, alert.source_state, alert.status) == (1, "closed", AlertStatus.NEW)
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.source_state").count() == 1


def test_building_blocks_are_left_out_unless_asked_for(here: Range, row: AlertPull) -> None:
    put(here, "a1", 5, **{"kibana.alert.building_block_type": "default"})
    put(here, "a2", 5)
    read(row)
    assert refs() == ["a2"]


def test_any_document_of_a_pattern_is_read_as_well_as_it_can_be(here: Range, row: AlertPull) -> None:
    change(here, index="ids-*", query="")
    assert isinstance(here.standin, Standin)
    for index in ("ids-1", "ids-2"):
        told = {"@timestamp": moment(5), "message": f"Scan seen by {index}", "source": {"ip": "203.0.113.7"}}
        here.standin.put(index, f"doc of {index}", told)
    read(row)
    assert sorted(Alert.objects.values_list("title", flat=True)) == ["Scan seen by ids-1", "Scan seen by ids-2"]
    assert set(Alert.objects.values_list("source_ip", flat=True)) == {"203.0.113.7"}


def test_a_view_that_has_ended_is_opened_anew(here: Range, row: AlertPull) -> None:
    row = briefly(row)
    here.state["most"] = 2
    for number in range(5):
        put(here, f"a{number}", 30 - number)
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == 3:
            here.state["pits"].clear()
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    assert "search_context_missing_exception" in read(row).last_error
    read(row)
    assert (len(refs()), row.last_error) == (5, "")


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    here: Range, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "LARGEST", 20_000)
    for number in range(30):
        put(here, f"a{number:02d}", 40 - number, message="x" * 1500)
    read(row)
    assert (len(refs()), row.last_error) == (30, "")
    assert {body["size"] for body in here.state["asked"]} > {25}


def test_another_index_begins_anew(here: Range, row: AlertPull) -> None:
    read(row)
    put(here, "b1", 300, index="other")
    change(here, index="other")
    read(row)
    assert refs() == ["b1"]


def test_the_test_of_the_connection_counts_what_can_be_read(here: Range, row: AlertPull) -> None:
    put(here, "a1", 5)
    health = reader(here).test()
    assert (health.ok, health.message) == (
        True,
        f"Elasticsearch takes the credentials; 1 documents in {INDEX} can be read.",
    )
    here.state["secret"] = "another"
    assert not reader(here).test().ok


def test_a_key_or_a_password_goes_along_and_is_in_no_record(here: Range, row: AlertPull) -> None:
    here.state["secret"] = KEY
    put(here, "a1", 5)
    assert read(row).last_error == ""
    told = str(list(Attempt.objects.values_list("request", "response")))
    assert "/_pit" in told and KEY not in told
    with practice(Standin(), {"username": "soar", "password": "pw-123456"}, name="other", index=INDEX) as other:
        put(other, "b1", 5)
        other.state["secret"] = "c29hcjpwdy0xMjM0NTY="
        pulls.set_pull(Actor.system(), row.source.slug, account="other")
        row.refresh_from_db()
        assert read(row).last_error == ""
        assert refs() == ["a1", "b1"]


@pytest.mark.parametrize(
    ("given", "secrets", "field"),
    [
        ({}, {}, "token"), ({}, {"username": "u"}, "token"),
        ({"url": "http://es.example.com"}, {"token": KEY}, "url"), ({"index": "a/b"}, {"token": KEY}, "index"),
        ({"index": "_all"}, {"token": KEY}, "index"), ({"index": "a,"}, {"token": KEY}, "index"),
        ({"index": "../x"}, {"token": KEY}, "index"), ({"look_back_minutes": "0"}, {"token": KEY}, "look_back_minutes"),
        ({"look_back_minutes": "1441"}, {"token": KEY}, "look_back_minutes"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_beside_their_field(
    given: dict[str, str], secrets: dict[str, str], field: str, db: None
) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "elasticsearch", "ES", {"url": "https://es.example.com", **given}, secrets)
    assert set(caught.value.errors) == {field}
