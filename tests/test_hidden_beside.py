"""What stands beside a case gives it away to nobody: the calls made for it, the age of a value, figures, texts that
playbooks wrote, what was kept of a shift (access.md 3, 4, 7)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from cases import searching, timeline
from cases.actions import assets, evidence, handovers, merge, observables, restriction, sla_pause
from cases.actors import Actor
from cases.first_seen import LOOKED_AT
from cases.models import (
    Alert,
    AlertObservable,
    AlertPull,
    Asset,
    AssetChange,
    DeadLetter,
    Incident,
    Observable,
    TicketLink,
    TimelineEntry,
)
from cases.reporting.document import document
from playbooks.models import Approval, Playbook, Run
from soar.accounts.access.actions import grant
from soar.accounts.models import AuditEntry, Team, User
from soar.connectors.access import CONNECTOR_ACCESS
from soar.connectors.blocklist import actions as blocklist
from soar.connectors.models import Attempt, ConnectorAccount
from tests.api import Api
from tests.factories import make_alert, make_asset, make_incident, make_source, make_user
from tests.fixtures import client_of
from tests.ticket_rows import make_instance, make_link, make_profile

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2025, 1, 7, 8, 0, tzinfo=timezone.get_fixed_timezone(0))
VALUE = "198.51.100.77"
WITHHELD = "It is about a case that you may not see."


@pytest.fixture
def root(db: None) -> User:
    """An admin whom nobody let in."""
    return make_user("root", "Admin")


@pytest.fixture
def secret(admin: User) -> Incident:
    """Restricted by ``admin``, who alone sees it and its alert."""
    incident = make_incident("Payroll theft", make_alert("Mailbox rule"))
    restriction.restrict(Actor.of(admin), incident.pk)
    incident.refresh_from_db()
    return incident


@pytest.fixture
def chat(db: None) -> ConnectorAccount:
    return ConnectorAccount.objects.create(kind="slack", name="Chat")


def call(account: ConnectorAccount, text: str, **fields: Any) -> Attempt:
    made = {"request": {"body": {"text": text}}, "response": {"body": f"took {text}"}, "error": f"refused {text}"}
    made |= {"status": "unsuccessful", "operation": "message.post"}
    return Attempt.objects.create(account=account, **{**made, **fields})


def read(user: User, path: str) -> str:
    answer = client_of(user).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_call_for_a_restricted_incident_is_not_read_by_who_manages_connectors(
    admin: User, root: User, secret: Incident, chat: ConnectorAccount
) -> None:
    call(chat, "the words of its alert", cause=secret.alerts.get().cause)
    call(chat, "the words of itself", cause=secret.cause)
    call(chat, f"it is named: {secret.number.lower()}")
    call(chat, "it is named by a thread", thread=secret.number)
    call(chat, "nobody's words")
    mine, theirs = (read(user, f"/connectors/{chat.pk}/") for user in (admin, root))
    assert mine.count("the words") > 3 and "it is named" in mine and WITHHELD not in mine
    assert "the words" not in theirs and "it is named" not in theirs and secret.number.lower() not in theirs
    assert theirs.count(WITHHELD) == 4 and theirs.count("message.post") == 5 and "nobody&#x27;s words" in theirs


def test_a_call_for_another_team_is_not_read_by_who_does_not_see_it(
    analyst: User, blue: Team, red: Team, chat: ConnectorAccount
) -> None:
    grant(None, CONNECTOR_ACCESS, str(chat.pk), analyst, "manage")
    ours, theirs = make_incident("Ours", team=blue), make_incident("Theirs", team=red)
    call(chat, f"we say {ours.number}", cause=ours.cause)
    call(chat, f"they say {theirs.number}", cause=theirs.cause)
    call(chat, "they ask about a value", cause=theirs.cause)
    call(chat, "is anybody there")
    text = read(analyst, f"/connectors/{chat.pk}/")
    assert (
        "we say" in text
        and "is anybody there" in text
        and "they" not in text.partition("calls-title")[2].partition("<aside")[0].replace("they are kept", "")
    )


def test_the_log_of_servicenow_withholds_tickets_of_what_one_does_not_see(
    admin: User, root: User, secret: Incident
) -> None:
    profile = make_profile(make_instance())
    link: TicketLink = make_link(secret, profile, sys_id="ab" * 16)
    other = make_link(make_incident("Printer"), profile)
    account = profile.instance.account
    for one, words in ((link, "Payroll notes"), (other, "Printer notes")):
        request = {"method": "PATCH", "path": f"/table/incident/{one.sys_id}", "body": {"work_notes": words}}
        call(account, words, operation="record.update", request=request)
    polled = {"body": {"result": [{"sys_id": link.sys_id, "short_description": "Payroll"}]}}
    call(account, "x", operation="records.changed", response=polled, request={"method": "GET"}, error="")
    for path in ("/servicenow/log/", f"/connectors/{account.pk}/"):
        mine, theirs = read(admin, path), read(root, path)
        assert "Payroll" in mine and WITHHELD not in mine
        assert "Payroll" not in theirs and theirs.count(WITHHELD) == 2 and "Printer notes" in theirs


def test_an_answer_from_which_a_restricted_alert_was_read_is_withheld(admin: User, root: User) -> None:
    account = ConnectorAccount.objects.create(kind="visionone", name="V1")
    source = make_source(kind="visionone")
    AlertPull.objects.create(source=source, account=account)
    incident = make_incident("Quiet", make_alert("Beacon of the boss", source=source, source_ref="WB-7-2026-001"))
    restriction.restrict(Actor.of(admin), incident.pk)
    answer = {"body": {"items": [{"id": "WB-7-2026-001", "model": "Beacon of the boss"}]}}
    call(account, "x", operation="alerts.list", response=answer, error="")
    assert "Beacon of the boss" in read(admin, f"/connectors/{account.pk}/")
    assert "Beacon of the boss" not in read(root, f"/connectors/{account.pk}/")


def named_long_ago(team: Team | None, value: str = VALUE) -> Observable:
    """The value in an alert of that team, a year ago."""
    alert = make_alert("Old", source=make_source(team=team), observables=(("ip", value),))
    Alert.objects.filter(pk=alert.pk).update(received_at=LONG_AGO)
    one = Observable.objects.get(value=value)
    Observable.objects.filter(pk=one.pk).update(created_at=LONG_AGO)
    return one


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_first_seen_is_of_what_the_reader_may_see(analyst: User, stranger: User, blue: Team, red: Team) -> None:
    one = named_long_ago(red)
    mine = make_alert("New", source=make_source(team=blue), observables=(("ip", VALUE),))
    incident = make_incident("Case", mine, team=blue)
    analyst.user_permissions.add(Permission.objects.get(content_type__app_label="accounts", codename="export"))
    found = [
        *Api(analyst).get("/observables/").json()["results"],
        Api(analyst).get(f"/observables/{one.pk}/").json(),
        *Api(analyst).get(f"/incidents/{incident.pk}/observables/").json()["results"],
        Api(analyst).post(f"/incidents/{incident.pk}/observables/", {"type": "ip", "value": VALUE}).json(),
        *document(User.objects.get(pk=analyst.pk), incident.number)["observables"],
    ]
    assert len(found) == 5 and {moment(row["created_at"]) for row in found} == {mine.received_at}
    assert moment(Api(stranger).get(f"/observables/{one.pk}/").json()["created_at"]) == LONG_AGO
    for path in ("/observables/", f"/observables/{one.pk}/"):
        assert "2025-01-07" in read(stranger, path) and "2025-01-07" not in read(analyst, path)


def test_first_seen_by_an_incident_of_ones_own(analyst: User, blue: Team, red: Team) -> None:
    one = named_long_ago(red)
    incident = make_incident("Case", team=blue)
    before = timezone.now()
    observables.add_to_incident(Actor.of(analyst), incident.pk, "ip", VALUE)
    assert moment(Api(analyst).get(f"/observables/{one.pk}/").json()["created_at"]) >= before


def test_of_a_value_that_thousands_of_others_have_first_the_newest_that_one_sees_is_told(
    analyst: User, blue: Team, red: Team
) -> None:
    one = named_long_ago(red)
    theirs = Alert.objects.get(title="Old")
    copies = []
    for number in range(LOOKED_AT):
        theirs.pk, theirs.dedup_key, theirs.key_digest = None, f"copy-{number}", uuid.uuid4().bytes
        theirs._state.adding = True
        copies.append(Alert(**{f.attname: getattr(theirs, f.attname) for f in Alert._meta.concrete_fields}))
    made = Alert.objects.bulk_create(copies)
    AlertObservable.objects.bulk_create(AlertObservable(alert=alert, observable=one) for alert in made)
    mine = make_alert("New", source=make_source(team=blue), observables=(("ip", VALUE),))
    assert moment(Api(analyst).get(f"/observables/{one.pk}/").json()["created_at"]) == mine.received_at


def test_an_asset_that_only_alerts_name_is_known_since_the_first_that_one_sees(
    analyst: User, stranger: User, blue: Team, red: Team
) -> None:
    asset = make_asset("FIN-7", listed=False, created_at=LONG_AGO)
    theirs, mine = (make_alert(team.name, source=make_source(team=team)) for team in (red, blue))
    Alert.objects.filter(pk=theirs.pk).update(received_at=LONG_AGO)
    for alert in (theirs, mine):
        alert.asset_links.create(asset=asset)
    listed = Api(analyst).get("/assets/").json()["results"]
    assert [moment(row["created_at"]) for row in listed] == [mine.received_at]
    assert moment(Api(analyst).get(f"/assets/{asset.pk}/").json()["created_at"]) == mine.received_at
    assert moment(Api(stranger).get(f"/assets/{asset.pk}/").json()["created_at"]) == LONG_AGO
    assert "2025-01-07" in read(stranger, f"/assets/{asset.pk}/")
    assert "2025-01-07" not in read(analyst, f"/assets/{asset.pk}/")


def test_an_asset_entered_by_who_does_not_see_its_alerts_begins_then(analyst: User, red: Team) -> None:
    asset = make_asset("FIN-8", listed=False, created_at=LONG_AGO)
    make_alert("Theirs", source=make_source(team=red)).asset_links.create(asset=asset)
    before = timezone.now()
    made = assets.create(Actor.of(analyst), fields={"name": "FIN-8"})
    assert made.pk == asset.pk and AssetChange.objects.get(asset=asset).verb == "created"
    assert Asset.objects.get(pk=asset.pk).created_at >= before


@pytest.mark.parametrize("kind", ["approval.requested", "response.requested", "response.finished", "run.skipped"])
def test_a_playbooks_text_that_names_a_hidden_incident_is_withheld_and_not_found(
    analyst: User, stranger: User, red: Team, kind: str
) -> None:
    hidden, alert = make_incident("Payroll theft", team=red), make_alert("Seen by all")
    text = f"Because of {hidden.number}, the payroll theft"
    entry = timeline.record(kind, alert, Actor.system(), text=text, data={})
    plain = timeline.record(kind, alert, Actor.system(), text="Because the payroll says so", data={})
    shown = {row["id"]: row for row in Api(analyst).get(f"/alerts/{alert.pk}/timeline/").json()["results"]}
    assert shown[entry.pk]["text"] == "" and shown[entry.pk]["data"]["hidden"] == ["text"]
    assert shown[plain.pk]["text"] == "Because the payroll says so"
    found = Api(analyst).get(f"/alerts/{alert.pk}/timeline/", q="payroll").json()["results"]
    assert [row["id"] for row in found] == [plain.pk]
    assert Api(stranger).get(f"/timeline/{entry.pk}/").json()["text"] == text


def test_a_merge_does_not_name_the_other_incident_by_the_ticket_that_ended(admin: User, red: Team, blue: Team) -> None:
    profile = make_profile(make_instance())
    gone, stays = make_incident("Ours", team=blue), make_incident("Theirs", team=red)
    link = make_link(gone, profile)
    make_link(stays, profile)
    merge.merge(Actor.of(admin), stays.number, [gone.number])
    link.refresh_from_db()
    told = TimelineEntry.objects.get(incident=gone, kind="servicenow.unlinked")
    assert stays.number not in link.reason + told.text and "ticket of its own" in link.reason


def views_of(user: User, incident: Incident) -> int:
    rows = AuditEntry.objects.filter(verb="incident.restricted_viewed", actor_id=user.pk, target=incident.number)
    return rows.exclude(address=None).count()


@pytest.mark.parametrize("path", ["/incidents/export/", "/alerts/export/?status=any"])
def test_a_csv_with_what_is_restricted_is_noted_as_a_view(admin: User, secret: Incident, path: str) -> None:
    answer = client_of(admin).get(path)
    assert not views_of(admin, secret)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert ("Payroll theft" if "incidents" in path else "Mailbox rule") in text
    assert views_of(admin, secret) == 1


def test_a_paused_restricted_incident_in_the_hand_over_is_noted_as_a_view(admin: User, secret: Incident) -> None:
    Incident.objects.filter(pk=secret.pk).update(created_at=LONG_AGO, updated_at=LONG_AGO)
    sla_pause.pause(Actor.system(), secret.pk, reason="Waits for the lawyers")
    Incident.objects.filter(pk=secret.pk).update(severity=1, updated_at=LONG_AGO)
    assert "Payroll theft" in read(admin, "/hand-over/")
    assert views_of(admin, secret) == 1


def test_the_figures_of_a_shift_are_told_to_who_sees_what_was_counted(
    analyst: User, responder: User, stranger: User, admin: User, blue: Team, red: Team
) -> None:
    for team in (blue, red, red, None):
        make_alert("One", source=make_source(team=team))
    whole, ours = handovers.sign(admin, "Of all teams"), handovers.sign(responder, "Of ours")

    def told(user: User, pk: int) -> tuple[Any, bool]:
        shown = "teams that you are not in were counted" not in read(user, f"/hand-over/{pk}/")
        return Api(user).get(f"/hand-overs/{pk}/").json()["received"], shown

    assert told(admin, whole.pk) == (4, True) and told(analyst, whole.pk) == (None, False)
    assert told(analyst, ours.pk) == (0, True) and told(stranger, ours.pk) == (None, False)
    assert told(admin, ours.pk) == (0, True)
    whole.facts.pop("teams")  # as they were kept before
    whole.save(update_fields=["facts"])
    assert told(admin, whole.pk) == (4, True) and told(analyst, whole.pk) == (None, False)


def test_values_that_nobody_may_see_take_no_room_in_the_search(
    analyst: User, blue: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "BEGINNING", 3)
    for number in range(9):
        observables.observable_of("ip", f"198.51.100.{number}")
    incident = make_incident("Case", team=blue)
    observables.add_to_incident(Actor.of(analyst), incident.pk, "ip", VALUE)
    hits = searching.search(User.objects.get(pk=analyst.pk), "198.51.100.").hits["observable"]
    assert [(hit.title, hit.incident) for hit in hits] == [(VALUE, incident.pk)]


def test_the_block_list_tells_what_for_to_who_sees_the_case(admin: User, root: User, secret: Incident) -> None:
    alert = secret.alerts.get()
    for value, reason, reference in (
        ("203.0.113.1", "Data theft", secret.number),
        ("203.0.113.2", f"Mail rule on {alert.number}", ""),
        ("203.0.113.3", "Scanner", "INC-999999"),
    ):
        blocklist.add("Soar", None, "ip", value, reason=reason, reference=reference)
    rows = {row["value"]: row for row in Api(root).get("/blocklist/").json()["results"]}
    assert [rows[f"203.0.113.{n}"]["reason"] for n in (1, 2, 3)] == ["", "", "Scanner"]
    assert rows["203.0.113.1"]["reference"] == "" and rows["203.0.113.3"]["reference"] == "INC-999999"
    assert Api(root).get(f"/blocklist/{rows['203.0.113.1']['id']}/").json()["reason"] == ""
    again = Api(root).post("/blocklist/", {"type": "ip", "value": "203.0.113.1", "reason": "Mine"})
    assert (again.status_code, again.json()["reason"]) == (200, "")
    for q, known, unknown in (
        ("theft", 1, 0),
        (secret.number, 1, 0),
        ("rule", 1, 0),
        ("Scanner", 1, 1),
        ("203.0", 3, 3),
    ):
        assert len(Api(admin).get("/blocklist/", q=q).json()["results"]) == known
        assert len(Api(root).get("/blocklist/", q=q).json()["results"]) == unknown
    mine, theirs = read(admin, "/blocklist/"), read(root, "/blocklist/")
    assert "Data theft" in mine and secret.number in mine and "that you may not see" not in mine
    assert "Data theft" not in theirs and secret.number not in theirs and theirs.count("that you may not see") == 2


def test_a_delivery_that_became_a_restricted_alert_is_not_read_by_who_manages_sources(
    admin: User, root: User, secret: Incident
) -> None:
    alert, body = secret.alerts.get(), b'{"title": "Mailbox rule"}'
    told: dict[str, Any] = {"status": 400, "error": "odd", "size": len(body), "kept": len(body), "body": body}
    letter = DeadLetter.objects.create(source=alert.source, alert=alert, replayed_at=timezone.now(), **told)
    page, mapping = f"/sources/dead-letters/{letter.pk}/", f"/sources/{alert.source.slug}/mapping/"
    shown = f"{mapping}?sample=letter-{letter.pk}"
    assert "Mailbox rule" in read(admin, page) and str(letter.pk) in read(admin, "/sources/dead-letters/")
    assert client_of(root).get(page).status_code == 404
    assert "Mailbox rule" not in read(root, shown)
    assert f"{page}" not in read(root, "/sources/dead-letters/")
    assert Api(root).get(f"/dead-letters/{letter.pk}/").status_code == 404
    assert [row["id"] for row in Api(admin).get("/dead-letters/").json()["results"]] == [letter.pk]
    assert Api(root).get("/dead-letters/").json()["results"] == []


def test_the_log_does_not_name_a_file_of_a_restricted_incident(admin: User, secret: Incident) -> None:
    piece = evidence.add_bytes(Actor.system(), secret.pk, "payroll.xlsx", b"x")
    answer = client_of(admin).get(f"/evidence/{piece.pk}/file/")
    assert answer.status_code == 200 and b"".join(answer.streaming_content) == b"x"  # type: ignore[attr-defined]
    entry = AuditEntry.objects.get(verb="export.evidence")
    assert entry.target == secret.number and entry.data == {"sha256": piece.sha256}


def test_a_question_that_names_a_hidden_incident_is_not_read(responder: User, stranger: User, red: Team) -> None:
    hidden, alert = make_incident("Payroll theft", team=red), make_alert("Seen by all")
    words = {"title": f"As in {hidden.number}", "question": "Like the payroll theft?", "reason": "Never touch payroll"}
    until = timezone.now() + timedelta(hours=1)
    one = Approval.objects.create(alert=alert, expires_at=until, cause=alert.cause, **words)
    for path in ("/approvals/", f"/approvals/{one.pk}/", "/", "/hand-over/", f"/api/v1/approvals/{one.pk}/"):
        text = read(responder, path)
        assert "payroll" not in text and hidden.number not in text and f"{one.pk}" in text
    assert "Like the payroll theft?" in read(stranger, f"/approvals/{one.pk}/")
    listed = Api(responder).get("/approvals/").json()["results"][0]
    assert [listed[name] for name in ("title", "question", "reason")] == [f"AP-{one.pk}", "", ""]


def test_runs_taken_out_of_a_restricted_incident_are_noted_as_a_view(admin: User, secret: Incident) -> None:
    playbook = Playbook.objects.create(name="Look", kind="python", trigger="manual")
    Run.objects.create(playbook=playbook, incident=secret, cause=secret.cause, status="successful")
    assert secret.number in read(admin, "/runs/export/")
    assert views_of(admin, secret) == 1
