"""Both samples of the guide run as they are written (rulings 10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.choices import AlertStatus, Determination, Severity
from playbooks import catalog
from playbooks.models import Run
from tests.factories import make_alert
from tests.playbook_files import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def samples(settings: Any) -> None:
    settings.PLAYBOOK_DIRS = [Path(__file__).parent / "playbooks"]
    catalog.forget()


def test_the_first_sample_enriches_escalates_and_says_so() -> None:
    alert = make_alert(severity=Severity.CRITICAL, hostname="FIN-LT-0231", source_ip="203.0.113.77")
    work()
    run = Run.objects.get()
    assert (run.status, run.result) == ("successful", {"status": "incident_ready"}), run.error + run.traceback
    alert.refresh_from_db()
    assert (alert.status, alert.determination) == (AlertStatus.IN_PROGRESS, Determination.SUSPICIOUS)
    kinds = list(alert.timeline.order_by("id").values_list("kind", flat=True))
    assert kinds == ["alert.opened", "run.started", "changed", "changed", "changed", "comment", "run.finished"]
    assert "Create or link an incident" in alert.timeline.get(kind="comment").text
    steps = {step.name: step for step in run.steps.all()}
    assert steps["lookup_ip_reputation"].result == {"ip": "203.0.113.77", "score": 97}
    assert steps["preserve_host_context"].arguments == {"hostname": "FIN-LT-0231"}
    assert set(steps) == {
        "lookup_ip_reputation", "preserve_host_context", "update_current_alert", "add_current_alert_comment"
    }  # fmt: skip


def test_the_second_sample_runs_one_after_the_other() -> None:
    make_alert(tags=["docker"], hostname="web-7")
    work()
    runs: list[Any] = list(Run.objects.order_by("position"))
    first, second = runs
    assert [run.playbook.name for run in (first, second)] == ["preserve_container_state", "restart_container"]
    assert [run.status for run in (first, second)] == ["successful", "successful"]
    assert first.sequence_id == second.sequence_id
    assert first.finished_at <= second.started_at
    assert second.steps.get().result == {"hostname": "web-7", "restarted": True}


def test_an_alert_that_meets_no_conditions_starts_nothing() -> None:
    make_alert(severity=Severity.LOW, tags=["windows"])
    work()
    assert not Run.objects.exists()
