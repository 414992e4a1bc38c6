"""``/api/v1/servicenow/``: links, conflicts, failures, instances and profiles (servicenow.md 10, rulings 27)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.actions import servicenow
from cases.actors import Actor
from cases.models import (
    Incident,
    LinkState,
    ServiceNowInstance,
    TicketChange,
    TicketConflict,
    TicketLink,
    TicketProfile,
    TimelineEntry,
)
from soar.accounts.models import Team, User
from soar.models import QueuedTask
from soar.standins.servicenow import seed
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_incident, make_source
from tests.servicenow_desk import Desk, desk
from tests.ticket_profiles import make_instance, make_profile

pytestmark = pytest.mark.django_db
SYS_ID = "46d44a5dc611227501b8d7d9ff0e17fb"
TICKET = {"number", "url", "state", "table", "instance", "profile", "last_sync"}


@pytest.fixture
def instance(db: None) -> ServiceNowInstance:
    return make_instance(webhook_secret="very-secret")


@pytest.fixture
def profile(instance: ServiceNowInstance) -> TicketProfile:
    return make_profile(instance)


@pytest.fixture
def incident(blue: Team) -> Incident:
    """Of team Blue."""
    return incident_of(blue)


def incident_of(team: Team) -> Incident:
    return make_incident("", make_alert(source=make_source(team=team)))


@pytest.fixture
def link(incident: Incident, profile: TicketProfile) -> TicketLink:
    """A ticket that works."""
    made = servicenow.create_ticket(Actor.system(), incident.pk, profile.pk)
    made.state, made.number, made.sys_id = LinkState.LINKED, "INC0010234", SYS_ID
    made.save()
    made.changes.all().delete()
    QueuedTask.objects.all().delete()
    return made


def break_it(link: TicketLink) -> None:
    link.state, link.reason = LinkState.BROKEN, "No Record found"
    link.save()


def sends(link: TicketLink) -> int:
    """How many doorbells of the link wait."""
    return QueuedTask.objects.filter(task="cases.tasks.servicenow_send", args=[link.pk]).count()


# sending an incident


def test_an_incident_is_sent_and_sent_twice_it_is_the_same_link(
    analyst: User, incident: Incident, profile: TicketProfile
) -> None:
    api = Api(analyst)
    answer = api.post(f"/incidents/{incident.number}/servicenow/", {"profile": "security"})
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/servicenow/links/{body['id']}/"
    assert (body["incident"], body["state"], body["number"]) == (incident.number, "creating", "")
    assert (body["profile"], body["instance"], body["waiting"]) == ("Security", "example", 1)
    again = api.post(f"/incidents/{incident.pk}/servicenow/", {"profile": profile.pk})
    assert (again.status_code, again.json()) == (200, body)
    assert TicketChange.objects.filter(kind="create").count() == 1
    assert sends(TicketLink.objects.get()) == 1


def test_the_same_key_gives_the_same_answer(analyst: User, incident: Incident, profile: TicketProfile) -> None:
    api, key = Api(analyst), {"Idempotency-Key": "once"}
    answers = [api.post(f"/incidents/{incident.pk}/servicenow/", {"profile": "Security"}, key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


def test_a_ticket_that_there_is_gets_linked(analyst: User, incident: Incident, profile: TicketProfile) -> None:
    api, path = Api(analyst), f"/incidents/{incident.pk}/servicenow/"
    body = api.post(path, {"profile": "Security", "number": "inc0010001"}).json()
    assert (body["number"], body["made_by_us"]) == ("INC0010001", False)
    assert api.post(path, {"profile": "Security", "number": "INC0010001"}).status_code == 200
    detail = problem_of(api.post(path, {"profile": "Security", "number": "INC0010002"}), 409)["detail"]
    assert "INC0010001" in detail


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "profile"),
        ({"profile": "Nowhere"}, "profile"),
        ({"profile": 999999}, "profile"),
        ({"profile": "9" * 60}, "profile"),
        ({"profile": True}, "profile"),
        ({"profile": ["Security"]}, "profile"),
        ({"profile": "Off"}, "profile"),
        ({"profile": "Security", "number": "not a number"}, "number"),
        ({"profile": "Security", "number": 7}, "number"),
        ({"profile": "Security", "number": "x" * 41}, "number"),
        ({"profile": "Security", "nummer": "INC0010001"}, "nummer"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    analyst: User, incident: Incident, profile: TicketProfile, body: Any, field: str
) -> None:
    make_profile(profile.instance, "Off", "sn_si_incident", enabled=False)
    assert wrong_fields(Api(analyst).post(f"/incidents/{incident.pk}/servicenow/", body)) == {field}
    assert not TicketLink.objects.exists()
    assert not QueuedTask.objects.filter(task="cases.tasks.servicenow_send").exists()


def test_who_does_not_see_or_may_not_edit_the_incident_sends_nothing(
    stranger: User, viewer: User, incident: Incident, profile: TicketProfile
) -> None:
    path = f"/incidents/{incident.pk}/servicenow/"
    problem_of(Api(stranger).post(path, {"profile": "Security"}), 404)
    problem_of(Api(viewer).post(path, {"profile": "Security"}), 403)
    problem_of(Api(None).post(path, {"profile": "Security"}), 401)
    problem_of(Api(stranger).get(path), 404)
    assert not TicketLink.objects.exists()


# links


def test_links_are_listed_with_their_incident(analyst: User, stranger: User, link: TicketLink) -> None:
    (row,) = Api(analyst).get("/servicenow/links/").json()["results"]
    assert row["number"] == "INC0010234" and row["incident"] == link.incident.number
    assert row["url"].endswith(f"/nav_to.do?uri=incident.do%3Fsys_id%3D{SYS_ID}")
    assert (row["state"], row["waiting"], row["failed"], row["conflicts"]) == ("linked", 0, 0, 0)
    assert Api(analyst).get(f"/servicenow/links/{link.pk}/").json() == row
    assert Api(analyst).get(f"/incidents/{link.incident_id}/servicenow/").json()["results"] == [row]
    assert Api(stranger).get("/servicenow/links/").json()["results"] == []
    problem_of(Api(stranger).get(f"/servicenow/links/{link.pk}/"), 404)
    problem_of(Api(analyst).get("/servicenow/links/nonsense/"), 404)


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, 1),
        ({"state": "linked"}, 1),
        ({"state": "creating,linked"}, 1),
        ({"state": "broken"}, 0),
        ({"state": "ended"}, 1),
        ({"state": "any"}, 2),
        ({"state": "ended,any"}, 2),
        ({"instance": "example"}, 1),
        ({"instance": "another"}, 0),
        ({"incident": "INC-999999"}, 0),
        ({"incident": "nonsense"}, 0),
    ],
)
def test_links_are_filtered(
    analyst: User, link: TicketLink, profile: TicketProfile, params: dict[str, str], found: int
) -> None:
    TicketLink.objects.create(
        incident=link.incident, instance=link.instance, profile=profile, table="incident", state=LinkState.ENDED
    )
    assert len(Api(analyst).get("/servicenow/links/", **params).json()["results"]) == found


@pytest.mark.parametrize("params", [{"state": "lost"}, {"stat": "linked"}, {"cursor": "x"}, {"page_size": "0"}])
@pytest.mark.parametrize("what", ["links", "conflicts"])
def test_a_filter_that_means_nothing_is_refused(analyst: User, what: str, params: dict[str, str]) -> None:
    assert wrong_fields(Api(analyst).get(f"/servicenow/{what}/", **params)) == set(params)


def test_links_come_in_pages_and_cost_the_same_however_many(analyst: User, incident: Incident, instance: Any) -> None:
    api = Api(analyst)

    def fill(number: int) -> int:
        for _ in range(number):
            table = f"u_{TicketLink.objects.count()}"
            row = make_profile(instance, table, table)
            TicketLink.objects.create(incident=incident, instance=instance, profile=row, table=table)
        api.get("/servicenow/links/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            api.get("/servicenow/links/", page_size=50)
        return len(queries)

    assert fill(2) == fill(6)
    first = api.get("/servicenow/links/", page_size=5).json()
    second = api.get(first["next"]).json()
    ids = [row["id"] for page in (first, second) for row in page["results"]]
    assert len(ids) == len(set(ids)) == 8 and second["next"] is None


def test_a_link_is_taken_away_and_both_sides_stay(analyst: User, link: TicketLink) -> None:
    api = Api(analyst)
    assert [api.delete(f"/servicenow/links/{link.pk}/").status_code for _ in range(2)] == [204, 204]
    link.refresh_from_db()
    assert link.state == LinkState.ENDED
    assert TimelineEntry.objects.filter(incident=link.incident, kind="servicenow.unlinked").count() == 1
    problem_of(api.post(f"/servicenow/links/{link.pk}/sync/"), 409)


def test_a_link_is_synced_now(analyst: User, link: TicketLink) -> None:
    answer = Api(analyst).post(f"/servicenow/links/{link.pk}/sync/", {})
    assert (answer.status_code, answer.json()["id"]) == (202, link.pk)
    assert sends(link) == 1


def test_a_broken_link_is_mended_by_a_person(analyst: User, link: TicketLink) -> None:
    api, path = Api(analyst), f"/servicenow/links/{link.pk}"
    for verb, body in (("relink", {"number": "INC0010300"}), ("recreate", {})):
        assert "works" in problem_of(api.post(f"{path}/{verb}/", body), 409)["detail"]
    break_it(link)
    problem_of(api.post(f"{path}/sync/", {}), 409)
    assert wrong_fields(api.post(f"{path}/relink/", {"number": "?"})) == {"number"}
    answer = api.post(f"{path}/relink/", {"number": "INC0010300"})
    assert (answer.status_code, answer.json()["number"]) == (201, "INC0010300")
    made = TicketLink.objects.get(pk=answer.json()["id"])
    break_it(made)
    again = api.post(f"/servicenow/links/{made.pk}/recreate/", {})
    assert (again.status_code, again.json()["number"], again.json()["made_by_us"]) == (201, "", True)
    states = [row.state for row in TicketLink.objects.order_by("pk")]
    assert states == ["ended", "ended", "creating"]


@pytest.mark.parametrize("verb", ["sync", "relink", "recreate"])
def test_verbs_need_the_right_to_edit(viewer: User, stranger: User, link: TicketLink, verb: str) -> None:
    break_it(link)
    body = {"number": "INC0010300"} if verb == "relink" else {}
    problem_of(Api(viewer).post(f"/servicenow/links/{link.pk}/{verb}/", body), 403)
    problem_of(Api(stranger).post(f"/servicenow/links/{link.pk}/{verb}/", body), 404)
    problem_of(Api(viewer).delete(f"/servicenow/links/{link.pk}/"), 403)
    problem_of(Api(stranger).delete(f"/servicenow/links/{link.pk}/"), 404)
    assert TicketLink.objects.count() == 1 and sends(link) == 0


# the incident tells of its tickets


def test_an_incident_names_its_tickets(analyst: User, link: TicketLink) -> None:
    api = Api(analyst)
    (ticket,) = api.get(f"/incidents/{link.incident_id}/").json()["servicenow"]
    assert ticket.keys() == TICKET and ticket["number"] == "INC0010234" and ticket["last_sync"] is None
    (row,) = api.get("/incidents/").json()["results"]
    assert row["servicenow"] == [ticket]
    api.delete(f"/servicenow/links/{link.pk}/")
    assert api.get(f"/incidents/{link.incident_id}/").json()["servicenow"] == []


def test_tickets_cost_a_list_of_incidents_one_query(
    analyst: User, blue: Team, incident: Incident, profile: TicketProfile
) -> None:
    api = Api(analyst)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            api.get("/incidents/")
        return len(queries)

    servicenow.create_ticket(Actor.system(), incident.pk, profile.pk)
    cost()  # the token notes its first use
    before = cost()
    for _ in range(5):
        servicenow.create_ticket(Actor.system(), incident_of(blue).pk, profile.pk)
    assert cost() == before


# conflicts


@pytest.fixture
def conflict(link: TicketLink) -> TicketConflict:
    """Both sides changed the severity."""
    link.base = {"severity": {"ours": "medium", "theirs": {"impact": "2", "urgency": "2"}}}
    link.save()
    return TicketConflict.objects.create(
        link=link,
        field="severity",
        rule="ask",
        ours={"value": "high", "shown": "High"},
        theirs={"value": "low", "shown": "Low"},
        raw={"impact": "2", "urgency": "3"},
    )


def test_conflicts_are_listed_and_read(analyst: User, stranger: User, conflict: TicketConflict) -> None:
    (row,) = Api(analyst).get("/servicenow/conflicts/", incident=conflict.link.incident.number).json()["results"]
    assert (row["field"], row["ours"]["value"], row["theirs"]["shown"]) == ("severity", "high", "Low")
    assert row["number"] == "INC0010234" and row["outcome"] == ""
    assert Api(analyst).get(f"/servicenow/conflicts/{conflict.pk}/").json() == row
    assert Api(stranger).get("/servicenow/conflicts/").json()["results"] == []
    problem_of(Api(stranger).get(f"/servicenow/conflicts/{conflict.pk}/"), 404)


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_a_conflict_is_resolved(analyst: User, conflict: TicketConflict, take: str) -> None:
    api, path = Api(analyst), f"/servicenow/conflicts/{conflict.pk}/resolve/"
    answer = api.post(path, {"take": take})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["decided_by"]) == (200, take, "mara")
    assert api.post(path, {"take": take}).status_code == 200
    problem_of(api.post(path, {"take": "ours" if take == "theirs" else "theirs"}), 409)
    assert api.get("/servicenow/conflicts/").json()["results"] == []
    assert len(api.get("/servicenow/conflicts/", state="decided").json()["results"]) == 1
    assert sends(conflict.link) >= 1
    assert TimelineEntry.objects.filter(kind="servicenow.settled").count() == 1


@pytest.mark.parametrize("body", [{}, {"take": "newest"}, {"take": 1}, {"take": "ours", "force": True}])
def test_a_decision_is_for_one_side(analyst: User, conflict: TicketConflict, body: Any) -> None:
    wrong_fields(Api(analyst).post(f"/servicenow/conflicts/{conflict.pk}/resolve/", body))
    conflict.refresh_from_db()
    assert conflict.outcome == ""


def test_a_conflict_is_decided_by_who_may_edit(viewer: User, stranger: User, conflict: TicketConflict) -> None:
    path = f"/servicenow/conflicts/{conflict.pk}/resolve/"
    problem_of(Api(viewer).post(path, {"take": "ours"}), 403)
    problem_of(Api(stranger).post(path, {"take": "ours"}), 404)


# failures


@pytest.fixture
def failure(link: TicketLink) -> TicketChange:
    """A note that ServiceNow refused."""
    return TicketChange.objects.create(
        link=link, kind="note", state="failed", said="Data Policy Exception", hint="A field is mandatory", attempts=3
    )


def test_failures_are_listed_in_servicenows_words(analyst: User, stranger: User, failure: TicketChange) -> None:
    (row,) = Api(analyst).get("/servicenow/failures/", instance="example").json()["results"]
    assert (row["said"], row["kind"], row["attempts"]) == ("Data Policy Exception", "note", 3)
    assert Api(analyst).get("/servicenow/failures/", instance="other").json()["results"] == []
    assert Api(stranger).get("/servicenow/failures/").json()["results"] == []
    (told,) = Api(analyst).get("/servicenow/links/").json()["results"]
    assert told["failed"] == 1


def test_a_failure_is_sent_again(analyst: User, failure: TicketChange) -> None:
    answer = Api(analyst).post(f"/servicenow/failures/{failure.pk}/retry/", {})
    assert (answer.status_code, answer.json()["state"]) == (200, "waiting")
    assert sends(failure.link) == 1


def test_a_failure_is_let_go_with_a_reason(analyst: User, failure: TicketChange) -> None:
    api, path = Api(analyst), f"/servicenow/failures/{failure.pk}/skip/"
    for body in ({}, {"reason": ""}, {"reason": " "}):
        assert wrong_fields(api.post(path, body)) == {"reason"}
    assert api.post(path, {"reason": "Told them by phone"}).json()["state"] == "skipped"
    assert TimelineEntry.objects.get(kind="servicenow.skipped").text == "Told them by phone"
    problem_of(api.post(f"/servicenow/failures/{failure.pk}/retry/", {}), 409)


@pytest.mark.parametrize("verb", ["retry", "skip"])
def test_failures_are_worked_on_by_who_may_edit(viewer: User, stranger: User, failure: TicketChange, verb: str) -> None:
    body = {"reason": "x"} if verb == "skip" else {}
    problem_of(Api(viewer).post(f"/servicenow/failures/{failure.pk}/{verb}/", body), 403)
    problem_of(Api(stranger).post(f"/servicenow/failures/{failure.pk}/{verb}/", body), 404)


def failures_of_two(blue: Team, link: TicketLink) -> tuple[TicketChange, TicketChange]:
    """A note of this link, and the making of another incident's ticket: both were refused."""
    note = TicketChange.objects.create(link=link, kind="note", state="failed", said="Data Policy Exception")
    other = servicenow.create_ticket(Actor.system(), incident_of(blue).pk, link.profile_id)
    making = other.changes.get()
    making.state = "failed"
    making.save()
    return note, making


def test_all_failures_are_sent_again(analyst: User, viewer: User, stranger: User, blue: Team, link: TicketLink) -> None:
    note, making = failures_of_two(blue, link)
    path = "/servicenow/failures/retry/"
    assert Api(stranger).post(path, {}).json() == {"done": 0, "left": 0}
    assert Api(viewer).post(path, {}).json() == {"done": 0, "left": 2}
    api = Api(analyst)
    assert api.post(path, {"instance": "other"}).json() == {"done": 0, "left": 0}
    assert api.post(path, {"incident": link.incident.number}).json() == {"done": 1, "left": 0}
    assert (TicketChange.objects.get(pk=note.pk).state, sends(link)) == ("waiting", 1)
    assert api.post(path, {}).json() == {"done": 1, "left": 0}
    assert TicketChange.objects.get(pk=making.pk).state == "waiting"
    problem_of(api.post(path, {"incident": "INC-x"}), 404)
    assert wrong_fields(api.post(path, {"ids": [1]})) == {"ids"}


def test_all_failures_are_let_go_but_the_making_of_a_ticket(analyst: User, blue: Team, link: TicketLink) -> None:
    note, making = failures_of_two(blue, link)
    api, path = Api(analyst), "/servicenow/failures/skip/"
    for body in ({}, {"reason": ""}, {"reason": " "}):
        assert wrong_fields(api.post(path, body)) == {"reason"}
    key = {"Idempotency-Key": "once"}
    answers = [api.post(path, {"reason": "Rebuilt", "instance": "example"}, key).json() for _ in range(2)]
    assert answers == [{"done": 1, "left": 1}] * 2
    states = {row.pk: row.state for row in TicketChange.objects.all()}
    assert (states[note.pk], states[making.pk]) == ("skipped", "failed")
    (told,) = TimelineEntry.objects.filter(kind="servicenow.skipped")
    assert (told.text, told.incident_id) == ("Rebuilt", link.incident_id)


# instances


@pytest.fixture
def there(transactional_db: None) -> Iterator[Desk]:
    """The stand-in; its account has no instance yet."""
    with desk() as made:
        yield made


@pytest.mark.django_db(transaction=True)
def test_an_instance_is_made_and_its_secret_is_told_once(admin: User, there: Desk) -> None:
    api = Api(admin)
    answer = api.post("/servicenow/instances/", {"connector": "desk", "slug": "practice", "every_seconds": 10})
    body = answer.json()
    assert (answer.status_code, body["slug"], body["every_seconds"]) == (201, "practice", 10)
    secret = body.pop("webhook_secret")
    assert len(secret) >= 40 and answer["Cache-Control"] == "no-store"
    assert body["webhook"].endswith("/api/v1/servicenow/practice/events/")
    for path in ("/servicenow/instances/practice/", "/servicenow/instances/", "/connectors/"):
        text = api.get(path).content.decode()
        assert secret not in text and seed.PASSWORD not in text.replace("practice", "") and "webhook_secret" not in text
    assert (
        api.client.post(body["webhook"], b"", "application/json", headers={"X-Soar-Secret": secret}).status_code == 202
    )
    renewed = api.post("/servicenow/instances/practice/secret/", {}).json()["webhook_secret"]
    assert renewed != secret
    assert (
        api.client.post(body["webhook"], b"", "application/json", headers={"X-Soar-Secret": secret}).status_code == 401
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "connector"),
        ({"connector": "Nowhere"}, "connector"),
        ({"connector": "Free", "slug": "A b"}, "slug"),
        ({"connector": "Free", "slug": "example"}, "slug"),
        ({"connector": "Free", "every_seconds": 1}, "every_seconds"),
        ({"connector": "Free", "every_seconds": "10"}, "every_seconds"),
        ({"connector": "ServiceNow example"}, "connector"),
    ],
)
def test_an_instance_that_cannot_be_is_refused(admin: User, instance: Any, body: Any, field: str) -> None:
    from soar.connectors.models import ConnectorAccount

    ConnectorAccount.objects.create(kind="servicenow", name="Free", settings={"url": "https://free.example"})
    assert wrong_fields(Api(admin).post("/servicenow/instances/", body)) == {field}
    assert ServiceNowInstance.objects.count() == 1


def test_an_instance_is_changed_paused_synced_and_deleted(admin: User, instance: ServiceNowInstance) -> None:
    api, path = Api(admin), "/servicenow/instances/example"
    assert api.patch(f"{path}/", {"every_seconds": 60}).json()["every_seconds"] == 60
    assert wrong_fields(api.patch(f"{path}/", {"slug": "other"})) == {"slug"}
    for way, key in (("out", "out"), ("in", "into")):
        assert api.post(f"{path}/pause/", {"direction": way}).json()[key]["paused"] is True
    problem_of(api.post(f"{path}/sync/", {}), 409)
    assert api.post(f"{path}/resume/", {"direction": "in"}).json()["into"]["paused"] is False
    assert api.post(f"{path}/sync/", {}).status_code == 202
    assert QueuedTask.objects.filter(task="cases.tasks.servicenow_poll", args=[instance.pk]).exists()
    assert wrong_fields(api.post(f"{path}/pause/", {"direction": "up"})) == {"direction"}
    assert api.delete(f"{path}/").status_code == 204
    problem_of(api.get(f"{path}/"), 404)


def test_no_edit_of_an_instance_is_lost(admin: User, instance: ServiceNowInstance) -> None:
    api, path = Api(admin), "/servicenow/instances/example/"
    seen = api.get(path)
    assert api.get(path, headers={"If-None-Match": seen["ETag"]}).status_code == 304
    assert api.patch(path, {"every_seconds": 60}, {"If-Match": seen["ETag"]}).json()["version"] == 2
    problem_of(api.patch(path, {"every_seconds": 90}, {"If-Match": seen["ETag"]}), 412)
    assert api.get(path).json()["every_seconds"] == 60
    api.post(f"{path}pause/", {"direction": "out"})
    assert api.get(path).json()["version"] == 2, "what people set, not what it does"


def test_an_instance_with_links_stays(admin: User, link: TicketLink) -> None:
    problem_of(Api(admin).delete("/servicenow/instances/example/"), 409)


def test_instances_are_for_who_manages_connectors(analyst: User, instance: ServiceNowInstance) -> None:
    api, path = Api(analyst), "/servicenow/instances/"
    problem_of(api.get(path), 403)
    problem_of(api.get(f"{path}example/"), 403)
    problem_of(api.post(path, {"connector": "x"}), 403)
    problem_of(api.patch(f"{path}example/", {"every_seconds": 60}), 403)
    problem_of(api.delete(f"{path}example/"), 403)
    for verb, body in (("test", {}), ("secret", {}), ("sync", {}), ("pause", {"direction": "in"})):
        problem_of(api.post(f"{path}example/{verb}/", body), 403)


@pytest.mark.django_db(transaction=True)
def test_an_instance_is_tested(admin: User, there: Desk) -> None:
    make_instance(there.account, "practice")
    findings = Api(admin).post("/servicenow/instances/practice/test/", {}).json()["findings"]
    assert findings and all(one["ok"] is not False for one in findings), findings


# profiles


@pytest.mark.django_db(transaction=True)
def test_a_profile_is_made_changed_enabled_and_deleted(admin: User, there: Desk) -> None:
    make_instance(there.account, "practice")
    api, group = Api(admin), {"value": seed.group_id("Network Team"), "label": "Network Team"}
    answer = api.post(
        "/servicenow/profiles/",
        {"name": "Network", "instance": "practice", "assignment_group": group, "severities": ["high", "critical"]},
    )
    body = answer.json()
    assert answer.status_code == 201, body
    assert (body["table"], body["enabled"], body["assignment_group"]) == ("incident", False, group)
    assert body["severities"] == ["critical", "high"] and body["maps"]["severity"]["critical"] == "1,1"
    path = f"/servicenow/profiles/{body['id']}"
    assert answer["Location"] == f"/api/v1{path}/"
    changed = api.patch(f"{path}/", {"winners": {**body["winners"], "title": "ask"}}, {"If-Match": answer["ETag"]})
    assert changed.json()["winners"]["title"] == "ask"
    problem_of(api.patch(f"{path}/", {"category": "x"}, {"If-Match": answer["ETag"]}), 412)
    enabled = api.post(f"{path}/enable/", {})
    assert enabled.status_code == 200 and enabled.json()["enabled"] is True, enabled.content
    assert isinstance(enabled.json()["gaps"], list)
    assert api.post(f"{path}/disable/", {}).json()["enabled"] is False
    assert api.delete(f"{path}/").status_code == 204
    problem_of(api.get(f"{path}/"), 404)


@pytest.mark.django_db(transaction=True)
def test_a_profile_is_copied(admin: User, analyst: User, there: Desk) -> None:
    old = make_profile(make_instance(there.account, "practice"), winners={"title": "ask"})
    api, path = Api(admin), f"/servicenow/profiles/{old.pk}/copy/"
    answer = api.post(path, {"name": "Like it"})
    body = answer.json()
    assert answer.status_code == 201, body
    assert answer["Location"] == f"/api/v1/servicenow/profiles/{body['id']}/"
    assert (body["name"], body["table"], body["enabled"]) == ("Like it", "incident", False)
    assert (body["winners"], body["assignment_group"]) == ({"title": "ask"}, old.assignment_group)
    other = api.post(path, {"name": "Of security", "table": "sn_si_incident"}).json()
    assert other["maps"]["status"] != old.maps["status"]
    assert wrong_fields(api.post(path, {"name": "like IT"})) == {"name"}
    assert wrong_fields(api.post(path, {"name": "x", "table": "u_not_there"})) == {"table"}
    assert wrong_fields(api.post(path, {"name": "x", "instance": "nowhere"})) == {"instance"}
    assert wrong_fields(api.post(path, {})) == {"name"}
    problem_of(api.post("/servicenow/profiles/999999/copy/", {"name": "x"}), 404)
    problem_of(Api(analyst).post(path, {"name": "x"}), 403)


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_tells_the_exact_request_and_sends_nothing(
    admin: User, analyst: User, there: Desk, blue: Team
) -> None:
    profile, incident = make_profile(make_instance(there.account, "practice")), incident_of(blue)
    api, path = Api(admin), f"/servicenow/profiles/{profile.pk}/dry-run/"
    told = api.post(path, {"incident": incident.number}).json()
    assert (told["incident"], told["ticket"]) == (incident.number, None)
    request = told["request"]
    assert request["method"] == "POST" and request["url"].partition("?")[0].endswith("/api/now/table/incident")
    assert incident.title in request["body"]["short_description"]
    assert request["body"]["assignment_group"] == profile.assignment_group["value"]
    assert seed.PASSWORD not in json.dumps(told) and "Authorization" not in request["headers"]
    assert not [one for one in there.asked("/table/incident") if one["method"] == "POST"]
    assert not TicketLink.objects.exists()
    made = servicenow.create_ticket(Actor.system(), incident.pk, profile.pk)
    assert api.post(path, {"incident": incident.pk}).json()["ticket"] == made.number
    assert wrong_fields(api.post(path, {})) == {"incident"}
    problem_of(api.post(path, {"incident": "INC-999999"}), 404)
    problem_of(api.post("/servicenow/profiles/999999/dry-run/", {"incident": incident.pk}), 404)
    problem_of(Api(analyst).post(path, {"incident": incident.pk}), 403)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"instance": "nowhere"}, "instance"),
        ({"table": "u_not_there"}, "table"),
        ({"table": "Not A Table"}, "table"),
        ({"short_description": "{{ nonsense }}"}, "short_description"),
        ({"caller": {"value": "me"}}, "caller"),
        ({"severities": ["urgent"]}, "severities"),
        ({"sources": ["nowhere"]}, "sources"),
        ({"templates": [999999]}, "templates"),
        ({"maps": {"severity": {"high": "1"}}}, "severity:high"),
        ({"directions": {"title": "sideways"}}, "directions:title"),
        ({"extra": {"state": "6"}}, "extra:state"),
        ({"enabled": True}, "enabled"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_and_nothing_is_made(
    admin: User, there: Desk, body: Any, field: str
) -> None:
    make_instance(there.account, "practice")
    given = {"name": "Network", "instance": "practice", **body}
    assert field in wrong_fields(Api(admin).post("/servicenow/profiles/", given))
    assert not TicketProfile.objects.exists()


def test_profiles_are_read_by_those_who_see_cases_and_changed_by_admins(
    analyst: User, nobody: User, profile: TicketProfile
) -> None:
    api, path = Api(analyst), f"/servicenow/profiles/{profile.pk}/"
    (row,) = api.get("/servicenow/profiles/", instance="example").json()["results"]
    assert row["name"] == "Security" and api.get(path).json() == row
    assert api.get("/servicenow/profiles/", instance="other").json()["results"] == []
    problem_of(Api(nobody).get("/servicenow/profiles/"), 403)
    problem_of(api.patch(path, {"category": "x"}), 403)
    problem_of(api.delete(path), 403)
    problem_of(api.post("/servicenow/profiles/", {"name": "Mine", "instance": "example"}), 403)
    for verb in ("enable", "disable"):
        problem_of(api.post(f"{path}{verb}/", {}), 403)


def test_a_profile_with_links_stays(admin: User, link: TicketLink) -> None:
    problem_of(Api(admin).delete(f"/servicenow/profiles/{link.profile_id}/"), 409)


# the schema


def test_the_schema_tells_of_it_with_examples(analyst: User) -> None:
    schema = json.loads(Api(analyst).get("/api/schema/").content)
    wanted = {
        "/servicenow/links/": "get", "/servicenow/links/{id}/": "delete", "/servicenow/links/{id}/sync/": "post",
        "/servicenow/links/{id}/relink/": "post", "/servicenow/links/{id}/recreate/": "post",
        "/servicenow/conflicts/": "get", "/servicenow/conflicts/{id}/resolve/": "post",
        "/servicenow/failures/{id}/retry/": "post", "/servicenow/failures/{id}/skip/": "post",
        "/servicenow/instances/": "post", "/servicenow/profiles/": "post", "/incidents/{id}/servicenow/": "post",
        "/servicenow/{slug}/events/": "post",
    }  # fmt: skip
    paths = schema["paths"]
    assert [path for path, verb in wanted.items() if verb not in paths.get(f"/api/v1{path}", {})] == []
    sent = paths["/api/v1/incidents/{id}/servicenow/"]["post"]
    assert sent["requestBody"]["content"]["application/json"]["examples"]
    assert sent["responses"]["201"]["content"]["application/json"]["examples"]
    for place, verb, code in (
        ("failures/", "get", "200"), ("failures/retry/", "post", "200"), ("failures/{id}/skip/", "post", "200"),
        ("instances/", "get", "200"), ("instances/", "post", "201"), ("instances/{slug}/", "patch", "200"),
        ("profiles/", "post", "201"), ("profiles/{id}/", "patch", "200"), ("profiles/{id}/copy/", "post", "201"),
        ("profiles/{id}/dry-run/", "post", "200"), ("profiles/{id}/enable/", "post", "200"),
    ):  # fmt: skip
        said = paths[f"/api/v1/servicenow/{place}"][verb]
        bodies = [said["responses"][code], *([said["requestBody"]] if verb != "get" and "requestBody" in said else [])]
        assert all(one["content"]["application/json"].get("examples") for one in bodies), (place, verb)
