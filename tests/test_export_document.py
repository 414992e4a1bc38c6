"""The document that every export is made of: what is in it, what is kept from whom, one moment."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from cases.actions import custom_fields, incidents, links, merge, relations, restriction
from cases.actions.notes import edit_comment
from cases.actors import Actor
from cases.chain import canonical_time
from cases.errors import Forbidden, Missing, Refused
from cases.models import Alert
from cases.reporting.document import document
from cases.reporting.formats import FORMATS
from cases.reporting.options import Options
from cases.timeline_read import entries_of_incident
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.evidence_files import keep
from tests.exporting import SYSTEM, auditor, whole_incident
from tests.factories import make_alert, make_incident, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]


def test_everything_of_an_incident_is_in_it_as_plain_json(blue: Team) -> None:
    incident = whole_incident(blue)
    read = document(auditor(), incident.number)
    assert json.loads(json.dumps(read)) == read
    assert read["incident"]["number"] == incident.number
    assert [one["title"] for one in read["alerts"]] == ["Beacon from FIN-LT-0231", "Sign-in from afar"]
    seen = {(one["type"], one["value"]): one for one in read["observables"]}
    assert set(seen) == {
        ("ip", "203.0.113.7"),
        ("domain", "evil.example.net"),
        ("url", "https://evil.example.net/path"),
    }
    assert len(seen["ip", "203.0.113.7"]["alerts"]) == 2
    assert [one["name"] for one in read["evidence"]] == ["invoice.eml"]
    assert [one["title"] for one in read["tasks"]] == ["Isolate the host"]
    assert [(one["from"], one["to"], one["reason"]) for one in read["status_history"]] == [
        ("open", "in_progress", "Somebody looks")
    ]
    assert (read["runs"], read["responses"]) == ([], [])


def test_the_timeline_holds_whole_chains_and_says_what_the_page_shows(blue: Team) -> None:
    incident = whole_incident(blue)
    read = document(auditor(), incident.pk)
    entries: dict[str, list[Any]] = {chain["subject"]: [] for chain in read["chains"]}
    for entry in read["timeline"]:
        entries[entry["subject"]].append(entry)
    for chain in read["chains"]:
        assert len(entries[chain["subject"]]) == chain["count"]
        assert entries[chain["subject"]][-1]["hash"] == chain["head"]
    joined = {entry["id"] for entry in read["timeline"] if entry["joined"]}
    assert joined == set(entries_of_incident(incident).values_list("pk", flat=True))
    assert canonical_time(incident.created_at)[:19] == read["incident"]["created_at"][:19]


def test_who_may_not_export_is_told_so_and_who_sees_nothing_is_not(blue: Team, analyst: User, stranger: User) -> None:
    incident = whole_incident(blue)
    with pytest.raises(Forbidden):
        document(analyst, incident.pk)
    with pytest.raises(Missing):
        document(stranger, incident.pk)
    restriction.restrict(Actor.of(make_user("root", "Admin")), incident.pk, reason="quiet")
    with pytest.raises(Missing):
        document(auditor(), incident.pk)


def test_the_number_of_an_incident_that_the_reader_does_not_see_is_taken_out(blue: Team) -> None:
    alert = make_alert("Moved", team=blue)
    other = make_incident("Secret matter", alert, team=blue)
    incident = make_incident("Case", team=blue)
    links.link(SYSTEM, [alert.pk], incident.pk, move=True)
    restriction.restrict(Actor.of(make_user("root", "Admin")), other.pk, reason="quiet")
    told = json.dumps(document(auditor(), incident.pk))
    assert other.number not in told
    assert "Secret matter" not in told


def test_a_tlp_limit_leaves_out_what_is_above_it_and_what_tells_of_it(blue: Team) -> None:
    incident = whole_incident(blue, tlp="green")
    Alert.objects.filter(incident=incident).update(tlp="green")
    red = make_alert("Informant named", team=blue, tlp="red", observables=(("email", "informant@example.org"),))
    links.link(SYSTEM, [red.pk], incident.pk)
    incidents.update(SYSTEM, incident.pk, changes={"tlp": "green"})  # which the alert had raised
    keep(incident, "informant.txt", b"who it was", tlp="red")
    read = document(auditor(), incident.pk, Options(tlp="green"))
    told = json.dumps(read)
    for secret in ("Informant", "informant", red.number):
        assert secret not in told
    assert read["tlp"] == "green"
    assert (read["left_out"]["alerts"], read["left_out"]["evidence"]) == (1, 2)
    assert document(auditor("second"), incident.pk)["tlp"] == "red"


def test_an_incident_above_the_limit_is_refused_with_the_reason(blue: Team) -> None:
    incident = whole_incident(blue, tlp="red")
    with pytest.raises(Refused, match="is TLP:RED, above TLP:GREEN"):
        document(auditor(), incident.pk, Options(tlp="green"))


def test_notes_evidence_and_observables_can_be_left_out(blue: Team) -> None:
    incident = whole_incident(blue)
    read = document(auditor(), incident.pk, Options(evidence=False, notes=False, observables=False))
    told = json.dumps(read)
    assert "at nine" not in told
    assert "invoice.eml" not in told
    assert "203.0.113.7" not in told
    assert read["chains"][0]["count"] == len([one for one in read["timeline"] if one["subject"] == incident.number])


@pytest.mark.parametrize(("name", "value"), [("tlp", "purple"), ("notes", "maybe"), ("evidence", "2")])
def test_options_that_are_none_are_refused_beside_their_name(name: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        Options.read({name: value})
    assert refused.value.field == name


@pytest.mark.django_db(transaction=True)
def test_all_of_it_is_of_one_moment_though_others_go_on(settings: Any, blue: Team) -> None:
    incident = whole_incident(blue)
    user = auditor()

    settings.EXPORT_PARTS = ["tests.test_export_document.write_meanwhile", "tests.test_export_document.look_again"]
    read = document(user, incident.pk)
    assert read["titles"] == ["Beaconing host"]
    assert document_title(incident.pk) == "Renamed meanwhile"


def write_meanwhile(user: User, incident: Any, alerts: list[int]) -> dict[str, Any]:
    """A part of the document during which somebody else changes the incident and commits."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("UPDATE cases_incident SET title = 'Renamed meanwhile' WHERE id = %s", [incident.pk])
    finally:
        other.close()
    return {}


def look_again(user: User, incident: Any, alerts: list[int]) -> dict[str, Any]:
    """A later part, which reads the title once more."""
    return {"titles": [document_title(incident.pk)]}


def document_title(pk: int) -> str:
    """The title as this connection sees it now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM cases_incident WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


def test_a_comment_that_was_corrected_is_told_in_both_wordings(blue: Team, analyst: User) -> None:
    incident = make_incident("Case", team=blue)
    entry = incidents.comment(Actor.of(analyst), incident.pk, "First words")
    edit_comment(Actor.of(analyst), entry.pk, "Better words")
    told = [one["text"] for one in document(auditor(), incident.pk)["timeline"]]
    assert "First words" in told
    assert "Better words" in told


def test_what_was_merged_is_told_too_and_its_chain_is_whole(admin: User) -> None:
    me = Actor.of(admin)
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    incidents.comment(me, goes.pk, "Seen at the gateway")
    incidents.set_status(me, goes.pk, "contained")
    merge.merge(me, stays.pk, [goes.pk])
    read = document(admin, stays.number)
    (note,) = [one for one in read["timeline"] if one["text"] == "Seen at the gateway"]
    assert note["joined"] and note["subject"] == goes.number
    chains = {chain["subject"]: chain for chain in read["chains"]}
    own = [one for one in read["timeline"] if one["subject"] == goes.number]
    assert (len(own), own[-1]["hash"]) == (chains[goes.number]["count"], chains[goes.number]["head"])
    assert read["status_history"] == []  # those are the states of the one that stayed
    assert "Seen at the gateway" not in str(document(admin, stays.number, Options(notes=False))["timeline"])


def test_a_file_above_the_mark_that_a_merge_left_behind_is_not_named(admin: User) -> None:
    me = Actor.of(admin)
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    keep(stays, "plain.eml", b"the same bytes", tlp="green")
    keep(goes, "secret-name.eml", b"the same bytes", tlp="red")
    merge.merge(me, stays.pk, [goes.pk])
    assert "secret-name" in str(document(admin, stays.number))
    assert "secret-name" not in str(document(admin, stays.number, Options(tlp="amber")))


def test_custom_fields_targets_and_links_are_in_it(admin: User) -> None:
    me = Actor.of(admin)
    custom_fields.create(me, fields={"name": "Found at", "kind": "datetime"})
    with clock.at(timezone.now() - timedelta(hours=3)):
        incident = make_incident("Case", make_alert(), severity="critical")
    incidents.update(me, incident.pk, changes={"custom_fields": {"found_at": "2026-03-12T09:41:00Z"}})
    relations.relate(me, incident.pk, make_incident("The whole wave").pk, "child_of")
    incidents.set_status(me, incident.pk, "in_progress")
    read = document(admin, incident.number)
    assert [(one["name"], one["words"]) for one in read["fields"]] == [("Found at", "2026-03-12 09:41 UTC")]
    assert {one["name"]: one["kept"] for one in read["clocks"]} == {
        "acknowledge": False, "contain": False, "resolve": None,
    }  # fmt: skip
    assert [(one["relation"], one["title"]) for one in read["related"]] == [("child_of", "The whole wave")]
    for format in ("html", "md"):
        text = FORMATS[format].render(read)
        assert isinstance(text, bytes)
        for word in (b"Found at", b"2026", b"The whole wave", b"Acknowledge", b"late"):
            assert word in text.replace(b"\\", b""), (format, word)


def test_the_title_of_an_incident_under_a_stricter_mark_does_not_go_out(admin: User) -> None:
    me = Actor.of(admin)
    incident, grave = make_incident("Case", tlp="green"), make_incident("Name of an informer", tlp="red")
    insider = make_incident("Insider", tlp="green")
    for other in (grave, insider):
        relations.relate(me, incident.pk, other.pk, "related_to")
    restriction.restrict(me, insider.pk)
    read = document(admin, incident.number)
    assert {one["incident"]: one["title"] for one in read["related"]} == {grave.number: None, insider.number: None}
    assert "informer" not in json.dumps(read) and "Insider" not in json.dumps(read)
    assert grave.number in json.dumps(read["timeline"])
    assert "Case" in json.dumps(document(admin, grave.number))
