"""The pages of evidence: the box, the list, one piece, its download, description and removal, and its custody."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import struct
import zipfile
from typing import Any
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory

from cases import evidence_store, evidence_upload
from cases.actions import evidence, incidents, observables
from cases.actors import Actor
from cases.models import Evidence, EvidenceAccess, Incident, TimelineEntry
from cases.purge import purge
from cases.verify import report_of_incident
from cases.views.evidence_file import file_answer
from soar.accounts.models import Team, User
from soar.lib.queue import function
from tests.evidence_files import CONTENT, files, keep
from tests.factories import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue."""
    return make_incident("Case", team=blue)


@pytest.fixture
def piece(incident: Incident) -> Evidence:
    """A message that Soar itself has added."""
    return keep(incident, description="From the mailbox")


def body(answer: Any) -> bytes:
    """What a download brought; the client of the tests closes it at its end, as a server does."""
    return b"".join(answer.streaming_content)


def work_off() -> None:
    """What a worker would do of the queue."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM soar_queue WHERE task LIKE 'cases.tasks.%%' RETURNING task, args::text")
        for task, args in cursor.fetchall():
            function(task)(*json.loads(args))


PATHS = ("/evidence/{0}/", "/evidence/{0}/file/", "/evidence/{0}/file/?as=zip")


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_sees_no_trace(as_stranger: Client, piece: Evidence, path: str) -> None:
    hidden, absent = as_stranger.get(path.format(piece.pk)), as_stranger.get(path.format(999_999))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert Client().get(path.format(piece.pk))["Location"].startswith("/accounts/login/")
    assert as_stranger.get(f"/incidents/INC-{piece.incident_id}/evidence/").status_code == 404
    assert EvidenceAccess.objects.count() == 0


def test_a_restricted_incident_hides_its_evidence(as_analyst: Client, piece: Evidence) -> None:
    Incident.objects.filter(pk=piece.incident_id).update(restricted=True)
    for path in PATHS:
        assert as_analyst.get(path.format(piece.pk)).status_code == 404


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_changes_are_not_for_a_viewer_nor_a_stranger_nor_by_get(
    as_viewer: Client, as_stranger: Client, as_analyst: Client, piece: Evidence, verb: str
) -> None:
    path = f"/evidence/{piece.pk}/{verb}/"
    assert as_viewer.post(path, {"name": "x", "reason": "x"}).status_code == 403
    assert as_stranger.post(path, {"name": "x", "reason": "x"}).status_code == 404
    assert as_analyst.get(path).status_code == 405
    piece.refresh_from_db()
    assert (piece.name, piece.is_removed) == ("invoice.eml", False)


def test_a_viewer_reads_and_downloads_without_verbs(as_viewer: Client, piece: Evidence) -> None:
    page = as_viewer.get(f"/evidence/{piece.pk}/").content.decode()
    for words in (piece.sha256, piece.sha1, piece.md5, "From the mailbox", "message/rfc822", "TLP:AMBER"):
        assert words in page
    assert "/edit/" not in page
    assert "/remove/" not in page
    assert body(as_viewer.get(f"/evidence/{piece.pk}/file/")) == CONTENT


def test_the_download_is_never_shown_by_a_browser(as_analyst: Client, incident: Incident) -> None:
    piece = keep(incident, "page.html", b"<html><script>alert(1)</script>")
    assert piece.content_type == "text/html"
    answer = as_analyst.get(f"/evidence/{piece.pk}/file/", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Length"] == str(piece.size)
    assert "Content-Encoding" not in answer
    assert body(answer) == b"<html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ('a"b;c.txt', 'attachment; filename="a_b;c.txt"'),
        ("Rechnung ü.pdf", "attachment; filename*=utf-8''Rechnung%20%C3%BC.pdf"),
        (".bashrc", 'attachment; filename="bashrc"'),
        ("a:b|c?.exe. .", 'attachment; filename="a_b_c_.exe"'),
        ("...", 'attachment; filename="evidence"'),
    ],
)
def test_a_hostile_name_does_no_harm_to_the_header(
    as_analyst: Client, incident: Incident, name: str, disposition: str
) -> None:
    piece = keep(incident, name)
    answer = as_analyst.get(f"/evidence/{piece.pk}/file/")
    assert answer["Content-Disposition"] == disposition
    body(answer)


def test_a_long_name_of_wide_letters_fits_every_file_system(as_analyst: Client, incident: Incident) -> None:
    piece = keep(incident, "証" * 250 + ".eml")
    plain = as_analyst.get(f"/evidence/{piece.pk}/file/")
    assert unquote(plain["Content-Disposition"]).endswith("証証.eml")
    body(plain)
    packed = body(as_analyst.get(f"/evidence/{piece.pk}/file/?as=zip"))
    (name,) = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert name.endswith("証証.eml") and len(f"{name}.zip".encode()) <= 255
    assert unsealed(packed, b"infected") == CONTENT


def test_the_zip_opens_with_the_password_alone(as_analyst: Client, incident: Incident) -> None:
    content = bytes(range(256)) * 700 + b"tail"
    piece = keep(incident, "Größe.exe", content)
    answer = as_analyst.get(f"/evidence/{piece.pk}/file/?as=zip")
    assert "%C3%B6%C3%9Fe.exe.zip" in answer["Content-Disposition"]
    packed = body(answer)
    assert len(packed) == int(answer["Content-Length"])
    info = zipfile.ZipFile(io.BytesIO(packed)).infolist()[0]
    assert (info.filename, info.file_size, info.compress_type) == ("Größe.exe", len(content), 99)
    assert content[:64] not in packed
    assert unsealed(packed, b"infected") == content
    with pytest.raises(ValueError, match="password"):
        unsealed(packed, b"other")


def unsealed(packed: bytes, password: bytes) -> bytes:
    """The entry of a WinZip AE-2 archive, block by block as the format describes it."""
    name, extra = struct.unpack("<HH", packed[26:30])
    size = struct.unpack("<I", packed[18:22])[0]
    sealed = packed[30 + name + extra :][:size]
    keys = hashlib.pbkdf2_hmac("sha1", password, sealed[:16], 1000, 66)
    if keys[64:] != sealed[16:18]:
        raise ValueError("wrong password")
    data = sealed[18:-10]
    assert hmac.new(keys[32:64], data, hashlib.sha1).digest()[:10] == sealed[-10:]
    block = Cipher(algorithms.AES256(keys[:32]), modes.ECB()).encryptor()
    out = bytearray()
    for number, at in enumerate(range(0, len(data), 16), 1):
        stream = block.update(number.to_bytes(16, "little"))
        out += bytes(a ^ b for a, b in zip(data[at : at + 16], stream, strict=False))
    return bytes(out)


def test_a_head_request_is_no_reading(as_analyst: Client, piece: Evidence) -> None:
    answer = as_analyst.head(f"/evidence/{piece.pk}/file/")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(piece.size))
    assert as_analyst.head(f"/evidence/{piece.pk}/").status_code == 200
    assert EvidenceAccess.objects.count() == 0


def test_every_reading_is_written_down(as_analyst: Client, as_viewer: Client, piece: Evidence) -> None:
    as_viewer.get(f"/evidence/{piece.pk}/")
    body(as_viewer.get(f"/evidence/{piece.pk}/file/"))
    body(as_analyst.get(f"/evidence/{piece.pk}/file/?as=zip"))
    rows = EvidenceAccess.objects.order_by("pk").values_list("verb", "actor_name", "address")
    assert list(rows) == [
        ("viewed", "Jonas Adeyemi", "127.0.0.1"),
        ("downloaded", "Jonas Adeyemi", "127.0.0.1"),
        ("downloaded_zip", "Mara Lindqvist", "127.0.0.1"),
    ]
    page = as_analyst.get(f"/evidence/{piece.pk}/").content.decode()
    for words in ("looked at it", "downloaded it as a zip", "added the evidence", "from 127.0.0.1"):
        assert words in page
    assert TimelineEntry.objects.filter(kind__startswith="evidence.").count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases_evidenceaccess SET actor_name = 'x'",
        "DELETE FROM cases_evidenceaccess",
        "UPDATE cases_evidence SET sha256 = repeat('0', 64)",
        "UPDATE cases_evidence SET added_by_name = 'x'",
        "DELETE FROM cases_evidence",
    ],
)
def test_the_database_refuses_to_rewrite_the_custody(as_analyst: Client, piece: Evidence, statement: str) -> None:
    as_analyst.get(f"/evidence/{piece.pk}/")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_a_file_that_is_not_what_it_was_is_not_handed_out(as_analyst: Client, piece: Evidence, damage: str) -> None:
    path = evidence_store.path_of(piece.sha256)
    path.unlink() if damage == "gone" else path.write_bytes(b"short")
    answer = as_analyst.get(f"/evidence/{piece.pk}/file/")
    assert answer.status_code == 409
    assert "missing or damaged" in answer.content.decode()
    assert as_analyst.get(f"/evidence/{piece.pk}/").status_code == 200
    assert EvidenceAccess.objects.filter(verb="downloaded").count() == 0


def test_refused_downloads_leave_room_for_others(as_analyst: Client, piece: Evidence) -> None:
    evidence_store.path_of(piece.sha256).rename(evidence_store.path_of(piece.sha256).with_suffix(".away"))
    for _ in range(evidence_upload.AT_ONCE + 2):
        assert as_analyst.get(f"/evidence/{piece.pk}/file/").status_code == 409
    evidence_store.path_of(piece.sha256).with_suffix(".away").rename(evidence_store.path_of(piece.sha256))
    for _ in range(evidence_upload.AT_ONCE + 2):
        answer = as_analyst.get(f"/evidence/{piece.pk}/file/")
        assert answer.status_code == 200
        body(answer)


def test_too_many_at_a_time(as_analyst: Client, piece: Evidence) -> None:
    held = [as_analyst.get(f"/evidence/{piece.pk}/file/") for _ in range(evidence_upload.AT_ONCE)]
    answer = as_analyst.get(f"/evidence/{piece.pk}/file/")
    assert answer.status_code == 503
    for one in held:
        assert body(one) == CONTENT


def test_an_answer_that_is_never_sent_leaves_room_for_others(piece: Evidence, rf: RequestFactory) -> None:
    for _ in range(evidence_upload.AT_ONCE + 2):
        file_answer(rf.get("/"), Actor.system(), piece)


def test_describe_rename_and_mark(as_analyst: Client, piece: Evidence) -> None:
    given = {"name": "Overdue invoice.eml", "description": "Line\r\nLine", "tlp": "red", "version": "1"}
    answer = as_analyst.post(f"/evidence/{piece.pk}/edit/", given)
    assert (answer.status_code, answer["Location"]) == (302, f"/evidence/{piece.pk}/")
    piece.refresh_from_db()
    assert (piece.name, piece.description, piece.tlp, piece.version) == (
        "Overdue invoice.eml", "Line\nLine", "red", 2,
    )  # fmt: skip
    told = TimelineEntry.objects.filter(kind="evidence.changed").order_by("pk").values_list("data__field", flat=True)
    assert list(told) == ["name", "description", "tlp"]
    page = as_analyst.get(f"/incidents/INC-{piece.incident_id}/").content.decode()
    assert "renamed the evidence" in page
    assert "rewrote the description of" in page


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "x" * 256), ("tlp", "blue"), ("description", "x" * 10_001)]
)
def test_what_cannot_be_said_of_it(as_analyst: Client, piece: Evidence, field: str, value: str) -> None:
    answer = as_analyst.post(f"/evidence/{piece.pk}/edit/", {"name": "a", "tlp": "red", field: value})
    assert answer.status_code == 422
    piece.refresh_from_db()
    assert (piece.name, piece.tlp, piece.version) == ("invoice.eml", "amber", 1)


def test_a_stale_form_is_refused(as_analyst: Client, piece: Evidence) -> None:
    evidence.update(Actor.system(), piece.pk, changes={"name": "newer.eml"})
    answer = as_analyst.post(f"/evidence/{piece.pk}/edit/", {"name": "mine.eml", "version": "1"})
    assert answer.status_code == 412
    page = answer.content.decode()
    assert "changed by somebody else" in page
    assert 'value="mine.eml"' in page
    assert "newer.eml" in page


def test_only_who_brought_it_or_may_delete_removes_it(
    as_analyst: Client, as_admin: Client, piece: Evidence, analyst: User
) -> None:
    answer = as_analyst.post(f"/evidence/{piece.pk}/remove/", {"reason": "Not mine"})
    assert answer.status_code == 403
    own = evidence.add_bytes(Actor.of(analyst), piece.incident_id, "own.txt", b"own")
    assert "/remove/" in as_analyst.get(f"/evidence/{own.pk}/").content.decode()
    assert as_analyst.post(f"/evidence/{own.pk}/remove/", {"reason": "Wrong file"}).status_code == 302
    assert as_admin.post(f"/evidence/{piece.pk}/remove/", {"reason": "Not ours"}).status_code == 302
    assert Evidence.objects.kept().count() == 0


def test_what_a_removal_leaves(as_admin: Client, as_analyst: Client, piece: Evidence) -> None:
    as_admin.post(f"/evidence/{piece.pk}/remove/", {"reason": "Private photos"})
    work_off()
    assert files() == []
    page = as_analyst.get(f"/evidence/{piece.pk}/").content.decode()
    for words in ("Removed by Ada Admin", "Private photos", piece.sha256, "removed the evidence"):
        assert words in page
    assert as_analyst.get(f"/evidence/{piece.pk}/file/").status_code == 409
    assert as_analyst.post(f"/evidence/{piece.pk}/edit/", {"name": "x"}).status_code == 409
    assert as_admin.post(f"/evidence/{piece.pk}/remove/", {}).status_code == 409
    assert "invoice.eml" in as_analyst.get(f"/incidents/INC-{piece.incident_id}/evidence/").content.decode()
    incident = Incident.objects.get(pk=piece.incident_id)
    box = as_analyst.get(f"/incidents/{incident.number}/").content.decode().partition('id="incident-evidence"')[2]
    assert "invoice.eml" not in box
    assert not report_of_incident(incident).findings
    again = keep(incident)
    assert again.pk != piece.pk
    assert files() == [piece.sha256]


def test_bytes_stay_while_another_incident_has_them(blue: Team, piece: Evidence) -> None:
    other = keep(make_incident("Other", team=blue), "copy.eml")
    evidence.remove(Actor.system(), piece.pk)
    work_off()
    assert files() == [piece.sha256]
    evidence.remove(Actor.system(), other.pk)
    work_off()
    assert files() == []


def test_an_ended_incident_keeps_its_evidence_as_it_was(as_analyst: Client, as_admin: Client, piece: Evidence) -> None:
    incidents.set_status(Actor.system(), piece.incident_id, "closed", determination="benign")
    assert as_analyst.post(f"/evidence/{piece.pk}/edit/", {"name": "x"}).status_code == 409
    assert as_admin.post(f"/evidence/{piece.pk}/remove/", {"reason": "x"}).status_code == 409
    assert body(as_analyst.get(f"/evidence/{piece.pk}/file/")) == CONTENT
    page = as_analyst.get(f"/evidence/{piece.pk}/").content.decode()
    assert "Reopen it to change its evidence." in page
    assert "/edit/" not in page


def test_the_same_bytes_elsewhere_only_where_they_may_be_seen(
    as_analyst: Client, blue: Team, red: Team, piece: Evidence
) -> None:
    keep(make_incident("Seen", team=blue), "seen.eml")
    keep(make_incident("Covert", team=red), "covert.eml")
    page = as_analyst.get(f"/evidence/{piece.pk}/").content.decode()
    assert "seen.eml" in page
    assert "covert" not in page.lower()


def test_its_hash_becomes_an_observable(as_analyst: Client, analyst: User, piece: Evidence) -> None:
    assert "Add its SHA-256 as an observable" in as_analyst.get(f"/evidence/{piece.pk}/").content.decode()
    observables.add_to_incident(Actor.of(analyst), piece.incident_id, "sha256", piece.sha256)
    assert "Its SHA-256 is a known observable" in as_analyst.get(f"/evidence/{piece.pk}/").content.decode()


def test_the_box_shows_the_newest_and_how_many_more(as_analyst: Client, incident: Incident) -> None:
    for number in range(8):
        keep(incident, f"file-{number}.log", b"line %d" % number)
    box = as_analyst.get(
        f"/incidents/{incident.number}/panel/evidence/?fold=1", headers={"HX-Request": "true"}
    ).content.decode()
    assert "file-7.log" in box
    assert "file-1.log" not in box
    assert "2 more" in box
    page = as_analyst.get(f"/incidents/{incident.number}/evidence/").content.decode()
    assert all(f"file-{number}.log" in page for number in range(8))


def test_a_purge_takes_rows_custody_and_files(as_analyst: Client, blue: Team, piece: Evidence) -> None:
    stays = keep(make_incident("Stays", team=blue), "other.txt", b"other")
    as_analyst.get(f"/evidence/{piece.pk}/")
    purge(None, incidents=[piece.incident_id], reason="retention")
    assert [one.pk for one in Evidence.objects.all()] == [stays.pk]
    assert EvidenceAccess.objects.count() == 0
    work_off()
    assert files() == [stays.sha256]
