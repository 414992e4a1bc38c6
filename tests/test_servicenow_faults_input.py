"""Bad input on either side of the ServiceNow sync: refused or shown, and no page breaks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.actions import incidents
from cases.actions import servicenow as verbs
from cases.errors import Refused
from cases.models import ServiceNowInstance, TicketChange
from cases.servicenow import correlation
from soar.accounts.models import User
from soar.connectors.base import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.standins.servicenow import seed
from tests.fixtures import client_of
from tests.servicenow_desk import desk
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, equal, here, incident_of, kinds, say, values_differ

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)>"><svg onload=alert(3)> {{ 7*7 }} {% csrf_token %}
[code]<a href="javascript:alert(4)">click</a>[/code]\u202e\x00"""


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides() as made:
        yield made


def page(user: User, address: str = "/servicenow/") -> str:
    """What a person reads there."""
    answer = client_of(user).get(address)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def settings_of(both: Both, **settings: Any) -> None:
    account = ConnectorAccount.objects.get(pk=both.account.pk)
    account.settings = {**account.settings, **settings}
    account.save()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://no-such-host.invalid", "http://127.0.0.1:9/x?y"])
def test_a_wrong_host_holds_all_back_until_it_is_right(both: Both, admin: User, address: str) -> None:
    right = both.account.settings["url"]
    settings_of(both, url=address)
    link = both.open("Beacon")
    say(link, "Waits for the right host.")
    both.poll()
    both.work()
    assert link.state == "creating" and both.failures() == []
    assert ServiceNowInstance.objects.get().out_error and page(admin)
    settings_of(both, url=right)
    equal(both, link)


def test_a_host_that_is_another_server_altogether(both: Both, admin: User) -> None:
    """It answers, with 404 and no word of ServiceNow: that is no ticket that went missing."""
    link = both.open("Beacon")
    both.settle()
    right = both.account.settings["url"]
    settings_of(both, url=right + "/elsewhere")
    edit(link, title="Beacon to a bad host")
    both.work()
    both.reconcile()
    link.refresh_from_db()
    assert link.state == "linked" and TicketChange.objects.filter(state__in=("waiting", "failed")).exists()
    assert page(admin)
    settings_of(both, url=right)
    verbs.retry_all(here())
    equal(both, link)


def test_a_wrong_table_waits_for_a_person_with_its_own_words(both: Both, admin: User) -> None:
    both.profile.table = "u_no_such_table"
    both.profile.save()
    link = both.open("Beacon")
    assert "Invalid table" in both.failures()[0] and "Invalid table" in page(admin)
    verbs.unlink(here(), link.pk)
    both.profile.table = "incident"
    both.profile.save()
    again = both.link(incident_of(link))
    both.settle()
    again.refresh_from_db()
    equal(both, again)


@pytest.mark.parametrize("roles", [["snc_platform_rest_api_access"], []])
def test_missing_roles_are_told_and_nothing_is_lost(both: Both, admin: User, roles: list[str]) -> None:
    link = both.open("Beacon")
    both.settle()
    had = ["snc_platform_rest_api_access", "itil", "itil_admin"]
    both.desk.tell("user", user_name=seed.INTEGRATION, roles=roles)
    say(link, "Nobody may write this.")
    edit(link, title="Nor this")
    both.settle()
    link.refresh_from_db()
    text = page(admin)
    assert link.state == "broken" or both.failures()
    assert link.number in page(admin, "/servicenow/links/") and ("hides it" in text or "ServiceNow" in text)
    both.desk.tell("user", user_name=seed.INTEGRATION, roles=had)
    if link.state == "broken":
        link = verbs.relink(here(), link.pk, link.number)
        both.settle()
        link.refresh_from_db()
    verbs.retry_all(here())
    equal(both, link)


def test_an_over_long_correlation_id_is_refused_before_anything_is_sent() -> None:
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    assert len(correlation.correlation_id("0123abcd", 10**18, moment)) <= 100
    with pytest.raises(ValueError, match="more than 100"):
        correlation.correlation_id("0123abcd", 10**90, moment)
    with desk() as there:
        for wrong in ("", "soar:" + "x" * 100, "soar:1^ORstate=1"):
            with pytest.raises(ConnectorError):
                there.connector().create("incident", {"short_description": "No", "correlation_id": wrong})
            with pytest.raises(ConnectorError):
                there.connector().by_correlation("incident", wrong, ())
        assert there.asked("/table/incident") == []


def test_a_note_of_four_megabytes_from_there(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.desk.tell("arrange", journal_limit=5_000_000)
    text = "They wrote: " + "x" * 4_000_000
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text=text)
    both.settle()
    (entry,) = kinds(link, "servicenow.note")
    assert len(entry.text) <= 50_000 and "4000012 characters in ServiceNow" in entry.text
    assert "They wrote:" in page(admin, f"/incidents/{incident_of(link).number}/")
    assert both.compare(link.incident_id) == []


def test_a_note_of_four_megabytes_from_here_is_refused_and_a_long_one_goes_in_parts(both: Both) -> None:
    link = both.open("Beacon")
    with pytest.raises(Refused):
        say(link, "x" * 4_000_000)
    say(link, "\n".join(f"{number} {'y' * 50}" for number in range(180)))
    equal(both, link)
    assert all(len(one["value"]) <= 4000 for one in both.ticket(link)["journal"])


def test_hostile_words_in_notes_and_titles_are_text_on_every_page(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    number = incident_of(link).number
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text=HOSTILE)
    both.desk.change(both.ticket(link), short_description=f"{number} <img src=x onerror=alert(5)>")
    say(link, HOSTILE.replace("\x00", "").replace("\u202e", ""))
    both.settle()
    assert both.compare(link.incident_id) == [] and values_differ(incident_of(link), both.fields(link)) == []
    for address in (f"/incidents/{number}/", "/servicenow/", "/servicenow/links/", "/servicenow/log/", "/incidents/"):
        text = page(admin, address)
        assert "<script>alert" not in text and "<img src=x" not in text and "<svg onload" not in text, address
        assert '<a href="javascript:' not in text and "49 " not in text.partition("7*7")[0][-6:], address
        assert "\u202e" not in text, address
    assert "&lt;script&gt;alert(1)" in page(admin, f"/incidents/{number}/")


def test_hostile_words_in_an_error_of_theirs(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.desk.tell("fault", kind="403", on="update", message="<script>alert(1)</script>", detail="{{ x }}")
    edit(link, title="Beacon to a bad host")
    both.work()
    assert "<script>alert" in both.failures()[0]
    for address in ("/servicenow/", "/servicenow/log/", f"/incidents/{incident_of(link).number}/"):
        assert "<script>alert" not in page(admin, address)
    verbs.retry_all(here())
    equal(both, link)


def test_a_quoted_mark_makes_no_note_of_theirs_ours(both: Both) -> None:
    """Neither the mark alone nor the integration user alone makes a note ours (7)."""
    link = both.open("Beacon")
    say(link, "Ours")
    both.settle()
    mark = both.ticket(link)["journal"][0]["value"].rpartition("\n")[2]
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text=f"I quote:\n{mark}")
    both.desk.tell("note", sys_id=link.sys_id, as_=seed.INTEGRATION, text="Another tool of the same account")
    both.settle()
    assert len(kinds(link, "servicenow.note")) == 2
    equal(both, link)


def test_a_title_of_no_words_and_one_that_is_too_long(both: Both) -> None:
    link = both.open("Beacon")
    incidents.update(here(), link.incident_id, changes={"title": "T" * 300})
    both.settle()
    assert len(both.fields(link)["short_description"]) == 160
    equal(both, link)
    assert incident_of(link).title == "T" * 300  # what was cut there does not come back
    both.desk.change(both.ticket(link), short_description="")
    both.settle()
    assert incident_of(link).title
