"""Notes, attachments, and what fields may hold, over HTTP against the stand-in (servicenow.md 2, 4, 5)."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from soar.connectors.base import ConnectorError
from soar.connectors.models import Attempt
from soar.connectors.servicenow.journal import taken_apart
from soar.connectors.servicenow.records import Record
from soar.connectors.servicenow.times import Zone
from soar.standins.servicenow import seed
from tests.servicenow_desk import Desk, desk

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
UTC_ZONE = Zone(timedelta(0), "%Y-%m-%d %H:%M:%S")


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    cache.clear()


@pytest.fixture
def here() -> Iterator[Desk]:
    with desk() as found:
        yield found


@pytest.fixture
def made(here: Desk) -> Record:
    return here.connector().create("incident", {"short_description": "Odd sign-ins", "correlation_id": "soar:1"})


def refused(do: Callable[[], object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do()
    return caught.value


# Notes.


@pytest.mark.parametrize("zone", ["GMT", "US/Pacific"])
def test_notes_are_read_by_themselves(here: Desk, made: Record, zone: str) -> None:
    here.do("user", user_name="soar.integration", set={"time_zone": zone})
    connector = here.connector()
    connector.update("incident", made.sys_id, {"work_notes": "Ours [ref:1]"})
    here.do("note", number=made.number, text="Theirs\n<b>bold</b>", element="comments", **{"as": "mara.lindqvist"})
    other = connector.create("incident", {"short_description": "Other"})
    connector.update("incident", other.sys_id, {"work_notes": "Elsewhere"})
    found = connector.journal("incident", [made.sys_id], LONG_AGO)
    assert connector.journal_readable is True
    assert {(one.element, one.value, one.created_by, one.record) for one in found} == {
        ("work_notes", "Ours [ref:1]", "soar.integration", made.sys_id),
        ("comments", "Theirs\n<b>bold</b>", "mara.lindqvist", made.sys_id),
    }
    last = max(one.created_on for one in found)
    assert connector.journal("incident", [made.sys_id], last + timedelta(seconds=1)) == []
    assert len(connector.journal("incident", [made.sys_id, other.sys_id], made.updated_on)) == 3


def test_long_notes_come_whole(here: Desk, made: Record) -> None:
    here.do("arrange", journal_limit=4_000_000)
    text = "0123456789" * 300_000
    here.connector().update("incident", made.sys_id, {"work_notes": text})
    (entry,) = here.connector().journal("incident", [made.sys_id], LONG_AGO)
    assert entry.value == text
    sent = Attempt.objects.get(operation="record.update")
    assert len(json.dumps(sent.request)) < 20_000


@pytest.mark.parametrize("how", ["no", "empty"])
@pytest.mark.parametrize("zone", ["GMT", "US/Pacific"])
def test_notes_that_may_not_be_read_by_themselves_are_taken_from_the_record(
    here: Desk, made: Record, how: str, zone: str
) -> None:
    here.do("user", user_name="soar.integration", set={"time_zone": zone, "date_format": "dd-MM-yyyy"})
    connector = here.connector()
    connector.update("incident", made.sys_id, {"work_notes": "First\n\nof two parts [ref:1]"})
    here.do("note", number=made.number, text="Second", **{"as": "mara.lindqvist"})
    here.do("note", number=made.number, text="Seen by callers", element="comments", **{"as": "mara.lindqvist"})
    truth = connector.journal("incident", [made.sys_id], LONG_AGO)
    here.do("arrange", journal_read=how)
    connector = here.connector()
    found = connector.journal("incident", [made.sys_id], LONG_AGO)
    assert connector.journal_readable is False
    assert {(one.element, one.value, one.created_on) for one in found} == {
        (one.element, one.value, one.created_on) for one in truth
    }
    assert {one.created_by for one in found} == {"Soar Integration", "Mara Lindqvist"}
    again = here.connector().journal("incident", [made.sys_id], LONG_AGO)
    assert [one.sys_id for one in again] == [one.sys_id for one in found]
    later = max(one.created_on for one in found) + timedelta(seconds=1)
    assert here.connector().journal("incident", [made.sys_id], later) == []


def test_what_a_record_shows_is_taken_apart_the_same_way_every_time() -> None:
    newer = "2026-11-21 10:00:02 - Ann (B) Lee (Work notes)\nSame\n\n"
    older = "2026-11-21 10:00:01 - Ann (B) Lee (Work notes)\nSame\n\n2026 is a year - not a (heading)\n\n"
    one = taken_apart("r", "work_notes", newer + older, UTC_ZONE)
    assert [(entry.value, entry.created_by) for entry in one] == [
        ("Same\n\n2026 is a year - not a (heading)", "Ann (B) Lee"),
        ("Same", "Ann (B) Lee"),
    ]
    twice = taken_apart("r", "work_notes", newer + newer + older, UTC_ZONE)
    assert len({entry.sys_id for entry in twice}) == 3
    assert {entry.sys_id for entry in one} <= {entry.sys_id for entry in twice}
    assert taken_apart("r", "work_notes", "no heading at all", UTC_ZONE) == []
    assert taken_apart("r", "work_notes", "", UTC_ZONE) == []


def test_an_outage_is_not_taken_for_a_missing_right(here: Desk, made: Record) -> None:
    connector = here.connector()
    here.do("fault", kind="hibernate", on="sys_journal_field", times=1)
    assert "hibernates" in refused(lambda: connector.journal("incident", [made.sys_id], LONG_AGO)).message
    assert connector.journal_readable is None


# Attachments.


def test_a_file_goes_and_comes_back(here: Desk, made: Record) -> None:
    content = os.urandom(3 * 1024 * 1024)
    digest = hashlib.sha256(content).hexdigest()
    connector = here.connector()
    sent = connector.attach(
        "incident", made.sys_id, "C:\\mail\\odd\x00 näme.bin", "application/x-odd", io.BytesIO(content)
    )
    assert (sent.name, sent.size, sent.sha256) == ("odd näme.bin", len(content), digest)
    (found,) = connector.attachments("incident", [made.sys_id])
    assert found == sent
    assert connector.download(found) == content
    row = Attempt.objects.get(operation="attachment.send")
    assert row.request["body"] == f"[{len(content)} bytes]"
    fetched = Attempt.objects.get(operation="attachment.fetch").response
    assert fetched and fetched["body"] is None


def test_a_send_that_was_turned_away_is_repeated_whole(here: Desk, made: Record) -> None:
    here.do("fault", kind="429", on="attach", headers={"Retry-After": "0"}, message="Rate limit exceeded")
    content = b"x" * 700_000
    assert here.connector().attach("incident", made.sys_id, "a.bin", "", io.BytesIO(content)).size == len(content)


def test_a_lost_send_is_found_by_its_digest(here: Desk, made: Record) -> None:
    here.do("fault", kind="lost", on="attach")
    connector = here.connector()
    assert refused(lambda: connector.attach("incident", made.sys_id, "a.txt", "text/plain", b"abc")).outcome_unknown
    (found,) = connector.attachments("incident", [made.sys_id])
    assert found.sha256 == hashlib.sha256(b"abc").hexdigest()


def test_what_is_refused_is_told_in_its_words(here: Desk, made: Record) -> None:
    connector = here.connector()
    here.do("property", name="glide.attachment.extensions", value="txt,pdf")
    error = refused(lambda: connector.attach("incident", made.sys_id, "a.exe", "", b"MZ"))
    assert error.permanent and "not allowed" in error.message
    here.do("property", name="com.glide.attachment.max_size", value="0.001")
    error = refused(lambda: connector.attach("incident", made.sys_id, "a.txt", "", b"x" * 2000))
    assert error.permanent and "larger than the maximum" in error.message
    assert refused(lambda: connector.attach("incident", made.sys_id, "a.txt", "", b"")).permanent
    assert connector.attachments("incident", [made.sys_id]) == []


def test_a_download_has_bounds_and_is_checked(here: Desk, made: Record) -> None:
    connector = here.connector()
    sent = connector.attach("incident", made.sys_id, "a.txt", "text/plain", b"abc" * 100)
    assert "more than the 10" in refused(lambda: connector.download(sent, most=10)).message
    assert "instead of the file" in refused(lambda: connector.download(replace(sent, sha256="0" * 64))).message
    here.do("fault", kind="hibernate", on="read")
    assert "instead of the file" in refused(lambda: connector.download(sent)).message
    here.do("hide", number=made.number)
    assert refused(lambda: connector.download(sent)).status == 404


# Choices, people, groups.


def test_choices_are_read_live_and_kept_a_while(here: Desk) -> None:
    connector = here.connector()
    states = {one.value: one.label for one in connector.choices("incident", "state")}
    assert (states["1"], states["6"]) == ("New", "Resolved")
    here.do("forget")
    assert connector.choices("incident", "state") == here.connector().choices("incident", "state")
    assert here.asked() == []


def test_choices_of_a_parent_table(here: Desk) -> None:
    assert [one.value for one in here.connector().choices("incident", "impact")] == ["1", "2", "3"]
    assert {one.value for one in here.connector().choices("sn_si_incident", "state")} >= {"10", "16", "3"}
    assert here.connector().choices("incident", "nothing") == []


def test_people_are_found_by_parts_of_their_names(here: Desk) -> None:
    connector = here.connector()
    (found,) = connector.users("lindq")
    assert (found.label, found.name) == ("Mara Lindqvist (mara.lindqvist)", "mara.lindqvist")
    assert "@" in found.email
    assert connector.user("mara.lindqvist") == connector.user(found.email) == connector.user(found.value) == found
    assert len(connector.users("", limit=3)) == 3
    assert [one.label for one in connector.groups("desk")] == ["Service Desk"]
    assert connector.group("Service Desk") == connector.groups("Service Desk")[0]


@pytest.mark.parametrize("text", ["^ORactive=false", "a^", "javascript:1", "line\nbreak", "x" * 500])
def test_what_cannot_be_searched_for_finds_nobody(here: Desk, text: str) -> None:
    assert here.connector().users(text) == here.connector().groups(text) == []
    assert here.connector().user(text) is None


def test_an_empty_name_is_nobody(here: Desk) -> None:
    assert here.connector().user(" ") is None
    assert here.connector().group("") is None
    assert here.asked() == []


def test_two_people_with_one_address_are_nobody(here: Desk) -> None:
    for name in ("one", "two"):
        here.do("user", user_name=name, set={"email": "same@desk.example"})
    assert here.connector().user("same@desk.example") is None


def test_an_ignored_search_finds_nobody(here: Desk) -> None:
    here.do("arrange", unreadable=["name", "user_name", "email"])
    assert here.connector().users("lindq") == []
    assert here.connector().user("mara.lindqvist") is None


# What became of single fields.


@pytest.mark.parametrize("zone", ["GMT", "US/Pacific"])
def test_the_history_of_fields(here: Desk, made: Record, zone: str) -> None:
    here.do("arrange", audit_read="yes")
    here.do("user", user_name=seed.INTEGRATION, set={"time_zone": zone})
    connector = here.connector()
    connector.update("incident", made.sys_id, {"impact": "1"})
    here.do("change", sys_id=made.sys_id, **{"as": "mara.lindqvist", "set": {"impact": "2", "urgency": "1"}})
    found = connector.history("incident", made.sys_id, ["impact"], made.updated_on)
    assert found is not None
    assert [(one.field, one.old, one.new, one.by) for one in found] == [
        ("impact", "3", "1", seed.INTEGRATION), ("impact", "1", "2", "mara.lindqvist"),
    ]  # fmt: skip
    assert [one.count for one in found] == [made.mod_count + 1, made.mod_count + 2]
    assert connector.history("incident", made.sys_id, ["impact"], found[-1].at + timedelta(days=2)) == []


def test_a_history_of_which_a_part_of_the_query_was_ignored_is_not_used(here: Desk, made: Record) -> None:
    here.do("arrange", audit_read="yes")
    other = here.connector().create("incident", {"short_description": "Another"})
    for one in (made, other):
        here.connector().update("incident", one.sys_id, {"impact": "1"})
    here.do("arrange", unreadable=["documentkey"])
    with pytest.raises(ConnectorError, match="ignored a part"):
        here.connector().history("incident", made.sys_id, ["impact"], made.updated_on)


@pytest.mark.parametrize("how", ["no", "empty"])
def test_a_history_that_is_kept_from_us_is_none(here: Desk, made: Record, how: str) -> None:
    here.do("arrange", audit_read=how)
    here.connector().update("incident", made.sys_id, {"impact": "1"})
    assert here.connector().history("incident", made.sys_id, ["impact"], made.updated_on) is None
