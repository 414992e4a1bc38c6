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

from cases.actions import handovers, incidents, merge, notes, restriction, sla_pause, split, tasks
from cases.actors import Actor
from cases.dashboard import shift
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


def test_what_was_split_off_of_a_paused_one_says_why_it_waits(analyst: User, blue: Team) -> None:
    alerts = [make_alert(team=blue), make_alert(team=blue)]
    whole = make_incident("Whole", *alerts, team=blue)
    sla_pause.pause(Actor.of(analyst), whole.pk, "The bank must answer")
    split.split(Actor.of(analyst), whole.pk, alerts=[alerts[0].pk], title="Part")
    found = page(analyst).partition('id="wait-h"')[2].partition("</section>")[0]
    assert "Part" in found and found.count("The bank must answer") == 2


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


def many(number: int, name: str, severity: int = 2, **more: object) -> list[Incident]:
    """So many incidents, written at once."""
    about = {"severity": severity, "created_at": clock.now(), "updated_at": clock.now(), **more}
    return Incident.objects.bulk_create([Incident(title=f"{name} {n}", **about) for n in range(number)])


def figure(html: str, heading: str) -> tuple[str, str]:
    """The figure beside a heading, and where it leads."""
    found = re.search(
        r'<a href="([^"]*)"[^>]*>([^<]*)</a>', html.partition(f'id="{heading}"')[2].partition("</header>")[0]
    )
    assert found is not None
    return found[2], unescape(found[1])


def listed(user: User, url: str) -> int:
    """How many incidents the list says it has."""
    found = re.search(r'id="incident-counts"[^>]*><b class="ink">(\d+)', client_of(user).get(url).content.decode())
    assert found is not None
    return int(found[1])


def test_more_than_fits_is_counted_and_leads_to_all_of_them(analyst: User, blue: Team, red: Team) -> None:
    many(60, "New", team=blue)
    many(3, "Theirs", team=red)
    over = {"status": 3, "determination": 1, "resolved_at": clock.now(), "updated_at": clock.now()}
    with clock.at(timezone.now() - timedelta(days=2)):
        gone = many(55, "Over", team=blue)
    Incident.objects.filter(pk__in=[one.pk for one in gone]).update(**over)
    stays, goes = Incident.objects.filter(title__in=("New 0", "New 1")).order_by("pk")
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    html = page(analyst, f"?team={blue.pk}")
    assert figure(html, "op-h")[0] == "50 of 59" and figure(html, "en-h")[0] == "50 of 55"
    assert listed(analyst, figure(html, "op-h")[1]) == 59 and listed(analyst, figure(html, "en-h")[1]) == 55


def test_few_are_told_by_their_number(analyst: User, blue: Team) -> None:
    many(2, "New", team=blue)
    text, url = figure(page(analyst), "op-h")
    assert text == "2" and listed(analyst, url) == 2


def test_what_is_due_next_says_how_many_there_are(analyst: User, blue: Team) -> None:
    for n in range(12):
        make_incident(f"Case {n}", team=blue)
    html = page(analyst)
    assert figure(html, "due-h")[0] == "10 of 12" and "sort=due" in figure(html, "due-h")[1]


def test_incidents_that_go_on_are_counted_and_lead_to_all_of_them(analyst: User, blue: Team) -> None:
    with clock.at(timezone.now() - timedelta(days=2)):
        old = [make_incident(f"Old {n}", team=blue) for n in range(3)]
        make_incident("Untouched", team=blue)
    for one in old:
        incidents.update(Actor.of(analyst), one.pk, changes={"severity": "critical"})
    make_incident("New", team=blue)
    html = page(analyst)
    text, url = figure(html, "to-h")
    assert text == "3 incidents changed" and listed(analyst, url) == 3


@pytest.mark.parametrize("most", [2, 3])
def test_of_more_incidents_than_are_looked_at_that_is_said(
    analyst: User, blue: Team, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "LOOKED_AT", most)
    with clock.at(timezone.now() - timedelta(days=2)):
        old = [make_incident(f"Old {n}", team=blue) for n in range(3)]
    for one in old:
        incidents.update(Actor.of(analyst), one.pk, changes={"severity": "critical"})
    told = page(analyst).split('id="to-h"')[1].split("</section>")[0]
    assert ("Only of the 2 incidents that were changed last" in told) is (most == 2)
    assert ("Old 0" in told) is (most == 3) and "Old 2" in told
    row = signed(analyst)
    kept = client_of(analyst).get(f"/hand-over/{row.pk}/").content.decode().split('id="told-h"')[1]
    assert ("of the 2 incidents that were changed last" in kept) is (most == 2)
    assert ("2 of 2+" in kept) is (most == 2)


def test_what_was_signed_holds_all_of_it(analyst: User, admin: User, responder: User, blue: Team, red: Team) -> None:
    with clock.at(timezone.now() - timedelta(days=2)):
        old = make_incident("Old one", team=blue)
        theirs = make_incident("Not yours", team=red)
    for one in (old, theirs):
        incidents.update(Actor.of(admin), one.pk, changes={"severity": "critical"})
    many(120, "New", team=blue)
    row = signed(admin)
    assert len(row.facts["opened"]) == 120 and row.facts["changed"] == [old.pk, theirs.pk] and row.facts["cut"] == []
    url = f"/hand-over/{row.pk}/"
    html = client_of(analyst).get(url).content.decode()
    assert "50 of 120" in html and "Old one" in html and "Not yours" not in html
    assert "set severity" in html.partition('id="told-h"')[2]
    last = client_of(analyst).get(f"{url}?list=opened&from=100").content.decode()
    last = last.partition('id="opened-h"')[2].partition("</section>")[0]
    assert "20 of 120" in last and "After these" not in last and "Before these" in last
    for odd in ("?list=opened&from=9999999", "?list=nothing&from=1", "?list=told&from=-3", "?list=opened&from=x"):
        assert client_of(analyst).get(f"{url}{odd}").status_code == 200
    told = Api(analyst).get(f"/hand-overs/{row.pk}/").json()
    assert told["changed"] == [old.number] and len(told["told"]) == 1 and len(told["opened"]) == 120


def test_of_more_than_is_kept_the_rest_is_named(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handovers, "KEPT_AT_MOST", 5)
    many(6, "New")
    row = signed(admin)
    assert row.facts["cut"] == ["opened", "open"] and len(row.facts["opened"]) == 5
    assert "5 of 5+" in client_of(admin).get(f"/hand-over/{row.pk}/").content.decode()


def test_what_waits_is_not_cut_without_a_word(analyst: User, blue: Team) -> None:
    many(52, "Grave", team=blue, severity=4)
    waits = page(analyst).partition('id="wait-h"')[2].partition("</section>")[0]
    link = re.search(r'href="([^"]*)">All grave incidents without an owner', waits)
    assert waits.count("Grave ") == 50 and link is not None and listed(analyst, unescape(link[1])) == 52


def test_of_a_paused_restricted_incident_its_reader_is_noted(admin: User, analyst: User) -> None:
    incident = make_incident("Insider")
    incidents.owners(Actor.of(admin), incident.pk, add=[analyst])
    restriction.restrict(Actor.of(admin), incident.pk)
    sla_pause.pause(Actor.of(User.objects.get(pk=admin.pk)), incident.pk, "Waits for HR")
    assert "Waits for HR" in page(User.objects.get(pk=analyst.pk))
    assert AuditEntry.objects.filter(verb="incident.restricted_viewed", actor_id=analyst.pk).count() == 1
