"""Object grants: given, changed, taken away, copied, run out; who may, and what is written of it (access.md 3, 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.utils import timezone

from cases.actions.access import INCIDENT, SOURCE
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import Alert, Incident, IncidentUserPermission, TimelineEntry
from cases.permissions import holds
from soar.accounts.access import actions, expiring
from soar.accounts.access.rows import grant_of, grants_on, group_grants_on
from soar.accounts.models import AuditEntry, Team, User
from tests.factories import make_alert, make_incident, make_source, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def reds(red: Team) -> Incident:
    """An incident of a team that nobody here is in, with an alert."""
    return make_incident("Red business", make_alert("Red one", team=red), team=red)


def anew(user: User) -> User:
    return User.objects.get(pk=user.pk)


def sees(user: User, incident: Incident) -> bool:
    return Incident.objects.visible_to(anew(user)).filter(pk=incident.pk).exists()


def expire(incident: Incident, user: User) -> None:
    rows = IncidentUserPermission.objects.filter(content_object=incident, user=user)
    rows.update(expires_at=Now() - timedelta(seconds=1))


def test_a_stranger_finds_nothing_to_grant_on(analyst: User, viewer: User, reds: Incident) -> None:
    with pytest.raises(Missing):
        actions.grant(analyst, INCIDENT, reds.number, viewer, "view")
    assert not AuditEntry.objects.filter(verb__startswith="access.").exists()


def test_who_only_sees_or_edits_may_not_grant(analyst: User, viewer: User, stranger: User, reds: Incident) -> None:
    actions.grant(None, INCIDENT, reds.number, analyst, "delete")
    for person in (anew(analyst), stranger):  # by a grant below manage, by team
        with pytest.raises(Forbidden, match="manage"):
            actions.grant(person, INCIDENT, reds.number, viewer, "view")
    assert not sees(viewer, reds)


@pytest.mark.parametrize(
    ("level", "more", "field"),
    [
        ("own", {}, "level"),
        ("", {}, "level"),
        ("view", {"expires_at": timezone.now() - timedelta(days=400)}, "expires_at"),
        ("view", {"reason": "x" * 301}, "reason"),
    ],
)
def test_what_is_no_grant_is_refused(
    admin: User, viewer: User, reds: Incident, level: str, more: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        actions.grant(admin, INCIDENT, reds.number, viewer, level, **more)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert grants_on(INCIDENT, reds) == []


def test_nobody_and_a_disabled_person_are_not_granted_to(admin: User, viewer: User, reds: Incident) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    for given, field in (
        ({"user": viewer.username}, "user"),
        ({"user": "who\x00ever"}, "user"),
        ({"group": "Nobodies"}, "group"),
        ({}, "user"),
        ({"user": "admin", "group": "Red"}, "user"),
    ):
        with pytest.raises(Refused) as refused:
            actions.holder_named(**given)
        assert refused.value.field == field
    with pytest.raises(Refused, match="disabled"):
        actions.grant(admin, INCIDENT, reds.number, anew(viewer), "view")


def test_a_level_contains_the_former(admin: User, analyst: User, viewer: User, reds: Incident) -> None:
    given, new = actions.grant(admin, INCIDENT, reds.number, viewer, "edit", reason="takes the image")
    assert new
    assert (given.id, given.level, given.granted_by) == (f"user-{viewer.pk}", "edit", "Ada Admin")
    assert sees(viewer, reds)
    assert [level for level in INCIDENT.levels if holds(anew(viewer), reds, level)] == ["view", "comment", "edit"]
    assert viewer.has_perm("cases.comment_incident", reds)  # guardian's own answer
    entry = TimelineEntry.objects.filter(incident=reds, kind="access.granted").get()
    assert (entry.text, entry.data["level"], entry.data["user"]) == ("takes the image", "edit", "jonas")
    row = AuditEntry.objects.get(verb="access.granted")
    assert (row.target, row.data["level"], row.actor_name) == (reds.number, "edit", "Ada Admin")


def test_the_same_again_changes_nothing(admin: User, viewer: User, reds: Incident) -> None:
    actions.grant(admin, INCIDENT, reds.number, viewer, "edit")
    again, new = actions.grant(admin, INCIDENT, reds.number, viewer, "edit")
    assert (again.level, new) == ("edit", False)
    assert AuditEntry.objects.filter(verb__startswith="access.").count() == 1


def test_a_level_is_raised_and_lowered(admin: User, viewer: User, reds: Incident) -> None:
    actions.grant(admin, INCIDENT, reds.number, viewer, "edit")
    actions.grant(admin, INCIDENT, reds.number, viewer, "close")
    assert holds(anew(viewer), reds, "close")
    actions.change(admin, INCIDENT, reds.number, f"user-{viewer.pk}", level="view")
    assert not holds(anew(viewer), reds, "comment")
    assert sees(viewer, reds)
    row = AuditEntry.objects.filter(verb="access.changed").first()
    assert row is not None
    assert (row.data["old"], row.data["level"]) == ("close", "view")


def test_a_group_lets_its_people_in(admin: User, blue: Team, analyst: User, viewer: User, reds: Incident) -> None:
    holder = actions.holder_named(group="blue")
    actions.grant(admin, INCIDENT, reds.number, holder, "comment")
    assert sees(analyst, reds) and holds(anew(viewer), reds, "comment")
    given = group_grants_on(INCIDENT, reds)
    assert [(one.id, one.name, one.level) for one in given] == [(f"group-{blue.group_id}", "Blue", "comment")]
    actions.revoke(admin, INCIDENT, reds.number, given[0].id)
    assert not sees(viewer, reds)


def test_a_role_can_be_granted_to(admin: User, reds: Incident, responder: User) -> None:
    actions.grant(admin, INCIDENT, reds.number, actions.holder_named(group="Responder"), "view")
    assert sees(responder, reds)


def test_what_is_taken_away_is_gone_at_once_and_only_once(admin: User, viewer: User, reds: Incident) -> None:
    given, _new = actions.grant(admin, INCIDENT, reds.number, viewer, "edit")
    actions.revoke(admin, INCIDENT, reds.number, given.id)
    assert not sees(viewer, reds)
    for gone in (given.id, "user-0", "group-7", "user-x", "nonsense", ""):
        with pytest.raises(Missing):
            actions.revoke(admin, INCIDENT, reds.number, gone)
    assert AuditEntry.objects.filter(verb="access.revoked").count() == 1


def test_a_manager_by_grant_grants_and_revokes(analyst: User, viewer: User, reds: Incident) -> None:
    actions.grant(None, INCIDENT, reds.number, analyst, "manage")
    actions.grant(anew(analyst), INCIDENT, reds.number, viewer, "comment")
    assert sees(viewer, reds)
    actions.revoke(anew(analyst), INCIDENT, reds.number, f"user-{analyst.pk}")  # not restricted: admins are left
    assert not sees(analyst, reds)


def test_a_token_made_for_less_does_not_manage(analyst: User, viewer: User, reds: Incident) -> None:
    actions.grant(None, INCIDENT, reds.number, analyst, "manage")
    caller = anew(analyst)
    caller.token_scopes = frozenset({"view_cases"})
    with pytest.raises(Forbidden):
        actions.grant(caller, INCIDENT, reds.number, viewer, "view")


def test_an_expired_grant_counts_for_nothing_and_is_tidied_up(admin: User, viewer: User, reds: Incident) -> None:
    actions.grant(admin, INCIDENT, reds.number, viewer, "edit", expires_at=timezone.now() + timedelta(hours=1))
    assert sees(viewer, reds)
    expire(reds, viewer)
    assert not sees(viewer, reds)
    assert not holds(anew(viewer), reds, "edit")
    assert grants_on(INCIDENT, reds) == []
    assert expiring.tidy() == 1
    assert not IncidentUserPermission.objects.exists()
    row = AuditEntry.objects.get(verb="access.expired")
    assert (row.target, row.actor_name, row.data["user"], row.data["level"]) == (reds.number, "Soar", "jonas", "edit")
    assert TimelineEntry.objects.filter(incident=reds, kind="access.expired").count() == 1
    assert expiring.tidy() == 0


def test_a_new_grant_takes_the_place_of_an_expired_one(admin: User, viewer: User, reds: Incident) -> None:
    actions.grant(admin, INCIDENT, reds.number, viewer, "edit", expires_at=timezone.now() + timedelta(hours=1))
    expire(reds, viewer)
    given, new = actions.grant(admin, INCIDENT, reds.number, viewer, "view")
    assert (given.level, given.expires_at, new) == ("view", None, True)
    assert sees(viewer, reds)
    assert expiring.tidy() == 0


def test_a_grant_of_a_source_shows_its_alerts(admin: User, analyst: User, red: Team) -> None:
    source = make_source("Of Red", team=red)
    make_alert("Red one", source=source)
    actions.grant(admin, SOURCE, source.slug, analyst, "view")
    assert Alert.objects.visible_to(anew(analyst)).count() == 1
    with pytest.raises(Refused, match="view, manage"):
        actions.grant(admin, SOURCE, source.slug, analyst, "edit")
    with pytest.raises(Forbidden):
        actions.grant(anew(analyst), SOURCE, source.slug, analyst, "manage")


def test_grants_are_copied_from_another_incident(
    admin: User, analyst: User, viewer: User, blue: Team, reds: Incident, red: Team
) -> None:
    other = make_incident("Another", team=red)
    later = timezone.now() + timedelta(days=2)
    actions.grant(admin, INCIDENT, other.number, analyst, "edit", expires_at=later)
    actions.grant(admin, INCIDENT, other.number, blue.group, "view")
    actions.grant(admin, INCIDENT, reds.number, viewer, "close")
    actions.grant(admin, INCIDENT, other.number, viewer, "comment")
    made = actions.copy(admin, INCIDENT, reds.number, other.number)
    assert {(one.name, one.level) for one in made} == {("Mara Lindqvist", "edit"), ("Blue", "view")}
    kept = {one.key: (one.level, one.expires_at) for one in grants_on(INCIDENT, reds)}
    assert kept == {"mara": ("edit", later), "jonas": ("close", None)}
    for wrong in (reds.number, "INC-999999"):
        with pytest.raises((Refused, Missing)):
            actions.copy(admin, INCIDENT, reds.number, wrong)


def test_what_guardian_itself_gives_is_read_too(admin: User, viewer: User, reds: Incident) -> None:
    level = Permission.objects.get(codename="close_incident")
    IncidentUserPermission.objects.create(user=viewer, permission=level, content_object=reds)
    found = grant_of(INCIDENT, reds, viewer)
    assert found is not None
    assert (found.level, found.granted_by) == ("close", "")


def test_what_is_written_reads_as_a_sentence(admin: User, viewer: User, reds: Incident) -> None:
    from cases.timeline_words import sentence

    later = timezone.now() + timedelta(days=2)
    actions.grant(admin, INCIDENT, reds.number, viewer, "edit", expires_at=later)
    actions.grant(admin, INCIDENT, reds.number, viewer, "view")
    actions.revoke(admin, INCIDENT, reds.number, f"user-{viewer.pk}")
    said = [
        sentence(one) for one in TimelineEntry.objects.filter(incident=reds, kind__startswith="access.").order_by("pk")
    ]
    assert said[0].startswith("gave <b>Jonas Adeyemi</b> <b>edit</b> until <time")
    assert said[1].startswith("changed the access of <b>Jonas Adeyemi</b>: ")
    assert said[2] == "took view from <b>Jonas Adeyemi</b>"


def test_a_name_that_is_html_stays_text(admin: User, reds: Incident) -> None:
    from cases.timeline_words import sentence

    evil = make_user("evil", first_name="<script>x", last_name="</script>")
    actions.grant(admin, INCIDENT, reds.number, evil, "view")
    said = sentence(TimelineEntry.objects.get(incident=reds, kind="access.granted"))
    assert "<script>" not in said
    assert Actor.of(evil).name == "<script>x </script>"
