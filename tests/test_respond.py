"""Responding by hand (response-playbooks.md 17b): from an alert, incident, observable or asset; what is offered, looked
at and done, by the same rules as playbooks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from guardian.shortcuts import assign_perm

from cases.models import Alert, Incident, TimelineEntry
from playbooks.models import Approval, NeverTouch, ResponseTask
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_exception
from soar.connectors.models import BlockEntry, ConnectorAccount, Route
from tests.api import Api, problem_of, wrong_fields
from tests.approving import blue_alert, told
from tests.factories import make_asset, make_incident
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import HTMX, text_of
from tests.response_tools import Range, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/responses/new/"


@pytest.fixture
def alert(blue: Team) -> Alert:
    return blue_alert(blue, ("domain", "evil-one.com"))


def keys(text: str) -> dict[str, str]:
    """Of a form: the objects' keys by their place in the text."""
    found = {}
    for piece in text.split('name="object" value="')[1:]:
        key = piece.partition('"')[0]
        found[piece.split('<span class="mono">')[1].partition("<")[0]] = key
    return found


def fill(client: Client, action: str, **origin: Any) -> str:
    return text_of(client.get(NEW, {"action": action, **origin}))


def do(client: Client, action: str, *names: str, word: str = "start", **given: Any) -> Any:
    origin = {name: given[name] for name in ("alert", "incident", "observable", "asset") if name in given}
    found = keys(fill(client, action, **origin))
    return client.post(NEW, {"action": action, "do": word, "object": [found[name] for name in names], **given})


def test_17b_only_what_is_legal_for_the_objects_is_offered(tiny: Range, as_responder: Client, alert: Alert) -> None:
    text = text_of(as_responder.get(NEW, {"alert": alert.number}))
    for words in ("Isolate endpoint", "Disable user account", "Add to block list", "1 × endpoint", "1 × domain"):
        assert words in text
    for words in ("Isolate container", "Delete message", "Terminate process"):
        assert words not in text


def test_15_what_nobody_serves_is_shown_unavailable(as_responder: Client, as_admin: Client, alert: Alert) -> None:
    text = text_of(as_responder.get(NEW, {"alert": alert.number}))
    assert "Not available:" in text
    assert "action=isolate_endpoint" not in text
    assert "Set one up" not in text
    assert "action=block" in text
    assert "Not available" in fill(as_responder, "isolate_endpoint", alert=alert.number)
    refused = text_of(do(as_responder, "isolate_endpoint", "LT-0042", alert=alert.number), 422)
    assert "Isolate endpoint is not available" in refused
    assert ResponseTask.objects.count() == 0
    for query in ({"alert": alert.number}, {"alert": alert.number, "action": "isolate_endpoint"}):
        assert "Set one up" in text_of(as_admin.get(NEW, query))


def test_17b_from_an_alert(tiny: Range, as_responder: Client, alert: Alert, responder: User) -> None:
    answer = do(as_responder, "isolate_endpoint", "LT-0042", alert=alert.number, comment="Beacon seen")
    task = ResponseTask.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/responses/{task.pk}/")
    assert (task.origin, task.alert, task.run, task.created_by) == ("alert", alert, None, responder)
    assert task.target["facts"]["guid"] == "g-1"
    work()
    task.refresh_from_db()
    assert (task.status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])
    (asked,) = told(alert, "response.requested")
    assert (asked.actor_name, asked.text, asked.data["tasks"][0]["value"]) == ("Priya Raman", "Beacon seen", "LT-0042")
    assert len(told(alert, "response.finished")) == 1
    page = text_of(as_responder.get(f"/alerts/{alert.number}/"))
    assert "asked for Isolate endpoint" in page
    assert "Isolate endpoint <code>LT-0042</code>: successful" in page
    box = text_of(as_responder.get(f"/alerts/{alert.number}/runs/", headers=HTMX))
    assert "By hand" in box
    assert f"/responses/{task.pk}/" in box


def test_17b_a_look_sends_nothing(tiny: Range, as_responder: Client, alert: Alert) -> None:
    text = text_of(do(as_responder, "isolate_endpoint", "LT-0042", word="look", alert=alert.number))
    assert "What would happen. Nothing was sent." in text
    assert "/do/isolate_endpoint" in text
    assert (ResponseTask.objects.count(), tiny.done) == (0, [])
    assert not TimelineEntry.objects.filter(kind="response.requested").exists()


def test_17b_several_at_once_from_an_incident(tiny: Range, as_responder: Client, blue: Team) -> None:
    one = blue_alert(blue, ("url", "http://evil-one.com/a"))
    two = blue_alert(blue, ("url", "http://evil-two.com/b"))
    incident = make_incident("Phish", one, two, team=blue)
    names = ["hxxp://evil-one[.]com/a", "hxxp://evil-two[.]com/b"]
    answer = do(as_responder, "sandbox_url", *names, incident=incident.number)
    assert answer["Location"] == f"/responses/?incident={incident.number}&action=sandbox_url&origin=hand"
    work()
    assert sorted(tiny.targets("sandbox_url")) == ["http://evil-one.com/a", "http://evil-two.com/b"]
    assert "sandbox" in text_of(as_responder.get(answer["Location"]))
    entry = TimelineEntry.objects.get(incident=incident, kind="response.requested")
    assert entry.data["count"] == 2


def test_17b_from_an_observable(tiny: Range, as_responder: Client, alert: Alert) -> None:
    observable = alert.observable_links.get().observable
    answer = do(as_responder, "block", "evil-one[.]com", observable=observable.pk, comment="C2")
    assert answer.status_code == 302
    work()
    assert BlockEntry.objects.get().value == "evil-one.com"
    assert BlockEntry.objects.get().added_by == "Priya Raman"
    assert ResponseTask.objects.get().status == "successful"
    page = text_of(as_responder.get(f"/observables/{observable.pk}/"))
    assert f"/responses/new/?observable={observable.pk}" in page


def test_17b_from_an_asset(tiny: Range, as_responder: Client, alert: Alert) -> None:
    asset = make_asset("LT-0042", addresses=["198.51.100.42"])
    answer = do(as_responder, "scan_endpoint", "LT-0042", asset=asset.pk)
    assert answer.status_code == 302
    work()
    assert tiny.targets("scan_endpoint") == ["LT-0042"]
    assert f"/responses/new/?asset={asset.pk}" in text_of(as_responder.get(f"/assets/{asset.pk}/"))


def test_18_the_never_touch_list_asks_for_an_approval(tiny: Range, as_responder: Client, alert: Alert) -> None:
    make_asset("LT-0042", tags=["board"])
    NeverTouch.objects.create(by="tag", value="board", reason="The board's own", added_by="Ada")
    look = text_of(do(as_responder, "isolate_endpoint", "LT-0042", word="look", alert=alert.number))
    assert "Never-touch list: The board&#x27;s own (tag board)" in look
    do(as_responder, "isolate_endpoint", "LT-0042", alert=alert.number)
    work()
    approval = Approval.objects.get()
    assert (approval.reason, approval.run, tiny.done) == ("Never-touch list: The board's own (tag board)", None, [])
    page = text_of(as_responder.get(f"/alerts/{alert.number}/"))
    assert "asks for an approval: <b>Isolate endpoint: LT-0042</b>" in page
    assert f"/approvals/{approval.pk}/" in page
    refused = as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "approve_all"})
    assert "say why it may be touched" in text_of(refused, 422)
    as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "approve_all", "comment": "CEO agreed"})
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_18_scanning_is_not_destructive(tiny: Range, as_responder: Client, alert: Alert) -> None:
    NeverTouch.objects.create(by="name", value="LT-*", reason="Laptops", added_by="Ada")
    do(as_responder, "scan_endpoint", "LT-0042", alert=alert.number)
    work()
    assert tiny.targets("scan_endpoint") == ["LT-0042"]


def test_13_benign_lists_forbid(tiny: Range, as_responder: Client, alert: Alert) -> None:
    add_exception(None, "domain", "evil-one.com", "Our own honeypot")
    do(as_responder, "block", "evil-one[.]com", alert=alert.number)
    work()
    task = ResponseTask.objects.get()
    assert (task.status, BlockEntry.objects.count()) == ("no_action", 0)
    assert task.reason.startswith("Not done: ")


def test_connectors_that_a_person_may_not_use_do_not_serve(tiny: Range, as_responder: Client, alert: Alert) -> None:
    ConnectorAccount.objects.update(restricted=True)
    refused = text_of(do(as_responder, "isolate_endpoint", "LT-0042", alert=alert.number), 422)
    assert "is not available" in refused
    assert ResponseTask.objects.count() == 0


def test_routes_choose_the_account(tiny: Range, as_responder: Client, alert: Alert) -> None:
    other = ConnectorAccount.objects.create(
        kind="tiny", name="Other", settings=tiny.account.settings, allow_internal=True
    )
    Route.objects.create(capability="isolate_endpoint", account=other)
    do(as_responder, "isolate_endpoint", "LT-0042", alert=alert.number)
    assert ResponseTask.objects.get().account == other


def test_who_may(
    tiny: Range, as_analyst: Client, as_viewer: Client, as_stranger: Client, client: Client, alert: Alert
) -> None:
    given = {"action": "isolate_endpoint", "do": "start", "object": "o1", "alert": alert.number}
    for other in (as_analyst, as_viewer):
        assert "permission to approve and run response actions" in text_of(other.post(NEW, given), 403)
        assert other.get(NEW, {"alert": alert.number}).status_code == 403
        assert "open-respond" not in text_of(other.get(f"/alerts/{alert.number}/runs/", headers=HTMX))
    assert as_stranger.post(NEW, given).status_code in (403, 404)
    assert client.post(NEW, given).status_code == 302
    assert as_analyst.delete(NEW).status_code == 405
    assert (ResponseTask.objects.count(), tiny.done) == (0, [])


def test_a_responder_of_another_team_finds_nothing(tiny: Range, red: Team, alert: Alert) -> None:
    from tests.factories import make_user

    outsider = client_of(make_user("rita", "Responder", teams=("Red",)))
    assert outsider.get(NEW, {"alert": alert.number}).status_code == 404
    observable = alert.observable_links.get().observable
    assert outsider.get(NEW, {"observable": observable.pk}).status_code == 404


@pytest.mark.parametrize(
    ("action", "given", "told_"),
    [
        ("isolate_endpoint", {}, "Choose at least one object."),
        ("isolate_endpoint", {"object": ["o999"]}, "Choose at least one object."),
        ("block", {"object": ["o1"], "p-days": "soon"}, "whole number"),
        ("block", {"object": ["o1"], "p-days": "99999"}, "3,650"),
        ("run_script", {"object": ["o2"]}, "Script is empty."),
        ("run_script", {"object": ["o2"], "p-script": "nope.ps1"}, "There is no script named nope.ps1."),
        ("isolate_endpoint", {"object": ["o2"], "comment": "x" * 5001}, "At most 5000 characters"),
    ],
)
def test_what_is_refused_stands_in_the_form(
    tiny: Range, as_responder: Client, alert: Alert, action: str, given: dict[str, Any], told_: str
) -> None:
    sent = {"action": action, "do": "start", "alert": alert.number, **given}
    assert told_ in text_of(as_responder.post(NEW, sent), 422)
    assert told_ in text_of(as_responder.post(NEW, sent, headers=HTMX), 422)
    assert ResponseTask.objects.count() == 0


@pytest.mark.parametrize("query", [{"alert": "ALR-0"}, {"alert": "x"}, {"observable": "9" * 30}, {"asset": "no"}])
def test_what_is_not_there(tiny: Range, as_responder: Client, query: dict[str, str]) -> None:
    assert as_responder.get(NEW, query).status_code == 404


def test_on_nothing_the_objects_are_typed(tiny: Range, as_responder: Client) -> None:
    given = {"action": "sandbox_url", "do": "start", "kind": "url", "values": "http://evil-one.com/a\n\nhttp://"}
    assert "is no address" in text_of(as_responder.post(NEW, given), 422)
    given["values"] = "http://evil-one.com/a\nhttp://evil-one.com/a\nhttp://evil-two.com/"
    assert as_responder.post(NEW, given).status_code == 302
    work()
    assert sorted(tiny.targets("sandbox_url")) == ["http://evil-one.com/a", "http://evil-two.com/"]


def test_the_api(tiny: Range, responder: User, analyst: User, stranger: User, alert: Alert) -> None:
    api = Api(responder)
    body = {"action": "isolate_endpoint", "targets": [{"kind": "endpoint", "value": "lt-0042"}], "alert": alert.number}
    dry = api.post("/response-tasks/", {**body, "dry_run": True})
    (planned,) = dry.json()["planned"]
    assert (dry.status_code, planned["status"], planned["connector"], tiny.done) == (200, "queued", "Tiny", [])
    assert planned["requests"][0]["method"] == "POST"
    assert ResponseTask.objects.count() == 0
    made = api.post("/response-tasks/", {**body, "comment": "Go"}, {"Idempotency-Key": "one"})
    again = api.post("/response-tasks/", {**body, "comment": "Go"}, {"Idempotency-Key": "one"})
    assert (made.status_code, again.json()) == (201, made.json())
    (task,) = made.json()["tasks"]
    assert (task["target"]["value"], task["status"], task["created_by"]) == ("LT-0042", "queued", "priya")
    work()
    detail = Api(analyst).get(f"/response-tasks/{task['id']}/").json()
    assert (detail["status"], detail["object"]["facts"]["guid"]) == ("successful", "g-1")
    assert [row["id"] for row in Api(analyst).get("/response-tasks/", alert=alert.number).json()["results"]] == [
        task["id"]
    ]
    assert Api(stranger).get("/response-tasks/").json()["results"] == []
    problem_of(Api(stranger).get(f"/response-tasks/{task['id']}/"), 404)
    problem_of(Api(analyst).post("/response-tasks/", body), 403)
    problem_of(Api(stranger).post("/response-tasks/", body), 403)
    problem_of(api.post("/response-tasks/", {**body, "alert": "ALR-0"}), 404)
    for wrong, field in (
        ({"action": "comment"}, "action"),
        ({"targets": [{"kind": "car", "value": "x"}]}, "targets.0.kind"),
        ({"targets": [{"kind": "url", "value": "http://a.example/"}]}, "targets"),
        ({"targets": []}, "targets"),
        ({"params": {"what": 1}}, "what"),
        ({"alert": alert.number, "incident": "INC-1"}, "alert"),
        ({"x": 1}, "x"),
    ):
        assert wrong_fields(api.post("/response-tasks/", {**body, **wrong})) == {field}, wrong
    problem_of(api.get("/response-tasks/", status="none"), 400)
    assert len(api.get("/response-tasks/", status="successful,queued", q="lt-00").json()["results"]) == 1


def test_on_a_restricted_incident_only_who_may_work_on_it(tiny: Range, responder: User, blue: Team) -> None:
    incident = make_incident("Secret", blue_alert(blue), team=blue)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    body = {"action": "isolate_endpoint", "targets": [{"kind": "endpoint", "value": "LT-0042"}]}
    number = f"INC-{incident.pk}"
    problem_of(Api(responder).post("/response-tasks/", {**body, "incident": number}), 404)
    assign_perm("view_incident", responder, incident)
    problem_of(Api(responder).post("/response-tasks/", {**body, "incident": number}), 403)
    alert = Alert.objects.get()
    problem_of(Api(responder).post("/response-tasks/", {**body, "alert": alert.number}), 403)
    assign_perm("edit_incident", responder, incident)
    assert Api(responder).post("/response-tasks/", {**body, "incident": number}).status_code == 201


def several(client: Client, action: str, **origin: Any) -> Any:
    """As the bar of a list sends it, and then with all objects of the form ticked."""
    offered = text_of(client.post(NEW, origin, headers=HTMX))
    assert f"action={action}" in offered
    found = keys(fill(client, action, **origin))
    return client.post(NEW, {"action": action, "do": "start", "object": list(found.values()), **origin})


def test_17b_several_alerts_at_once_each_task_about_its_own(
    tiny: Range, blue: Team, as_responder: Client, alert: Alert
) -> None:
    other = blue_alert(blue, ("domain", "evil-two.com"), hostname="LT-0077", title="Another",
                       entities=[{"type": "endpoint", "name": "LT-0077"}])  # fmt: skip
    origin = {"alert": [alert.number, str(other.pk)]}
    assert "Respond on 2 alerts" in text_of(as_responder.post(NEW, origin, headers=HTMX))
    answer = several(as_responder, "isolate_endpoint", **origin)
    assert (answer.status_code, "origin=hand" in answer["Location"]) == (302, True)
    work()
    assert sorted(tiny.targets("isolate_endpoint")) == ["LT-0042", "LT-0077"]
    assert dict(ResponseTask.objects.values_list("target_value", "alert")) == {
        "LT-0042": alert.pk, "LT-0077": other.pk
    }  # fmt: skip
    for one in (alert, other):
        assert len(told(one, "response.requested")) == 1


def test_17b_an_object_of_several_alerts_is_touched_once(
    tiny: Range, blue: Team, as_responder: Client, alert: Alert
) -> None:
    newer = blue_alert(blue, ("domain", "evil-two.com"))
    several(as_responder, "isolate_endpoint", alert=[alert.number, newer.number])
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]
    assert ResponseTask.objects.get().alert_id == newer.pk


def test_17b_several_assets_and_observables(tiny: Range, blue: Team, as_responder: Client, alert: Alert) -> None:
    hosts = [make_asset("LT-0042"), make_asset("LT-0043")]
    several(as_responder, "scan_endpoint", asset=[one.pk for one in hosts])
    seen = blue_alert(blue, ("domain", "evil-two.com")).observable_links.get().observable
    first = alert.observable_links.get().observable
    several(as_responder, "block", observable=[first.pk, seen.pk])
    work()
    assert sorted(tiny.targets("scan_endpoint")) == ["LT-0042", "LT-0043"]
    assert set(BlockEntry.objects.values_list("value", flat=True)) == {"evil-one.com", "evil-two.com"}


def test_17b_several_never_more_than_one_may_see(tiny: Range, red: Team, as_responder: Client, alert: Alert) -> None:
    hidden = blue_alert(red)
    given = {"action": "isolate_endpoint", "alert": [alert.number, hidden.number]}
    assert as_responder.post(NEW, given).status_code == 404
    many = {"alert": [str(number) for number in range(1, 52)]}
    assert "At most 50 at once." in text_of(as_responder.post(NEW, many, headers=HTMX), 422)
    assert not ResponseTask.objects.exists()


def test_17b_a_tick_means_its_object_whatever_joins_the_case(tiny: Range, as_responder: Client, alert: Alert) -> None:
    found = keys(fill(as_responder, "isolate_endpoint", alert=alert.number))
    host = {"type": "endpoint", "name": "AA-0001"}
    Alert.objects.filter(pk=alert.pk).update(entities=[host, *alert.entities])
    given = {"action": "isolate_endpoint", "do": "start", "object": [found["LT-0042"]], "alert": alert.number}
    as_responder.post(NEW, given)
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_17b_lists_offer_it_to_those_who_may(as_responder: Client, as_viewer: Client, alert: Alert) -> None:
    make_asset("LT-0042")
    for path in ("/assets/", "/observables/", "/alerts/"):
        assert 'id="open-bulk-respond"' in text_of(as_responder.get(path)), path
        assert 'id="open-bulk-respond"' not in text_of(as_viewer.get(path)), path
