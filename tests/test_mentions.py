"""Mentions in what people write: who is told, who is not, and what the writer learns (casework.md 13, access.md 6)."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts, incidents, mentions, notes
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import Alert, Incident, Mention, TimelineEntry
from cases.verify import report_of_incident
from soar.accounts.models import Team, User
from soar.lib.text import markdown, names_in
from tests.factories import make_alert, make_incident, make_source, make_team, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ODD = ["anna@example.org", "jürgen.müller-ng", "a.b-c_d+e", "Иван", "x", "trailing-"]


@pytest.fixture
def incident(blue: Team, analyst: User) -> Incident:
    return make_incident("Case", team=blue)


def told(entry: TimelineEntry) -> set[str]:
    rows = set(Mention.objects.filter(entry=entry).values_list("user__username", flat=True))
    ids = set(User.objects.filter(pk__in=entry.data.get("mentions", [])).values_list("username", flat=True))
    assert rows == ids  # what notifies and what is asked are the same
    return rows


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("around", ["@{} please", "(@{})", "**@{}**", "- @{}", "ask @{}, now", "end @{}."])
def test_odd_names_are_found(blue: Team, analyst: User, incident: Incident, name: str, around: str) -> None:
    make_user(name, "Analyst", teams=("Blue",))
    entry = incidents.comment(Actor.of(analyst), incident.pk, around.format(name))
    assert told(entry) == {name}
    assert f'<span class="at">@{entry.data["named"][name]}</span>' in markdown(entry.text, entry.data["named"])


@pytest.mark.parametrize(
    "text",
    [
        "`@priya`", "```\n@priya\n```", "so\n\n    @priya", "[@priya](https://example.org/)", "mail x@priya",
        "a/@priya", "\\@priya", "<https://example.org/@priya>", "@priyax", "@priya-two", "@", "@@",
        f"@{'p' * 151}", "priya",
    ],
)  # fmt: skip
def test_what_is_no_mention(analyst: User, responder: User, incident: Incident, text: str) -> None:
    assert told(incidents.comment(Actor.of(analyst), incident.pk, text)) == set()


def test_a_name_in_another_case_is_meant_if_it_is_the_only_one(blue: Team, analyst: User, incident: Incident) -> None:
    make_user("Olga", "Analyst", teams=("Blue",))
    assert told(incidents.comment(Actor.of(analyst), incident.pk, "@olga")) == {"Olga"}
    make_user("OLGA", "Analyst", teams=("Blue",))
    assert told(incidents.comment(Actor.of(analyst), incident.pk, "@olga")) == set()
    assert told(incidents.comment(Actor.of(analyst), incident.pk, "@OLGA")) == {"OLGA"}


@pytest.mark.parametrize("written", ["@tier-2", "@Tier-2", "@tier-2."])
def test_a_team_stands_for_its_members_who_see_it(analyst: User, responder: User, written: str) -> None:
    tier = make_team("Tier 2")
    make_user("ida", "Analyst", teams=("Tier 2", "Blue"))
    gone = make_user("gone", "Analyst", teams=("Tier 2", "Blue"))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    make_user("elsewhere", "Analyst", teams=("Tier 2",))
    incident = make_incident("Case", team=Team.objects.get(name="Blue"))
    entry = incidents.comment(Actor.of(analyst), incident.pk, f"{written} look")
    assert told(entry) == {"ida"}
    assert entry.data["named"] == {written[1:].rstrip("."): tier.name}


def test_the_writer_is_not_told_of_their_own_words(analyst: User, incident: Incident) -> None:
    entry = incidents.comment(Actor.of(analyst), incident.pk, "@mara, that is me")
    assert told(entry) == set()
    assert entry.data == {"named": {"mara": "Mara Lindqvist"}}


def test_a_deactivated_user_and_a_program_are_nobody(blue: Team, analyst: User, incident: Incident) -> None:
    gone, robot = make_user("gone", "Analyst", teams=("Blue",)), make_user("robot", "Analyst", teams=("Blue",))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    User.objects.filter(pk=robot.pk).update(is_service=True)
    entry = incidents.comment(Actor.of(analyst), incident.pk, "@gone @robot")
    assert (told(entry), entry.data) == (set(), {})
    assert mentions.read(Actor.of(analyst), incident, "@gone").blind == []


def test_words_of_playbooks_and_sources_tell_nobody(analyst: User, responder: User, incident: Incident) -> None:
    for actor in (Actor.system(), Actor.source("Mail", 1), Actor.playbook("Triage", 1, analyst)):
        assert told(incidents.comment(actor, incident.pk, "@priya")) == set()


def test_a_correction_tells_only_who_is_new(blue: Team, analyst: User, responder: User, incident: Incident) -> None:
    make_user("ida", "Analyst", teams=("Blue",))
    actor = Actor.of(analyst)
    note = incidents.comment(actor, incident.pk, "@priya look")
    assert told(notes.edit_comment(actor, note.pk, "@priya and @ida look")) == {"ida"}
    assert told(notes.edit_comment(actor, note.pk, "@priya @ida, look please")) == set()
    page = client_of(analyst).get(f"/incidents/{incident.number}/").content.decode()
    assert '<span class="at">@Priya Raman</span>' in page


def test_a_summary_tells_who_is_new_in_it(analyst: User, responder: User, incident: Incident) -> None:
    actor = Actor.of(analyst)
    incidents.update(actor, incident.pk, changes={"summary": "Led by @priya"})
    changed = TimelineEntry.objects.filter(incident=incident, kind="changed").latest("pk")
    assert (told(changed), changed.data["field"]) == ({"priya"}, "summary")
    incidents.update(actor, incident.pk, changes={"summary": "Led by @priya, as before"})
    assert told(TimelineEntry.objects.filter(incident=incident, kind="changed").latest("pk")) == set()
    opened = incidents.open_incident(actor, title="New", summary="@priya", team="Blue")
    assert told(TimelineEntry.objects.get(incident=opened, kind="incident.opened")) == {"priya"}
    page = client_of(analyst).get(f"/incidents/{opened.number}/").content.decode()
    assert '<span class="at">@Priya Raman</span>' in page


def test_on_an_alert_who_sees_it_is_told(blue: Team, analyst: User, responder: User, stranger: User) -> None:
    alert = make_alert("Beacon", source=make_source(team=blue))
    assert told(alerts.comment(Actor.of(analyst), alert.pk, "@priya @sam")) == {"priya"}
    Alert.objects.filter(pk=alert.pk).update(owner=stranger)
    assert told(alerts.comment(Actor.of(analyst), alert.pk, "@sam")) == {"sam"}
    moved = incidents.escalate(Actor.of(analyst), alert.pk)
    note = TimelineEntry.objects.filter(incident=moved, kind="note.moved").earliest("pk")
    assert told(note) == set()  # they were, on the alert
    page = client_of(analyst).get(f"/incidents/{moved.number}/").content.decode()
    assert '<span class="at">@Priya Raman</span>' in page


def test_who_does_not_see_it_leaves_no_trace_in_the_entry(analyst: User, stranger: User, incident: Incident) -> None:
    entry = incidents.comment(Actor.of(analyst), incident.pk, "@sam look")
    assert (told(entry), entry.data) == (set(), {})


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_writer_learns_who_was_not_told(
    as_analyst: Client, stranger: User, incident: Incident, headers: dict[str, str]
) -> None:
    answer = as_analyst.post(
        f"/incidents/{incident.number}/comment/", {"text": "@sam look"}, headers=headers, follow=not headers
    )
    page = answer.content.decode()
    assert "Sam Stranger" in page
    assert "cannot see" in page
    assert "let-in" not in page  # an analyst does not manage the access


def test_who_manages_the_incident_lets_them_in(as_admin: Client, stranger: User, incident: Incident) -> None:
    page = as_admin.post(f"/incidents/{incident.number}/comment/", {"text": "@sam @nobody look"}, headers=HTMX)
    assert 'value="sam"' in page.content.decode()
    note = TimelineEntry.objects.get(kind="comment", incident=incident)
    answer = as_admin.post(f"/incidents/{incident.number}/let-in/", {"entry": note.pk, "user": "sam"}, headers=HTMX)
    assert answer.status_code == 200
    assert "cannot see" not in answer.content.decode()
    entry = TimelineEntry.objects.get(kind="mentioned", incident=incident)
    assert (told(entry), entry.data["of"]) == ({"sam"}, note.pk)
    assert TimelineEntry.objects.filter(kind="access.granted", incident=incident).exists()
    theirs = client_of(stranger)
    seen = theirs.get(f"/incidents/{incident.number}/").content.decode()
    assert '<span class="at">@Sam Stranger</span>' in seen
    assert report_of_incident(incident).findings == []
    again = as_admin.post(f"/incidents/{incident.number}/let-in/", {"entry": note.pk, "user": "sam"}, headers=HTMX)
    assert again.status_code == 422


def test_nobody_is_let_in_who_is_not_named_or_by_whom_may_not(
    analyst: User, admin: User, stranger: User, incident: Incident
) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "@sam")
    with pytest.raises(Forbidden):
        mentions.let_in(Actor.of(analyst), note.pk, "sam")
    with pytest.raises(Missing):
        mentions.let_in(Actor.of(stranger), note.pk, "sam")
    other = incidents.comment(Actor.of(analyst), incident.pk, "nobody is named")
    for entry, name in ((other.pk, "sam"), (note.pk, "mara"), (note.pk, "who?")):
        with pytest.raises(Refused):
            mentions.let_in(Actor.of(admin), entry, name)
    with pytest.raises(Missing):
        mentions.let_in(Actor.of(admin), 2**62, "sam")


def test_a_restricted_incident_tells_only_its_own_people(
    admin: User, analyst: User, responder: User, stranger: User, incident: Incident
) -> None:
    incidents.owners(Actor.of(analyst), incident.pk, add=["priya"])
    incidents.update(Actor.of(admin), incident.pk, changes={"restricted": True})
    entry = incidents.comment(Actor.of(admin), incident.pk, "@priya @mara @sam @jonas")
    assert told(entry) == {"priya"}
    incident.refresh_from_db()
    assert {one.username for one in mentions.read(Actor.of(admin), incident, "@mara @sam").blind} == {"mara", "sam"}
    answer = client_of(stranger).post(f"/incidents/{incident.number}/comment/", {"text": "@priya"})
    assert answer.status_code == 404


def test_more_than_can_be_told_is_refused(blue: Team, analyst: User, incident: Incident) -> None:
    crowd = make_team("Crowd")
    users = [User(username=f"u{n}") for n in range(201)]
    for user in User.objects.bulk_create(users):
        user.groups.add(crowd.group, blue.group, *analyst.groups.all())
    with pytest.raises(Refused, match="200"):
        incidents.comment(Actor.of(analyst), incident.pk, "@crowd")
    assert not TimelineEntry.objects.filter(incident=incident, kind="comment").exists()


@pytest.mark.parametrize("begins", ["pri", "RAM", "Priya"])
def test_the_list_offers_who_may_be_meant(as_analyst: Client, responder: User, incident: Incident, begins: str) -> None:
    page = as_analyst.get(f"/incidents/{incident.number}/people/", {"q": begins}, headers=HTMX).content.decode()
    assert 'data-name="priya"' in page
    assert "cannot see" not in page


def test_the_list_says_who_would_not_be_told(as_analyst: Client, stranger: User, incident: Incident) -> None:
    make_team("Samurai")
    gone = make_user("samantha", "Analyst")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    page = as_analyst.get(f"/incidents/{incident.number}/people/", {"q": "sam"}, headers=HTMX).content.decode()
    assert "cannot see" in page
    assert 'data-name="samurai"' in page
    assert "samantha" not in page


def test_the_list_is_for_those_who_may_write(as_viewer: Client, as_stranger: Client, incident: Incident) -> None:
    assert as_viewer.get(f"/incidents/{incident.number}/people/?q=p", headers=HTMX).status_code == 403
    assert as_stranger.get(f"/incidents/{incident.number}/people/?q=p", headers=HTMX).status_code == 404


def test_names_as_markup_stay_text(analyst: User, incident: Incident) -> None:
    make_user("evil", "Analyst", teams=("Blue",), first_name="<script>alert(1)</script>", last_name='"><img>')
    incidents.comment(Actor.of(analyst), incident.pk, "@evil")
    page = client_of(analyst).get(f"/incidents/{incident.number}/").content.decode()
    assert "<script>alert(1)" not in page
    assert '<span class="at">@&lt;script' in page


def test_names_are_found_once_and_in_order() -> None:
    assert names_in("@b and @a, @b again `@c`") == ["b", "a"]
