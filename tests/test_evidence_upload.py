"""Uploading evidence on the incident's page: who may, what is refused with nothing left behind, what is kept."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from cases import evidence_upload
from cases.actions import incidents
from cases.actors import Actor
from cases.models import Evidence, Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.evidence_files import CONTENT, FORM, file, files, form, keep, modes, part, store
from tests.factories import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue."""
    return make_incident("Case", team=blue)


def send(client: Client, incident: Incident, *given: Any, headers: Any = None, **fields: Any) -> Any:
    """The form with these files."""
    path = f"/incidents/{incident.number}/evidence/add/"
    return client.post(path, {**fields, "file": list(given)}, headers=headers or {})


def raw(client: Client, incident: Incident, body: bytes, kind: str = FORM, headers: Any = None) -> Any:
    """A form as bytes."""
    return client.post(f"/incidents/{incident.number}/evidence/add/", body, content_type=kind, headers=headers or {})


def refused(answer: Any, sentence: str, status: int = 422) -> None:
    """The form came back with the sentence, and nothing was kept."""
    assert answer.status_code == status, answer.content.decode()[:500]
    assert sentence in answer.content.decode()
    assert (Evidence.objects.count(), files()) == (0, [])


def test_a_viewer_may_not_a_stranger_sees_nothing_nobody_is_led_to_the_login(
    as_viewer: Client, as_stranger: Client, incident: Incident
) -> None:
    assert send(as_viewer, incident, file()).status_code == 403
    assert send(as_stranger, incident, file()).status_code == 404
    assert send(Client(), incident, file())["Location"].startswith("/accounts/login/")
    for client, status in ((as_viewer, 403), (as_stranger, 404)):
        assert client.get(f"/incidents/{incident.number}/evidence/add/").status_code == status
    assert (Evidence.objects.count(), files()) == (0, [])


def test_nothing_is_written_to_disk_for_who_may_not(
    as_viewer: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(evidence_upload, "Writer", lambda name, most: begun.append(name))
    assert send(as_viewer, incident, file()).status_code == 403
    assert begun == []


def test_a_form_from_elsewhere_is_refused(analyst: User, incident: Incident) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst, backend="soar.accounts.backend.Backend")
    assert send(client, incident, file()).status_code == 403
    assert (Evidence.objects.count(), files()) == (0, [])


def test_a_form_of_our_own_passes_the_same_check(analyst: User, incident: Incident) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst, backend="soar.accounts.backend.Backend")
    page = client.get(f"/incidents/{incident.number}/evidence/add/").content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert send(client, incident, file(), csrfmiddlewaretoken=token).status_code == 302
    assert Evidence.objects.count() == 1


def test_no_file(as_analyst: Client, incident: Incident) -> None:
    refused(send(as_analyst, incident), "Choose a file.")
    refused(raw(as_analyst, incident, form(part("", b"x"))), "Choose a file.")


def test_no_form(as_analyst: Client, incident: Incident) -> None:
    refused(raw(as_analyst, incident, b"{}", "application/json"), "Send the file in a form")
    refused(raw(as_analyst, incident, b"x", "multipart/form-data"), "The form cannot be read.")


def test_an_empty_file(as_analyst: Client, incident: Incident) -> None:
    refused(raw(as_analyst, incident, form(part("empty.log", b""))), "empty.log is empty.")


def test_one_that_is_too_large(as_analyst: Client, incident: Incident, settings: Any) -> None:
    settings.EVIDENCE_MB = 1
    refused(send(as_analyst, incident, file("a.dmp", b"x" * (1024 * 1024 + 1))), "a.dmp is larger than 1 MiB.")
    assert send(as_analyst, incident, file("b.dmp", b"x" * 1024 * 1024)).status_code == 302


@pytest.mark.parametrize("cut", [1, 5, 40, 60, 300])
def test_one_that_is_cut_in_the_middle(as_analyst: Client, incident: Incident, cut: int) -> None:
    whole = form(part("a.bin", b"first" * 100), part("b.bin", b"second" * 40))
    refused(raw(as_analyst, incident, whole[: -cut - len("\r\n")]), "The upload was cut in the middle.")


def test_a_name_that_is_too_long(as_analyst: Client, incident: Incident) -> None:
    refused(raw(as_analyst, incident, form(part("é" * 256, b"x"))), "name is longer than 255")
    refused(raw(as_analyst, incident, form(part("n" * 3000, b"x"))), "name is too long.")
    assert raw(as_analyst, incident, form(part("n" * 255, b"x"))).status_code == 302


@pytest.mark.parametrize("name", [".", "..", "../..", "/", "\u202e", "   "])
def test_a_name_that_is_none(as_analyst: Client, incident: Incident, name: str) -> None:
    answer = raw(as_analyst, incident, form(part(name, b"x")))
    assert answer.status_code == 422
    assert files() == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\mara\\a.exe", "a.exe"),
        ("ann\u202egpj.exe", "anngpj.exe"),
        ("<img src=x onerror=alert(1)>.html", "<img src=x onerror=alert(1)>.html"),
        ("a\u0007b.txt", "ab.txt"),
        ("Überfällige Rechnung 請求書.pdf", "Überfällige Rechnung 請求書.pdf"),
    ],
)
def test_a_hostile_name_is_a_name(as_analyst: Client, incident: Incident, name: str, kept: str) -> None:
    assert raw(as_analyst, incident, form(part(name, b"x"))).status_code == 302
    piece = Evidence.objects.get()
    assert piece.name == kept
    for path in (f"/incidents/{incident.number}/", f"/evidence/{piece.pk}/", f"/incidents/{incident.number}/evidence/"):
        page = as_analyst.get(path)
        assert page.status_code == 200
        assert "<img src=x" not in page.content.decode()


def test_a_field_of_another_name_and_too_many_files(as_analyst: Client, incident: Incident) -> None:
    refused(raw(as_analyst, incident, form(part("a", b"x", field="evil"))), "Send files in the field “file”.")
    refused(raw(as_analyst, incident, form(*(part(f"a{n}", b"%d" % n) for n in range(11)))), "At most 10 at once.")


def test_what_the_incident_has_already(as_analyst: Client, incident: Incident, analyst: User) -> None:
    first = keep(incident)
    answer = send(as_analyst, incident, file("other name.eml"), headers=HTMX, description="Typed")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "other name.eml is here already: the same bytes as invoice.eml, added by Soar." in page
    assert f'href="/evidence/{first.pk}/"' in page
    assert "Typed" in page
    assert (Evidence.objects.count(), files()) == (1, [first.sha256])


def test_the_same_file_twice_in_a_form(as_analyst: Client, incident: Incident) -> None:
    answer = send(as_analyst, incident, file("a"), file("b"))
    assert answer.status_code == 409
    assert Evidence.objects.count() == 0


def test_all_or_none(as_analyst: Client, incident: Incident) -> None:
    assert send(as_analyst, incident, file("a", b"a"), file("b", b"")).status_code == 422
    refused(send(as_analyst, incident, file("a", b"a"), tlp="purple"), "Must be one of: clear")
    assert TimelineEntry.objects.filter(kind="evidence.added").count() == 0


def test_an_ended_incident_takes_none(as_analyst: Client, incident: Incident) -> None:
    incidents.set_status(Actor.system(), incident.pk, "resolved", determination="benign")
    refused(send(as_analyst, incident, file(), headers=HTMX), "Reopen it to change its evidence.", 409)
    page = as_analyst.get(f"/incidents/{incident.number}/panel/evidence/?fold=1", headers=HTMX).content.decode()
    assert "/evidence/add/" not in page
    assert "Reopen the incident to add evidence." in page


def test_a_full_disk(as_analyst: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    refused(send(as_analyst, incident, file()), "disk is full")


def test_too_many_at_a_time(as_analyst: Client, incident: Incident) -> None:
    for _ in range(evidence_upload.AT_ONCE):
        evidence_upload.begin_transfer()
    try:
        refused(send(as_analyst, incident, file()), "Try again in a moment.")
    finally:
        for _ in range(evidence_upload.AT_ONCE):
            evidence_upload.end_transfer()
    assert send(as_analyst, incident, file()).status_code == 302


def test_what_is_kept(as_analyst: Client, analyst: User, incident: Incident) -> None:
    answer = send(as_analyst, incident, file(), description=" From the\r\nmailbox ", tlp="red")
    assert (answer.status_code, answer["Location"]) == (302, f"/incidents/{incident.number}/#incident-evidence")
    piece = Evidence.objects.get()
    assert (piece.name, piece.size, piece.content_type) == ("invoice.eml", len(CONTENT), "message/rfc822")
    assert (piece.description, piece.tlp) == ("From the\nmailbox", "red")
    assert (piece.added_by, piece.added_by_name) == (analyst, "Mara Lindqvist")
    assert piece.md5 == hashlib.md5(CONTENT).hexdigest()
    assert piece.sha1 == hashlib.sha1(CONTENT).hexdigest()
    assert piece.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (store() / piece.sha256[:2] / piece.sha256).read_bytes() == CONTENT
    assert files() == [piece.sha256]
    assert modes() == {(True, "0o700"), (False, "0o600")}
    entry = TimelineEntry.objects.get(kind="evidence.added")
    assert entry.actor_id == analyst.pk
    assert entry.data == {
        "id": piece.pk, "name": "invoice.eml", "size": len(CONTENT), "sha256": piece.sha256, "tlp": "red",
    }  # fmt: skip


def test_several_at_once_by_htmx(as_analyst: Client, incident: Incident) -> None:
    answer = send(as_analyst, incident, file("a.txt", b"a"), file("b.txt", b"b"), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert (answer["HX-Retarget"], answer["HX-Trigger"]) == ("#incident-evidence", "changed, dialog-close")
    assert "a.txt" in page
    assert "b.txt" in page
    assert "2 files added: a.txt, b.txt" in page
    assert Evidence.objects.filter(tlp=incident.tlp).count() == 2


def test_the_form_says_its_limits(as_analyst: Client, incident: Incident, settings: Any) -> None:
    settings.EVIDENCE_MB = 7
    page = as_analyst.get(f"/incidents/{incident.number}/evidence/add/").content.decode()
    assert "At most 10 at once, 7 MiB each." in page
    assert 'enctype="multipart/form-data"' in page
    part_of_it = as_analyst.get(f"/incidents/{incident.number}/evidence/add/", headers=HTMX).content.decode()
    assert "<html" not in part_of_it


def test_the_poll_brings_what_another_uploads(as_analyst: Client, incident: Incident) -> None:
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    cursor = page.partition("/live/?cursor=")[2].partition('"')[0]
    keep(incident, "memory.dmp", b"MDMP1234")
    poll = as_analyst.get(f"/incidents/{incident.number}/live/?cursor={cursor}", headers=HTMX).content.decode()
    assert 'id="incident-evidence" hx-swap-oob="morph"' in poll
    assert "memory.dmp" in poll
