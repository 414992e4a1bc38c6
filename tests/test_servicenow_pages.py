"""The pages of the ServiceNow sync: what they show, to whom, and that they stay true."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases import timeline
from cases.actors import Actor
from cases.models import Incident, LinkState, TicketChange, TicketLink
from cases.servicenow.incoming import actor_of
from soar.accounts.models import Team, User
from soar.connectors.models import Attempt
from tests.factories import make_incident
from tests.queries import counted
from tests.ticket_rows import (
    make_conflict,
    make_failure,
    make_gap,
    make_instance,
    make_link,
    make_profile,
    make_waiting,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PAGES = ("", "conflicts/", "conflicts/?settled=1", "links/", "links/?state=failed&q=x")


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue."""
    return make_incident("Rented servers", team=blue)


@pytest.fixture
def link(incident: Incident) -> TicketLink:
    """Its ticket."""
    return make_link(incident, make_profile(make_instance(out_ok_at=timezone.now(), in_ok_at=timezone.now()), "EU"))


def text_of(client: Client, path: str = "") -> str:
    """A page of the sync."""
    answer = client.get(f"/servicenow/{path}")
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.mark.parametrize("path", [*PAGES, "log/"])
def test_pages_are_for_who_may_see_cases(client: Client, nobody: User, path: str) -> None:
    assert client.get(f"/servicenow/{path}").status_code == 302
    client.force_login(nobody)
    assert client.get(f"/servicenow/{path}").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_without_an_instance_the_pages_say_what_to_do(as_admin: Client, as_viewer: Client, path: str) -> None:
    assert 'class="blank' in text_of(as_admin, path)
    assert 'class="blank' in text_of(as_viewer, path)


def test_only_who_sets_up_is_led_to_a_new_instance(as_admin: Client, as_viewer: Client) -> None:
    assert "/servicenow/instances/new/" in text_of(as_admin)
    assert "/servicenow/instances/new/" not in text_of(as_viewer)


@pytest.mark.parametrize("path", ["", "conflicts/", "links/"])
def test_a_stranger_sees_nothing_of_an_incident(
    as_stranger: Client, as_viewer: Client, link: TicketLink, path: str
) -> None:
    make_failure(link)
    make_conflict(link)
    assert link.incident.number in text_of(as_viewer, path)
    text = text_of(as_stranger, path)
    assert link.incident.number not in text
    assert link.number not in text


def test_a_restricted_incident_is_hidden_from_the_admin_and_not_counted(as_admin: Client, link: TicketLink) -> None:
    make_failure(link)
    Incident.objects.filter(pk=link.incident_id).update(restricted=True)
    text = text_of(as_admin)
    assert link.incident.number not in text
    assert "that you do not see" not in text


def test_a_failure_tells_servicenow_s_words_the_reason_and_what_waits(as_viewer: Client, link: TicketLink) -> None:
    make_failure(link)
    make_waiting(link)
    make_waiting(link)
    text = text_of(as_viewer)
    assert "Data Policy Exception" in text
    assert "maps no close code for suspicious" in text
    assert "2 changes wait" in text
    assert "3 attempts" in text


def test_all_failures_are_skipped_with_one_reason_but_the_making_of_a_ticket(
    as_analyst: Client, as_viewer: Client, blue: Team, red: Team, link: TicketLink
) -> None:
    failures = [make_failure(link), make_failure(make_link(make_incident("Another", team=blue), link.profile))]
    making = make_failure(make_link(make_incident("Not there yet", team=blue), link.profile), kind="create")
    elsewhere = make_failure(make_link(make_incident("Of others", team=red), link.profile))
    path = "/servicenow/changes/skip/"
    assert path in text_of(as_analyst)
    assert path not in text_of(as_viewer)
    assert "2 failed changes are never sent" in text_of(as_analyst, "changes/skip/")
    unsaid = as_analyst.post(path, {"reason": " "}, headers=HTMX)
    assert unsaid.status_code == 422
    assert 'aria-invalid="true"' in unsaid.content.decode()
    assert "Skipped 2 changes" in as_analyst.post(path, {"reason": "Rebuilt"}, headers=HTMX).content.decode()
    states = dict(TicketChange.objects.values_list("pk", "state"))
    assert [states[one.pk] for one in (*failures, making, elsewhere)] == ["skipped", "skipped", "failed", "failed"]
    assert path not in text_of(as_analyst)
    assert "Nothing failed that could be skipped" in text_of(as_analyst, "changes/skip/")
    assert "Skipped 0 changes" in as_analyst.post(path, {"reason": "Again"}, headers=HTMX).content.decode()


def test_who_may_not_work_sees_no_verbs(
    as_viewer: Client, as_analyst: Client, as_admin: Client, link: TicketLink
) -> None:
    failure, conflict = make_failure(link), make_conflict(link)
    verbs = (f"/servicenow/changes/{failure.pk}/retry/", f"/servicenow/conflicts/{conflict.pk}/decide/")
    for verb in verbs:
        assert verb not in text_of(as_viewer)
        assert verb in text_of(as_analyst)
    run = "/servicenow/instances/fjord/pause/"
    assert run in text_of(as_admin)
    assert run not in text_of(as_analyst)


def test_health_says_down_and_what_waits_in_order(as_viewer: Client, link: TicketLink) -> None:
    row = link.instance
    row.out_failures, row.out_error = 4, "Your instance is hibernating."
    row.out_resume_at = timezone.now() + timedelta(minutes=3)
    row.save()
    make_waiting(link)
    text = text_of(as_viewer)
    assert "Down" in text
    assert "hibernating" in text
    assert "1 change waits in order; it is not lost." in text
    assert "tries again in" in text


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"out_paused": True}, "Paused"),
        ({"in_failures": 2, "in_error": "No answer"}, "Down"),
        ({"in_ok_at": timezone.now() - timedelta(hours=1)}, "Late"),
        ({"out_resume_at": timezone.now() + timedelta(hours=1)}, "Held back"),
        ({"out_ok_at": None}, "Not yet"),
    ],
)
def test_each_state_has_its_word(as_viewer: Client, link: TicketLink, fields: dict[str, object], word: str) -> None:
    assert f"{word}</span>" not in text_of(as_viewer)
    type(link.instance).objects.filter(pk=link.instance_id).update(**fields)
    assert f"{word}</span>" in text_of(as_viewer)


def test_a_broken_link_offers_what_only_people_may_do(as_analyst: Client, link: TicketLink) -> None:
    TicketLink.objects.filter(pk=link.pk).update(state=LinkState.BROKEN, reason="No Record found")
    make_failure(link)
    text = text_of(as_analyst)
    assert "Link to another" in text
    assert "Create again" in text
    assert "Nothing is made anew unless you say so" in text
    assert "Retry</button>" not in text


def test_what_comes_from_outside_is_escaped(as_analyst: Client, link: TicketLink) -> None:
    make_failure(link, said="<script>alert(1)</script>", hint="<b>x</b>")
    make_conflict(link, theirs={"value": "x", "shown": "<img src=x>", "by": "<i>", "at": "no time"})
    TicketLink.objects.filter(pk=link.pk).update(theirs={"state": "<u>2</u>"})
    for text in (text_of(as_analyst), as_analyst.get(f"/incidents/{link.incident.number}/").content.decode()):
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text
        assert "<u>2" not in text


def test_the_poll_says_nothing_until_something_changed(as_viewer: Client, link: TicketLink) -> None:
    cursor = text_of(as_viewer).partition("/live/?cursor=")[2].partition('"')[0]
    assert as_viewer.get(f"/servicenow/live/?cursor={cursor}", headers=HTMX).status_code == 204
    make_conflict(link)
    answer = as_viewer.get(f"/servicenow/live/?cursor={cursor}", headers=HTMX)
    assert answer.status_code == 200
    assert 'id="conflicts"' in answer.content.decode()
    assert 'hx-swap-oob="morph"' in answer.content.decode()


def test_the_navigation_counts_what_needs_people(as_viewer: Client, as_stranger: Client, link: TicketLink) -> None:
    def figure(client: Client) -> str:
        text = client.get("/servicenow/links/").content.decode().partition('title="ServiceNow"')[2].partition("</a>")[0]
        found = re.search(r'class="count[^"]*"[^>]*>(?:\s*)(\d*)', text)
        return found[1] if found else ""

    assert figure(as_viewer) == ""
    make_failure(link)
    make_conflict(link)
    make_conflict(link, "title", outcome="ours")
    assert figure(as_viewer) == "2"
    assert figure(as_stranger) == ""


@pytest.mark.parametrize("q", ["INC-{0}", "{0}", "{1}", "rented", "  RENTED "])
def test_links_are_found_by_number_and_title(as_viewer: Client, link: TicketLink, q: str) -> None:
    wanted = q.format(link.incident_id, link.number)
    assert link.number in text_of(as_viewer, f"links/?q={wanted}")
    assert link.number not in text_of(as_viewer, "links/?q=elsewhere")


@pytest.mark.parametrize("query", ["state=nonsense", "cursor=nonsense", "q=%00", "instance=nowhere", "q=" + "9" * 90])
def test_odd_queries_are_no_errors(as_viewer: Client, link: TicketLink, query: str) -> None:
    text_of(as_viewer, f"links/?{query}")
    text_of(as_viewer, f"conflicts/?settled=1&{query}")


def test_links_by_state_and_in_pages(as_viewer: Client, link: TicketLink, blue: Team) -> None:
    for number in range(55):
        make_link(make_incident(f"More {number}", team=blue), link.profile)
    first = text_of(as_viewer, "links/")
    assert link.number not in first
    older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert link.number in as_viewer.get(older).content.decode()
    make_failure(link)
    assert link.number in text_of(as_viewer, "links/?state=failed")
    assert link.number not in text_of(as_viewer, "links/?state=conflict")
    assert link.number in text_of(as_viewer, "links/?q=rented&instance=fjord")


def test_settled_conflicts_tell_how_they_ended(as_viewer: Client, link: TicketLink, analyst: User) -> None:
    make_conflict(link, "title", rule="newest", outcome="theirs", decided_at=timezone.now())
    make_conflict(link, outcome="ours", decided_by=analyst, decided_at=timezone.now())
    text = text_of(as_viewer, "conflicts/?settled=1")
    assert "Took theirs" in text
    assert "the profile&#x27;s rule" in text
    assert "Kept ours" in text
    assert "Mara Lindqvist" in text
    assert "1 this month was settled by the profile's rule" in text_of(as_viewer)


def test_the_log_is_for_who_manages_the_connector(as_admin: Client, as_analyst: Client, link: TicketLink) -> None:
    Attempt.objects.create(
        account=link.instance.account, operation="record.update", status="unsuccessful", error="403 Operation Failed",
        request={"method": "PATCH", "url": f"https://x/api/now/table/incident/{link.sys_id}"},
    )  # fmt: skip
    assert as_analyst.get("/servicenow/log/").status_code == 403
    text = text_of(as_admin, "log/")
    assert "403 Operation Failed" in text
    assert f"changed {link.number}" in text
    assert "403 Operation Failed" in text_of(as_admin, "log/?show=failed")
    assert "No such call" in text_of(as_admin, "log/?show=failed&instance=nowhere")


def test_gaps_are_mapped_by_who_sets_up(as_admin: Client, as_analyst: Client, link: TicketLink) -> None:
    elements = {"close_code": [["Known error", "Known error"], ["", "-- None --"]]}
    kept = {"choices": {"incident": {"at": "2026-03-12T08:58:00+00:00", "elements": elements}}}
    type(link.instance).objects.filter(pk=link.instance_id).update(vocabulary=kept)
    gap = make_gap(link.profile)
    assert "Determination suspicious" not in text_of(as_analyst)
    text = text_of(as_admin)
    assert "Determination suspicious → close code" in text
    assert "Known error" in text
    assert as_analyst.post(f"/servicenow/gaps/{gap.pk}/", {"counterpart": "Known error"}).status_code == 403
    assert as_admin.post(f"/servicenow/gaps/{gap.pk}/", {"counterpart": ""}, headers=HTMX).status_code == 200
    link.profile.refresh_from_db()
    assert link.profile.maps["close_code"].get("suspicious") != "Known error"
    as_admin.post(f"/servicenow/gaps/{gap.pk}/", {"counterpart": "Known error"}, headers=HTMX)
    link.profile.refresh_from_db()
    assert link.profile.maps["close_code"]["suspicious"] == "Known error"
    assert "Determination suspicious" not in text_of(as_admin)


def test_theirs_are_mapped_to_ours(as_admin: Client, link: TicketLink, blue: Team) -> None:
    gap = make_gap(link.profile, "group", "a" * 32, label="OT Security")
    assert "Group OT Security (theirs) → team" in text_of(as_admin)
    as_admin.post(f"/servicenow/gaps/{gap.pk}/", {"counterpart": str(blue.pk)}, headers=HTMX)
    link.profile.refresh_from_db()
    assert link.profile.maps["group"] == {str(blue.pk): {"value": "a" * 32, "label": "OT Security"}}


def card(client: Client, link: TicketLink) -> str:
    """The card on the incident's page."""
    text = client.get(f"/incidents/{link.incident.number}/").content.decode()
    return text.partition('id="incident-tickets"')[2].partition('id="incident-tasks"')[0]


def test_the_card_tells_the_ticket(as_viewer: Client, as_analyst: Client, link: TicketLink) -> None:
    elements = {"state": [["2", "In Progress"]]}
    kept = {"choices": {"incident": {"at": "2026-03-12T08:58:00+00:00", "elements": elements}}}
    type(link.instance).objects.filter(pk=link.instance_id).update(vocabulary=kept)
    TicketLink.objects.filter(pk=link.pk).update(theirs={"state": "2"})
    make_waiting(link)
    text = card(as_viewer, link)
    assert link.number in text
    assert "In Progress" in text
    assert "1 change" in text
    assert "https://fjord.service-now.example/nav_to.do?uri=incident.do%3Fsys_id%3D" in text
    assert "/ticket/sync/" not in text
    assert "/ticket/sync/" in card(as_analyst, link)


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        ({"assigned_to": "u1", "assignment_group": "g1"}, "Ola of the map"),
        ({"assigned_to": "", "assignment_group": "g1"}, "Network of the map"),
        ({"assigned_to": "u2"}, "Lea of the profile"),
        ({"assignment_group": "g2"}, "Desk of the profile"),
        ({"assigned_to": "u9", "assignment_group": "g1"}, "somebody whom no map names"),
    ],
)
def test_the_card_says_who_has_the_ticket(
    as_viewer: Client, link: TicketLink, theirs: dict[str, str], words: str
) -> None:
    type(link.profile).objects.filter(pk=link.profile_id).update(
        maps={
            "user": {"mara": {"value": "u1", "label": "Ola of the map"}, "odd": "u9"},
            "group": {"7": {"value": "g1", "label": "Network of the map"}, "8": {"value": "g2", "label": ""}},
        },
        assigned_to={"value": "u2", "label": "Lea of the profile"},
        assignment_group={"value": "g2", "label": "Desk of the profile"},
    )
    assert "Assigned" not in card(as_viewer, link)
    TicketLink.objects.filter(pk=link.pk).update(theirs=theirs)
    assert words in card(as_viewer, link)


def test_the_card_tells_the_first_change_that_was_refused(as_viewer: Client, link: TicketLink) -> None:
    first, second = make_failure(link), make_failure(link)
    type(second).objects.filter(pk=second.pk).update(said="The later one")
    text = card(as_viewer, link)
    assert first.said in text and "The later one" not in text
    TicketLink.objects.filter(pk=link.pk).update(state=LinkState.BROKEN)
    assert first.said not in card(as_viewer, link)


def test_without_a_profile_there_is_no_card(as_analyst: Client, incident: Incident) -> None:
    text = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "/ticket/" not in text


def test_an_incident_without_a_ticket_can_get_one(as_analyst: Client, as_viewer: Client, incident: Incident) -> None:
    profile = make_profile(make_instance())
    url = f"/incidents/{incident.number}/ticket/create/"
    assert url in as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert url not in as_viewer.get(f"/incidents/{incident.number}/").content.decode()
    assert as_viewer.get(url).status_code == 403
    assert profile.name in as_analyst.get(url).content.decode()
    assert profile.name in as_analyst.get(url, headers=HTMX).content.decode()


def test_the_card_s_poll(as_viewer: Client, as_stranger: Client, link: TicketLink) -> None:
    cursor = card(as_viewer, link).partition("/live/?cursor=")[2].partition('"')[0]
    url = f"/incidents/{link.incident.number}/ticket/live/?cursor={cursor}"
    assert as_viewer.get(url, headers=HTMX).status_code == 204
    assert as_stranger.get(url, headers=HTMX).status_code == 404
    make_failure(link)
    assert "Data Policy Exception" in as_viewer.get(url, headers=HTMX).content.decode()


def test_few_queries(as_admin: Client, link: TicketLink, blue: Team) -> None:
    for number in range(12):
        made = make_link(make_incident(f"More {number}", team=blue), link.profile)
        make_failure(made)
        make_conflict(made)
        make_gap(link.profile, "user", f"person{number}")
    text_of(as_admin)
    with counted("servicenow sync"):
        text_of(as_admin)
    with counted("servicenow links"):
        text_of(as_admin, "links/")


def listed(client: Client, incident: Incident, group: str) -> str:
    """The entries of the incident's timeline under a filter."""
    answer = client.get(f"/incidents/{incident.number}/timeline/?group={group}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode().partition('id="incident-stream"')[2].partition('id="timeline-older"')[0]


def test_the_timeline_can_be_read_for_what_went_to_and_from_servicenow(
    as_viewer: Client, analyst: User, link: TicketLink
) -> None:
    incident, them = link.incident, actor_of("o.strand")
    timeline.record("servicenow.failed", incident, Actor.system(), data={"said": "Data Policy Exception"})
    timeline.record("servicenow.note", incident, them, text="The disk is on its way")
    timeline.record("changed", incident, them, data={"field": "title", "old": "One", "new": "Two of theirs"})
    timeline.record("changed", incident, Actor.of(analyst), data={"field": "title", "old": "x", "new": "Three of ours"})
    traffic = listed(as_viewer, incident, "servicenow")
    for words in ("Data Policy Exception", "The disk is on its way", "Two of theirs"):
        assert words in traffic, words
    assert "Three of ours" not in traffic
    page = as_viewer.get(f"/incidents/{incident.number}/?group=servicenow").content.decode()
    assert re.search(r'group=servicenow"[^>]*aria-current="true">ServiceNow <span class="n">3<', page)
    assert "The disk is on its way" in listed(as_viewer, incident, "notes")
    assert "Two of theirs" in listed(as_viewer, incident, "changes")
    assert "Data Policy Exception" not in listed(as_viewer, incident, "changes")


def test_without_traffic_there_is_no_filter_for_it(as_viewer: Client, incident: Incident) -> None:
    timeline.record("comment", incident, Actor.system(), text="Nothing of ServiceNow")
    assert "group=servicenow" not in as_viewer.get(f"/incidents/{incident.number}/").content.decode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"work_notes": "x"}, "wrote a work note to INC"),
        ({"comments": "x"}, "wrote a comment to INC"),
        ({"state": "6", "close_code": "Duplicate"}, "set state, close_code of INC"),
        ("cut short …", "changed INC"),
        (None, "changed INC"),
    ],
)
def test_the_log_says_what_was_written(as_admin: Client, link: TicketLink, body: object, words: str) -> None:
    Attempt.objects.create(
        account=link.instance.account, operation="record.update", status="successful",
        request={"method": "PATCH", "url": f"https://x/api/now/table/incident/{link.sys_id}", "body": body},
    )  # fmt: skip
    assert words in text_of(as_admin, "log/")


def test_a_severity_from_there_stands_with_its_pair(as_viewer: Client, link: TicketLink) -> None:
    make_conflict(link, raw={"impact": "3", "urgency": "2"})
    assert re.search(r"\(impact 3, urgency 2\)", text_of(as_viewer, "conflicts/"))


@pytest.mark.parametrize(
    "way", ["-1", "servicenow-log", "", "https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_where_there_is_no_page(as_admin: Client, link: TicketLink, way: str) -> None:
    answer = as_admin.post("/servicenow/changes/retry/", {"next": way})
    assert (answer.status_code, answer["Location"]) == (302, "/servicenow/")
    answer = as_admin.post("/servicenow/changes/retry/", {"next": "/servicenow/?state=failed"})
    assert answer["Location"] == "/servicenow/?state=failed"
