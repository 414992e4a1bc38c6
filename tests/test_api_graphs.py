"""``/api/v1/playbooks/`` for response playbooks: made, changed, published, removed, exported, rehearsed, backtested."""

from __future__ import annotations

from typing import Any

import pytest

from cases.choices import Severity
from playbooks.models import Backtest, Playbook, PlaybookVersion, ResponseTask, Run
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_own
from soar.connectors.models import Attempt, ConnectorAccount
from tests.api import Api, problem_of, wrong_fields
from tests.drawn import action, condition, graph, published, tag
from tests.factories import make_alert, make_source
from tests.playbook_files import work

pytestmark = pytest.mark.django_db(transaction=True)
BAD = "203.0.113.77"


def errors_of(answer: Any) -> dict[str, str]:
    """Message by field of a 400."""
    return {one["field"]: one["message"] for one in problem_of(answer, 400)["errors"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({**graph(), "colour": "red"}, "colour"),
        ({**graph(), "kind": "python"}, "kind"),
        ({**graph(), "name": ""}, "name"),
        ({**graph(), "nodes": "many"}, "nodes"),
        (graph("x", *[tag(f"a{n}", "t") for n in range(10_000)]), "nodes"),
        (graph("x", tag("a1", "t", type="else_action")), "a1.parent"),
        (graph("x", condition("c1", "object_risk", "suspicious"), tag("a1", "t")), "c1.conditions.0.parameter"),
        (graph("x", tag("a1", "t"), target={"severities": []}), "target.severities"),
        (graph("x", action("a1", "fly")), "a1.actions.0.action"),
        (graph("x", tag("a1", "t"), target={"models": ["Nobody knows it"]}), "target.models"),
    ],
)
def test_a_graph_that_breaks_a_rule_is_refused_and_nothing_saved(author: User, body: Any, field: str) -> None:
    found = errors_of(Api(author).post("/playbooks/", body))
    assert any(name == field or name.startswith(field) for name in found), found
    assert not Playbook.objects.exists()


def test_problems_name_the_node(author: User) -> None:
    answer = Api(author).post("/playbooks/", graph("x", tag("a1", "")))
    assert problem_of(answer, 400)["errors"][0]["node"] == "a1"


def test_only_authors(analyst: User, viewer: User, author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    for user in (analyst, viewer):
        api = Api(user)
        problem_of(api.post("/playbooks/", graph("Mine", tag("a1", "t"))), 403)
        problem_of(api.patch(f"/playbooks/{row.pk}/", {"name": "Mine"}), 403)
        problem_of(api.delete(f"/playbooks/{row.pk}/"), 403)
        problem_of(api.post(f"/playbooks/{row.pk}/rehearse/", {"alert": make_alert().number}), 403)
        problem_of(api.post(f"/playbooks/{row.pk}/backtest/", {}), 403)
        assert api.get(f"/playbooks/{row.pk}/").json()["graph"]["nodes"][0]["id"] == "a1"


def test_made_published_and_enabled_in_one_call(author: User) -> None:
    make_source()
    answer = Api(author).post("/playbooks/", {**graph("Contain", tag("a1", "seen")), "enabled": True})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["kind"], made["enabled"], made["state"], made["version"]) == ("response", True, "", 1)
    assert made["graph"]["nodes"][0]["actions"] == [{"action": "tag", "params": {"tags": ["seen"]}}]
    assert answer["Location"].endswith(f"/api/v1/playbooks/{made['id']}/")


def test_enabling_what_lacks_a_source_saves_nothing(author: User) -> None:
    answer = Api(author).post("/playbooks/", {**graph("Contain", tag("a1", "seen")), "enabled": True})
    found = problem_of(answer, 409)
    assert found["url"].endswith("/sources/")
    assert not Playbook.objects.exists()


def test_the_same_call_with_a_key_makes_one(author: User) -> None:
    api, body = Api(author), graph("Contain", tag("a1", "seen"))
    first = api.post("/playbooks/", body, headers={"Idempotency-Key": "k1"})
    again = api.post("/playbooks/", body, headers={"Idempotency-Key": "k1"})
    assert first.json() == again.json()
    assert Playbook.objects.count() == 1


def test_a_name_that_is_taken(author: User) -> None:
    published(author, graph("Contain", tag("a1", "seen")))
    assert "name" in errors_of(Api(author).post("/playbooks/", graph("CONTAIN", tag("a1", "x"))))


def test_changing_it_makes_a_version_and_nonsense_does_not(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "old")))
    api = Api(author)
    changed = api.patch(f"/playbooks/{row.pk}/", {"nodes": [tag("a1", "new")]})
    assert (changed.status_code, changed.json()["version"], changed.json()["published"]) == (200, 2, True)
    assert api.patch(f"/playbooks/{row.pk}/", {"nodes": [tag("a1", "new")]}).json()["version"] == 2
    errors_of(api.patch(f"/playbooks/{row.pk}/", {"nodes": [tag("a1", "")]}))
    errors_of(api.patch(f"/playbooks/{row.pk}/", {"nodes": [tag("a1", "x", parent="gone")]}))
    problem_of(api.patch(f"/playbooks/{row.pk}/", {"name": "Other", "draft_number": 77}), 409)
    row.refresh_from_db()
    assert row.draft is not None and row.draft["nodes"][0]["actions"][0]["params"] == {"tags": ["new"]}
    assert PlaybookVersion.objects.filter(playbook=row).count() == 2


def test_a_draft_may_be_incomplete(author: User) -> None:
    api = Api(author)
    made = api.post("/playbooks/", {**graph("Contain", tag("a1", "")), "publish": False}).json()
    assert (made["version"], made["published"]) == (None, False)
    found = errors_of(api.post(f"/playbooks/{made['id']}/publish/"))
    assert any(name.startswith("a1.actions.0") for name in found)


def test_a_python_playbook_cannot_be_changed(author: User) -> None:
    row = Playbook.objects.create(name="file", kind="python", trigger="manual")
    api = Api(author)
    problem_of(api.patch(f"/playbooks/{row.pk}/", {"name": "Other"}), 409)
    problem_of(api.delete(f"/playbooks/{row.pk}/"), 409)
    problem_of(api.get(f"/playbooks/{row.pk}/export/"), 404)
    problem_of(api.post(f"/playbooks/{row.pk}/backtest/", {}), 409)


def test_deleting_and_putting_away(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    api = Api(author)
    run = Run.objects.create(
        playbook=row, alert=make_alert(), trigger="manual", cause="11111111-1111-1111-1111-111111111111"
    )
    assert problem_of(api.delete(f"/playbooks/{row.pk}/"), 409)["code"] == "has_runs"
    assert api.patch(f"/playbooks/{row.pk}/", {"archived": True}).json()["archived"] is True
    run.delete()
    assert api.delete(f"/playbooks/{row.pk}/").status_code == 204
    problem_of(api.get(f"/playbooks/{row.pk}/"), 404)


def test_restore_copy_and_versions(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "old")))
    api = Api(author)
    api.patch(f"/playbooks/{row.pk}/", {"nodes": [tag("a1", "new")]})
    problem_of(api.post(f"/playbooks/{row.pk}/restore/", {"version": 9}), 404)
    back = api.post(f"/playbooks/{row.pk}/restore/", {"version": 1}).json()
    assert back["graph"]["nodes"][0]["actions"][0]["params"] == {"tags": ["old"]}
    assert [one["number"] for one in api.get(f"/playbooks/{row.pk}/versions/").json()["results"]] == [2, 1]
    assert api.post(f"/playbooks/{row.pk}/duplicate/").json()["name"] == "Contain, copy"


def test_28_what_is_exported_can_be_imported(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    api = Api(author)
    document = api.get(f"/playbooks/{row.pk}/export/").json()
    made = api.post("/playbooks/", {**document, "name": "Again"})
    assert made.status_code == 201, made.content
    assert made.json()["graph"] == {**document, "name": "Again"}


def test_31_as_cacao(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    api = Api(author)
    document = api.get(f"/playbooks/{row.pk}/export/", **{"as": "cacao"}).json()
    assert (document["type"], document["spec_version"], document["name"]) == ("playbook", "cacao-2.0", "Contain")
    assert api.get(f"/playbooks/{row.pk}/export/", **{"as": "cacao"}).json()["id"] == document["id"]
    draft = api.post("/playbooks/", {**graph("New", tag("a1", "x")), "publish": False}).json()
    problem_of(api.get(f"/playbooks/{draft['id']}/export/", **{"as": "cacao"}), 409)
    assert wrong_fields(api.get(f"/playbooks/{row.pk}/export/", **{"as": "xml"})) == {"as"}


RISKY = graph(
    "Contain",
    condition("c1", "object_risk", "highly_suspicious"),
    action("a1", "block", "isolate_endpoint", parent="c1", risk=("highly_suspicious",)),
    tag("e1", "nothing-known", parent="c1", type="else_action", side="below"),
    target={"filter_by_risk": True},
)


def test_29_a_rehearsal_shows_path_values_and_requests_and_sends_nothing(admin: User, blue: Team) -> None:
    ConnectorAccount.objects.create(
        kind="visionone",
        name="EU",
        settings={"url": "https://127.0.0.1:9"},
        secrets={"token": "t0ps3cret"},  # type: ignore[misc]
    )
    add_own(None, "ip", BAD, "seen in an attack", effect="malicious")
    alert = make_alert(
        source=make_source(team=blue), severity=Severity.HIGH, hostname="FIN-1",
        observables=(("ip", BAD), ("ip", "198.51.100.9")),
    )  # fmt: skip
    row = published(admin, RISKY)
    before = alert.timeline.count()
    answer = Api(admin).post(f"/playbooks/{row.pk}/rehearse/", {"alert": alert.number})
    assert answer.status_code == 200, answer.content
    made = answer.json()
    assert [stop["node"] for stop in made["path"]] == ["c1", "a1", "e1"]
    verdict = made["path"][0]["verdict"]
    values = {one["key"]: one["value"] for one in made["objects"]}
    assert [values[key] for key in verdict["true"]] == [BAD, "FIN-1"]
    assert [values[key] for key in verdict["false"]] == ["198.51.100.9"]
    tasks = {(task["action"], task["object"]["value"]): task for task in made["path"][1]["tasks"]}
    isolate = tasks["isolate_endpoint", "FIN-1"]
    assert (isolate["account"], isolate["when"]) == ("EU", "at_once")
    assert isolate["requests"][0]["method"] == "POST"
    assert "endpoints/isolate" in isolate["requests"][0]["url"]
    assert "t0ps3cret" not in answer.content.decode()
    assert not Run.objects.exists() and not ResponseTask.objects.exists() and not Attempt.objects.exists()
    assert alert.timeline.count() == before


def test_29_an_alert_that_the_target_leaves_out(author: User, blue: Team) -> None:
    alert = make_alert(source=make_source(team=blue), severity=Severity.LOW)
    row = published(author, RISKY)
    made = Api(author).post(f"/playbooks/{row.pk}/rehearse/", {"alert": alert.number}).json()
    assert "severity is low" in made["off_target"]
    assert [stop["node"] for stop in made["path"]] == ["c1", "e1"], "the way of a run by hand"


def test_29_an_alert_that_may_not_be_seen(author: User, red: Team) -> None:
    alert = make_alert(source=make_source(team=red))
    row = published(author, RISKY)
    problem_of(Api(author).post(f"/playbooks/{row.pk}/rehearse/", {"alert": alert.number}), 404)


def test_30_a_backtest_is_a_job(author: User, blue: Team, analyst: User) -> None:
    make_alert(source=make_source(team=blue), severity=Severity.HIGH)
    row = published(author, graph("Say", tag("a1", "seen")))
    api = Api(author)
    errors_of(api.post(f"/playbooks/{row.pk}/backtest/", {"days": 0}))
    started = api.post(f"/playbooks/{row.pk}/backtest/", {"days": 7})
    assert (started.status_code, set(started.json())) == (202, {"job", "url"})
    problem_of(api.post(f"/playbooks/{row.pk}/backtest/", {}), 409)
    work()
    done = api.get(started.json()["url"].partition("/api/v1")[2]).json()
    assert (done["status"], done["total"], done["result"]["matched"]) == ("successful", 1, 1)
    problem_of(Api(analyst).get(f"/backtests/{done['id']}/"), 404)
    assert api.post(f"/backtests/{done['id']}/cancel/").json()["status"] == "successful"
    assert Backtest.objects.get().days == 7


def test_a_token_with_less_publishes_and_enables_nothing_that_runs_with_all_rights(author: User) -> None:
    make_source()
    row = published(author, graph("Contain", tag("a1", "seen")))
    api = Api(author, scopes=("author_playbooks", "view_cases"))
    problem_of(api.post("/playbooks/", {**graph("Mine", tag("a1", "t")), "enabled": True}), 403)
    problem_of(api.post(f"/playbooks/{row.pk}/enable/", {}), 403)
    problem_of(api.patch(f"/playbooks/{row.pk}/", graph("Contain", tag("a1", "more"))), 403)
    row.refresh_from_db()
    assert row.current is not None
    assert (row.enabled, row.current.number) == (False, 1)
    assert Api(author).post(f"/playbooks/{row.pk}/enable/", {}).status_code == 200
