"""Every export of an incident that is hostile in each of its texts: what is stored is text, in every format."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest
from django.db import connection, transaction
from django.test import override_settings
from markdown_it import MarkdownIt
from pymisp import MISPEvent
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from cases.actions.custom_fields import create as create_field
from cases.actors import Actor
from cases.models import Incident
from cases.reporting import archive, json_case, misp
from cases.reporting.csv_timeline import render as csv_of
from cases.reporting.formats import FORMATS
from cases.reporting.stix import bundle
from cases.verify import report_of_all
from soar.accounts import audit
from soar.accounts.audit_export import cell, export
from soar.accounts.audit_filter import AuditFilter
from soar.accounts.models import User
from soar.lib.hidden import shown
from tests.factories import make_team, make_user
from tests.hostile_texts import CORPUS, full_of, hostile_incident
from tests.rich_incident import told
from tests.stix_checks import problems
from tests.test_import_soar import SCHEMA, run, same

pytestmark = pytest.mark.django_db
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SECTIONS = (
    "Summary",
    "Course",
    "Targets",
    "Alerts",
    "Observables",
    "Assets",
    "Evidence",
    "Tasks",
    "Response",
    "Timeline",
)
# What our Markdown makes; a tag besides came from a text.
USUAL = {"p", "strong", "h1", "h2", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "br"}
ACTING = {"/JavaScript", "/JS", "/Launch", "/URI", "/OpenAction", "/AA", "/EmbeddedFiles", "/EmbeddedFile",
          "/SubmitForm", "/GoToR", "/RichMedia", "/AcroForm", "/XFA", "/Movie", "/Rendition"}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """What was taken out of the incident that bears the whole corpus; it is gone from the database since."""

    document: dict[str, Any]
    zip: bytes

    def made(self, format: str) -> bytes:
        """The file of a format."""
        body = FORMATS[format].render(self.document)
        return body if isinstance(body, bytes) else b"".join(body)


def wait() -> None:
    """A PDF takes as long as it takes on a busy machine: the database waits for it with its transaction open."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


@pytest.fixture(scope="module")
def taken(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Taken:
    """Made once for all tests: it takes some seconds."""
    folder = override_settings(DATA_DIR=tmp_path_factory.mktemp("data"), REPORT_SECONDS=1800)
    ground = transaction.atomic()
    ground._from_testcase = True  # type: ignore[attr-defined]  # as pytest-django's own, around a test
    with django_db_blocker.unblock(), ground, folder:
        wait()
        admin = make_user("hostile-admin", "Admin")
        document = told(admin, hostile_incident(admin))
        found = Taken(document, b"".join(archive.render(document)))
        transaction.set_rollback(True)
    return found


class Tags(HTMLParser):
    """The tags of a page, and the texts of its headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.headings: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self._inside = tag in ("h1", "h2", "h3", "h4", "h5", "h6")
        if self._inside:
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.headings[-1] += data


def assert_is_text(source: str) -> None:
    """Markdown in which no text became a tag, a link, an image or a heading, with raw HTML allowed."""
    for flavour in ("commonmark", "gfm-like"):
        found = Tags(MarkdownIt(flavour, {"linkify": False, "html": True}).render(source))
        assert found.tags <= USUAL, found.tags - USUAL
        assert set(found.headings[1:]) <= set(SECTIONS) and len(found.headings) == len(set(found.headings))
    # What links by itself (GitHub, wikis) finds no address that it would link.
    assert not re.search(r"(?:https?|ftp|mailto|javascript|vbscript|data|file):", source, re.IGNORECASE)


@pytest.mark.parametrize("text", CORPUS)
def test_markdown_stays_text(text: str) -> None:
    made = FORMATS["md"].render(full_of(text))
    assert isinstance(made, bytes)
    assert_is_text(made.decode())


def test_markdown_of_the_whole_incident(taken: Taken) -> None:
    assert_is_text(taken.made("md").decode())


def rows_of(pieces: Iterator[bytes]) -> list[dict[str, str]]:
    """The rows, each as wide as its head."""
    read = list(csv.reader(io.StringIO(b"".join(pieces).decode(), newline="")))
    assert {len(row) for row in read} == {len(read[0])}
    return [dict(zip(read[0], row, strict=True)) for row in read[1:]]


def assert_calculates_nothing(rows: list[dict[str, str]]) -> None:
    """No cell begins as a formula does."""
    assert not [value for row in rows for value in row.values() if value.startswith(STARTS)]


def test_csv_of_the_timeline_reads_back_and_calculates_nothing(taken: Taken) -> None:
    rows, entries = rows_of(csv_of(taken.document)), taken.document["timeline"]
    assert_calculates_nothing(rows)
    assert [row["text"] for row in rows] == [cell(entry["text"]) for entry in entries]
    assert [json.loads(row["data"] or "{}") for row in rows] == [entry["data"] for entry in entries]


@pytest.mark.parametrize("sign", [";", "\t"])
def test_csv_calculates_nothing_where_another_sign_parts_cells(taken: Taken, admin: User, sign: str) -> None:
    for text in CORPUS:
        audit.record(admin, "user.changed", text[:300], name=text, about=[text])
    for pieces in (csv_of(taken.document), export(admin, AuditFilter({}), "csv")):
        read = csv.reader(io.StringIO(b"".join(pieces).decode(), newline=""), delimiter=sign)
        assert not [one for row in read for one in row if one.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))]


def test_csv_of_the_audit_log_reads_back_and_calculates_nothing(admin: User) -> None:
    for text in CORPUS:
        audit.record(admin, "user.changed", text[:300], name=text, about=[text])
    rows = rows_of(export(admin, AuditFilter({}), "csv"))
    assert_calculates_nothing(rows)
    told_of = [json.loads(row["data"])["name"] for row in rows if row["verb"] == "user.changed"]
    assert sorted(told_of) == sorted(CORPUS)
    lines = b"".join(export(admin, AuditFilter({}), "jsonl")).decode("ascii").splitlines()
    assert [json.loads(one)["verb"] for one in lines].count("user.changed") == len(CORPUS)


def test_json_is_imported_as_it_was(taken: Taken, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, path = tmp_path, tmp_path / "incident.json"
    make_user("hostile-admin", "Admin", first_name="=2+5", last_name="<b>Admin</b>")
    make_team(taken.document["incident"]["team"])
    [field] = taken.document["fields"]
    create_field(Actor.system(), fields={"name": field["name"], "kind": field["kind"]})
    path.write_bytes(taken.made("json"))
    first = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(first)
    code, reports = run("soar", path, "--apply")
    assert code == 0, reports
    again = told(make_user("reader", "Admin"), Incident.objects.get(title=first["incident"]["title"]))
    came, left = kept(same(json.loads(json_case.render(again)))), kept(same(first))
    for name in ("incident", "owners", "observables", "assets", "tasks"):
        assert came[name] == left[name], name
    assert len(came["alerts"]) == len(left["alerts"])  # their texts: tests/test_import_soar.py
    assert report_of_all().findings == []


def kept(value: Any) -> Any:
    """As an import keeps texts: what cannot be seen as signs, without blanks around."""
    if isinstance(value, str):
        return shown(value).strip()
    if isinstance(value, dict):
        return {key: kept(one) for key, one in value.items()}
    return [kept(one) for one in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("text", CORPUS)
def test_stix_and_misp_take_each_text(text: str) -> None:
    document = complete(full_of(text))
    assert problems(bundle(document)) == []
    event = MISPEvent(strict_validation=True)
    event.load(copy.deepcopy(misp.event(document)))
    assert event.info.startswith("INC-")


def test_stix_of_the_whole_incident_is_valid(taken: Taken) -> None:
    made = json.loads(taken.made("stix"))
    assert problems(made) == []
    assert len({one["id"] for one in made["objects"]}) == len(made["objects"])
    [about] = [one for one in made["objects"] if one["type"] == "incident"]
    assert about["name"] == taken.document["incident"]["title"]
    assert "javascript:alert(4)" in {one["content"] for one in made["objects"] if one["type"] == "note"}


def test_misp_of_the_whole_incident_is_taken(taken: Taken) -> None:
    event = MISPEvent(strict_validation=True)
    event.load(json.loads(taken.made("misp")))
    assert len(event.objects) == len(taken.document["evidence"])
    marks = [tag.name for tag in event.tags if tag.name.lower().startswith("tlp:")]
    assert marks == [f"tlp:{taken.document['tlp']}"]


def test_a_tag_of_an_incident_forges_no_mark_of_misp() -> None:
    document = complete(full_of("x"))
    document["incident"]["tags"] = [
        "tlp:clear",
        "TLP:GREEN ",
        "pap:white",
        'misp-galaxy:mitre-attack-pattern="x"',
        "ok",
    ]
    tags = [tag["name"] for tag in misp.event(document)["Event"]["Tag"]]
    assert [tag for tag in tags if tag.lower().startswith(("tlp", "pap"))] == ["tlp:amber", "PAP:AMBER"]
    assert "ok" in tags


def test_a_pdf_holds_the_texts_and_nothing_that_acts(taken: Taken, settings: Any) -> None:
    wait()
    settings.REPORT_SECONDS = 1800
    reader = PdfReader(io.BytesIO(taken.made("pdf")))
    assert not ACTING & names(reader)
    text = " ".join("".join(page.extract_text() for page in reader.pages).replace("\x00", "").split())
    for words in ("alert(1)", "javascript:alert(4)", "cmd|' /C calc'!A0", "[U+202E]gpj.exe", "{% debug %}"):
        assert words in text, words
    assert "5893" not in text, "a template calculated"


def names(reader: PdfReader) -> set[str]:
    """Every key and name of every object in the file."""
    found: set[str] = set()
    for number in range(1, len(reader.xref_objStm) + sum(map(len, reader.xref.values())) + 1):
        found |= set(_names(reader.get_object(IndirectObject(number, 0, reader))))
    return found


def _names(thing: Any) -> Iterator[str]:
    if isinstance(thing, DictionaryObject):
        for key, value in thing.items():
            yield str(key)
            yield from _names(value)
    elif isinstance(thing, ArrayObject):
        for value in thing:
            yield from _names(value)
    elif isinstance(thing, str) and thing.startswith("/"):
        yield str(thing)


def test_names_in_the_zip_stay_in_its_folder_and_fit_every_file_system(taken: Taken) -> None:
    file = zipfile.ZipFile(io.BytesIO(taken.zip))
    inside = file.namelist()
    assert len({name.casefold() for name in inside}) == len(inside)
    for name in inside:
        path = PurePosixPath(name)
        assert not path.is_absolute() and ".." not in path.parts and "\\" not in name and len(path.parts) <= 2
        assert not re.search(r'[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff<>:"|?*]', name), repr(
            name
        )
        assert len(path.name.encode()) <= 255 and not path.name.endswith((" ", "."))
    manifest = json.loads(file.read("manifest.json"))
    kept = {one["evidence"]["name"] for one in manifest["files"].values() if "evidence" in one}
    assert {'"}.bin', "=1+1.bin", "'=1+1.bin"} <= kept


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """With what STIX and MISP ask for beside what reports need."""
    document["alerts"][0]["observables"] = [{"type": "process", "value": document["observables"][0]["value"]}]
    return document
