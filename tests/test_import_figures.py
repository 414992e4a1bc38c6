"""What is imported is history: it stays out of the figures of this portal and of today, also while it is worked on."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from cases.actions import incidents, sla_work
from cases.actions.sla_pause import pause
from cases.actors import Actor
from cases.dashboard import shift
from cases.dashboard.counting import count_hours
from cases.errors import Conflict
from cases.models import Alert, AlertHour, Incident, IncidentClock
from cases.purge import purge
from cases.reporting import json_case
from cases.sla import figures
from soar.accounts.models import User
from soar.lib import clock
from tests.cases_of import thehive
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of
from tests.rich_incident import told
from tests.test_import_others import file_of, imported
from tests.test_import_soar import run

pytestmark = pytest.mark.django_db
THEN = 1_672_531_200_000  # 2023-01-01
DAY = 86_400_000


def of_2023(*, closed: bool) -> dict[str, Any]:
    """A case that somebody known here owned, long ago."""
    content = thehive.five()
    content["case"] |= {"startDate": THEN, "_createdAt": THEN, "endDate": THEN + DAY}
    if not closed:
        content["case"] |= {"status": "InProgress", "stage": "InProgress", "endDate": None}
    return content


def counted(user: User) -> dict[str, int]:
    """How many clocks stopped this week."""
    now = clock.now()
    found = figures.figures(user, now - timedelta(days=7), now + timedelta(minutes=5))
    return {name: figure.count for name, figure in found.items()}


@pytest.mark.parametrize("closed", [True, False])
def test_an_imported_case_has_no_clocks_and_is_in_no_figure(
    admin: User, analyst: User, tmp_path: Path, closed: bool
) -> None:
    incident, _report = imported(tmp_path, "thehive", of_2023(closed=closed))
    assert incident.owner_rows.get().user == analyst
    sla_work.look()
    sla_work.reckon()
    assert not IncidentClock.objects.exists()
    assert counted(admin) == {"acknowledge": 0, "contain": 0, "resolve": 0}
    incident.refresh_from_db()
    assert incident.sla_missed is False
    assert not incident.timeline.filter(kind__startswith="sla.").exists()


def test_work_on_an_imported_case_is_not_measured_either(admin: User, analyst: User, tmp_path: Path) -> None:
    incident, _report = imported(tmp_path, "thehive", of_2023(closed=False))
    me = Actor.of(analyst)
    incidents.update(me, incident.pk, changes={"severity": "critical"})
    incidents.set_status(me, incident.pk, "resolved", determination="benign", reason="Harmless")
    incidents.set_status(me, incident.pk, "in_progress", reason="Not so harmless")
    sla_work.look()
    sla_work.reckon()
    assert counted(admin) == {"acknowledge": 0, "contain": 0, "resolve": 0}


def test_its_page_says_that_it_has_no_targets_and_they_cannot_be_paused(
    admin: User, analyst: User, tmp_path: Path
) -> None:
    incident, _report = imported(tmp_path, "thehive", of_2023(closed=False))
    page = client_of(analyst).get(f"/incidents/{incident.number}/targets/").content.decode()
    assert "It was imported: it has no targets here." in page and "Pause the clocks" not in page
    with pytest.raises(Conflict, match="was imported: it has no clocks"):
        pause(Actor.of(analyst), incident.pk, "waits")


def test_imported_alerts_count_on_the_day_on_which_they_came(admin: User, tmp_path: Path) -> None:
    incident = make_incident("Case", make_alert("Beacon"))
    content = json.loads(json_case.render(told(admin, incident)))
    for name in ("occurred_at", "first_seen", "last_seen", "received_at"):
        content["alerts"][0][name] = "2026-01-05T10:00:00Z"
    purge(None, alerts=[content["alerts"][0]["id"]], incidents=[incident.pk], reason="test")
    assert run("soar", file_of(tmp_path, content), "--apply")[0] == 0
    assert Alert.objects.get().received_at == datetime.fromisoformat("2026-01-05T10:00:00Z")
    figures = shift.alerts_for_all(admin, clock.now() - timedelta(hours=8), None)
    assert figures == {"received": 0, "resolved": 0}
    count_hours()
    assert AlertHour.objects.filter(hour__gte=clock.now() - timedelta(days=1)).aggregate(n=Sum("count"))["n"] is None
    assert Incident.objects.count() == 1
