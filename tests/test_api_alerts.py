"""``/api/v1/alerts/``: reading, changing, verbs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.actions import alerts as actions
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source

KEYS = {
    "id", "number", "url", "source", "source_ref", "dedup_key", "count", "title", "description", "severity", "status",
    "determination", "owner", "team", "detection_model", "occurred_at", "first_seen", "last_seen", "received_at",
    "hostname", "username", "source_ip", "tags", "techniques", "tlp", "external_link", "observables", "assets",
    "incident", "runs", "source_state", "cause",
}  # fmt: skip
HEAVY = {"observables", "assets", "runs", "description"}
VERBS: dict[str, Any] = {
    "claim": None,
    "assign": {"owner": "mara"},
    "resolve": {"determination": "benign"},
    "reopen": None,
    "comment": {"text": "Seen before."},
    "escalate": {},
    "link": {"incident": "INC-1"},
    "unlink": None,
}


@pytest.fixture
def alert(blue: Team) -> Alert:
    """An alert of team Blue."""
    return make_alert("Beacon", source=make_source(team=blue), observables=(("ip", "203.0.113.7"),))


def test_an_alert_has_every_key_of_the_contract(analyst: User, alert: Alert) -> None:
    answer = Api(analyst).get(f"/alerts/{alert.number}/")
    body = answer.json()
    assert body.keys() >= KEYS
    assert body["number"] == alert.number
    assert body["source"] == alert.source.slug
    assert body["team"] == "Blue"
    assert body["incident"] is None
    assert body["url"].endswith(f"/alerts/{alert.number}/")
    assert body["url"].startswith("http")
    assert [(o["type"], o["value"], o["risk"]) for o in body["observables"]] == [("ip", "203.0.113.7", "unrated")]
    assert body["received_at"].endswith("Z")


def test_a_row_leaves_out_the_heavy_keys_unless_they_are_asked_for(analyst: User, alert: Alert) -> None:
    api = Api(analyst)
    plain = api.get("/alerts/").json()["results"][0]
    assert plain.keys() >= KEYS - HEAVY
    assert not plain.keys() & HEAVY
    full = api.get("/alerts/", expand="observables,assets,runs,description").json()["results"][0]
    assert full.keys() >= KEYS
    assert full["observables"][0]["value"] == "203.0.113.7"


def test_the_id_and_the_number_name_the_same_alert(analyst: User, alert: Alert) -> None:
    api = Api(analyst)
    bodies = [api.get(f"/alerts/{name}/").json() for name in (alert.pk, alert.number, alert.number.lower())]
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize("name", ["0", "10" * 20, "-1", "INC-1", "ALR-x", "%00", "ALR-1%0a", "²", "1.5", "null"])
def test_what_names_no_alert_is_404(analyst: User, alert: Alert, name: str) -> None:
    problem_of(Api(analyst).get(f"/alerts/{name}/"), 404)
    problem_of(Api(analyst).post(f"/alerts/{name}/claim/"), 404)


def test_filters_of_the_contract(analyst: User, alert: Alert) -> None:
    make_alert("Other", severity=Severity.LOW)
    wanted = {
        "severity": "medium", "status": "new", "source": alert.source.slug, "team": "Blue", "observable": "203.0.113.7",
        "q": "beacon", "owner": "none", "determination": "unknown",
    }  # fmt: skip
    rows = Api(analyst).get("/alerts/", **wanted).json()["results"]
    assert [row["number"] for row in rows] == [alert.number]
    for name, value in {"severity": "low", "q": "nothing", "team": "Red", "observable": "192.0.2.1"}.items():
        rows = Api(analyst).get("/alerts/", **{**wanted, name: value}).json()["results"]
        assert rows == [], name


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"severity": "huge"}, "filter"),
        ({"since": "yesterday"}, "filter"),
        ({"incident": "x"}, "filter"),
        ({"sevrity": "high"}, "sevrity"),
        ({"page_size": "-1"}, "page_size"),
        ({"page_size": "201"}, "page_size"),
        ({"page_size": "1e3"}, "page_size"),
        ({"ordering": "title"}, "ordering"),
        ({"ordering": "-severity"}, "ordering"),
        ({"expand": "raw"}, "expand"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "W1tbW1tb" * 3000}, "cursor"),
        ({"q": "a" * 501}, "q"),
        ({"q": "a\x00b"}, "q"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(
    analyst: User, alert: Alert, params: dict[str, str], field: str
) -> None:
    body = problem_of(Api(analyst).get("/alerts/", **params), 400)
    assert [error["field"] for error in body["errors"]] == [field]


def test_changes_are_listed_by_time_of_change(analyst: User) -> None:
    first, second, third = (make_alert(f"Number {n}") for n in range(3))
    actor = Actor.of(analyst)
    actions.claim(actor, second.pk)
    since = Alert.objects.get(pk=second.pk).updated_at
    actions.claim(actor, first.pk)
    rows = Api(analyst).get("/alerts/", updated_since=since.isoformat()).json()["results"]
    assert [row["number"] for row in rows] == [second.number, first.number]
    assert third.number not in str(rows)


def test_by_severity_only_open_alerts_are_ordered(analyst: User) -> None:
    for severity in (Severity.LOW, Severity.CRITICAL, Severity.MEDIUM):
        make_alert(severity=severity)
    rows = Api(analyst).get("/alerts/", ordering="-severity", status="open").json()["results"]
    assert [row["severity"] for row in rows] == ["critical", "medium", "low"]


@pytest.mark.parametrize("ordering", ["-id", "id", "updated_at", "-updated_at", "-severity"])
def test_pages_lose_and_repeat_nothing_while_alerts_come_in(analyst: User, ordering: str) -> None:
    there = {make_alert(severity=Severity(n % 5)).number for n in range(23)}
    api, seen = Api(analyst), []
    answer = api.get("/alerts/", ordering=ordering, page_size=5, status="open").json()
    while True:
        seen += [row["number"] for row in answer["results"]]
        make_alert("Newcomer", severity=Severity.CRITICAL)
        if answer["next"] is None or len(seen) > 200:
            break
        assert answer["next"].startswith("http://testserver/api/v1/alerts/?")
        answer = api.get(answer["next"]).json()
        if ordering in ("id", "updated_at") and len(seen) > 30:
            break  # newcomers stand at the end here: they would be followed for ever
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_previous_leads_back(analyst: User) -> None:
    for _ in range(6):
        make_alert()
    api = Api(analyst)
    first = api.get("/alerts/", page_size=3).json()
    assert first["previous"] is None
    second = api.get(first["next"]).json()
    assert second["next"] is None
    again = api.get(second["previous"]).json()
    assert again["results"] == first["results"]


def test_a_cursor_of_another_order_is_refused(analyst: User) -> None:
    for _ in range(3):
        make_alert()
    api = Api(analyst)
    cursor = api.get("/alerts/", page_size=1).json()["next"].partition("cursor=")[2]
    problem_of(api.get("/alerts/", ordering="id", cursor=cursor), 400)


def test_a_hundred_alerts_cost_as_many_queries_as_two(analyst: User) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    incident = make_incident("Case", make_alert(observables=(("ip", "198.51.100.1"),)))
    api = Api(analyst)
    counts = []
    for more in (1, 98):
        for n in range(more):
            made = make_alert(f"A{n}", owner=analyst, observables=(("domain", f"x{n}.example.com"),))
            Alert.objects.filter(pk=made.pk).update(incident=incident)
        api.get("/alerts/")  # the token's use is written once a minute
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = api.get("/alerts/", page_size=100, expand="observables,assets,runs,description")
        counts.append(len(captured))
    assert len(answer.json()["results"]) == 100
    assert counts[0] == counts[1] <= 12, counts


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_without_login_are_401(db: None, alert: Alert, verb: str) -> None:
    answer = Api(None).post(f"/alerts/{alert.pk}/{verb}/", VERBS[verb])
    problem_of(answer, 401)
    assert answer["WWW-Authenticate"] == 'Bearer realm="soar"'


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_for_a_stranger_are_404(stranger: User, alert: Alert, analyst: User, verb: str) -> None:
    make_incident()
    body = problem_of(Api(stranger).post(f"/alerts/{alert.pk}/{verb}/", VERBS[verb]), 404)
    assert "Beacon" not in json.dumps(body)


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_for_a_viewer_are_403_and_change_nothing(viewer: User, analyst: User, alert: Alert, verb: str) -> None:
    incident = make_incident()
    body = {"incident": incident.number} if verb == "link" else VERBS[verb]
    if verb == "unlink":
        make_incident("Its case", alert)
    before = Alert.objects.get(pk=alert.pk).version, TimelineEntry.objects.count()
    problem_of(Api(viewer).post(f"/alerts/{alert.pk}/{verb}/", body), 403)
    assert (Alert.objects.get(pk=alert.pk).version, TimelineEntry.objects.count()) == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_verbs_are_posted(analyst: User, alert: Alert, verb: str, method: str) -> None:
    answer = Api(analyst).call(method, f"/alerts/{alert.pk}/{verb}/")
    problem_of(answer, 405)
    assert "POST" in answer["Allow"]


def test_claim_twice_is_claimed_once(analyst: User, alert: Alert) -> None:
    api = Api(analyst)
    first, second = (api.post(f"/alerts/{alert.pk}/claim/") for _ in range(2))
    assert first.json()["owner"] == "mara"
    assert first.json()["status"] == "in_progress"
    assert second.json() == first.json()
    assert first["ETag"] == second["ETag"]
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.claimed").count() == 1


def test_assign_takes_a_person_a_team_and_nobody(analyst: User, admin: User, red: Team, alert: Alert) -> None:
    api = Api(admin)
    assert api.post(f"/alerts/{alert.pk}/assign/", {"owner": "mara", "team": "Red"}).json()["owner"] == "mara"
    body = api.post(f"/alerts/{alert.pk}/assign/", {"owner": None}).json()
    assert (body["owner"], body["team"]) == (None, "Red")
    problem_of(api.post(f"/alerts/{alert.pk}/assign/", {"owner": "nobody-here"}), 400)


def test_resolve_needs_a_determination(analyst: User, alert: Alert) -> None:
    api = Api(analyst)
    for body in ({}, {"determination": "unknown"}, {"determination": None}, {"determination": "fine"}):
        refused = problem_of(api.post(f"/alerts/{alert.pk}/resolve/", body), 400)
        assert refused["errors"][0]["field"] == "determination"
    done = api.post(f"/alerts/{alert.pk}/resolve/", {"determination": "benign", "reason": "Scanner of ours"}).json()
    assert (done["status"], done["determination"], done["findings"]) == ("resolved", "benign", "false_positive")
    back = api.post(f"/alerts/{alert.pk}/reopen/", {"reason": "It came again"}).json()
    assert back["status"] == "new"


def test_comment_goes_to_the_timeline_or_to_the_incident(analyst: User, alert: Alert) -> None:
    api = Api(analyst)
    answer = api.post(f"/alerts/{alert.pk}/comment/", {"text": "Looks **odd**"})
    assert answer.status_code == 201
    entry = answer.json()
    assert entry.keys() >= {"id", "kind", "actor", "text", "data", "occurred_at", "recorded_at", "hash"}
    assert entry["actor"] == {"type": "user", "name": "Mara Lindqvist"}
    assert entry.pop("not_told") == []
    assert api.get(f"/alerts/{alert.pk}/timeline/").json()["results"][0] == entry
    incident = make_incident("Case", alert)
    refused = problem_of(api.post(f"/alerts/{alert.pk}/comment/", {"text": "More"}), 409)
    assert refused["url"].endswith(f"/incidents/{incident.number}/")


def test_escalate_opens_an_incident_once(analyst: User, responder: User, alert: Alert) -> None:
    api = Api(analyst)
    answer = api.post(f"/alerts/{alert.pk}/escalate/", {"title": "Beaconing host", "owners": ["mara", "priya"]})
    assert answer.status_code == 201
    body = answer.json()
    assert body["title"] == "Beaconing host"
    assert {owner["username"] for owner in body["owners"]} == {"mara", "priya"}
    assert api.get(f"/alerts/{alert.pk}/").json()["incident"] == body["number"]
    assert problem_of(api.post(f"/alerts/{alert.pk}/escalate/", {}), 409)["incident"] == body["number"]


def test_link_move_and_unlink(analyst: User, alert: Alert) -> None:
    one, two, api = make_incident("One"), make_incident("Two"), Api(analyst)
    assert api.post(f"/alerts/{alert.pk}/link/", {"incident": one.number}).json()["incident"] == one.number
    assert api.post(f"/alerts/{alert.pk}/link/", {"incident": one.pk}).json()["incident"] == one.number
    problem_of(api.post(f"/alerts/{alert.pk}/link/", {"incident": two.number}), 409)
    moved = api.post(f"/alerts/{alert.pk}/link/", {"incident": two.number, "move": True})
    assert moved.json()["incident"] == two.number
    assert api.post(f"/alerts/{alert.pk}/unlink/").json()["incident"] is None
    problem_of(api.post(f"/alerts/{alert.pk}/unlink/"), 400)
    problem_of(api.post(f"/alerts/{alert.pk}/link/", {"incident": "INC-999999"}), 404)


def test_an_incident_that_may_not_be_seen_is_not_named(analyst: User, admin: User, red: Team, alert: Alert) -> None:
    incident = make_incident("Secret", alert, team=red)
    api = Api(analyst)
    assert api.get(f"/alerts/{alert.pk}/").json()["incident"] is None
    assert api.get("/alerts/").json()["results"][0]["incident"] is None
    assert Api(admin).get(f"/alerts/{alert.pk}/").json()["incident"] == incident.number


def test_patch_is_all_or_nothing(analyst: User, alert: Alert) -> None:
    api = Api(analyst)
    problem_of(api.patch(f"/alerts/{alert.pk}/", {"severity": "critical", "status": "resolved"}), 400)
    assert Alert.objects.get(pk=alert.pk).severity == Severity.MEDIUM
    body = api.patch(f"/alerts/{alert.pk}/", {"severity": "critical", "tags": ["VIP", "vip"], "tlp": "red"}).json()
    assert (body["severity"], body["tags"], body["tlp"]) == ("critical", ["vip"], "red")


def test_patch_of_a_viewer_and_a_stranger(viewer: User, stranger: User, alert: Alert) -> None:
    problem_of(Api(viewer).patch(f"/alerts/{alert.pk}/", {"severity": "low"}), 403)
    problem_of(Api(stranger).patch(f"/alerts/{alert.pk}/", {"severity": "low"}), 404)
    problem_of(Api(None).patch(f"/alerts/{alert.pk}/", {"severity": "low"}), 401)


def test_an_alert_is_made_by_hand(analyst: User, viewer: User) -> None:
    body = {
        "title": "Odd mail",
        "severity": "high",
        "source_ip": "203.0.113[.]9",
        "observables": [{"type": "domain", "value": "Evil[.]example[.]com"}],
    }
    problem_of(Api(viewer).post("/alerts/", body), 403)
    answer = Api(analyst).post("/alerts/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert made["source"] == "by-hand"
    assert {o["value"] for o in made["observables"]} == {"evil.example.com", "203.0.113.9"}
    assert Api(analyst).get(f"/alerts/{made['number']}/").json() == made
    wrong = problem_of(Api(analyst).post("/alerts/", {**body, "observables": [{"type": "domain"}]}), 400)
    assert wrong["errors"][0]["field"] == "observables.0.value"


def test_a_list_shows_only_what_may_be_seen(analyst: User, stranger: User, nobody: User, alert: Alert) -> None:
    assert len(Api(analyst).get("/alerts/").json()["results"]) == 1
    assert Api(stranger).get("/alerts/").json()["results"] == []
    for path in ("/alerts/", f"/alerts/{alert.pk}/", "/alerts/999999/"):
        problem_of(Api(nobody).get(path), 403)
    problem_of(Api(None).get("/alerts/"), 401)


def test_the_timeline_is_paged(analyst: User, stranger: User, alert: Alert) -> None:
    for n in range(4):
        actions.comment(Actor.of(analyst), alert.pk, f"Note {n}")
    api = Api(analyst)
    page = api.get(f"/alerts/{alert.pk}/timeline/", page_size=3).json()
    rest = api.get(page["next"]).json()
    kinds = [entry["kind"] for entry in page["results"] + rest["results"]]
    assert kinds == ["comment"] * 4 + ["alert.opened"]
    turned = api.get(f"/alerts/{alert.pk}/timeline/", ordering="id").json()["results"]
    assert turned == (page["results"] + rest["results"])[::-1]
    problem_of(Api(stranger).get(f"/alerts/{alert.pk}/timeline/"), 404)
