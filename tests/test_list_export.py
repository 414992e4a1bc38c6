"""The queue and the list of incidents as CSV: as filtered, for whom it is meant, harmless, streamed."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases import list_csv
from cases.models import Alert, AlertSource, Incident, IncidentTask
from soar.accounts.models import AuditEntry, Role, Team, User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_source
from tests.playbook_pages import text_of

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def they_may_export(db: None) -> None:
    """Analysts and viewers have the permission as well."""
    allowed = Permission.objects.get(content_type__app_label="accounts", codename="export")
    for role in Role.objects.filter(group__name__in=("Analyst", "Viewer")):
        role.group.permissions.add(allowed)


def read(client: Client, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8" and answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment; ")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def titles(rows: list[dict[str, str]]) -> list[str]:
    return [row["title"] for row in rows]


@pytest.mark.parametrize("path", ["/alerts/export/", "/incidents/export/"])
def test_only_for_those_who_read_cases(client: Client, nobody: User, as_viewer: Client, path: str) -> None:
    assert client.get(path).status_code == 302
    client.force_login(nobody)
    assert client.get(path).status_code == 403
    assert as_viewer.post(path).status_code == 405
    assert read(as_viewer, path) == []
    assert AuditEntry.objects.filter(verb__startswith="export.").count() == 1
    page = path.removesuffix("export/")
    assert path in text_of(as_viewer.get(page))
    Role.objects.get(group__name="Viewer").group.permissions.remove(Permission.objects.get(codename="export"))
    assert as_viewer.get(path).status_code == 403
    assert path not in text_of(as_viewer.get(page))


@pytest.mark.parametrize("page", ["alerts", "incidents"])
def test_a_filter_that_makes_no_sense_exports_nothing(as_viewer: Client, page: str) -> None:
    answer = as_viewer.get(f"/{page}/export/?severity=odd&sort=oldest")
    assert answer.status_code == 302 and answer["Location"] == f"/{page}/?severity=odd&sort=oldest"
    assert not AuditEntry.objects.filter(verb__startswith="export.").exists()


def test_the_file_has_what_the_filter_finds_in_the_order_of_the_list(
    as_analyst: Client, as_stranger: Client, analyst: User, blue: Team
) -> None:
    for title, severity, minutes in (("late", 4, 20), ("soon", 3, 25), ("fine", 2, 1), ("other", 2, 2)):
        alert = make_alert(title, severity=severity, team=blue, hostname="dc-1")
        Alert.objects.filter(pk=alert.pk).update(received_at=MONDAY - timedelta(minutes=minutes))
    Alert.objects.filter(title="other").update(owner=analyst, count=3)
    with clock.at(MONDAY):
        rows = read(as_analyst, "/alerts/export/?sort=sla&q=host:dc-1")
        assert titles(rows) == ["late", "soon", "other", "fine"]
        assert titles(read(as_analyst, "/alerts/export/?severity=medium&sort=oldest")) == ["fine", "other"]
        assert titles(read(as_analyst, "/alerts/export/?cursor=rubbish&view=7&owner=me")) == ["other"]
        assert read(as_stranger, "/alerts/export/") == []
    first = rows[0]
    assert (first["severity"], first["status"], first["sla"], first["host"]) == ("critical", "new", "breached", "dc-1")
    assert first["sla_due_at"] == "2026-03-09T11:55:00Z" and first["received_at"] == "2026-03-09T11:40:00Z"
    assert (rows[2]["owner"], rows[2]["times_seen"]) == (analyst.username, "3")
    entry = AuditEntry.objects.filter(verb="export.alerts").order_by("pk")[0]
    assert entry.actor_name == analyst.display_name() and entry.data["filter"] == "q=host%3Adc-1&sort=sla"


def test_each_line_bears_its_tlp(as_analyst: Client, blue: Team) -> None:
    make_alert("red", tlp="red", team=blue), make_alert("green", tlp="green", team=blue)
    make_incident("strict", team=blue, tlp="amber+strict")
    for sort in ("newest", "sla"):
        marks = {row["title"]: row["tlp"] for row in read(as_analyst, f"/alerts/export/?sort={sort}")}
        assert marks == {"red": "red", "green": "green"}
    assert [row["tlp"] for row in read(as_analyst, "/incidents/export/")] == ["amber+strict"]


def test_an_incident_that_may_not_be_seen_is_not_named(as_analyst: Client, red: Team, blue: Team) -> None:
    alert = make_alert("ours", team=blue)
    theirs = make_incident("theirs", alert, team=red)
    Incident.objects.filter(pk=theirs.pk).update(restricted=True)
    Alert.objects.filter(pk=alert.pk).update(restricted=False, team=blue)
    text = b"".join(as_analyst.get("/alerts/export/").streaming_content).decode()  # type: ignore[attr-defined]
    assert "INC-" not in text and "theirs" not in text


def test_nothing_in_the_file_is_a_formula(as_analyst: Client) -> None:
    evil = '=HYPERLINK("http://x")'
    make_alert(evil, hostname="+1", username="@u", source=make_source("-2+3"))
    make_incident("=1+1")
    [alert] = read(as_analyst, "/alerts/export/")
    assert (alert["title"], alert["host"], alert["user"], alert["source"]) == (f"'{evil}", "'+1", "'@u", "'-2+3")
    [incident] = read(as_analyst, "/incidents/export/")
    assert incident["title"] == "'=1+1"


def test_incidents_as_filtered_with_their_tab(
    as_analyst: Client, as_stranger: Client, analyst: User, blue: Team
) -> None:
    mine, other = make_incident("mine", team=blue, severity="high"), make_incident("other", team=blue)
    mine.owner_rows.create(user=analyst, lead=True)
    for done in (None, MONDAY):
        IncidentTask.objects.create(
            incident=mine,
            title="t",
            position=1,
            created_at=MONDAY,
            updated_at=MONDAY,
            done_at=done,
            status=1 if done else 0,
        )
    rows = read(as_analyst, "/incidents/export/")
    assert titles(rows) == ["mine", "other"]
    assert (rows[0]["severity"], rows[0]["tasks_done"], rows[0]["tasks"]) == ("high", "1", "2")
    assert (rows[0]["owners"], rows[0]["team"], rows[0]["restricted"]) == (analyst.username, "Blue", "no")
    assert titles(read(as_analyst, "/incidents/export/?tab=mine")) == ["mine"]
    assert titles(read(as_analyst, f"/incidents/export/?q={other.number}")) == ["other"]
    assert read(as_stranger, "/incidents/export/") == []
    assert AuditEntry.objects.filter(verb="export.incidents").exists()


@pytest.mark.parametrize("page", ["alerts", "incidents"])
def test_the_page_leads_to_the_file_of_its_filter(as_analyst: Client, page: str) -> None:
    make_alert("low", severity=1), make_alert("high", severity=3)
    make_incident("low", severity="low"), make_incident("high", severity="high")
    text = text_of(as_analyst.get(f"/{page}/?severity=high"))
    [url] = re.findall(rf'href="(/{page}/export/[^"]*)" download>Export CSV', text)
    assert titles(read(as_analyst, html.unescape(url))) == ["high"]


@pytest.fixture
def many(blue: Team) -> int:
    source, number = make_source("bulk"), 650
    rows = (_row(source, n) for n in range(number))
    Alert.objects.bulk_create(rows)
    return number


def _row(source: AlertSource, number: int) -> Alert:
    key, now = number.to_bytes(16, "big"), clock.now()
    times = dict.fromkeys(("occurred_at", "received_at", "first_seen", "last_seen", "updated_at"), now)
    return Alert(source=source, title=f"n{number}", severity=number % 5, key_digest=key, **times)


@pytest.mark.parametrize("sort", ["", "newest", "sla"])
def test_a_long_list_is_read_in_pieces(as_analyst: Client, many: int, sort: str) -> None:
    answer: Any = as_analyst.get(f"/alerts/export/?sort={sort}")
    pieces = iter(answer.streaming_content)
    with CaptureQueriesContext(connection) as asked:
        next(pieces), next(pieces)
    bounded = ("LIMIT", '"cases_alert"."id" IN (')
    reads = [one["sql"] for one in asked if 'FROM "cases_alert"' in one["sql"]]
    assert reads and all(any(word in sql for word in bounded) for sql in reads)
    shown = titles(read(as_analyst, f"/alerts/export/?sort={sort}"))
    assert len(shown) == len(set(shown)) == many


def test_a_file_that_is_cut_says_so(as_analyst: Client, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_csv, "MOST", 400)
    rows = read(as_analyst, "/alerts/export/")
    assert len(rows) == 401 and rows[-1]["number"] == "Only the first 400 alerts of this list are in this file."
