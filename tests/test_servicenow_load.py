"""Many tickets, many changes: few requests when nothing changed, order and the rate budget when much did.

The numbers that are asked for, 10,000 tickets and 500 changes, are those of ``python -m benchmarks servicenow``;
here ``SOAR_MANY_TICKETS`` and ``SOAR_MANY_NOTES`` say how many."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Incident, LinkState, ServiceNowInstance, TicketChange, TicketLink
from cases.servicenow import adopted as adopted_tickets
from cases.servicenow.correlation import correlation_id
from cases.servicenow.mapping import ProfileRules, agrees
from cases.servicenow.merge import agreed
from soar.accounts.models import User
from tests.playbook_files import until
from tests.servicenow_tools import Both, both_sides

pytestmark = pytest.mark.django_db
MANY = int(os.environ.get("SOAR_MANY_TICKETS", "2000"))
NOTES = int(os.environ.get("SOAR_MANY_NOTES", "20"))  # for each of five tickets


def stocked(both: Both, number: int) -> list[TicketLink]:
    """So many linked incidents, in agreement with tickets that the instance has had for a while."""
    now = timezone.now()
    found = Incident.objects.bulk_create(
        Incident(title=f"Number {place}", severity=Severity.MEDIUM, created_at=now, updated_at=now)
        for place in range(number)
    )
    install = both.instance.installation
    ids = [correlation_id(install, one.pk, one.created_at) for one in found]
    fields = {"impact": "2", "urgency": "2", "priority": "3", "state": "1"}
    answer = both.desk.tell("stock", tickets=number, correlation="soar:{n}", set={"impact": "2", "urgency": "2"})
    rows = both.desk.standin.store.state["tables"]["incident"]
    links = []
    for one, ident, made in zip(found, ids, answer["stocked"], strict=True):
        row = rows[made["sys_id"]] = {**rows[made["sys_id"]], "correlation_id": ident}
        raw = {**fields, "short_description": row["short_description"], "assigned_to": "", "assignment_group": ""}
        links.append(
            TicketLink(
                incident=one, instance=both.instance, profile=both.profile, table="incident", state=LinkState.LINKED,
                sys_id=row["sys_id"], number=row["number"], correlation_id=ident, theirs=raw,
                seen_mod_count=int(row["sys_mod_count"]),
            )
        )  # fmt: skip
    made_links = TicketLink.objects.bulk_create(links)
    ServiceNowInstance.objects.update(read_until=now, reconcile_at=now + timedelta(hours=1))
    return made_links


def test_many_tickets_of_which_none_changed_are_few_requests() -> None:
    with both_sides(timeout=30) as both:
        stocked(both, MANY)
        both.poll()
        both.desk.tell("forget")
        with CaptureQueriesContext(connection) as queries:
            both.poll()
        requests = len(both.desk.ask("requests"))
        assert requests < 20
        assert len(queries) < 4 * MANY / 100 + 100  # by the hundred, not one by one
        assert ServiceNowInstance.objects.get().in_error == ""
        assert not TicketChange.objects.exists()


def adopted(both: Both, number: int) -> list[TicketLink]:
    """Tickets that people linked by hand: they bear no id of ours."""
    links = stocked(both, number)
    rows = both.desk.standin.store.state["tables"]["incident"]
    for link in links:
        rows[link.sys_id]["correlation_id"] = ""
    TicketLink.objects.update(ours_correlation=False, created_there=False)
    return links


def test_many_tickets_that_people_linked_are_few_requests_and_a_change_of_one_is_seen() -> None:
    with both_sides(timeout=30) as both:
        link = adopted(both, MANY)[MANY // 2]
        both.poll()
        both.desk.tell("forget")
        both.poll()
        assert len(both.desk.ask("requests")) < 20
        assert ServiceNowInstance.objects.get().in_error == ""
        both.desk.change({"table": "incident", "sys_id": link.sys_id}, short_description="Theirs")
        both.poll()
        assert Incident.objects.get(pk=link.incident_id).title == "Theirs"


def test_where_only_strangers_change_the_reading_goes_on_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopted_tickets, "FEW", 2)
    with both_sides() as both:
        link = adopted(both, 5)[0]
        begun = timezone.now() - timedelta(days=1)
        ServiceNowInstance.objects.update(read_until=begun)
        other = both.desk.create(short_description="Not ours")
        both.poll()
        reached: Any = ServiceNowInstance.objects.get().read_until
        assert reached > begun + timedelta(hours=23), "or each poll reads all that changed in the table since"
        both.desk.change({"table": "incident", "sys_id": link.sys_id}, short_description="Theirs")
        both.poll()
        assert Incident.objects.get(pk=link.incident_id).title == "Theirs"
        assert not TicketLink.objects.filter(sys_id=other["sys_id"]).exists()


def test_where_more_changes_than_there_are_tickets_each_ticket_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopted_tickets, "FEW", 2)
    with both_sides(timeout=30) as both:
        link = adopted(both, 3)[1]
        both.desk.tell("stock", tickets=1200, correlation="", set={})
        ServiceNowInstance.objects.update(read_until=timezone.now() - timedelta(days=400))
        both.desk.change({"table": "incident", "sys_id": link.sys_id}, short_description="Theirs")
        both.desk.tell("forget")
        both.poll()
        assert Incident.objects.get(pk=link.incident_id).title == "Theirs"
        assert len(both.desk.ask("requests")) < 20


def test_many_changes_go_out_in_order_within_the_budget(admin: User) -> None:
    with both_sides() as both:
        links = [both.open(f"Number {place}") for place in range(5)]
        both.settle()
        both.desk.tell("down", seconds=3600, how="503")
        for place in range(NOTES):
            for link in links:
                incidents.comment(Actor.of(admin), link.incident_id, f"note {place}")
        both.work()
        assert TicketChange.objects.filter(state="waiting").count() >= 5 * NOTES - 5
        both.desk.tell("up")
        both.desk.tell("budget", per_hour=2 * NOTES, window=5)
        both.desk.tell("forget")
        until(lambda: _sent(both), seconds=60)
        both.settle()
        for link in links:
            said = [entry["value"].split("\n")[1] for entry in both.ticket(link)["journal"]]
            assert said == [f"note {place}" for place in range(NOTES)]
        assert [line for link in links for line in both.compare(link.incident_id)] == []


def _sent(both: Both) -> bool:
    """Whether nothing waits any more, after another try: how many are allowed comes with the stand-in's clock."""
    both.due()
    both.work()
    return not TicketChange.objects.filter(state="waiting").exists()


def test_a_base_is_what_both_sides_say(admin: User) -> None:
    """The stock above is in agreement by the rules themselves."""
    with both_sides() as both:
        link = both.open("One")
        rules: Any = ProfileRules.of(link.profile)
        from cases.servicenow.case import state_of

        case = state_of(link.incident)
        for name in ("title", "severity", "status"):
            assert agrees(rules, case, name, link.theirs)
            assert link.base[name] == agreed(rules, case, name, link.theirs)
