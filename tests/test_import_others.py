"""Cases of TheHive and DFIR-IRIS are imported, with a report of what came over and what could not."""

from __future__ import annotations

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from cases.errors import Refused
from cases.importing import iris as read_iris
from cases.importing import thehive as read_thehive
from cases.models import Incident, IncidentTask, TimelineEntry
from cases.verify import report_of_incident
from soar.accounts.models import User
from tests.cases_of import iris, thehive
from tests.fixtures import client_of
from tests.test_import_soar import run

pytestmark = pytest.mark.django_db


def file_of(tmp_path: Path, content: Any) -> Path:
    """The content as a file."""
    path = tmp_path / "case.json"
    path.write_text(json.dumps(content))
    return path


def imported(tmp_path: Path, product: str, content: Any) -> tuple[Incident, dict[str, Any]]:
    """The incident, and the report."""
    code, reports = run(product, file_of(tmp_path, content), "--apply")
    assert code == 0, reports
    return Incident.objects.get(), reports[0]


def values(incident: Incident) -> set[tuple[str, str]]:
    """Its observables."""
    return {(one.observable.type, one.observable.value) for one in incident.observable_links.all()}


def whats(report: dict[str, Any], part: str) -> str:
    """All that a part of the report names, with why."""
    return "\n".join(f"{one['what']}: {one['why']}" for one in report[part])


def test_a_case_of_thehive_5(analyst: User, tmp_path: Path) -> None:
    incident, report = imported(tmp_path, "thehive", thehive.five())
    assert (incident.title, incident.get_severity_display(), incident.get_status_display()) == (
        "Phishing with an invoice", "High", "Closed",
    )  # fmt: skip
    assert (incident.get_determination_display(), incident.findings) == ("Malicious", "true_positive")
    assert (incident.tlp, incident.pap) == ("amber+strict", "green")
    assert incident.tags == ["phishing", "t1566.001", "flagged"]
    assert incident.techniques == ["T1566.001", "T1204.002"]
    assert incident.created_at.isoformat() == "2026-01-05T10:00:00+00:00"
    assert incident.closed_at and incident.closed_at.isoformat() == "2026-01-06T10:00:00+00:00"
    assert [one.user.username for one in incident.owner_rows.all()] == ["mara"]
    assert "| business-unit | Sales \\| North |" in incident.summary and "taken back" in incident.summary
    assert values(incident) == {
        ("ip", "203.0.113.9"), ("email", "billing@example.net"), ("md5", "5d41402abc4b2a76b9719d911017c592"),
        ("sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), ("file_name", "invoice.exe"),
    }  # fmt: skip
    assert report["came"] == {"observables": 5, "tasks": 2, "entries of the history": 6, "owners": 1}
    assert report["case"] == "#812"


def test_tasks_of_thehive(analyst: User, tmp_path: Path) -> None:
    incident, report = imported(tmp_path, "thehive", thehive.five())
    waiting, done = IncidentTask.objects.filter(incident=incident)
    assert (waiting.title, waiting.assignee, waiting.done_at) == ("Tell the sender", None, None)
    assert waiting.due_at is not None
    assert (done.title, done.required, done.done_by_name) == ("Take the mail back", True, "mara")
    assert done.assignee == analyst and "Group: Containment" in done.description
    assert "Not needed: it was cancelled" in whats(report, "left")


def test_what_thehive_has_and_this_has_not_is_told(analyst: User, tmp_path: Path) -> None:
    _incident, report = imported(tmp_path, "thehive", thehive.five())
    left = whats(report, "left")
    for words in ("user-agent Mozilla/5.0", "domain not a domain", "1 attachments", "the file invoice.exe",
                  "assignee nobody-here", "procedure S0001", "the file of a task log"):  # fmt: skip
        assert words in left
    assert "custom fields" in whats(report, "changed") and "remarks on observables" in whats(report, "changed")


def test_the_history_of_thehive_has_its_writers_and_times(analyst: User, tmp_path: Path) -> None:
    incident, _report = imported(tmp_path, "thehive", thehive.five())
    entries = {entry.data["was"]: entry for entry in TimelineEntry.objects.filter(kind__startswith="imported")}
    note = entries["comment"]
    assert note.kind == "imported.note" and note.data["author"] == "lina@example.org"
    assert note.text == "<script>alert(1)</script> seen[U+202E]"
    assert note.occurred_at.isoformat() == "2026-01-05T10:00:01+00:00"
    assert entries["procedure T1204.002"].text == "opened it"
    assert entries["task log: Take the mail back"].text.startswith(("Taken back", "Screenshot"))
    assert report_of_incident(incident).findings == []


def test_a_case_of_thehive_4(tmp_path: Path) -> None:
    incident, report = imported(tmp_path, "thehive", thehive.four())
    assert (incident.tlp, incident.pap, incident.get_status_display()) == ("red", "red", "In progress")
    assert incident.get_severity_display() == "Low" and values(incident) == {("hostname", "scan.example.net")}
    assert "| site | Gothenburg |" in incident.summary and "| hosts | 4 |" in incident.summary
    assert "owner gone" in whats(report, "left")


def test_several_cases_stand_each_for_itself(tmp_path: Path) -> None:
    path = file_of(tmp_path, [thehive.four(), thehive.five()])
    run("thehive", file_of(tmp_path, thehive.four()), "--apply")
    path = file_of(tmp_path, [thehive.four(), thehive.five()])
    code, reports = run("thehive", path, "--apply")
    assert code == 1 and "already" in reports[0]["error"] and reports[1]["incident"]
    assert Incident.objects.count() == 2


def test_a_case_of_iris(analyst: User, tmp_path: Path) -> None:
    incident, report = imported(tmp_path, "iris", iris.case())
    assert incident.title == "#4 - Ransom note on a file server"
    assert (incident.get_status_display(), incident.get_determination_display()) == ("Closed", "Suspicious")
    assert incident.closed_at and incident.closed_at.isoformat() == "2026-01-08T00:00:00+00:00"
    assert "* Customer: Harbour office" in incident.summary and "* Legal, Reported: yes" in incident.summary
    assert incident.techniques == ["T1078"]
    assert values(incident) == {
        ("ip", "203.0.113.9"), ("domain", "evil.example.net"), ("ip", "203.0.113.10"), ("user", "svc-backup"),
        ("sha1", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
    }  # fmt: skip
    asset = incident.asset_links.get().asset
    assert (asset.name, asset.addresses, asset.listed) == ("FS-01", ["10.1.2.3"], False)
    assert "evidence disk.e01" in whats(report, "left") and "indicator yara pot*" in whats(report, "left")
    assert "outcome: suspicious" in whats(report, "changed")


def test_events_and_notes_of_iris_keep_their_times(analyst: User, tmp_path: Path) -> None:
    incident, _report = imported(tmp_path, "iris", iris.case())
    entries = {entry.data["was"]: entry for entry in incident.timeline.filter(kind="imported.note")}
    event = entries["event"]
    assert event.occurred_at.isoformat() == "2026-01-04T23:12:00+00:00" and event.data["author"] == "Lina"
    assert "**First sign-in**" in event.text and "Source: VPN log" in event.text and "FS-01" in event.text
    assert "It began with a password." in entries["note Findings"].text
    assert "compromised" in entries["asset FS-01"].text


@pytest.mark.parametrize(("product", "content"), [("thehive", thehive.five()), ("iris", iris.case())])
def test_the_second_time_is_refused_and_a_dry_run_keeps_nothing(tmp_path: Path, product: str, content: Any) -> None:
    path = file_of(tmp_path, content)
    code, reports = run(product, path)
    assert code == 0 and reports[0]["dry_run"] and not Incident.objects.exists()
    assert run(product, path, "--apply")[0] == 0
    code, reports = run(product, path, "--apply")
    assert code == 1 and f"already, as {Incident.objects.get().number}" in reports[0]["error"]


@pytest.mark.parametrize(
    ("product", "content"),
    [
        ("thehive", {}), ("thehive", []), ("thehive", [1]), ("thehive", {"case": {"title": "x"}}), ("thehive", "x"),
        ("thehive", {"_id": 5, "title": "x"}), ("iris", []), ("iris", {}), ("iris", {"case": {}}),
        ("iris", {"case": "x"}), ("iris", {"errors": ["Invalid case number"]}), ("iris", None),
    ],
)  # fmt: skip
def test_what_is_no_case_is_told(tmp_path: Path, product: str, content: Any) -> None:
    with pytest.raises(CommandError, match="case"):
        call_command("import", product, str(file_of(tmp_path, content)))


HOSTILE: tuple[Any, ...] = (
    None, "", 0, -1, 1e300, 10**30, True, [], {}, [None], [[]], {"a": {"b": []}}, "\x00", "\ud800", "x" * 200_000,
    "<script>alert(1)</script>", "'; DROP TABLE cases_incident; --", "\u202e\u2066", "=1+1", "9999-99-99",
    "0001-01-01T00:00:00+14:00",
)  # fmt: skip
SOURCES: tuple[tuple[str, Any, Any], ...] = (
    ("thehive", thehive.five, read_thehive.plans), ("thehive", thehive.four, read_thehive.plans),
    ("iris", iris.case, read_iris.plans),
)  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda one: repr(one)[:20])
def test_any_value_anywhere_is_read_or_refused_in_words(value: Any) -> None:
    for _product, made, plans in SOURCES:
        for where, key in keys_of(made()):
            content = made()
            put(content, (*where, key), value)
            with suppress(Refused):  # in words: it has a message
                assert list(plans(content))


@pytest.mark.parametrize("value", HOSTILE, ids=lambda one: repr(one)[:20])
def test_a_case_of_nothing_but_odd_values_is_imported_or_refused_in_words(tmp_path: Path, value: Any) -> None:
    """Every text, number and flag is the value, but for what tells the case from others."""
    for product, made, _plans in SOURCES:
        content = made()
        for where, key in keys_of(made()):
            if key not in ("_id", "id", "title", "name") and not isinstance(got(made(), (*where, key)), dict | list):
                put(content, (*where, key), value)
        path = file_of(tmp_path, content)
        with suppress(SystemExit, CommandError):
            call_command("import", product, str(path), "--json", "--apply", stdout=StringIO())
    for incident in Incident.objects.all():
        assert report_of_incident(incident).findings == []


@pytest.mark.parametrize("value", ["--5", "-", "²", "5-", "1e5", "-9" * 19])
def test_a_time_that_is_none_is_told_in_the_report(tmp_path: Path, value: str) -> None:
    content = thehive.five()
    content["case"]["startDate"] = value
    _incident, report = imported(tmp_path, "thehive", content)
    assert f"start: {value[:40]} is no time" in whats(report, "left")


def test_a_case_that_fails_in_the_middle_leaves_the_report_of_the_others(tmp_path: Path) -> None:
    """Something that nobody has thought of: here the database refuses a row."""
    cases = [thehive.five() for _ in range(3)]
    for number, one in enumerate(cases):
        one["case"] |= {"_id": f"~{number}", "title": f"Case {number}"}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_incident ADD CONSTRAINT not_this_one CHECK (title <> 'Case 1')")
    code, reports = run("thehive", file_of(tmp_path, cases), "--apply")
    assert code == 1
    assert [bool(one["incident"]) for one in reports] == [True, False, True]
    assert "IntegrityError" in reports[1]["error"] and reports[1]["came"] == {}
    assert set(Incident.objects.values_list("title", flat=True)) == {"Case 0", "Case 2"}


def got(content: Any, where: tuple[Any, ...]) -> Any:
    """What stands there."""
    for step in where:
        content = content[step]
    return content


def put(content: Any, where: tuple[Any, ...], value: Any) -> None:
    """Let something else stand there."""
    got(content, where[:-1])[where[-1]] = value


def keys_of(content: Any, where: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every place of a JSON: the steps to it and its key."""
    found: list[tuple[tuple[Any, ...], Any]] = []
    rows = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in rows:
        found += [(where, key), *keys_of(value, (*where, key))]
    return found


def test_the_page_of_an_imported_case_runs_nothing(admin: User, tmp_path: Path) -> None:
    incident, _report = imported(tmp_path, "iris", iris.case())
    page = client_of(admin).get(f"/incidents/{incident.number}/").content.decode()
    assert "imported the incident: iris SOC-77" in page and "<img src=x" not in page


def test_the_report_reads_well(tmp_path: Path) -> None:
    out = StringIO()
    call_command("import", "iris", str(file_of(tmp_path, iris.case())), stdout=out)
    text = out.getvalue()
    assert "would be imported (a dry run" in text
    assert "came over: 5 observables, 1 assets, 2 tasks" in text
    assert "left behind: evidence disk.e01" in text
