"""Cancelling a bulk job while one of its batches is under way, and undoing it then."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from cases.actions import bulk_work
from cases.choices import Severity
from cases.models import Alert, BulkJob, Incident
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.bulk import asked, chains_hold, done, work
from tests.factories import make_alert, make_incident, make_source
from tests.playbook_files import until
from tests.test_bulk_workers import WAITING, _any


def apart(act: Callable[..., Any], *args: Any) -> Any:
    """What comes of it on a connection of its own."""
    try:
        return act(*args)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_cancelled_while_a_batch_is_under_way(analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_work, "SIZE", 1)
    first, held, last = sorted((make_alert(f"A{n}", severity=1).pk for n in range(3)), reverse=True)
    job = asked(analyst, "severity", {"status": "open"}, severity="critical")
    path, api = f"/jobs/{job}/", Api(analyst)  # with a token that the others see
    with ThreadPoolExecutor(2) as others:
        with transaction.atomic():
            Alert.objects.select_for_update().get(pk=held)
            working = others.submit(apart, bulk_work.work, job)
            until(lambda: _any(WAITING), 60)
            ended = others.submit(apart, api.post, f"{path}cancel/", {}).result()
            assert ended.json()["status"] == "cancelled"
            early = others.submit(apart, api.post, f"{path}undo/", {}).result()
            assert "under way" in problem_of(early, 409)["detail"]
        working.result()
    row = BulkJob.objects.get(pk=job)
    assert (row.status, row.position, row.done) == ("cancelled", 2, 2) and row.finished_at
    assert dict(Alert.objects.values_list("pk", "severity")) == {first: 4, held: 4, last: 1}
    assert api.post(f"{path}undo/", {}).status_code == 202
    work()
    assert set(Alert.objects.values_list("severity", flat=True)) == {Severity.LOW}
    chains_hold()


@pytest.mark.django_db
def test_what_was_given_to_another_team_comes_back(analyst: User, blue: Team, red: Team) -> None:
    source = make_source("Blue's", team=blue)
    alerts = [make_alert(f"A{n}", source=source) for n in range(3)]
    job = done(analyst, "assign", {"status": "open"}, team="Red")
    assert not Alert.objects.visible_to(User.objects.get(pk=analyst.pk)).exists()
    make_incident("Theirs", alerts[0])
    Incident.objects.update(restricted=True)
    Alert.objects.filter(pk=alerts[0].pk).update(restricted=True)
    answer = Api(analyst).post(f"/jobs/{job.pk}/undo/", {})
    assert answer.status_code == 202
    work()
    back = BulkJob.objects.get(pk=answer.json()["job"])
    assert (back.done, back.refused_count) == (2, 1)
    assert back.refused[0]["message"] == f"There is no alert {alerts[0].pk}."
    assert set(Alert.objects.exclude(pk=alerts[0].pk).values_list("team__name", flat=True)) == {"Blue"}
    assert Alert.objects.get(pk=alerts[0].pk).team == red
    chains_hold()
