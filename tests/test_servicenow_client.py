"""Records of ServiceNow over HTTP against the stand-in: what it ignores, hides, loses and refuses (servicenow.md 8)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from soar.connectors import registry
from soar.connectors.base import ConnectorError
from soar.connectors.models import Attempt
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.query import IgnoredQuery
from soar.connectors.servicenow.records import Record
from soar.connectors.servicenow.tables import AmbiguousRecord
from soar.connectors.servicenow.times import literal, zone_of
from tests.connector_server import Product, json_reply
from tests.servicenow_desk import Desk, desk

pytestmark = pytest.mark.django_db
OURS = "soar:0a1b2c3d:"
FIELDS = ("short_description", "state", "impact", "correlation_id")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    cache.clear()


@pytest.fixture
def here() -> Iterator[Desk]:
    with desk() as found:
        yield found


def refused(do: Callable[[], object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do()
    return caught.value


def ticket(here: Desk, number: int = 1, **values: str) -> Record:
    made = {"short_description": "Odd sign-ins", "correlation_id": f"{OURS}{number}", **values}
    return here.connector().create("incident", made)


def changed(here: Desk, since: datetime = LONG_AGO, **how: Any) -> list[Record]:
    return list(here.connector().changed("incident", prefix=OURS, since=since, fields=FIELDS, **how))


# What must never be asked, and what is never sent.


@pytest.mark.parametrize("identity", ["", " ", "a^ORactive=true", "a\nb", "javascript:gs.getUserID()", "x" * 101])
def test_a_correlation_id_that_could_mean_others_is_not_asked(here: Desk, identity: str) -> None:
    error = refused(lambda: here.connector().by_correlation("incident", identity, FIELDS))
    assert error.permanent
    assert here.asked() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda one: one.record("incident", "", FIELDS),
        lambda one: one.record("incident", "../../sys_user", FIELDS),
        lambda one: one.record("incident/../sys_user", "abc", FIELDS),
        lambda one: one.records("incident", ["abc", ""], FIELDS),
        lambda one: one.records("incident", ["a,b"], FIELDS),
        lambda one: one.record("incident", "abc", ["state^active"]),
        lambda one: list(one.changed("incident", prefix="", since=LONG_AGO, fields=[])),
        lambda one: one.update("incident", "", {"state": "2"}),
        lambda one: one.update("incident", "abc", {}),
        lambda one: one.create("incident", {"correlation_id": "x" * 101}),
        lambda one: one.create("incident", {"correlation_id": ""}),
        lambda one: one.create("incident", {"state&x": "1"}),
        lambda one: one.journal("incident", [""], LONG_AGO),
        lambda one: one.attachments("incident", [""]),
        lambda one: one.attach("incident", "", "a.txt", "text/plain", b"a"),
    ],
)
def test_what_is_no_name_and_no_identity_is_refused_before_anything_is_sent(
    here: Desk, call: Callable[[ServiceNow], object]
) -> None:
    assert refused(lambda: call(here.connector())).permanent
    assert here.asked() == []


def test_no_list_is_no_question(here: Desk) -> None:
    assert here.connector().records("incident", [], FIELDS) == {}
    assert here.connector().journal("incident", [], LONG_AGO) == []
    assert here.asked("incident") == []


def test_nothing_is_asked_inside_a_transaction() -> None:
    with desk() as here, transaction.atomic(), pytest.raises(RuntimeError), transaction.atomic(durable=True):
        here.connector().record("incident", "abc", FIELDS)


# What ServiceNow ignores.


def test_an_ignored_correlation_id_finds_no_stranger(here: Desk) -> None:
    here.do("arrange", unreadable=["correlation_id"])
    error = refused(lambda: here.connector().by_correlation("incident", f"{OURS}9", FIELDS))
    assert isinstance(error, IgnoredQuery)
    assert error.permanent
    assert "correlation_id" in error.message


def test_an_ignored_prefix_brings_no_tickets_of_others(here: Desk) -> None:
    ticket(here)
    here.do("arrange", unreadable=["correlation_id"])
    assert isinstance(refused(lambda: changed(here)), IgnoredQuery)


def test_an_ignored_list_of_identities_brings_nothing() -> None:
    row = {"sys_id": "f" * 32, "sys_updated_on": "2026-01-01 00:00:00", "sys_updated_by": "a", "sys_mod_count": "1"}
    with answering(json_reply(json.dumps({"result": [row]}).encode())) as one:
        assert isinstance(refused(lambda: one.records("incident", ["e" * 32], [])), IgnoredQuery)
        assert isinstance(refused(lambda: one.attachments("incident", ["e" * 32])), ConnectorError)


def test_two_tickets_with_one_correlation_id_are_for_a_person(here: Desk) -> None:
    first, second = ticket(here), ticket(here)
    error = refused(lambda: here.connector().by_correlation("incident", f"{OURS}1", FIELDS))
    assert isinstance(error, AmbiguousRecord)
    assert first.number in error.message and second.number in error.message


def test_a_hidden_ticket_with_our_id_is_not_taken_for_none(here: Desk) -> None:
    made = ticket(here)
    here.do("hide", number=made.number)
    assert "may not read" in refused(lambda: here.connector().by_correlation("incident", f"{OURS}1", FIELDS)).message


def test_what_tells_changes_apart_must_be_readable(here: Desk) -> None:
    made = ticket(here)
    here.do("arrange", unreadable=["sys_mod_count"])
    error = refused(lambda: here.connector().record("incident", made.sys_id, FIELDS))
    assert error.permanent
    assert "sys_mod_count" in error.message


# What is missing.


def test_missing_and_hidden_are_both_none(here: Desk) -> None:
    made = ticket(here)
    connector = here.connector()
    here.do("hide", number=made.number)
    assert connector.record("incident", made.sys_id, FIELDS) is None
    here.do("show", number=made.number)
    assert connector.record("incident", made.sys_id, FIELDS) is not None
    here.do("delete", number=made.number)
    assert connector.record("incident", made.sys_id, FIELDS) is None
    assert connector.records("incident", [made.sys_id], FIELDS) == {}
    assert connector.by_correlation("incident", f"{OURS}1", FIELDS) is None
    error = refused(lambda: connector.update("incident", made.sys_id, {"impact": "1"}))
    assert (error.status, error.permanent, error.outcome_unknown) == (404, True, False)


def test_a_404_of_something_else_is_no_missing_record() -> None:
    page = 404, {"Content-Type": "text/html"}, b"<html>Not Found</html>"
    nowhere = json_reply(b'{"error":{"message":"Requested URI does not represent any resource"}}', 404)
    for reply, permanent in ((page, False), (nowhere, True)):
        with answering(reply) as one:
            assert refused(lambda one=one: one.record("incident", "abc", FIELDS)).permanent is permanent  # type: ignore[misc]


def test_an_unknown_table_is_told_in_its_words(here: Desk) -> None:
    error = refused(lambda: here.connector().create("u_nothing", {"short_description": "x"}))
    assert error.permanent
    assert "Invalid table u_nothing" in error.message


# What goes wrong.


@pytest.mark.parametrize(
    ("fault", "permanent", "unknown", "words"),
    [
        ("hibernate", False, False, "hibernates"),
        ("html", False, True, "with a page instead of data"),
        ("500", False, True, "instead of data"),
        ("garbage", False, True, "whole answer"),
        ("lost", False, True, "whole answer"),
        ("403", True, False, "Failed API level ACL Validation"),
        ("401", True, False, "does not take the credentials"),
        ("429", False, False, "too many requests"),
    ],
)
def test_faults_of_a_write(here: Desk, fault: str, permanent: bool, unknown: bool, words: str) -> None:
    here.do("fault", kind=fault, on="create", times=9)
    error = refused(lambda: ticket(here))
    assert (error.permanent, error.outcome_unknown) == (permanent, unknown)
    assert words in error.message
    assert "practice" not in error.message


@pytest.mark.parametrize("fault", ["hibernate", "html", "garbage", "before", "500"])
def test_a_failed_read_has_no_unknown_outcome(here: Desk, fault: str) -> None:
    made = ticket(here)
    here.do("fault", kind=fault, on="read", times=9)
    error = refused(lambda: here.connector().record("incident", made.sys_id, FIELDS))
    assert (error.permanent, error.outcome_unknown) == (False, False)


def test_a_lost_answer_is_found_again_by_the_correlation_id(here: Desk) -> None:
    here.do("fault", kind="lost", on="create")
    assert refused(lambda: ticket(here)).outcome_unknown
    found = here.connector().by_correlation("incident", f"{OURS}1", FIELDS)
    assert found is not None and found.fields["short_description"] == "Odd sign-ins"
    assert Attempt.objects.get(operation="record.create").status == "unknown_outcome"


def test_a_slow_answer_leaves_the_outcome_unknown() -> None:
    with desk(timeout_seconds=1) as here:
        here.do("fault", kind="late", on="create", delay=1.6)
        error = refused(lambda: ticket(here))
        assert error.outcome_unknown and not error.permanent
        assert here.connector().by_correlation("incident", f"{OURS}1", FIELDS) is not None


def test_a_note_is_never_sent_twice_and_fields_may_be(here: Desk) -> None:
    made = ticket(here)
    here.do("fault", kind="503", on="update")
    assert refused(lambda: here.connector().update("incident", made.sys_id, {"work_notes": "Once"})).outcome_unknown
    assert len([one for one in here.asked("incident") if one["method"] == "PATCH"]) == 1
    here.do("fault", kind="503", on="update")
    assert here.connector().update("incident", made.sys_id, {"impact": "1"}).fields["impact"] == "1"


def test_a_data_policy_refuses_in_its_own_words(here: Desk) -> None:
    made = ticket(here)
    error = refused(lambda: here.connector().update("incident", made.sys_id, {"state": "6"}))
    assert (error.permanent, error.outcome_unknown, error.status) == (True, False, 403)
    assert "The following fields are mandatory: Resolution code, Close notes" in error.message


def test_too_many_requests_tell_when_to_come_again(here: Desk) -> None:
    made = ticket(here)
    here.do("budget", per_hour=1, window=300)
    connector = here.connector()
    connector.record("incident", made.sys_id, FIELDS)
    error = refused(lambda: connector.update("incident", made.sys_id, {"impact": "1"}))
    assert not error.permanent and not error.outcome_unknown
    assert error.retry_after is not None and 250 <= error.retry_after <= 302
    assert "Rate limit of 1 requests per hour" in error.message


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X_RateLimit_Reset": "90"}, 90.0),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "999999"}, 3600.0),
        ({}, 60.0),
    ],
)
def test_the_wait_of_a_429(headers: dict[str, str], wait: float) -> None:
    if "X_RateLimit_Reset" in headers:  # a moment, in seconds since 1970
        headers = {"X_RateLimit_Reset": str(int(time.time() + float(headers["X_RateLimit_Reset"])))}
    with answering(json_reply(b'{"error":{"message":"Rate limit exceeded","detail":null}}', 429, **headers)) as one:
        assert refused(lambda: one.record("incident", "abc", [])).retry_after == pytest.approx(wait, abs=4)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b'{"result": 7}',
        b'{"result": [7]}',
        b'{"result":[],"error":{"message":"Transaction cancelled: maximum execution time exceeded","detail":null}}',
        b'{"result": {"sys_id": {"value": ["\\u0000"]}}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_odd_answers_are_errors_and_no_crash(body: bytes) -> None:
    with answering(json_reply(body)) as one:
        for call in (
            lambda: one.record("incident", "abc", FIELDS),
            lambda: one.records("incident", ["abc"], FIELDS),
            lambda: list(one.changed("incident", prefix=OURS, since=LONG_AGO, fields=FIELDS)),
            lambda: one.choices("incident", "state"),
            lambda: one.journal("incident", ["abc"], LONG_AGO),
            lambda: one.attachments("incident", ["abc"]),
        ):
            with pytest.raises(ConnectorError):
                call()


def test_null_characters_and_secrets_in_an_error_are_not_kept() -> None:
    body = json.dumps({"error": {"message": "wrong\x00 key of-the-desk", "detail": "of-the-desk\x00"}}).encode()
    with answering(json_reply(body, 401)) as one:
        message = refused(lambda: one.record("incident", "abc", [])).message
    assert "of-the-desk" not in message
    assert "of-the-desk" not in json.dumps([[row.request, row.response] for row in Attempt.objects.all()])


# What is right.


def test_raw_values_only(here: Desk) -> None:
    here.do("user", user_name="soar.integration", set={"time_zone": "US/Pacific", "date_format": "dd-MM-yyyy"})
    group = here.connector().groups("Security Operations")[0].value
    made = ticket(here, assignment_group=group, state="2", impact="1", urgency="2")
    found = here.connector().record("incident", made.sys_id, ["assignment_group", "state", "priority", "opened_at"])
    assert found is not None
    assert (found.fields["assignment_group"], found.fields["state"], found.fields["priority"]) == (group, "2", "2")
    assert abs(found.updated_on - datetime.now(UTC)) < timedelta(minutes=1)
    assert (found.updated_by, found.number[:3]) == ("soar.integration", "INC")
    assert found.fields["opened_at"] == found.updated_on.strftime("%Y-%m-%d %H:%M:%S")


def test_what_is_not_written_is_seen_in_the_answer(here: Desk) -> None:
    made = ticket(here)
    here.do("arrange", unwritable=["impact"])
    after = here.connector().update("incident", made.sys_id, {"impact": "1", "short_description": "New\x00 words"})
    assert (after.fields["impact"], after.fields["short_description"]) == ("3", "New words")
    assert after.mod_count == made.mod_count + 1


def test_markup_is_text(here: Desk) -> None:
    text = "<script>alert(1)</script> & ^ORactive=true\n“é” 😀"
    made = ticket(here, description=text)
    found = here.connector().by_correlation("incident", f"{OURS}1", ["description"])
    assert found is not None and found.sys_id == made.sys_id
    assert found.fields["description"] == text


def test_many_records_go_in_chunks(here: Desk) -> None:
    here.do("stock", tickets=230, correlation=f"{OURS}{{n}}")
    ids = [one.sys_id for one in changed(here)]
    here.do("forget")
    found = here.connector().records("incident", [*ids, ids[0], "0" * 32], FIELDS)
    assert sorted(found) == sorted(ids)
    assert len(here.asked("/table/incident")) == 3
    assert max(len(one["query"]["sysparm_query"]) for one in here.asked("/table/incident")) < 4000


def test_what_would_be_sent_is_shown_and_not_sent(here: Desk) -> None:
    shown = here.connector().preview_create("incident", {"short_description": "Hello", "correlation_id": f"{OURS}1"})
    assert shown["request"]["method"] == "POST"
    assert "/api/now/table/incident" in shown["request"]["url"]
    assert shown["request"]["body"] == {"short_description": "Hello", "correlation_id": f"{OURS}1"}
    assert here.asked() == [] and not Attempt.objects.exists()
    assert refused(lambda: here.connector(dry_run=True).create("incident", {"short_description": "x"})).permanent


# What changed.


@pytest.mark.parametrize("zone", ["GMT", "US/Pacific", "Asia/Kolkata", "Pacific/Auckland", "Europe/London"])
def test_changes_are_asked_for_in_the_users_zone(here: Desk, zone: str) -> None:
    here.do("user", user_name="soar.integration", set={"time_zone": zone})
    made = ticket(here)
    assert [one.sys_id for one in changed(here, made.updated_on)] == [made.sys_id]
    assert changed(here, made.updated_on + timedelta(seconds=1)) == []


@pytest.mark.parametrize("zone", ["GMT", "US/Pacific"])
def test_all_pages_are_read_though_rights_shorten_them(here: Desk, zone: str) -> None:
    here.do("user", user_name="soar.integration", set={"time_zone": zone})
    here.do("stock", tickets=60, correlation=f"{OURS}{{n}}")
    rows = changed(here)
    for one in rows[10:35]:
        here.do("hide", number=one.number)
    found = changed(here, limit=10)
    assert [one.sys_id for one in found] == [one.sys_id for one in rows[:10] + rows[35:]]
    assert sorted(found, key=lambda one: one.updated_on) == found


def test_many_of_one_second_are_all_read(here: Desk) -> None:
    here.do("clock", freeze=True)
    here.do("stock", tickets=35, correlation=f"{OURS}{{n}}")
    assert len({one.fields["correlation_id"] for one in changed(here, limit=10)}) == 35


@pytest.mark.parametrize("zone", ["GMT", "US/Pacific"])
def test_what_changes_while_it_is_read_lets_none_slip_by(here: Desk, zone: str) -> None:
    here.do("user", user_name="soar.integration", set={"time_zone": zone})
    numbers = []
    for number in range(30):
        here.do("clock", skew=-600 + number)
        numbers.append(ticket(here, number).number)
    here.do("clock", skew=0)
    found = here.connector().changed("incident", prefix=OURS, since=LONG_AGO, fields=FIELDS, limit=10)
    seen = [next(found)]
    here.do("change", number=numbers[0], set={"impact": "1"})
    here.do("change", number=numbers[1], set={"impact": "1"})
    seen += list(found)
    assert {one.number for one in seen} == set(numbers)
    assert {one.number: one.fields["impact"] for one in seen}[numbers[0]] == "1"


def test_nothing_new_is_one_request(here: Desk) -> None:
    here.do("stock", tickets=200, correlation=f"{OURS}{{n}}")
    last = max(one.updated_on for one in changed(here))
    here.do("forget")
    assert changed(here, last + timedelta(seconds=1)) == []
    assert len(here.asked()) == 1


def test_a_page_without_a_count_is_followed_by_its_link(here: Desk) -> None:
    row = {"sys_id": "a" * 32, "sys_updated_on": "2026-01-01 00:00:00", "sys_updated_by": "a", "sys_mod_count": "1"}
    first = json_reply(json.dumps({"result": [row]}).encode(), Link='<http://x/y>;rel="next"')
    second = json_reply(b'{"result": []}', Link='<http://x/y>;rel="first"')
    with answering(first, second) as one:
        assert len(list(one.rows("test", "api/now/table/incident", {}))) == 1


def test_an_answer_that_is_too_large_is_asked_for_in_parts() -> None:
    rows = json.dumps({"result": [{"sys_id": "a"}]}).encode()
    large = 200, {"Content-Type": "application/json", "Content-Length": str(64 * 1024 * 1024)}, b""
    with answering(large, large, json_reply(rows, X_Total_Count="1")) as one:
        pages = list(one.pages("test", "api/now/table/incident", {}))
    assert [page.size for page in pages] == [15]


# Times.


def test_a_time_in_a_query_finds_everything_from_then_on() -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert literal(moment, timedelta(0)) == "2026-07-01 12:00:00"
    assert literal(moment, timedelta(hours=-7)) == "2026-07-01 04:00:00"
    assert literal(moment, timedelta(hours=5, minutes=30)) == "2026-07-01 16:30:00"
    assert literal(moment, None) == "2026-07-01 00:00:00"


@pytest.mark.parametrize(
    ("pairs", "hours", "form"),
    [
        ([("2026-04-03 10:00:00", "04/03/2026 03:00:00 AM")], -7, "%m/%d/%Y %I:%M:%S %p"),
        ([("2026-04-03 10:00:00", "03/04/2026 12:00:00")], 2, "%d/%m/%Y %H:%M:%S"),
        (
            [("2026-04-04 10:00:00", "04-04-2026 10:00:00"), ("2026-04-03 10:00:00", "03-04-2026 10:00:00")],
            0,
            "%d-%m-%Y",
        ),
        ([("2026-04-03 10:00:07", "03.04.2026 15:30")], 5.5, "%d.%m.%Y %H:%M"),
        ([("2026-04-03 10:00:00", "yesterday")], None, ""),
        ([("nonsense", "2026-04-03 10:00:00")], None, ""),
        ([("2026-04-03 10:00:00", "2026-04-05 10:00:00")], None, ""),
        ([], None, ""),
    ],
)
def test_the_users_zone_and_format_are_measured(pairs: list[tuple[str, str]], hours: float | None, form: str) -> None:
    zone = zone_of(pairs)
    if hours is None:
        assert zone is None
    else:
        assert zone is not None
        assert zone.offset == timedelta(hours=hours)
        assert zone.form.startswith(form)


@pytest.mark.parametrize("seconds", [0, 300, -300])
def test_the_skew_of_the_clocks_is_known(here: Desk, seconds: int) -> None:
    here.do("clock", skew=seconds)
    connector = here.connector()
    assert connector.skew is None
    connector.record("incident", "0" * 32, FIELDS)
    assert connector.skew is not None
    assert abs(connector.skew.total_seconds() - seconds) < 1.5


# What is kept of calls.


def test_every_call_is_an_attempt_and_what_is_polled_is_not_kept(here: Desk) -> None:
    ticket(here)
    changed(here)
    created = Attempt.objects.get(operation="record.create")
    assert (created.status, created.request["body"]["short_description"]) == ("successful", "Odd sign-ins")
    polled = Attempt.objects.get(operation="records.changed")
    assert polled.response and polled.response["body"] is None
    kept = json.dumps([[row.request, row.response] for row in Attempt.objects.all()])
    assert "practice" not in kept.replace("practice-range", "")


class answering:
    """A connector of something that gives these answers."""

    def __init__(self, *replies: Any) -> None:
        self.product = Product()
        self.product.replies = list(replies)

    def __enter__(self) -> ServiceNow:
        from soar.connectors import actions

        settings = {"url": self.product.url, "allow_internal": True, "username": "soar", "timeout_seconds": 3}
        account = actions.create_account(None, "servicenow", "Odd", settings, {"password": "of-the-desk"})
        found = registry.of(account)
        assert isinstance(found, ServiceNow)
        return found

    def __exit__(self, *_: object) -> None:
        from soar.connectors.models import ConnectorAccount

        self.product.stop()
        ConnectorAccount.objects.filter(name="Odd").delete()
