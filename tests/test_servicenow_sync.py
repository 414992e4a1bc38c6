"""The ServiceNow sync over real HTTP: what changes on one side comes to the other, once, whatever is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cases.actions import evidence, incidents, links, servicenow
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus, Severity
from cases.errors import Conflict
from cases.models import (
    AttachmentSeen,
    ChangeState,
    Evidence,
    Incident,
    LinkState,
    MappingGap,
    ServiceNowInstance,
    TicketChange,
    TicketConflict,
    TicketLink,
    TimelineEntry,
)
from cases.servicenow import considering, linking, outbox, polling, sending
from soar.accounts.models import User
from soar.connectors.models import Attempt
from soar.lib import clock
from soar.standins.servicenow import seed
from tests.factories import make_alert, make_incident, make_source, make_team, make_user
from tests.servicenow_tools import DESK, Both, both_sides

pytestmark = pytest.mark.django_db


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides() as found:
        yield found


@pytest.fixture
def actor(admin: User) -> Actor:
    return Actor.of(admin)


def incident(link: TicketLink) -> Incident:
    return Incident.objects.get(pk=link.incident_id)


def kinds(link: TicketLink) -> list[str]:
    return list(TimelineEntry.objects.filter(incident=link.incident_id).order_by("pk").values_list("kind", flat=True))


def told(link: TicketLink, kind: str) -> list[TimelineEntry]:
    return list(TimelineEntry.objects.filter(incident=link.incident_id, kind=kind).order_by("pk"))


def note(both: Both, link: TicketLink, text: str, as_: str = DESK, **more: Any) -> None:
    both.desk.tell("note", table=link.table, sys_id=link.sys_id, as_=as_, text=text, **more)


def change(both: Both, link: TicketLink, **fields: str) -> None:
    both.desk.tell("change", table=link.table, sys_id=link.sys_id, as_=DESK, set=fields)


def equal(both: Both, link: TicketLink) -> bool:
    assert both.failures() == []
    assert both.compare(link.incident_id) == []
    return True


# Making a ticket


def test_an_incident_gets_one_ticket_with_what_it_is(both: Both) -> None:
    link = both.open("Phishing", severity="critical", summary="Somebody clicked")
    assert (link.state, link.number[:3]) == (LinkState.LINKED, "INC")
    fields = both.fields(link)
    assert fields["short_description"] == f"INC-{link.incident_id} Phishing"
    assert fields["description"] == "Somebody clicked"
    assert (fields["impact"], fields["urgency"], fields["correlation_id"]) == ("1", "1", link.correlation_id)
    assert told(link, "servicenow.linked")[0].data["number"] == link.number
    assert equal(both, link)


def test_what_was_noted_before_the_ticket_follows_it(both: Both, actor: Actor) -> None:
    found = make_incident("Early")
    incidents.comment(actor, found.pk, "first")
    incidents.comment(actor, found.pk, "second")
    link = both.link(found)
    both.work()
    assert [entry["value"].split("\n")[1] for entry in both.ticket(link)["journal"]] == ["first", "second"]
    assert equal(both, link)


@pytest.mark.parametrize("kind", ["lost", "after", "504", "garbage"])
def test_a_lost_answer_to_the_making_makes_no_second_ticket(both: Both, kind: str) -> None:
    both.desk.tell("fault", kind="lost" if kind == "after" else kind, on="create")
    link = both.open("Lost")
    both.settle()
    link.refresh_from_db()
    assert link.state == LinkState.LINKED
    tickets = [one for one in both.desk.ask("tickets") if link.correlation_id in str(one)]
    assert len(tickets) <= 1
    assert len([r for r in both.desk.ask("state")["tickets"] if link.correlation_id in str(r)]) == 1
    assert equal(both, link)


def test_a_second_ticket_on_the_same_table_is_refused(both: Both) -> None:
    link = both.open()
    with pytest.raises(Conflict, match=link.number):
        both.link(incident(link))


def test_a_ticket_that_is_there_can_be_linked_by_its_number(both: Both) -> None:
    ticket = both.desk.create(short_description="From the desk", impact="1", urgency="1")
    note_text = "an old note"
    both.desk.tell("note", sys_id=ticket["sys_id"], as_=DESK, text=note_text)
    found = make_incident("Ours", severity="low")
    with transaction.atomic():
        link = linking.attach_existing(found, both.profile, ticket["number"], Actor.system())
    both.settle()
    link.refresh_from_db()
    assert (link.state, link.sys_id, link.created_there) == (LinkState.LINKED, ticket["sys_id"], False)
    assert [entry.text for entry in told(link, "servicenow.note")] == [note_text]
    assert {entry.data["field"] for entry in told(link, "servicenow.conflict")} == {"title", "severity"}
    assert equal(both, link)
    both.desk.change(ticket, short_description="Changed later")
    both.settle()
    assert incident(link).title == "Changed later"


def test_a_number_that_is_not_there_fails_with_words(both: Both) -> None:
    with transaction.atomic():
        linking.attach_existing(make_incident(), both.profile, "INC9999999", Actor.system())
    both.work()
    assert "INC9999999" in both.failures()[0]


# Ours to theirs


def test_changes_here_come_there(both: Both, actor: Actor) -> None:
    link = both.open("Old title", severity="low")
    incidents.update(actor, link.incident_id, changes={"title": "New title", "severity": "high"})
    incidents.set_status(actor, link.incident_id, "contained")
    both.work()
    fields = both.fields(link)
    assert fields["short_description"].endswith("New title")
    assert (fields["priority"], fields["state"]) == ("2", "2")
    assert equal(both, link)


def test_people_and_teams_go_over_by_map_or_mail(both: Both, actor: Actor) -> None:
    mara = make_user("mara")
    mara.email = "mara.lindqvist@corp.example.com"
    mara.save()
    team = make_team("Blue")
    group = {"value": seed.group_id("Security Operations"), "label": "Security Operations"}
    both.profile.maps["group"] = {str(team.pk): group}
    both.profile.save()
    link = both.open()
    incidents.owners(actor, link.incident_id, lead=mara)
    incidents.update(actor, link.incident_id, changes={"team": team})
    both.work()
    fields = both.fields(link)
    assert fields["assigned_to"] == seed.user_id("mara.lindqvist")
    assert fields["assignment_group"] == seed.group_id("Security Operations")
    change(both, link, assigned_to="")
    both.settle()
    assert not incident(link).owner_rows.filter(lead=True).exists()
    change(both, link, assigned_to=seed.user_id("mara.lindqvist"))
    both.settle()
    assert incident(link).owner_rows.get(lead=True).user == mara


def test_closing_here_resolves_there_with_code_and_notes(both: Both, actor: Actor) -> None:
    link = both.open()
    incidents.set_status(actor, link.incident_id, "closed", determination="benign", reason="A drill")
    both.work()
    fields = both.fields(link)
    assert (fields["state"], fields["close_code"], fields["close_notes"]) == ("6", "No resolution provided", "A drill")
    assert equal(both, link)
    incidents.set_status(actor, link.incident_id, "open")
    both.work()
    assert both.fields(link)["state"] == "1"
    assert equal(both, link)


def test_a_code_that_the_instance_does_not_have_is_not_sent(both: Both, actor: Actor) -> None:
    both.profile.maps["close_code"] = {"benign": "Made up"}
    both.profile.save()
    link = both.open()
    incidents.set_status(actor, link.incident_id, "closed", determination="benign", reason="x")
    both.work()
    assert "Made up" in both.failures()[0]
    assert both.fields(link)["state"] == "1"


def test_notes_are_chosen_by_kind_and_go_to_the_chosen_field(both: Both, actor: Actor) -> None:
    both.profile.note_kinds, both.profile.note_field = ["handoff"], "comments"
    both.profile.save()
    link = both.open()
    incidents.comment(actor, link.incident_id, "not this one")
    incidents.comment(actor, link.incident_id, "this one", kind="handoff")
    both.work()
    journal = both.ticket(link)["journal"]
    assert [entry["element"] for entry in journal] == ["comments"]
    assert "this one" in journal[0]["value"]


def test_a_long_note_comes_in_parts(both: Both, actor: Actor) -> None:
    link = both.open()
    incidents.comment(actor, link.incident_id, "sentence " * 2000)
    both.work()
    assert len(both.ticket(link)["journal"]) == 5
    assert equal(both, link)


def test_evidence_is_attached_where_the_profile_says_so(both: Both, actor: Actor) -> None:
    both.profile.send_evidence = True
    both.profile.save()
    link = both.open()
    evidence.add_bytes(actor, link.incident_id, "mail.eml", b"From: x")
    both.work()
    assert [one["file_name"] for one in both.ticket(link)["attachments"]] == ["mail.eml"]
    assert equal(both, link)


# Theirs to ours


def test_changes_there_come_here(both: Both) -> None:
    link = both.open("Old", severity="low")
    change(both, link, impact="1", urgency="1", short_description=f"INC-{link.incident_id} New", state="2")
    both.settle()
    found = incident(link)
    assert (found.title, found.severity, found.status) == ("New", Severity.CRITICAL, IncidentStatus.IN_PROGRESS)
    assert {entry.actor_name for entry in told(link, "changed")} == {f"{DESK} (ServiceNow)"}
    assert equal(both, link)


@pytest.mark.parametrize("state", [6, 7])
def test_closing_there_ends_it_here_and_opening_opens(both: Both, state: int) -> None:
    alert = make_alert()
    found = make_incident("With alert", alert)
    link = both.link(found)
    both.work()
    link.refresh_from_db()
    both.desk.tell("close", sys_id=link.sys_id, as_=DESK, code="User error", notes="Was a test", state=state)
    both.settle()
    found.refresh_from_db()
    assert not IncidentStatus(found.status).is_open
    assert (found.determination, found.resolve_reason) == (Determination.BENIGN, "Was a test")
    alert.refresh_from_db()
    assert alert.status == 2
    assert equal(both, link)
    if state == 6:
        both.desk.tell("auto-close", sys_id=link.sys_id)
        entries = len(kinds(link))
        both.settle()
        assert len(kinds(link)) == entries
    both.desk.tell("reopen", sys_id=link.sys_id, as_=DESK, force=True)
    both.settle()
    assert incident(link).status == IncidentStatus.IN_PROGRESS
    assert "incident.reopened" in kinds(link)
    assert equal(both, link)


def test_a_close_code_without_counterpart_waits_for_a_person(both: Both, actor: Actor) -> None:
    both.profile.maps["close_code_in"] = {}
    both.profile.save()
    link = both.open()
    both.desk.tell("close", sys_id=link.sys_id, as_=DESK, code="Duplicate", notes="n")
    both.settle()
    assert incident(link).status == IncidentStatus.OPEN
    row = TicketConflict.objects.get(link=link, outcome="", field="status")
    assert "close code" in row.theirs["why"]
    incidents.update(actor, link.incident_id, changes={"determination": "benign"})
    both.settle()
    assert not IncidentStatus(incident(link).status).is_open
    row.refresh_from_db()
    assert row.outcome == "theirs"


def test_a_conflict_that_people_decide_for_ours_goes_over(both: Both, actor: Actor) -> None:
    both.profile.maps["close_code_in"] = {}
    both.profile.save()
    link = both.open()
    both.desk.tell("close", sys_id=link.sys_id, as_=DESK, code="Duplicate", notes="n")
    both.settle()
    servicenow.decide(actor, TicketConflict.objects.get(outcome="", field="status").pk, "ours")
    both.settle()
    assert both.fields(link)["state"] == "1"
    assert incident(link).status == IncidentStatus.OPEN


def test_notes_from_there_are_text_and_by_their_writer(both: Both) -> None:
    link = both.open()
    note(both, link, "<img src=x onerror=alert(1)>")
    note(both, link, "to the caller", element="comments")
    both.settle()
    found = told(link, "servicenow.note")
    assert {entry.text for entry in found} == {"<img src=x onerror=alert(1)>", "to the caller"}
    assert found[0].actor_name == f"{DESK} (ServiceNow)"
    assert abs((timezone.now() - found[0].occurred_at).total_seconds()) < 60
    assert equal(both, link)


def test_files_from_there_become_evidence_and_what_is_refused_is_named(both: Both, settings: Any) -> None:
    settings.EVIDENCE_MB = 1
    both.profile.directions["evidence"] = "both"
    both.profile.save()
    link = both.open()
    both.desk.tell("attach", sys_id=link.sys_id, as_=DESK, name="log.txt", content="a log")
    both.desk.tell("attach", sys_id=link.sys_id, as_=DESK, name="big.bin", content="x" * 2 * 1024 * 1024)
    both.settle()
    assert [(one.name, one.added_by_name) for one in Evidence.objects.all()] == [("log.txt", f"{DESK} (ServiceNow)")]
    left = told(link, "servicenow.attachment")
    assert [entry.data["name"] for entry in left] == ["big.bin"]
    both.reconcile()
    assert AttachmentSeen.objects.filter(link=link).count() == 2


def test_a_person_whom_nobody_knows_is_left_alone_and_counted(both: Both) -> None:
    link = both.open()
    change(both, link, assigned_to=seed.user_id("e.caller"), impact="1", urgency="1")
    both.settle()
    assert incident(link).severity == Severity.CRITICAL
    assert not incident(link).owner_rows.exists()
    assert MappingGap.objects.get().value == seed.user_id("e.caller")
    assert [line.split(":")[0] for line in both.compare(link.incident_id)] == ["owner"]


# No echo


def test_nothing_goes_round_in_circles(both: Both, actor: Actor) -> None:
    link = both.open()
    incidents.comment(actor, link.incident_id, "from here")
    note(both, link, "from there")
    change(both, link, impact="1", urgency="1")
    incidents.update(actor, link.incident_id, changes={"title": "Once more"})
    both.settle()
    entries, journal = len(kinds(link)), len(both.ticket(link)["journal"])
    both.desk.tell("forget")
    for _ in range(4):
        both.poll()
        both.work()
        both.reconcile()
        both.work()
    assert (len(kinds(link)), len(both.ticket(link)["journal"])) == (entries, journal)
    assert both.writes() == 0
    assert equal(both, link)


def test_a_quoted_mark_does_not_hide_a_note(both: Both, actor: Actor) -> None:
    link = both.open()
    incidents.comment(actor, link.incident_id, "ours")
    both.work()
    ours = both.ticket(link)["journal"][0]["value"]
    note(both, link, f"I answer\n{ours}")
    both.settle()
    assert len(told(link, "servicenow.note")) == 1
    # And a shared service account that writes without our mark is somebody else.
    note(both, link, "by a business rule", as_=seed.INTEGRATION)
    both.settle()
    assert len(told(link, "servicenow.note")) == 2


def test_an_instance_that_lets_nobody_read_notes_by_themselves(both: Both, actor: Actor) -> None:
    both.desk.tell("arrange", journal_read="no")
    link = both.open()
    incidents.comment(actor, link.incident_id, "from here")
    both.settle()
    note(both, link, "from there")
    for _ in range(3):
        both.settle()
        both.reconcile()
    assert [entry.text for entry in told(link, "servicenow.note")] == ["from there"]
    assert equal(both, link)


# Conflicts


@pytest.mark.parametrize(
    ("winner", "severity", "outcome"),
    [("ours", Severity.LOW, "ours"), ("theirs", Severity.CRITICAL, "theirs"), ("newest", Severity.LOW, "ours")],
)
def test_a_field_that_both_changed(both: Both, actor: Actor, winner: str, severity: Severity, outcome: str) -> None:
    both.profile.winners["severity"] = winner
    both.profile.save()
    link = both.open(severity="medium")
    change(both, link, impact="1", urgency="1")
    incidents.update(actor, link.incident_id, changes={"severity": "low"})
    both.settle()
    assert incident(link).severity == severity
    entry = told(link, "servicenow.conflict")[0]
    assert (entry.data["ours"], entry.data["theirs"], entry.data["outcome"]) == ("low", "critical", outcome)
    assert len(told(link, "servicenow.conflict")) == 1
    assert equal(both, link)


@pytest.mark.parametrize(("side", "severity"), [("ours", Severity.LOW), ("theirs", Severity.CRITICAL)])
def test_a_conflict_can_wait_for_a_person(both: Both, actor: Actor, side: str, severity: Severity) -> None:
    both.profile.winners["severity"] = "ask"
    both.profile.save()
    link = both.open(severity="medium")
    change(both, link, impact="1", urgency="1")
    incidents.update(actor, link.incident_id, changes={"severity": "low", "title": "Goes on"})
    both.settle()
    assert (incident(link).severity, both.fields(link)["impact"]) == (Severity.LOW, "1")
    assert both.fields(link)["short_description"].endswith("Goes on")
    servicenow.decide(actor, TicketConflict.objects.get(outcome="").pk, side)
    both.settle()
    assert incident(link).severity == severity
    assert equal(both, link)


def test_newest_is_judged_by_one_clock(both: Both, actor: Actor) -> None:
    """Theirs runs five minutes ahead; what was done here later is still the later."""
    both.desk.tell("clock", skew=300)
    both.profile.winners["severity"] = "newest"
    both.profile.save()
    link = both.open(severity="medium")
    both.poll()
    change(both, link, impact="1", urgency="1")
    TicketLink.objects.update(lease=None)
    with clock.at(timezone.now() + timedelta(minutes=1)):
        incidents.update(actor, link.incident_id, changes={"severity": "low"})
    both.settle()
    assert incident(link).severity == Severity.LOW
    assert abs(ServiceNowInstance.objects.get().skew_seconds - 300) < 5
    assert equal(both, link)


def test_a_clock_that_is_behind_loses_no_change(both: Both) -> None:
    both.desk.tell("clock", skew=-300)
    link = both.open()
    change(both, link, impact="1", urgency="1")
    note(both, link, "late")
    both.settle()
    assert incident(link).severity == Severity.CRITICAL
    assert equal(both, link)


# Lost answers, killed workers


@pytest.mark.parametrize("kind", ["lost", "500", "html", "before"])
def test_lost_answers_to_writes_double_nothing(both: Both, actor: Actor, kind: str) -> None:
    both.profile.send_evidence = True
    both.profile.save()
    link = both.open()
    for on in ("update", "journal", "attach"):
        both.desk.tell("fault", kind=kind, on=on, times=2)
    incidents.update(actor, link.incident_id, changes={"severity": "critical"})
    incidents.comment(actor, link.incident_id, "once")
    evidence.add_bytes(actor, link.incident_id, "a.txt", b"abc")
    both.settle()
    assert len(both.ticket(link)["journal"]) == 1
    assert len(both.ticket(link)["attachments"]) == 1
    assert equal(both, link)


class Killed(BaseException):
    """What a kill -9 leaves: nothing is written after it."""


@pytest.mark.parametrize("what", ["fields", "note", "attachment"])
def test_a_worker_that_dies_between_request_and_answer(
    both: Both, actor: Actor, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.profile.send_evidence = True
    both.profile.save()
    link = both.open()
    if what == "fields":
        incidents.update(actor, link.incident_id, changes={"severity": "critical"})
    elif what == "note":
        incidents.comment(actor, link.incident_id, "sentence " * 1000)
    else:
        evidence.add_bytes(actor, link.incident_id, "a.txt", b"abc")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM soar_queue")
    considering.consider(TimelineEntry.objects.values_list("pk", flat=True))
    real = sending.HANDLERS[what]

    def dying(*args: Any) -> str:
        real(*args)
        raise Killed

    monkeypatch.setitem(sending.HANDLERS, what, dying)
    with pytest.raises(Killed):
        sending.work(link.pk)
    monkeypatch.undo()
    assert TicketChange.objects.filter(kind=what, state=ChangeState.SENDING).count() == 1
    # Somebody there changes something before the next worker looks.
    change(both, link, short_description="INC Meanwhile")
    both.settle()
    assert incident(link).title == "INC Meanwhile"
    if what == "fields":
        assert incident(link).severity == Severity.CRITICAL
        assert not TicketConflict.objects.exists()
    assert equal(both, link)


def test_a_write_whose_answer_was_lost_is_known_as_ours(both: Both, actor: Actor) -> None:
    """The poll sees it before the worker tries again: it is no change of theirs."""
    link = both.open(severity="low")
    both.desk.tell("fault", kind="lost", on="update", times=1)
    incidents.update(actor, link.incident_id, changes={"severity": "critical"})
    both.work()
    both.poll()
    assert incident(link).severity == Severity.CRITICAL
    assert not TicketConflict.objects.exists()
    both.settle()
    assert equal(both, link)


def test_a_day_old_copy_of_the_database_doubles_no_note(both: Both, actor: Actor) -> None:
    """The rows of the outbox wait as they did then; what they are about stands there already."""
    link = both.open()
    incidents.comment(actor, link.incident_id, "told")
    both.settle()
    rows = TicketChange.objects.filter(kind="note")
    rows.update(state=ChangeState.WAITING, attempts=0, created_at=timezone.now() - timedelta(days=1))
    TicketLink.objects.update(state=LinkState.CREATING, sys_id="", number="", base={}, pending={})
    TicketChange.objects.filter(kind="create").update(state=ChangeState.WAITING, attempts=0)
    both.settle()
    assert len(both.ticket(link)["journal"]) == 1
    assert len([one for one in both.desk.ask("tickets") if "Incident" in str(one)]) <= 4
    assert equal(both, link)


# Order, failures, two workers


def test_what_failed_holds_back_what_follows_until_a_person_decides(both: Both, actor: Actor) -> None:
    link = both.open()
    both.desk.tell(
        "fault", kind="403", on="journal", times=1, message="Operation Failed", detail="Data Policy Exception"
    )
    incidents.comment(actor, link.incident_id, "first")
    incidents.comment(actor, link.incident_id, "second")
    both.work()
    failed = TicketChange.objects.get(state=ChangeState.FAILED)
    assert "Data Policy Exception" in failed.said
    assert both.ticket(link)["journal"] == []
    both.due()
    both.work()
    assert both.ticket(link)["journal"] == []
    servicenow.retry(actor, failed.pk)
    both.work()
    assert [entry["value"].split("\n")[1] for entry in both.ticket(link)["journal"]] == ["first", "second"]
    assert equal(both, link)


def test_a_field_that_may_not_be_written_is_named_and_can_be_let_go(both: Both, actor: Actor) -> None:
    both.desk.tell("arrange", unwritable=["impact"])
    link = both.open(severity="medium")
    both.work()
    link.refresh_from_db()
    failed = TicketChange.objects.get(state=ChangeState.FAILED)
    assert "impact" in failed.said
    incidents.comment(actor, link.incident_id, "behind it")
    both.work()
    assert both.ticket(link)["journal"] == []
    servicenow.skip(actor, failed.pk, "They will not let us")
    both.settle()
    assert len(both.ticket(link)["journal"]) == 1
    assert both.failures() == []


def test_an_outage_holds_the_whole_instance_and_loses_nothing(both: Both, actor: Actor) -> None:
    rows = [both.open(f"Number {place}") for place in range(3)]
    both.desk.tell("hibernate")
    for link in rows:
        for place in range(4):
            incidents.comment(actor, link.incident_id, f"note {place}")
            incidents.update(actor, link.incident_id, changes={"title": f"Title {place}"})
    for _ in range(5):
        both.due()
        both.work()
    instance = ServiceNowInstance.objects.get()
    assert instance.out_failures >= 3
    assert "hibernates" in instance.out_error
    assert instance.out_resume_at is not None
    both.desk.tell("forget")
    both.work()
    outbox.ring_due()
    assert both.desk.ask("requests") == []  # held back
    both.desk.tell("wake")
    both.settle()
    assert all(equal(both, link) for link in rows)
    for link in rows:
        said = [entry["value"].split("\n")[1] for entry in both.ticket(link)["journal"]]
        assert said == [f"note {place}" for place in range(4)]


def test_too_many_requests_wait_as_long_as_they_are_told(both: Both, actor: Actor) -> None:
    link = both.open()
    both.desk.tell("fault", kind="429", message="Rate limit exceeded", headers={"Retry-After": "700"})
    incidents.comment(actor, link.incident_id, "wait")
    both.work()
    row = ServiceNowInstance.objects.get()
    assert row.out_resume_at is not None
    assert 600 < (row.out_resume_at - timezone.now()).total_seconds() <= 700
    both.settle()
    assert equal(both, link)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_everything_once_and_in_order(admin: User) -> None:
    with both_sides() as both:
        link = both.open()
        for place in range(6):
            incidents.comment(Actor.of(admin), link.incident_id, f"note {place}")
        considering.consider(TimelineEntry.objects.values_list("pk", flat=True))

        def worker() -> None:
            try:
                for _ in range(5):
                    sending.work(link.pk)
                    polling.poll(both.instance.pk)
            finally:
                connection.close()

        threads = [threading.Thread(target=worker) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        both.settle()
        said = [entry["value"].split("\n")[1] for entry in both.ticket(link)["journal"]]
        assert said == [f"note {place}" for place in range(6)]
        assert equal(both, link)


# Deleted, hidden, ended


@pytest.mark.parametrize("verb", ["delete", "hide"])
def test_a_ticket_that_is_gone_breaks_the_link_and_nothing_is_made_anew(both: Both, actor: Actor, verb: str) -> None:
    link = both.open()
    both.desk.tell(verb, sys_id=link.sys_id)
    incidents.comment(actor, link.incident_id, "to nobody")
    both.settle()
    link.refresh_from_db()
    assert link.state == LinkState.BROKEN
    assert len(told(link, "servicenow.broken")) == 1
    assert both.compare(link.incident_id) == [f"broken: {link.reason}"]
    both.desk.tell("forget")
    incidents.comment(actor, link.incident_id, "nor this")
    both.settle()
    assert both.writes() == 0
    servicenow.recreate(actor, link.pk)
    both.settle()
    new = TicketLink.objects.exclude(pk=link.pk).get()
    assert new.correlation_id != link.correlation_id
    assert equal(both, new)
    assert len(both.ticket(new)["journal"]) == 2


def test_the_slow_look_finds_what_was_deleted(both: Both) -> None:
    link = both.open()
    both.desk.tell("delete", sys_id=link.sys_id)
    both.poll()
    link.refresh_from_db()
    both.reconcile()
    link.refresh_from_db()
    assert link.state == LinkState.BROKEN


def test_a_lost_role_breaks_no_links(both: Both) -> None:
    rows = [both.open(f"Number {place}") for place in range(25)]
    both.reconcile()
    for link in rows:
        both.desk.tell("hide", sys_id=link.sys_id)
    both.reconcile()
    assert not TicketLink.objects.filter(state=LinkState.BROKEN).exists()
    assert "roles" in ServiceNowInstance.objects.get().in_error


def test_an_unlinked_incident_goes_its_own_way(both: Both, actor: Actor) -> None:
    link = both.open()
    servicenow.unlink(actor, link.pk)
    incidents.update(actor, link.incident_id, changes={"title": "Alone"})
    change(both, link, impact="1", urgency="1")
    both.settle()
    assert incident(link).severity == Severity.MEDIUM
    assert "Alone" not in both.fields(link)["short_description"]


# Rules of profiles


def test_tickets_by_rule(both: Both, actor: Actor) -> None:
    source = make_source()
    both.profile.automatic, both.profile.severities = True, [3, 4]
    both.profile.save()
    both.profile.sources.add(source)
    high = make_incident("High", make_alert(source=source), severity="high")
    low = make_incident("Low", make_alert(source=source), severity="low")
    other = make_incident("Other", make_alert(), severity="high")
    both.work()
    assert [link.incident_id for link in TicketLink.objects.all()] == [high.pk]
    incidents.update(actor, low.pk, changes={"severity": "critical"})
    links.link(actor, [make_alert(source=source).pk], other.pk)
    both.work()
    assert TicketLink.objects.filter(state=LinkState.LINKED).count() == 3
    first = TicketLink.objects.get(incident=high)
    servicenow.unlink(actor, first.pk)
    incidents.update(actor, high.pk, changes={"severity": "critical"})
    both.work()
    assert TicketLink.objects.filter(incident=high).count() == 1


@pytest.mark.parametrize("on_repeat", ["reopen", "new"])
def test_an_alert_that_comes_after_the_end(both: Both, actor: Actor, on_repeat: str) -> None:
    both.profile.on_repeat = on_repeat
    both.profile.save()
    link = both.open()
    incidents.set_status(actor, link.incident_id, "closed", determination="benign", reason="x")
    both.settle()
    links.link(actor, [make_alert().pk], link.incident_id)
    both.settle()
    assert incident(link).status == IncidentStatus.IN_PROGRESS
    assert both.fields(link)["state"] == ("2" if on_repeat == "reopen" else "6")
    assert TicketLink.objects.count() == (1 if on_repeat == "reopen" else 2)
    assert equal(both, TicketLink.objects.exclude(state=LinkState.ENDED).get())


# Pauses, cheapness


def test_each_direction_can_be_paused(both: Both, actor: Actor) -> None:
    link = both.open()
    servicenow.pause(actor, "desk", "out")
    incidents.comment(actor, link.incident_id, "waits")
    both.work()
    assert both.ticket(link)["journal"] == []
    servicenow.pause(actor, "desk", "in")
    change(both, link, impact="1", urgency="1")
    both.poll()
    servicenow.resume(actor, "desk", "out")
    both.work()
    assert incident(link).severity == Severity.MEDIUM
    assert len(both.ticket(link)["journal"]) == 1
    servicenow.resume(actor, "desk", "in")
    both.settle()
    assert incident(link).severity == Severity.CRITICAL
    assert equal(both, link)


def test_reading_what_did_not_change_costs_one_request_a_table(both: Both) -> None:
    for place in range(5):
        both.open(f"Number {place}")
    both.settle()
    both.reconcile()
    both.desk.tell("forget")
    before = Attempt.objects.count()
    both.poll()
    assert len(both.desk.ask("requests")) == 1
    assert Attempt.objects.count() == before + 1


def test_a_security_incident_goes_its_steps() -> None:
    with both_sides(table="sn_si_incident") as both:
        link = both.open("Security")
        assert link.number.startswith("SIR")
        incidents.set_status(Actor.system(), link.incident_id, "closed", determination="malicious", reason="Cleaned")
        both.settle()
        assert both.fields(link)["state"] == "3"
        assert equal(both, link)


def test_a_group_without_a_team_is_named_as_people_know_it() -> None:
    with both_sides() as both:
        link = both.open("Of a group")
        both.desk.change(both.ticket(link), assignment_group=seed.group_id("Network Team"), assigned_to="")
        both.settle()
        gap = MappingGap.objects.get(map="group")
        assert (gap.value, gap.label) == (seed.group_id("Network Team"), "Network Team")
        both.desk.tell("forget")
        both.poll()
        assert [one for one in both.desk.ask("requests") if "sys_user_group" in one["path"]] == [], "asked for once"


def test_a_group_that_is_hidden_keeps_its_sys_id_and_hinders_no_poll() -> None:
    with both_sides() as both:
        link = both.open("Of a group")
        both.desk.tell("arrange", closed_tables=["sys_user_group"])
        both.desk.change(both.ticket(link), assignment_group=seed.group_id("Network Team"), assigned_to="")
        both.settle()
        assert MappingGap.objects.get(map="group").label == ""
        assert ServiceNowInstance.objects.get().in_error == ""


def test_a_note_from_there_counts_as_received() -> None:
    with both_sides() as both:
        link = both.open("Quiet")
        assert link.last_out_at is not None, "making it is the first that was sent"
        both.desk.tell("note", sys_id=link.sys_id, as_="o.strand", text="Anybody there?")
        both.settle()
        link.refresh_from_db()
        assert link.last_in_at is not None
