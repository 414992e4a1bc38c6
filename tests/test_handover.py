"""The hand-over from shift to shift (casework.md 17)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases.actions import handovers, incidents, merge, notes, restriction, sla_pause, tasks
from cases.actors import Actor
from cases.errors import CaseError, Conflict
from cases.models import HandOver, Incident, IncidentTask
from soar.accounts.models import AuditEntry, Team, User
from soar.lib import clock
from tests.api import Api
from tests.factories import make_alert, make_incident, make_user
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db


def page(user: User, query: str = "") -> str:
    answer = client_of(user).get(f"/hand-over/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def signed(user: User, note: str = "All quiet", **more: object) -> HandOver:
    return handovers.sign(user, note, **more)  # type: ignore[arg-type]


def test_who_is_not_signed_in_is_asked_to() -> None:
    assert Client().get("/hand-over/")["Location"].startswith("/accounts/login/")


def test_a_viewer_reads_and_does_not_sign(viewer: User, blue: Team) -> None:
    assert "Sign over" not in page(viewer)
    assert client_of(viewer).post("/hand-over/", {"note": "x", "seen": "0"}).status_code == 403
    assert not HandOver.objects.exists()


@pytest.mark.parametrize("note", ["", "   ", "\x00", "x" * 20_001])
def test_a_note_that_says_nothing_or_too_much_is_refused_and_kept(analyst: User, note: str) -> None:
    answer = client_of(analyst).post("/hand-over/", {"note": note, "seen": "0"})
    assert answer.status_code == 400 and b'id="note-error"' in answer.content
    assert note.strip("\x00 ")[:100] in answer.content.decode() and not HandOver.objects.exists()


def test_what_changed_since_is_listed(analyst: User, blue: Team) -> None:
    old = make_incident("Old case", team=blue)
    Incident.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    make_incident("New case", make_alert("One", team=blue), team=blue)
    html = page(analyst)
    opened = html.partition('id="op-h"')[2].partition('id="en-h"')[0]
    assert "New case" in opened and "Old case" not in opened and "No incident was resolved or closed." in html
    incidents.set_status(Actor.of(analyst), old.pk, "resolved", determination="benign", findings="false_positive")
    assert "Old case" in page(analyst).partition('id="en-h"')[2]


def test_the_next_shift_begins_with_the_signature(analyst: User, responder: User, blue: Team) -> None:
    make_incident("Before", team=blue)
    signed(analyst, "Watch **FIN-1**")
    make_incident("After", team=blue)
    html = page(responder)
    opened = html.partition('id="op-h"')[2].partition('id="en-h"')[0]
    assert "After" in opened and "Before" not in opened
    assert "<strong>FIN-1</strong>" in html and "signed over by Mara Lindqvist" in html


def test_what_waits_says_on_whom(analyst: User, blue: Team) -> None:
    incident = make_incident("Case", team=blue, severity="critical")
    now = clock.now()
    for title, who, due in (("Call them", analyst, now - timedelta(hours=1)), ("Later", None, now + timedelta(days=9))):
        IncidentTask.objects.create(
            incident=incident, title=title, assignee=who, due_at=due, position=1, created_at=now, updated_at=now
        )
    found = page(analyst).partition('id="wait-h"')[2].partition("</section>")[0]
    assert "Call them" in found and "Mara Lindqvist" in found and "Later" not in found
    assert "Case" in found and "nobody" in found  # grave, and without an owner


def test_the_signed_page_names_only_what_its_reader_may_see(analyst: User, admin: User, blue: Team, red: Team) -> None:
    make_incident("Theirs", team=red)
    row = signed(admin)
    assert "Theirs" in client_of(admin).get(f"/hand-over/{row.pk}/").content.decode()
    assert "Theirs" not in client_of(analyst).get(f"/hand-over/{row.pk}/").content.decode()


def test_a_restricted_incident_is_nowhere(analyst: User, admin: User, blue: Team) -> None:
    incident = make_incident("Secret", team=blue, severity="critical")
    row = signed(analyst)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    assert "Secret" not in page(analyst) + client_of(analyst).get(f"/hand-over/{row.pk}/").content.decode()


def test_another_teams_hand_over_is_missing(analyst: User, admin: User, blue: Team, red: Team) -> None:
    row = signed(admin, team=red)
    client = client_of(analyst)
    assert client.get(f"/hand-over/{row.pk}/").status_code == 404
    assert client.post(f"/hand-over/{row.pk}/take/").status_code == 404
    assert client.post("/hand-over/", {"note": "x", "team": str(red.pk), "seen": "0"}).status_code == 302
    assert HandOver.objects.filter(team=red).count() == 1  # a team that is not theirs is none: everybody's shift


def test_it_is_taken_over_once_by_somebody_else(analyst: User, responder: User, admin: User) -> None:
    row = signed(analyst)
    client_of(analyst).post(f"/hand-over/{row.pk}/take/")
    row.refresh_from_db()
    assert row.taken_by is None
    client_of(responder).post(f"/hand-over/{row.pk}/take/")
    with pytest.raises(Conflict, match="Priya Raman has taken it over"):
        handovers.take(admin, row.pk)
    verbs = AuditEntry.objects.filter(verb__startswith="shift.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["shift.signed_over", "shift.taken_over"]


def test_who_saw_an_older_shift_is_told_and_loses_nothing(analyst: User, responder: User) -> None:
    signed(responder, "Read me first")
    answer = client_of(analyst).post("/hand-over/", {"note": "My own words", "seen": "0"})
    html = answer.content.decode()
    assert answer.status_code == 400 and "meanwhile" in html and "My own words" in html and "Read me first" in html


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_at_once_leave_one_shift(blue: Team) -> None:
    people = [make_user(f"lead{n}", "Analyst", teams=("Blue",)) for n in range(2)]

    def go(user: User) -> str:
        try:
            handovers.sign(user, "mine", team=blue, seen=0)
            return "signed"
        except CaseError:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, people)) == ["refused", "signed"]


def test_texts_are_shown_as_text(analyst: User) -> None:
    row = signed(analyst, "<img src=x onerror=alert(1)> [x](javascript:alert(1))")
    html = client_of(analyst).get(f"/hand-over/{row.pk}/").content.decode()
    assert "<img" not in html and 'href="javascript' not in html


def test_notes_are_shown_as_they_were_meant_in_their_newest_wording(analyst: User, blue: Team) -> None:
    incident = make_incident("Old case", team=blue)
    note = incidents.comment(Actor.of(analyst), incident.pk, "Watch the **old** host", kind="handoff")
    notes.edit_comment(Actor.of(analyst), note.pk, "Watch the **proxy** <img src=x onerror=alert(1)>\n\n- at nine")
    html = page(analyst)
    assert "<strong>proxy</strong>" in html and "<li>at nine</li>" in html
    assert "**" not in html.partition('id="no-h"')[2].partition("</section>")[0]
    assert "old</strong>" not in html and "<img" not in html.partition('id="no-h"')[2]


def test_the_page_takes_few_queries(analyst: User, blue: Team) -> None:
    for n in range(3):
        make_incident(f"Case {n}", team=blue, severity="critical")
    signed(analyst)
    client = client_of(analyst)
    client.get("/hand-over/")
    with counted("hand-over"):
        client.get("/hand-over/")


def test_programs_sign_read_and_take_over(analyst: User, responder: User, viewer: User, red: Team) -> None:
    one, other = Api(analyst), Api(responder)
    assert Api(viewer).post("/hand-overs/", {"note": "x"}).status_code == 403
    assert one.post("/hand-overs/", {"note": " "}).status_code == 400
    assert one.post("/hand-overs/", {"note": "x", "team": "Red"}).status_code == 403
    made = one.post("/hand-overs/", {"note": "Quiet", "seen": 0})
    assert made.status_code == 201 and made.json()["signed_by"] == "mara"
    assert one.post("/hand-overs/", {"note": "Again", "seen": 0}).status_code == 409
    number = made.json()["id"]
    assert one.post(f"/hand-overs/{number}/take/").status_code == 400
    assert other.post(f"/hand-overs/{number}/take/").json()["taken_by"] == "priya"
    assert [row["id"] for row in other.get("/hand-overs/").json()["results"]] == [number]
    assert other.get("/hand-overs/987654321/").status_code == 404


def test_what_was_merged_has_not_ended(analyst: User, blue: Team) -> None:
    stays, goes = make_incident("Goes on", team=blue), make_incident("Went into it", team=blue)
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    html = page(analyst)
    assert "Goes on" in html and "Went into it" not in html


def test_figures_of_alerts_lead_to_the_same_alerts(analyst: User, blue: Team, red: Team) -> None:
    make_alert("Ours", team=blue)
    make_alert("Everybody's")
    urls = re.findall(r'href="(/alerts/[^"]*)">(\d+)</a>', page(analyst, f"?team={blue.pk}"))
    assert [number for _url, number in urls] == ["1", "0"]
    listed = client_of(analyst).get(unescape(urls[0][0])).content.decode()
    assert "Ours" in listed and "Everybody" not in listed


def test_what_is_signed_for_all_counts_nothing_restricted(admin: User, analyst: User) -> None:
    incident = make_incident("Insider", make_alert("Copies to a stick"))
    make_alert("Plain")
    restriction.restrict(Actor.of(admin), incident.pk)
    assert signed(admin).facts["received"] == 1


def test_what_was_done_to_incidents_that_go_on_is_told(analyst: User, responder: User, blue: Team) -> None:
    me = Actor.of(responder)
    with clock.at(timezone.now() - timedelta(days=2)):
        raised, paused, reopened, still = (make_incident(f"{name} case", team=blue) for name in "RPOS")
        incidents.set_status(me, reopened.pk, "resolved", determination="benign")
    incidents.set_status(me, reopened.pk, "open", reason="It came again")
    incidents.update(me, raised.pk, changes={"severity": "critical"})
    incidents.owners(me, raised.pk, add=[responder])
    sla_pause.pause(me, paused.pk, "Waits for the customer")
    tasks.add(me, still.pk, title="Ask the bank", assignee=responder)
    html = page(analyst)
    told = html.split('id="to-h"')[1].split("</section>")[0]
    assert {one for one in "RPOS" if f"{one} case" in told} == {"R", "P", "O"}
    assert "It came again" in told
    waits = html.split('id="wait-h"')[1].split("</section>")[0]
    assert "Waits for the customer" in waits and "Ask the bank" in waits
    assert "R case" not in page(make_user("other", "Analyst", teams=("Red",)))
