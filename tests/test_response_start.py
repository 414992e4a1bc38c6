"""What starts a response playbook by itself, and what does not (response-playbooks.md 2 to 4; rulings 7, 8)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cases.actions import alerts
from cases.actors import Actor
from cases.models import Alert
from playbooks import tasks
from playbooks.models import Run
from soar.accounts.models import User
from soar.lib import clock
from tests.factories import make_user
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
AUTOMATIC = {"type": "automatic"}
ONE = action("a", "scan_endpoint")
NIGHT = {
    "type": "automatic",
    "time_zone": "Europe/Berlin",
    "periods": [{"days": ["fri"], "from": "22:00", "to": "06:00"}],
}


def opened(alert: Alert) -> int:
    """The id of the entry that opened it."""
    return alert.timeline.get(kind="alert.opened").pk


def skips(alert: Alert) -> list[str]:
    """Why playbooks did not run, from the alert's timeline."""
    return [entry.text for entry in alert.timeline.filter(kind="run.skipped").order_by("pk")]


def test_2_an_automatic_one_starts_by_itself_and_acts(tiny: Range) -> None:
    playbook = publish(graph(ONE, trigger=AUTOMATIC))
    alert = alert_of()
    work()
    run = Run.objects.get()
    assert (run.playbook, run.alert, run.status, run.trigger) == (playbook, alert, "successful", "automatic")
    assert tiny.targets("scan_endpoint") == ["LT-0042"]
    kinds = list(alert.timeline.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["alert.opened", "run.started", "run.finished"]


def test_2_a_manual_one_does_not(tiny: Range) -> None:
    publish(graph(ONE))
    alert_of()
    work()
    assert not Run.objects.exists()


def test_2_an_automatic_one_also_runs_by_hand(tiny: Range) -> None:
    playbook = publish(graph(ONE, trigger=AUTOMATIC, target={"severities": ["critical"]}))
    assert run_now(playbook, alert_of()).status == "successful"


def test_a_doorbell_that_rings_twice_starts_nothing_twice(tiny: Range) -> None:
    publish(graph(ONE, trigger=AUTOMATIC))
    publish(graph(ONE, trigger=AUTOMATIC))
    alert = alert_of()
    work()
    tasks.consider(opened(alert))
    tasks.consider(opened(alert), opened(alert))
    work()
    assert Run.objects.count() == 2 and len(tiny.done) == 2


def test_a_reopened_alert_starts_it_again(tiny: Range) -> None:
    publish(graph(ONE, trigger=AUTOMATIC))
    alert = alert_of()
    work()
    alerts.resolve(Actor.system(), alert.pk, determination="benign")
    alerts.reopen(Actor.system(), alert.pk)
    work()
    assert Run.objects.count() == 2


@pytest.mark.parametrize(("severity", "starts"), [(2, True), (3, True), (4, False)])
def test_4_only_the_chosen_severities(tiny: Range, severity: int, starts: bool) -> None:
    publish(graph(ONE, trigger=AUTOMATIC, target={"severities": ["medium", "high"]}))
    alert_of(severity=severity)
    work()
    assert Run.objects.exists() is starts


@pytest.mark.parametrize(("model", "starts"), [("credential dumping", True), ("Other", False), ("", False)])
def test_4_only_the_chosen_models(tiny: Range, model: str, starts: bool) -> None:
    publish(graph(ONE, trigger=AUTOMATIC, target={"models": ["Credential Dumping"]}))
    alert_of(detection_model=model)
    work()
    assert Run.objects.exists() is starts


@pytest.mark.parametrize(
    ("moment", "starts"),
    [
        (datetime(2026, 6, 5, 20, 30, tzinfo=UTC), True),  # Friday 22:30 in Berlin
        (datetime(2026, 6, 6, 3, 59, tzinfo=UTC), True),  # Saturday 05:59: the range of Friday crosses midnight
        (datetime(2026, 6, 6, 4, 0, tzinfo=UTC), False),
        (datetime(2026, 6, 6, 20, 30, tzinfo=UTC), False),  # Saturday night
        (datetime(2026, 6, 5, 19, 59, tzinfo=UTC), False),
    ],
)
def test_3_periods_in_their_time_zone_over_midnight(tiny: Range, moment: datetime, starts: bool) -> None:
    publish(graph(ONE, trigger=NIGHT))
    alert = alert_of()
    with clock.at(moment):
        work()
    assert Run.objects.exists() is starts
    assert bool(skips(alert)) is not starts


def test_3_the_timeline_says_once_why_nothing_ran_and_by_hand_it_runs(tiny: Range) -> None:
    playbook = publish(graph(ONE, trigger=NIGHT), name="Night watch")
    alert = alert_of()
    with clock.at(datetime(2026, 6, 3, 12, 0, tzinfo=UTC)):
        work()
        tasks.consider(opened(alert))
        tasks.consider(opened(alert))
        assert skips(alert) == ["It runs automatically only during its periods (Europe/Berlin), and this is outside."]
        assert alert.timeline.get(kind="run.skipped").data["playbook"] == "Night watch"
        assert run_now(playbook, alert).status == "successful"


@pytest.mark.parametrize("change", [{"enabled": False}, {"deactivated_reason": "x"}, {"current": None}])
def test_one_that_is_off_starts_nothing(tiny: Range, change: dict[str, Any]) -> None:
    from playbooks import catalog

    playbook = publish(graph(ONE, trigger=AUTOMATIC))
    type(playbook).objects.filter(pk=playbook.pk).update(**change)
    catalog.bump()
    alert_of()
    work()
    assert not Run.objects.exists()


def test_rulings_8_it_is_deactivated_when_its_publisher_lost_the_right(tiny: Range, author: User) -> None:
    playbook = publish(graph(ONE, trigger=AUTOMATIC), by=author)
    author.groups.clear()
    alert_of()
    work()
    playbook.refresh_from_db()
    assert not Run.objects.exists() and "lost the right" in playbook.deactivated_reason


def test_rulings_8_it_does_not_act_on_what_its_publisher_may_not_see(tiny: Range, blue: Any, red: Any) -> None:
    author = make_user("writer", "Playbook author", "Responder", teams=("Red",), first_name="Wim", last_name="Writer")
    publish(graph(ONE, trigger=AUTOMATIC), by=author)
    alert = alert_of(team=blue)
    work()
    assert not Run.objects.exists()
    assert skips(alert) == ["Wim Writer, whose rights it uses, may not see this alert."]


def test_rulings_8_destructive_actions_need_the_right_of_the_publisher(tiny: Range, blue: Any) -> None:
    author = make_user("writer", "Playbook author", teams=("Blue",), first_name="Wim", last_name="Writer")
    publish(graph(action("a", "isolate_endpoint", "scan_endpoint"), trigger=AUTOMATIC), by=author)
    alert_of(team=blue)
    work()
    run = Run.objects.get()
    assert run.status == "partially_successful"
    assert run.tasks.get(action="isolate_endpoint").reason == (
        "The account of Wim Writer, whose rights the run uses, may not run response actions without an approval."
    )
    assert [one["capability"] for one in tiny.done] == ["scan_endpoint"]


def test_a_playbook_does_not_start_itself_and_chains_end(tiny: Range) -> None:
    """Two playbooks that reopen the alert would call each other for ever."""
    reopen = action("a", ("set_status", {"status": "resolved", "determination": "malicious"}))
    publish(
        graph(reopen, {**action("b", ("set_status", {"status": "in_progress"}), parent="a")}, trigger=AUTOMATIC), "A"
    )
    publish(
        graph(reopen, {**action("b", ("set_status", {"status": "in_progress"}), parent="a")}, trigger=AUTOMATIC), "B"
    )
    alert = alert_of(entities=[], hostname="", username="")
    for _ in range(40):
        work()
    assert 2 < Run.objects.count() < 80
    assert max(Run.objects.values_list("depth", flat=True)) == 5
    assert any("the chain ends here" in text for text in skips(alert))
