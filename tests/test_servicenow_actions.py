"""What people may do at the ServiceNow sync: who may, twice, at once, and what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from cases.actions import servicenow as actions
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden, Missing, Refused
from cases.models import Incident, LinkState, ServiceNowInstance, TicketLink, TimelineEntry
from cases.models.servicenow_traffic import ChangeState
from soar.accounts.models import AuditEntry, Team, User
from tests.factories import make_incident
from tests.ticket_rows import make_conflict, make_failure, make_instance, make_link, make_profile, make_waiting

pytestmark = pytest.mark.django_db
Do = Callable[[Actor, TicketLink], object]


@pytest.fixture
def link(blue: Team) -> TicketLink:
    """A ticket of an incident of team Blue, with something that failed, a conflict, and a change behind."""
    made = make_link(make_incident("Rented servers", team=blue), make_profile(make_instance()))
    make_failure(made)
    make_conflict(made)
    make_waiting(made)
    return made


def broken(link: TicketLink) -> TicketLink:
    """The link, its ticket lost."""
    link.state, link.reason = LinkState.BROKEN, "No Record found"
    link.save()
    return link


def failure(link: TicketLink) -> int:
    return link.changes.get(state=ChangeState.FAILED).pk


VERBS: dict[str, Do] = {
    "create": lambda who, link: actions.create_ticket(who, link.incident_id, make_profile(link.instance).pk),
    "link": lambda who, link: actions.link_ticket(who, link.incident_id, make_profile(link.instance).pk, "INC0000009"),
    "unlink": lambda who, link: actions.unlink(who, link.pk),
    "relink": lambda who, link: actions.relink(who, broken(link).pk, "INC0000009"),
    "recreate": lambda who, link: actions.recreate(who, broken(link).pk),
    "retry": lambda who, link: actions.retry(who, failure(link)),
    "skip": lambda who, link: actions.skip(who, failure(link), "Not worth it"),
    "decide": lambda who, link: actions.decide(who, link.conflicts.get().pk, "ours"),
    "sync": lambda who, link: actions.sync_incident(who, link.incident_id),
}
RUNS: dict[str, Do] = {
    "sync": lambda who, link: actions.sync_instance(who, "fjord"),
    "pause": lambda who, link: actions.pause(who, "fjord", "out"),
    "resume": lambda who, link: actions.resume(who, "fjord", "in"),
    "try": lambda who, link: actions.try_now(who, "fjord", "out"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_stranger_learns_nothing(link: TicketLink, stranger: User, verb: str) -> None:
    with pytest.raises(Missing):
        VERBS[verb](Actor.of(stranger), link)


@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_may_not(link: TicketLink, viewer: User, verb: str) -> None:
    with pytest.raises(Forbidden):
        VERBS[verb](Actor.of(viewer), link)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("create", "link")])
def test_an_analyst_may(link: TicketLink, analyst: User, verb: str) -> None:
    VERBS[verb](Actor.of(analyst), link)


@pytest.mark.parametrize("verb", VERBS)
def test_not_even_an_admin_at_a_restricted_incident(link: TicketLink, admin: User, verb: str) -> None:
    Incident.objects.filter(pk=link.incident_id).update(restricted=True)
    with pytest.raises(Missing):
        VERBS[verb](Actor.of(admin), link)


@pytest.mark.parametrize("verb", RUNS)
def test_instances_are_run_by_who_manages_connectors(link: TicketLink, analyst: User, admin: User, verb: str) -> None:
    with pytest.raises(Forbidden):
        RUNS[verb](Actor.of(analyst), link)
    RUNS[verb](Actor.of(admin), link)


def test_one_ticket_for_each_instance_and_table(link: TicketLink, analyst: User) -> None:
    with pytest.raises(Conflict, match=link.number):
        actions.create_ticket(Actor.of(analyst), link.incident_id, make_profile(link.instance).pk)
    made = actions.create_ticket(
        Actor.of(analyst), link.incident_id, make_profile(link.instance, table="sn_si_incident").pk
    )
    assert made.state == LinkState.CREATING
    assert next(iter(made.changes.order_by("pk").values_list("kind", flat=True))) == "create"


def test_a_profile_that_is_off_makes_no_ticket(link: TicketLink, analyst: User) -> None:
    off = make_profile(make_instance("other"), enabled=False)
    with pytest.raises(Refused):
        actions.create_ticket(Actor.of(analyst), link.incident_id, off.pk)
    with pytest.raises(Missing):
        actions.create_ticket(Actor.of(analyst), link.incident_id, off.pk + 99)


@pytest.mark.parametrize("number", ["", "INC", "0010234", "INC0010234^ORnumberISNOTEMPTY", "x" * 300, "INC 0010234"])
def test_what_is_no_number_is_refused(link: TicketLink, analyst: User, number: str) -> None:
    profile = make_profile(make_instance("other"))
    with pytest.raises(Refused) as refused:
        actions.link_ticket(Actor.of(analyst), link.incident_id, profile.pk, number)
    assert refused.value.field == "number"
    assert link.incident.tickets.count() == 1


def test_unlinking_lets_go_of_what_is_open(link: TicketLink, analyst: User) -> None:
    actions.unlink(Actor.of(analyst), link.pk)
    actions.unlink(Actor.of(analyst), link.pk)
    link.refresh_from_db()
    assert link.state == LinkState.ENDED
    assert set(link.changes.values_list("state", flat=True)) == {ChangeState.SKIPPED}
    assert not link.conflicts.filter(outcome="").exists()
    assert TimelineEntry.objects.filter(kind="servicenow.unlinked").count() == 1


def test_what_works_is_neither_relinked_nor_made_again(link: TicketLink, analyst: User) -> None:
    with pytest.raises(Conflict):
        actions.recreate(Actor.of(analyst), link.pk)
    with pytest.raises(Conflict):
        actions.relink(Actor.of(analyst), link.pk, "INC0000009")
    assert link.incident.tickets.count() == 1


def test_a_broken_link_gives_way_to_another(link: TicketLink, analyst: User) -> None:
    made = actions.relink(Actor.of(analyst), broken(link).pk, "inc0000009")
    assert (made.state, made.number, made.created_there) == (LinkState.CREATING, "INC0000009", False)
    link.refresh_from_db()
    assert link.state == LinkState.ENDED
    with pytest.raises(Conflict):
        actions.recreate(Actor.of(analyst), link.pk)


def test_a_retry_goes_first_and_keeps_the_order(link: TicketLink, analyst: User) -> None:
    row = actions.retry(Actor.of(analyst), failure(link))
    assert row.state == ChangeState.WAITING
    assert link.changes.filter(state=ChangeState.WAITING).order_by("pk").first() == row
    assert actions.retry(Actor.of(analyst), row.pk).state == ChangeState.WAITING


def test_a_retry_where_another_change_of_fields_waits(link: TicketLink, analyst: User) -> None:
    later = make_waiting(link, kind="fields", entry=0)
    actions.retry(Actor.of(analyst), failure(link))
    assert not link.changes.filter(pk=later.pk).exists()


def test_nothing_is_retried_at_a_broken_link(link: TicketLink, analyst: User) -> None:
    with pytest.raises(Conflict):
        actions.retry(Actor.of(analyst), failure(broken(link)))


def test_all_failures_are_retried_that_one_may_work_on(link: TicketLink, analyst: User, red: Team) -> None:
    elsewhere = make_failure(make_link(make_incident("Other", team=red), link.profile))
    assert actions.retry_all(Actor.of(analyst)) == 1
    elsewhere.refresh_from_db()
    assert elsewhere.state == ChangeState.FAILED


def test_a_skip_needs_a_reason_and_stands_on_the_timeline(link: TicketLink, analyst: User) -> None:
    with pytest.raises(Refused) as refused:
        actions.skip(Actor.of(analyst), failure(link), "  ")
    assert refused.value.field == "reason"
    pk = failure(link)
    assert actions.skip(Actor.of(analyst), pk, "Done there by hand").state == ChangeState.SKIPPED
    actions.skip(Actor.of(analyst), pk, "Again")
    entry = TimelineEntry.objects.get(kind="servicenow.skipped")
    assert entry.text == "Done there by hand"
    with pytest.raises(Conflict):
        actions.retry(Actor.of(analyst), pk)


def test_only_what_failed_can_be_skipped_and_never_the_making(link: TicketLink, analyst: User) -> None:
    waiting = link.changes.filter(state=ChangeState.WAITING).first()
    assert waiting
    with pytest.raises(Conflict):
        actions.skip(Actor.of(analyst), waiting.pk, "x")
    link.changes.filter(state=ChangeState.FAILED).update(kind="create")
    with pytest.raises(Conflict):
        actions.skip(Actor.of(analyst), failure(link), "x")


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_decision_moves_what_was_agreed_on(link: TicketLink, analyst: User, side: str) -> None:
    link.base = {"severity": {"ours": "medium", "theirs": {"impact": "2", "urgency": "2"}}, "title": {"ours": "x"}}
    link.save()
    row = actions.decide(Actor.of(analyst), link.conflicts.get().pk, side)
    assert (row.outcome, row.decided_by) == (side, analyst)
    link.refresh_from_db()
    assert link.base["title"] == {"ours": "x"}
    # Without a value there the side that is to go over counts as changed, the other one as it is does not.
    assert link.base["severity"] == ({"theirs": row.raw} if side == "ours" else {"ours": "high"})
    assert TimelineEntry.objects.get(kind="servicenow.settled").data["outcome"] == side
    actions.decide(Actor.of(analyst), row.pk, side)
    with pytest.raises(Conflict):
        actions.decide(Actor.of(analyst), row.pk, "theirs" if side == "ours" else "ours")
    assert TimelineEntry.objects.filter(kind="servicenow.settled").count() == 1


def test_another_word_decides_nothing(link: TicketLink, analyst: User) -> None:
    with pytest.raises(Refused):
        actions.decide(Actor.of(analyst), link.conflicts.get().pk, "newest")
    with pytest.raises(Missing):
        actions.decide(Actor.of(analyst), 10**9, "ours")


def test_pause_and_resume_are_told_once(link: TicketLink, admin: User) -> None:
    for verb, paused in ((actions.pause, True), (actions.resume, False)):
        verb(Actor.of(admin), "fjord", "out")
        verb(Actor.of(admin), "fjord", "out")
        assert ServiceNowInstance.objects.get().out_paused is paused
    verbs = AuditEntry.objects.filter(verb__startswith="servicenow.").values_list("verb", flat=True)
    assert sorted(verbs) == ["servicenow.paused", "servicenow.resumed"]
    assert not ServiceNowInstance.objects.get().in_paused


def test_a_direction_and_an_instance_have_to_be_there(link: TicketLink, admin: User) -> None:
    with pytest.raises(Refused):
        actions.pause(Actor.of(admin), "fjord", "up")
    with pytest.raises(Missing):
        actions.pause(Actor.of(admin), "nowhere", "in")


def test_what_is_paused_is_resumed_not_tried(link: TicketLink, admin: User) -> None:
    actions.pause(Actor.of(admin), "fjord", "in")
    with pytest.raises(Conflict):
        actions.try_now(Actor.of(admin), "fjord", "in")


def test_sync_now_needs_a_ticket_that_works(link: TicketLink, analyst: User, blue: Team) -> None:
    assert actions.sync_incident(Actor.of(analyst), link.incident_id) == 1
    with pytest.raises(Conflict):
        actions.sync_incident(Actor.of(analyst), make_incident("No ticket", team=blue).pk)
    broken(link)
    with pytest.raises(Conflict):
        actions.sync_incident(Actor.of(analyst), link.incident_id)


@pytest.mark.django_db(transaction=True)
def test_two_who_create_at_once_make_one_ticket(analyst: User, blue: Team) -> None:
    incident, profile = make_incident("At once", team=blue), make_profile(make_instance())
    made = _at_once(lambda: actions.create_ticket(Actor.of(analyst), incident.pk, profile.pk))
    assert sorted(type(one).__name__ for one in made) == ["Conflict", "TicketLink"]
    assert incident.tickets.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_settle_it_once(analyst: User, blue: Team) -> None:
    link = make_link(make_incident("At once", team=blue), make_profile(make_instance()))
    row = make_conflict(link)
    sides = iter(("ours", "theirs"))
    done = _at_once(lambda: actions.decide(Actor.of(analyst), row.pk, next(sides)))
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "TicketConflict"]
    assert TimelineEntry.objects.filter(kind="servicenow.settled").count() == 1


def _at_once(do: Callable[[], object]) -> list[object]:
    """What two threads got that did the same at the same time."""
    results: list[object] = []
    gate = threading.Barrier(2)

    def run() -> None:
        gate.wait(20)
        try:
            results.append(do())
        except CaseError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
