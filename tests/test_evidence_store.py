"""The store: checking all files, what crashes leave, what happens at once; types by content."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from cases import evidence_store
from cases.actions import evidence
from cases.actors import Actor
from cases.errors import Conflict
from cases.evidence_types import type_of
from cases.models import Evidence, Incident
from soar.accounts.models import Team
from tests.evidence_files import files, keep, store
from tests.factories import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue."""
    return make_incident("Case", team=blue)


def verified(*arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = StringIO()
    try:
        call_command("verify_evidence", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_all_whole(incident: Incident) -> None:
    keep(incident, "a", b"aaaa")
    keep(make_incident("Other"), "same", b"aaaa")
    keep(incident, "b", b"bb")
    assert verified() == (0, "3 pieces of evidence in 2 files, 6 bytes: all whole.\n")
    assert verified("--incident", incident.number) == (0, "2 pieces of evidence in 2 files, 6 bytes: all whole.\n")


def test_a_changed_and_a_missing_file_are_found(incident: Incident) -> None:
    changed, missing = keep(incident, "changed", b"aaaa"), keep(incident, "missing", b"bbbb")
    evidence_store.path_of(changed.sha256).write_bytes(b"aaab")
    evidence_store.path_of(missing.sha256).unlink()
    code, out = verified()
    assert code == 1
    assert f"{incident.number}, evidence {changed.pk}, changed: the file was changed" in out
    assert f"{incident.number}, evidence {missing.pk}, missing: the file {missing.sha256} is missing" in out
    assert verified("--incident", make_incident("Fine").number)[0] == 0


def test_a_file_of_no_row_is_told_but_no_loss(incident: Incident) -> None:
    keep(incident, "a", b"a")
    stray = store() / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    code, out = verified()
    assert code == 0
    assert f"{'ab' * 32}: no evidence has this file" in out


def test_an_incident_that_is_none() -> None:
    with pytest.raises(CommandError, match="There is no INC-999999"):
        verified("--incident", "INC-999999")


def test_the_sweep_deletes_what_crashes_left_and_nothing_else(incident: Incident) -> None:
    piece = keep(incident, "a", b"a")
    evidence_store.received("left behind", iter([b"half"]))
    stray = store() / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    assert evidence.sweep() == 0  # too young: it may be just being written
    assert evidence.sweep(older=0) == 2
    assert files() == [piece.sha256]


def test_a_damaged_file_is_replaced_by_the_same_bytes(incident: Incident, blue: Team) -> None:
    piece = keep(incident, "a", b"good")
    evidence_store.path_of(piece.sha256).write_bytes(b"evil")
    keep(make_incident("Other", team=blue), "b", b"good")
    assert verified()[0] == 0


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63])
def test_what_is_no_hash_makes_no_path(sha256: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        evidence_store.path_of(sha256)


def test_an_upload_that_breaks_leaves_nothing() -> None:
    def pieces() -> Any:
        yield b"some"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        evidence_store.received("a", pieces())
    assert files() == []


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_added_and_removed_at_once_are_never_lost(blue: Team) -> None:
    """Of each round one incident removes the bytes while another takes them: whoever has a row has its file."""
    others = [make_incident(f"Other {n}", team=blue) for n in range(6)]
    for other in others:
        first = keep(make_incident("First", team=blue), "a", b"shared bytes")
        evidence.remove(Actor.system(), first.pk)
        jobs = [
            lambda first=first: evidence.drop_file(first.sha256),
            lambda other=other: keep(other, "b", b"shared bytes"),
        ]
        _at_once(jobs)
        assert verified()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_bring_the_same_file_at_once(blue: Team) -> None:
    incident = make_incident("Case", team=blue)
    refused: list[Conflict] = []

    def bring() -> None:
        try:
            keep(incident, "a", b"the same")
        except Conflict as error:
            refused.append(error)

    _at_once([bring] * 3)
    assert Evidence.objects.count() == 1
    assert [error.extra["code"] for error in refused] == ["duplicate", "duplicate"]
    assert len(files()) == 1


def _at_once(jobs: list[Any]) -> None:
    def run(job: Any) -> None:
        try:
            job()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"MZ\x90\x00", "application/vnd.microsoft.portable-executable"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04" + bytes(26) + b"word/document.xml", "application/vnd.openxmlformats-officedocument"
         ".wordprocessingml.document"),
        (b"PK\x03\x04" + bytes(26) + b"a.exe", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (bytes(257) + b"ustar", "application/x-tar"),
        (b"  <!DOCTYPE HTML><p>", "text/html"),
        (b'{"a": 1}', "application/json"),
        (b"Received: from a\r\nSubject: b\r\n\r\n", "message/rfc822"),
        (b"Subject matter experts say\nFrom: nobody", "text/plain"),
        ("Grüße".encode(), "text/plain"),
        (("x" * 2047 + "ü").encode()[:2048], "text/plain"),
        ("Grüße".encode("latin-1"), "application/octet-stream"),
        (b"abc\x00def", "application/octet-stream"),
        (b"\x01\x02\xff\xfe\x00", "application/octet-stream"),
    ],
)  # fmt: skip
def test_the_type_is_that_of_the_content(head: bytes, name: str) -> None:
    assert type_of(head) == name
