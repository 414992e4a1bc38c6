"""A response playbook runs: objects, ratings, conditions, a task per object, the end (response-playbooks.md)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.models import Alert
from playbooks.models import Run, Step
from playbooks.response.objects import objects_of
from soar.connectors.intelligence.actions import add_exception, add_own
from soar.connectors.models import BlockEntry, ConnectorAccount, Route
from tests.factories import make_asset
from tests.response_tools import (
    Range,
    action,
    alert_of,
    condition,
    graph,
    only_task,
    publish,
    run_now,
    states,
    tasks_of,
    tiny,
)

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
BAD = (("domain", "evil-one.com"), ("domain", "evil-two.com"))


def malicious(value: str, type_: str = "domain") -> None:
    """On our own list of bad values."""
    add_own(None, type_, value, "Seen in an attack", effect="malicious")


def by_value(run: Run) -> dict[str, dict[str, Any]]:
    """The objects of the run."""
    return {one["value"]: one for one in run.targets or []}


def test_14_one_task_per_object(tiny: Range) -> None:
    playbook = publish(graph(action("a", "sandbox_url")))
    alert = alert_of(*BAD, ("url", "http://evil-three.com/x"))
    run = run_now(playbook, alert)
    assert run.status == "successful", run.error
    assert sorted(tiny.targets("sandbox_url")) == ["evil-one.com", "evil-two.com", "http://evil-three.com/x"]
    assert {status for _, _, status in tasks_of(run)} == {"successful"}
    assert states(run)["a"]["counts"] == {"successful": 3}


def test_14_each_task_keeps_its_request_answer_and_attempts(tiny: Range) -> None:
    run = run_now(publish(graph(action("a", "isolate_endpoint", deadline_minutes=7))), alert_of())
    task: Any = only_task(run)
    assert task.request == {"target": "LT-0042", "kind": "endpoint", "params": {}}
    assert task.answer["state"] == "done" and task.attempts == 1 and task.account == tiny.account
    assert task.deadline_at is not None and task.started_at is not None
    assert 400 < (task.deadline_at - task.started_at).total_seconds() < 440
    assert tiny.done[0]["key"] == str(task.idempotency_key)


def test_13_objects_are_rated_and_entities_take_the_highest_of_what_they_are_related_to(tiny: Range) -> None:
    malicious("evil-one.com")
    host = {
        "name": "LT-0042",
        "type": "endpoint",
        "system": "",
        "addresses": [],
        "observables": [["domain", "evil-two.com"]],
    }
    account = {"type": "account", "name": "a.voss"}
    run = run_now(publish(graph(action("a", "sandbox_url"))), alert_of(*BAD, entities=[host, account]))
    found = by_value(run)
    assert found["evil-one.com"]["risk"] == "highly_suspicious"
    assert "malicious list" in found["evil-one.com"]["rule"] and found["evil-one.com"]["evidence"]
    assert found["evil-two.com"]["risk"] == "unrated" and found["evil-two.com"]["rule"] == "On no list."
    assert found["LT-0042"]["risk"] == "unrated", "it is related to the other domain alone"
    assert found["a.voss"]["risk"] == "highly_suspicious", "without relations: the highest of the alert"
    assert all(found[name]["rated_at"] for name in ("evil-one.com", "evil-two.com"))


def test_13_ratings_are_kept_with_the_observables(tiny: Range) -> None:
    malicious("evil-one.com")
    alert = alert_of(*BAD)
    run_now(publish(graph(action("a", "sandbox_url"))), alert)
    rows = {link.observable.value: link.observable for link in alert.observable_links.select_related("observable")}
    assert rows["evil-one.com"].risk == 2 and rows["evil-one.com"].rating["rule"].startswith("Exactly")
    assert rows["evil-two.com"].risk == 0 and rows["evil-two.com"].rated_at is not None


def test_13_nothing_destructive_touches_what_a_benign_list_protects(tiny: Range) -> None:
    add_exception(None, "domain", "evil-one.com", "Ours")
    run = run_now(publish(graph(action("a", "block", "sandbox_url"))), alert_of())
    assert tasks_of(run) == [("block", "evil-one.com", "no_action"), ("sandbox_url", "evil-one.com", "successful")]
    task = run.tasks.get(action="block")
    assert "exception list" in task.reason and "Ours" in task.reason
    assert not BlockEntry.objects.exists() and run.status == "successful"


def test_only_ticked_risks_are_acted_on(tiny: Range) -> None:
    malicious("evil-one.com")
    run = run_now(publish(graph(action("a", "sandbox_url", risk=["highly_suspicious"]))), alert_of(*BAD))
    assert tiny.targets("sandbox_url") == ["evil-one.com"]
    assert states(run)["a"]["arrived"] == 4, "both domains, the host and the account"


def test_11_each_object_goes_its_own_way(tiny: Range) -> None:
    """Rulings 1: true goes right, the others go to the else."""
    malicious("evil-one.com")
    playbook = publish(
        graph(
            condition("c", ("object_risk", "is", ["highly_suspicious"])),
            action("right", "sandbox_url", parent="c"),
            {**action("else", "find_messages", "collect_file", parent="c"), "type": "else_action", "side": "below"},
        )
    )
    run = run_now(playbook, alert_of(*BAD, ("sha256", HASH)))
    assert tiny.targets("sandbox_url") == ["evil-one.com"]
    step: Any = Step.objects.get(run=run, name="c")
    assert step.result["rows"][0]["seen"] == ["highly_suspicious", "unrated"]
    assert len(step.result["true"]) == 3, "the bad domain, and host and account, which take its risk"
    assert tiny.targets("find_messages") == [HASH]
    assert states(run)["c"]["counts"] == {"true": 3, "false": 2}


def test_11_no_else_left_ends_the_branch_with_no_action(tiny: Range) -> None:
    playbook = publish(
        graph(
            condition("c", ("source", "is", ["elsewhere"])),
            action("right", "isolate_endpoint", parent="c"),
        )
    )
    run = run_now(playbook, alert_of())
    assert (run.status, tiny.done) == ("successful", [])
    assert (run.result or {})["text"] == "No action was taken." and set(states(run)) == {"c"}


def test_12_parallel_conditions_each_run_their_branch(tiny: Range) -> None:
    nodes = []
    for number, word in enumerate(("low", "medium", "high", "medium")):
        nodes.append(condition(f"c{number}", ("severity", "is", [word])))
        nodes.append(action(f"a{number}", "scan_endpoint", parent=f"c{number}"))
    run = run_now(publish(graph(*nodes)), alert_of(severity=2))
    assert {name for name in states(run) if name.startswith("a")} == {"a1", "a3"}
    assert tiny.targets("scan_endpoint") == ["LT-0042", "LT-0042"]


def test_9_asset_facts_decide(tiny: Range) -> None:
    make_asset("LT-0042", groups=["Finance"], criticality=4)
    alert = alert_of()
    from cases.models import AlertAsset, Asset

    AlertAsset.objects.create(alert=alert, asset=Asset.objects.get(key="lt-0042"))
    playbook = publish(
        graph(
            condition("c", ("asset_group", "is", ["finance"]), ("asset_criticality", "is_not", ["low"])),
            action("a", "isolate_endpoint", parent="c"),
        )
    )
    run_now(playbook, alert)
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_a_series_runs_strictly_in_order(tiny: Range) -> None:
    playbook = publish(
        graph(
            action("one", "scan_endpoint"),
            action("two", "isolate_endpoint", parent="one"),
            action("three", "disable_account", parent="two"),
        )
    )
    run = run_now(playbook, alert_of())
    assert [one["capability"] for one in tiny.done] == ["scan_endpoint", "isolate_endpoint", "disable_account"]
    assert run.status == "successful"


@pytest.mark.parametrize(("setting", "later"), [("continue", "successful"), ("stop", "no_action")])
def test_rulings_3_a_failure_in_a_series(tiny: Range, setting: str, later: str) -> None:
    add_own(None, "domain", "unrelated.com", "x", effect="malicious")
    playbook = publish(
        graph(
            action("one", "run_script", on_failure=setting),
            action("two", "isolate_endpoint", parent="one"),
        )
    )
    run = run_now(playbook, alert_of())  # there is no such script
    assert [status for _, _, status in tasks_of(run)] == ["unsuccessful", later]
    assert run.status == ("unsuccessful" if later == "no_action" else "partially_successful")


def test_15_an_action_that_no_connector_serves_fails_with_that_reason(tiny: Range) -> None:
    ConnectorAccount.objects.all().delete()
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    assert run.status == "unsuccessful"
    assert only_task(run).reason == "No connector is set up for “Isolate endpoint”."


def test_15_a_connector_that_was_disabled_is_not_used(tiny: Range) -> None:
    ConnectorAccount.objects.update(enabled=False)
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    assert run.status == "unsuccessful" and not tiny.done


def test_a_route_picks_the_account(tiny: Range) -> None:
    other = ConnectorAccount.objects.create(
        kind="tiny", name="Other", settings=tiny.account.settings, allow_internal=True
    )
    Route.objects.create(capability="isolate_endpoint", domain="lt-0042", account=other)
    run = run_now(publish(graph(action("a", "isolate_endpoint", "scan_endpoint"))), alert_of())
    accounts = {task.action: task.account.name for task in run.tasks.select_related("account") if task.account}
    assert accounts == {"isolate_endpoint": "Other", "scan_endpoint": "Tiny"}


def test_block_goes_to_the_built_in_list(tiny: Range) -> None:
    malicious("evil-one.com")
    run = run_now(publish(graph(action("a", ("block", {"days": 30}), risk=["highly_suspicious"]))), alert_of())
    assert run.status == "successful", tasks_of(run)
    entry = BlockEntry.objects.get()
    assert (entry.value, entry.reference) == ("evil-one.com", f"ALR-{run.alert_id}")
    assert entry.expires_at is not None and run.playbook.name in entry.added_by


def test_25_statuses_of_a_node_with_mixed_tasks(tiny: Range) -> None:
    tiny.fault("403")
    run = run_now(publish(graph(action("a", "sandbox_url"))), alert_of(*BAD))
    assert sorted(status for _, _, status in tasks_of(run)) == ["successful", "unsuccessful"]
    assert states(run)["a"]["status"] == run.status == "partially_successful"


def test_an_alert_without_objects_passes_conditions_that_ask_only_of_it(tiny: Range) -> None:
    alert = alert_of(("cve", "CVE-2026-0001"), entities=[], hostname="", username="")
    playbook = publish(
        graph(
            condition("c", ("severity", "is", ["medium"])),
            action("a", "isolate_endpoint", ("set_severity", {"severity": "high"}), parent="c"),
        )
    )
    run = run_now(playbook, alert)
    assert tasks_of(run) == [("set_severity", "", "successful")]
    assert Alert.objects.get(pk=alert.pk).severity == 3


def test_rulings_2_without_marks_hashes_addresses_urls_and_domains_are_the_objects(db: None) -> None:
    alert = alert_of(("ip", "203.0.113.7"), ("cve", "CVE-2026-0001"), ("sha1", SHA1))
    alert.observable_links.update(highlighted=False)
    kinds = {one["value"]: one["kind"] for one in objects_of(alert)}
    assert kinds == {"203.0.113.7": "ip", SHA1: "hash", "LT-0042": "endpoint", "a.voss": "account"}


def test_rulings_2_with_marks_only_what_is_marked(db: None) -> None:
    alert = alert_of(("ip", "203.0.113.7"), ("domain", "evil-one.com"))
    alert.observable_links.filter(observable__type="ip").update(highlighted=False)
    assert {one["value"] for one in objects_of(alert)} == {"evil-one.com", "LT-0042", "a.voss"}


def test_a_process_knows_its_host_and_hash(db: None) -> None:
    process = {"type": "process", "name": "x.exe", "command_line": "x.exe -q", "host": "LT-0042"}
    host = {"name": "LT-0042", "addresses": [], "guid": "g-1"}
    alert = alert_of(("sha1", SHA1), entities=[host, process])
    found = {one["kind"]: one for one in objects_of(alert)}["process"]
    assert found["facts"]["endpoint"] == "LT-0042" and found["facts"]["guid"] == "g-1"
    assert found["facts"]["sha1"] == SHA1


def test_a_dry_run_sends_and_changes_nothing(tiny: Range) -> None:
    playbook = publish(graph(action("a", "isolate_endpoint", ("set_severity", {"severity": "critical"}), "block")))
    alert = alert_of()
    run = run_now(playbook, alert, dry_run=True)
    assert run.status == "successful" and not tiny.done and not BlockEntry.objects.exists()
    task: Any = run.tasks.get(action="isolate_endpoint")
    assert task.message == "Dry run: nothing was sent." and task.request[0]["method"] == "POST"
    assert Alert.objects.get(pk=alert.pk).severity == 2
    assert not alert.timeline.filter(kind__startswith="run.").exists()


def test_9_observables_that_are_not_highlighted_are_asked_of_too(tiny: Range) -> None:
    alert = alert_of(("domain", "evil-one.com"), ("domain", "other-one.com"))
    alert.observable_links.filter(observable__value="other-one.com").update(highlighted=False)
    playbook = publish(
        graph(
            condition("c", ("observable", "is", ["other-one.com"])),
            action("a", "isolate_endpoint", parent="c"),
        )
    )
    run_now(playbook, alert)
    assert tiny.targets("isolate_endpoint") == ["LT-0042"], "the host has no value of its own: the alert's counts"
