"""An incident that was exported as JSON or as a zip is imported: whole, once, and as the history that it is."""

from __future__ import annotations

import io
import json
import re
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from django.core.management import CommandError, call_command

from cases.actions import events, incidents, notes, pins, relations, split, tasks
from cases.actors import Actor
from cases.importing.soar_known import WHY
from cases.importing.soar_shapes import Document
from cases.models import Alert, Evidence, Incident, IncidentOrigin, SigningKey, TimelineEntry
from cases.purge import purge
from cases.reporting import archive, json_case
from cases.verify import report_of_all
from playbooks.models import Run
from soar.accounts.models import Team, User
from tests.evidence_files import store
from tests.factories import make_alert, make_incident, make_team, make_user
from tests.fixtures import client_of
from tests.rich_incident import rich_incident, told

SCHEMA = Path(__file__).parent.parent / "cases/reporting/incident.schema.json"
pytestmark = pytest.mark.django_db
Json = dict[str, Any]


def run(product: str, path: Path, *more: str) -> tuple[int, Any]:
    """The exit code and the report, as JSON."""
    out = StringIO()
    try:
        call_command("import", product, str(path), "--json", *more, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.fixture
def exported(admin: User, tmp_path: Path) -> Path:
    """The JSON of a rich incident that is gone from here since."""
    path = tmp_path / "incident.json"
    incident = rich_incident(admin)
    path.write_bytes(json_case.render(told(admin, incident)))
    alerts = list(Alert.objects.filter(incident=incident).values_list("pk", flat=True))
    purge(None, alerts=alerts, incidents=[incident.pk], reason="test")
    return path


@pytest.fixture
def plain(admin: User) -> Json:
    """The document of an incident with an alert and a task that is gone from here since."""
    incident = make_incident("Case", make_alert("Beacon"))
    tasks.add(Actor.of(admin), incident.pk, title="Look")
    incidents.comment(Actor.of(admin), incident.pk, "Seen")
    document: Json = json.loads(json_case.render(told(admin, incident)))
    alerts = list(Alert.objects.filter(incident=incident).values_list("pk", flat=True))
    purge(None, alerts=alerts, incidents=[incident.pk], reason="test")
    return document


def same(document: Json) -> Json:
    """A document without what cannot be the same elsewhere: ids, numbers, versions, times of today, the history."""
    incident = {
        key: value
        for key, value in document["incident"].items()
        # Targets are this portal's own: they are no part of what comes over.
        if key not in ("id", "number", "url", "updated_at", "version", "cause", "opened_by", "template", "sla")
    }
    alerts = [
        {
            key: value
            for key, value in alert.items()
            if key not in ("id", "number", "url", "source", "source_ref", "dedup_key", "updated_at",
                           "version", "cause", "incident", "observables", "repairs", "owner")
        }
        | {"observables": sorted((one["type"], one["value"], one["role"]) for one in alert["observables"])}
        for alert in document["alerts"]
    ]  # fmt: skip
    return {
        "incident": incident,
        "owners": document["owners"],
        "alerts": alerts,
        "observables": [(one["type"], one["value"], bool(one["added_by"])) for one in document["observables"]],
        "assets": [(one["name"], one["type"], one["addresses"]) for one in document["assets"]],
        "tasks": [
            {
                key: one[key]
                for key in ("title", "description", "status", "required", "assignee", "due_at", "done_by", "done_at")
            }
            for one in document["tasks"]
        ],
    }


def test_the_schema_that_is_shipped_is_the_one_that_imports_read() -> None:
    schema = json.loads(SCHEMA.read_text())
    assert {key: schema[key] for key in ("$ref", "$defs")} == msgspec.json.schema(Document), (
        "cases/reporting/incident.schema.json is made of cases/importing/soar_shapes.py: write it anew"
    )


def test_every_export_fulfils_the_schema(exported: Path) -> None:
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(json.loads(exported.read_text()))


def test_export_import_export_is_the_same(admin: User, exported: Path) -> None:
    first = json.loads(exported.read_text())
    code, reports = run("soar", exported, "--apply")
    assert code == 0, reports
    incident = Incident.objects.get()
    again = json.loads(json_case.render(told(admin, incident)))
    assert same(again) == same(first)
    assert reports[0]["incident"] == incident.number
    assert reports[0]["came"]["alerts"] == 2 and reports[0]["came"]["tasks"] == 2
    assert report_of_all().findings == []


def test_the_history_is_kept_with_its_hashes_behind_a_chain_of_its_own(exported: Path) -> None:
    there = json.loads(exported.read_text())
    run("soar", exported, "--apply")
    incident = Incident.objects.get()
    entries = TimelineEntry.objects.filter(kind__startswith="imported").order_by("pk")
    kept = {entry.data["entry"]["id"]: entry for entry in entries}
    assert set(kept) == {one["id"] for one in there["timeline"]}
    for one in there["timeline"]:
        entry = kept[one["id"]]
        assert (entry.data["entry"]["hash"], entry.data["entry"]["data"]) == (one["hash"], one["data"])
        assert entry.text == one["text"] and entry.data["entry"]["actor"] == one["actor"]
    opening = incident.timeline.order_by("pk")[0]
    assert opening.kind == "incident.imported" and opening.data["ref"] == f"soar {there['incident']['number']}"


def test_nothing_starts_by_an_import(exported: Path) -> None:
    run("soar", exported, "--apply")
    assert not TimelineEntry.objects.filter(kind__in=("alert.opened", "incident.opened", "comment")).exists()
    assert not Run.objects.exists()


def test_a_dry_run_tells_the_same_and_keeps_nothing(exported: Path) -> None:
    code, reports = run("soar", exported)
    assert code == 0 and reports[0]["dry_run"] is True and reports[0]["incident"] is None
    assert not Incident.objects.exists() and not Alert.objects.exists() and not IncidentOrigin.objects.exists()
    dry = {key: reports[0][key] for key in ("came", "changed", "left")}
    _code, reports = run("soar", exported, "--apply")
    assert dry == {key: reports[0][key] for key in ("came", "changed", "left")}


def test_the_second_time_it_says_where_it_is(exported: Path) -> None:
    run("soar", exported, "--apply")
    number = Incident.objects.get().number
    for more in ((), ("--apply",)):
        code, reports = run("soar", exported, *more)
        assert code == 1 and number in reports[0]["error"] and "already" in reports[0]["error"]
    assert Incident.objects.count() == 1


def test_an_incident_that_is_here_still_is_not_doubled(admin: User, tmp_path: Path) -> None:
    incident = rich_incident(admin)
    path = tmp_path / "x.json"
    path.write_bytes(json_case.render(told(admin, incident)))
    code, reports = run("soar", path, "--apply")
    assert code == 1 and f"is here still, as {incident.number}" in reports[0]["error"]


def test_incidents_of_one_cause_are_all_imported(admin: User, tmp_path: Path) -> None:
    one, two = make_alert("One"), make_alert("Two")
    whole = make_incident("Whole", one, two)
    part = split.split(Actor.of(admin), whole.pk, alerts=[one.pk], title="Part")
    paths = [tmp_path / "whole.json", tmp_path / "part.json"]
    for path, incident in zip(paths, (whole, part), strict=True):
        path.write_bytes(json_case.render(told(admin, incident)))
    causes = {json.loads(path.read_text())["incident"]["cause"] for path in paths}
    assert len(causes) == 1
    purge(None, alerts=[one.pk, two.pk], incidents=[whole.pk, part.pk], reason="test")
    assert [run("soar", path, "--apply")[0] for path in paths] == [0, 0]
    assert set(Incident.objects.values_list("title", flat=True)) == {"Whole", "Part"}
    assert [run("soar", path, "--apply")[0] for path in paths] == [1, 1], "each of them once"


def test_the_zip_brings_its_evidence(admin: User, tmp_path: Path) -> None:
    incident = rich_incident(admin)
    piece = Evidence.objects.get(removed_at=None)
    path = tmp_path / "x.zip"
    path.write_bytes(b"".join(archive.render(told(admin, incident))))
    alerts = list(Alert.objects.filter(incident=incident).values_list("pk", flat=True))
    purge(None, alerts=alerts, incidents=[incident.pk], reason="test")
    (store() / piece.sha256[:2] / piece.sha256).unlink()
    code, reports = run("soar", path)
    assert code == 0 and reports[0]["came"]["evidence"] == 1
    assert not (store() / piece.sha256[:2] / piece.sha256).exists(), "a dry run leaves no file"
    run("soar", path, "--apply")
    kept = Evidence.objects.get()
    assert (kept.sha256, kept.name, kept.incident.number) == (piece.sha256, piece.name, Incident.objects.get().number)
    assert (store() / piece.sha256[:2] / piece.sha256).read_bytes().endswith(b"hello")
    assert SigningKey.objects.count() == 1


def altered(reports: Any) -> list[str]:
    """What the report names as not as it was exported."""
    return [one["what"] for one in reports[0]["changed"] if "not as it was exported" in one["why"]]


def test_of_what_is_as_it_was_exported_nothing_is_said(exported: Path) -> None:
    assert altered(run("soar", exported)[1]) == []


def test_an_entry_that_was_changed_since_is_named(exported: Path) -> None:
    document = json.loads(exported.read_bytes())
    note = next(one for one in document["timeline"] if one["kind"] == "comment")
    note["text"] = "Nothing was found"
    document["timeline"].pop()
    exported.write_text(json.dumps(document))
    code, reports = run("soar", exported)
    subject = document["incident"]["number"]
    assert code == 0 and any(one.startswith(f"{subject}, entry {note['id']}: changed") for one in altered(reports))
    assert any("not to the end that was signed" in one for one in altered(reports))


def test_what_was_changed_in_the_zip_is_named(admin: User, tmp_path: Path) -> None:
    incident, path = make_incident("Case"), tmp_path / "x.zip"
    made = b"".join(archive.render(told(admin, incident)))
    purge(None, alerts=[], incidents=[incident.pk], reason="test")
    path.write_bytes(made)
    assert altered(run("soar", path)[1]) == []
    with zipfile.ZipFile(io.BytesIO(made)) as whole, zipfile.ZipFile(path, "w") as other:
        for name in whole.namelist():
            body = whole.read(name)
            other.writestr(
                name, body.replace(b'"title": "Case"', b'"title": "Calm"') if name == "incident.json" else body
            )
        other.writestr("planted.txt", b"x")
    code, reports = run("soar", path)
    assert (code, reports[0]["title"]) == (0, "Calm")
    assert altered(reports) == ["incident.json: changed", "planted.txt: added"]
    with zipfile.ZipFile(path, "w") as bare, zipfile.ZipFile(io.BytesIO(made)) as whole:
        bare.writestr("incident.json", whole.read("incident.json"))
    assert altered(run("soar", path)[1]) == ["there is no manifest by which the archive could be checked"]


def test_without_the_zip_evidence_is_told_with_its_hash(exported: Path) -> None:
    _code, reports = run("soar", exported)
    told_of = [one for one in reports[0]["left"] if one["what"].startswith("evidence")]
    assert len(told_of) == 1 and "SHA-256" in told_of[0]["what"]


def test_the_report_names_all_that_did_not_come(admin: User, tmp_path: Path) -> None:
    me = Actor.of(admin)
    incident = rich_incident(admin)
    relations.relate(me, incident.pk, make_incident("Other").pk, "related_to")
    entry = incident.timeline.filter(kind="comment").order_by("pk")[0]
    pins.pin(me, entry.pk)
    alerts = list(Alert.objects.filter(incident=incident).values_list("pk", flat=True))
    Alert.objects.filter(pk=alerts[0]).update(owner=admin, team=make_team("Blue"))
    document = json.loads(json_case.render(told(admin, incident)))
    assert document["related"] and document["clocks"]
    document["incident"]["template"] = "Phishing"
    document["assets"][0]["criticality"] = "high"
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    purge(None, alerts=alerts, incidents=[incident.pk], reason="test")
    code, reports = run("soar", path, "--no-team")
    assert code == 0
    left = {one["what"] for one in reports[0]["left"]}
    rated = sum(bool(one["rated_at"]) for one in document["observables"])
    assert left >= {
        "1 links to other incidents", f"{len(document['clocks'])} clocks", "template Phishing", "1 owners of alerts",
        "1 teams of alerts", f"{rated} ratings of observables", "1 assets' criticality, groups or tags",
        "1 removed pieces of evidence", "1 pins", f"{len(alerts)} ids and keys of alerts at their sources",
    }  # fmt: skip
    assert not [one for one in reports[0]["left"] if one["why"] == WHY]  # of what is exported here all is known
    assert len(left) == len(reports[0]["left"])  # each is named once


def test_what_nobody_reads_is_named(plain: Json, tmp_path: Path) -> None:
    plain["incident"] |= {"mood": "grim", "empty": None}
    plain["timeline"] = [{**one, "colour": "red"} for one in plain["timeline"]]
    plain["ledger"] = [1]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(plain))
    code, reports = run("soar", path)
    unknown = {one["what"] for one in reports[0]["left"] if one["why"] == WHY}
    assert code == 0 and unknown == {"incident.mood", "ledger", f"timeline.colour, {len(plain['timeline'])} times"}


def test_of_very_many_keys_the_rest_is_counted(plain: Json, tmp_path: Path) -> None:
    plain["incident"] |= {f"key_{number}": 1 for number in range(103)}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(plain))
    _code, reports = run("soar", path)
    unknown = [one["what"] for one in reports[0]["left"] if one["why"] == WHY]
    assert len(unknown) == 101 and unknown[-1] == "3 more keys"


def test_the_corrected_time_of_an_event_is_told_in_the_history(admin: User, tmp_path: Path) -> None:
    me, incident = Actor.of(admin), make_incident("Case", make_alert("Beacon"))
    entry = events.record_event(me, incident.pk, "Beacon", occurred_at="2026-03-01T08:30:00Z")
    notes.edit_comment(me, entry.pk, occurred_at="2026-03-01T10:30:00Z")
    document = json_case.render(told(admin, incident))
    purge(None, alerts=[incident.alerts.get().pk], incidents=[incident.pk], reason="test")
    path = tmp_path / "x.json"
    path.write_bytes(document)
    assert run("soar", path, "--apply")[0] == 0
    page = client_of(admin).get(f"/incidents/{Incident.objects.get().number}/").content.decode()
    assert "happened: 2026-03-01T08:30:00Z → 2026-03-01T10:30:00Z" in page
    assert report_of_all().findings == []


def edited(path: Path, **changes: Any) -> Path:
    """The file with other values of the incident."""
    content = json.loads(path.read_text())
    content["incident"] |= changes
    path.write_text(json.dumps(content))
    return path


def test_a_team_that_is_not_here_is_asked_about(exported: Path) -> None:
    edited(exported, team="Elsewhere")
    code, reports = run("soar", exported, "--apply")
    assert code == 1 and "Elsewhere" in reports[0]["error"]
    make_team("Blue")
    code, reports = run("soar", exported, "--apply", "--team", "Blue")
    assert code == 0 and Incident.objects.get().team == Team.objects.get(name="Blue")
    assert any(one["what"] == "team Elsewhere" for one in reports[0]["changed"])


def test_a_restricted_incident_stays_restricted(admin: User, exported: Path) -> None:
    edited(exported, restricted=True)
    run("soar", exported, "--apply")
    incident = Incident.objects.get()
    assert incident.restricted and set(Alert.objects.values_list("restricted", flat=True)) == {True}
    other = make_user("other", "Analyst")
    assert not Incident.objects.visible_to(other).exists()
    fresh = User.objects.get(pk=admin.pk)  # grants are asked for once a user object
    assert Incident.objects.visible_to(fresh).exists(), "its owner"


def test_owners_who_are_not_here_are_told(exported: Path) -> None:
    content = json.loads(exported.read_text())
    content["owners"] += [{"username": "nora", "name": "Nora", "lead": False}]
    exported.write_text(json.dumps(content))
    _code, reports = run("soar", exported, "--apply")
    assert {"what": "owner nora", "why": "There is no active user nora."} in reports[0]["left"]
    assert Incident.objects.get().owners.get().username == "admin"


def test_only_who_manages_settings_imports(admin: User, analyst: User, exported: Path) -> None:
    code, reports = run("soar", exported, "--apply", "--user", "mara")
    assert code == 1 and "permission" in reports[0]["error"] and not Incident.objects.exists()
    assert run("soar", exported, "--apply", "--user", "admin")[0] == 0
    assert Incident.objects.get().opened_by == "Ada Admin"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[]", "no incident that Soar exported"),
        (b'{"format": "soar-incident", "version": 99}', "no incident that Soar exported"),
        (b'{"format": "other"}', "no incident that Soar exported"),
        (b"1" * 5000, "no JSON"),
    ],
)
def test_a_file_that_is_none_is_told_in_words(tmp_path: Path, body: bytes, words: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(body)
    with pytest.raises(CommandError, match=words):
        call_command("import", "soar", str(path), "--apply")


def test_what_does_not_fit_is_named_with_its_place(exported: Path) -> None:
    edited(exported, severity="apocalyptic")
    with pytest.raises(CommandError, match=r"\$\.incident\.severity"):
        call_command("import", "soar", str(exported))


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize(
    "where",
    [
        ("incident", "created_at"), ("incident", "closed_at"), ("tasks", 0, "due_at"), ("alerts", 0, "occurred_at"),
        ("timeline", 3, "occurred_at"), ("timeline", 3, "recorded_at"), ("generated_at",),
    ],
    ids=str,
)  # fmt: skip
def test_a_time_at_the_edge_of_the_calendar_is_named_and_nothing_is_kept(
    plain: Json, tmp_path: Path, where: tuple[Any, ...], when: str
) -> None:
    content = plain
    for step in where[:-1]:
        content = content[step]
    content[where[-1]] = when
    path = tmp_path / "edge.json"
    path.write_text(json.dumps(plain))
    with pytest.raises(CommandError, match=f"`{where[-1]}` is no time from 1970 to 2200"):
        call_command("import", "soar", str(path), "--apply")
    assert not Incident.objects.exists()


def test_the_times_that_can_be_put_in_here_come_back(admin: User, plain: Json, tmp_path: Path) -> None:
    plain["tasks"][0]["due_at"] = "2200-12-31T23:59:00Z"
    plain["timeline"][3]["occurred_at"] = "1970-01-01T00:00:00Z"
    path = tmp_path / "edge.json"
    path.write_text(json.dumps(plain))
    assert run("soar", path, "--apply")[0] == 0
    assert client_of(admin).get(f"/incidents/{Incident.objects.get().number}/").status_code == 200


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    with pytest.raises(CommandError, match="larger than 100 MiB"):
        call_command("import", "soar", str(path))


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened, opened.open("incident.json", "w") as file:
        for _ in range(101):
            file.write(b" " * (1024 * 1024))
    assert path.stat().st_size < 1024 * 1024
    with pytest.raises(CommandError, match="larger than 100 MiB"):
        call_command("import", "soar", str(path))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import", "soar", str(tmp_path / "none.json"))


def test_the_page_of_an_imported_incident_shows_its_history(admin: User, exported: Path) -> None:
    run("soar", exported, "--apply")
    client, url = client_of(admin), f"/incidents/{Incident.objects.get().number}/timeline/"
    page = client.get(f"/incidents/{Incident.objects.get().number}/").content.decode()
    while older := re.findall(r"before=(\d+)", page.rpartition('id="timeline-older"')[2]):
        page += client.get(f"{url}?before={older[0]}", headers={"HX-Request": "true"}).content.decode()
    assert "imported the incident: soar INC-" in page
    assert "brought over from Ada Admin" in page
    assert "Handing over." in page and "<b>&amp;amp;" not in page
