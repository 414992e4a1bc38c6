"""The library of scripts (response-playbooks.md 16): adding, reading, removing, by page and API; what is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from playbooks.models import Script
from soar.accounts.models import AuditEntry, User
from tests.api import Api, problem_of, wrong_fields
from tests.fixtures import client_of
from tests.playbook_pages import EVIL, text_of

pytestmark = pytest.mark.django_db
URL = "/settings/scripts/"
MIB = 1024 * 1024


def sent(client: Client, name: str, body: bytes, **fields: Any) -> Any:
    return client.post(URL, {"file": SimpleUploadedFile(name, body), **fields})


def test_16_a_script_is_kept_with_hash_uploader_and_time(as_author: Client, as_viewer: Client) -> None:
    body = "# täst\nGet-Process\r\n".encode()
    answer = sent(as_author, "Collect.ps1", body, description="Lists processes")
    assert (answer.status_code, answer["Location"]) == (302, URL)
    script = Script.objects.get()
    assert (script.language, script.systems, script.size) == ("powershell", [], len(body))
    assert script.sha256 == hashlib.sha256(body).hexdigest()
    listed = text_of(as_viewer.get(URL))
    for words in ("Collect.ps1", "Lists processes", "Tomas Iversen", "PowerShell", script.sha256):
        assert words in listed
    assert 'name="file"' not in listed
    assert "täst" in text_of(as_viewer.get(f"{URL}{script.pk}/"))
    download = as_viewer.get(f"{URL}{script.pk}/text/")
    assert (download.content, download["Content-Disposition"]) == (body, 'attachment; filename="Collect.ps1"')
    entry = AuditEntry.objects.get(verb="script.added")
    assert (entry.actor_name, entry.target, entry.data["sha256"]) == ("Tomas Iversen", "Collect.ps1", script.sha256)


@pytest.mark.parametrize(
    ("name", "body", "systems", "told"),
    [
        ("run.bat", b"dir", [], "Only PowerShell (.ps1) and Bash (.sh)"),
        (".ps1", b"dir", [], "Only PowerShell (.ps1) and Bash (.sh)"),
        ("run.sh", b"ls", [], "Say on which operating system"),
        ("run.sh", b"ls", ["amiga"], "amiga"),
        ("run.ps1", b"ls", ["linux"], "leave the operating system empty"),
        ("run.ps1", "Schlüssel".encode("latin-1"), [], "not UTF-8"),
        ("run.ps1", "x".encode("utf-16"), [], "not UTF-8"),
        ("run.ps1", b"a\x00b", [], "NUL"),
        ("run.ps1", b" \n", [], "empty"),
        ("run.ps1", b"", [], "empty"),
        ("run.ps1", b"x" * (MIB + 1), [], "larger than 1 MiB"),
    ],
)
def test_16_what_is_refused(as_author: Client, name: str, body: bytes, systems: list[str], told: str) -> None:
    text = text_of(sent(as_author, name, body, systems=systems), 422)
    assert told in text
    assert 'class="errorline"' in text
    assert not Script.objects.exists()


def test_no_file_is_told_beside_the_field(as_author: Client) -> None:
    assert "This field is required" in text_of(as_author.post(URL, {}), 422)


def test_16_exactly_one_mebibyte_and_bash_on_both_systems(as_author: Client) -> None:
    assert sent(as_author, "big.sh", b"x" * MIB, systems=["macos", "linux"]).status_code == 302
    script = Script.objects.get()
    assert (script.language, script.systems, script.size) == ("bash", ["linux", "macos"], MIB)


def test_a_name_is_free_again_after_removal(as_author: Client, as_viewer: Client) -> None:
    sent(as_author, "run.ps1", b"one")
    twice = text_of(sent(as_author, "RUN.ps1", b"two"), 422)
    assert "There is a script RUN.ps1 already" in twice
    first = Script.objects.get()
    assert as_author.post(f"{URL}{first.pk}/remove/").status_code == 302
    assert as_author.post(f"{URL}{first.pk}/remove/").status_code == 404
    assert sent(as_author, "RUN.ps1", b"two").status_code == 302
    assert "no longer in the library" in text_of(as_viewer.get(f"{URL}{first.pk}/"))
    assert "run.ps1" not in text_of(as_viewer.get(URL))
    assert AuditEntry.objects.filter(verb="script.removed").count() == 1


def test_who_may(as_viewer: Client, as_analyst: Client, as_author: Client, nobody: User, client: Client) -> None:
    sent(as_author, "run.ps1", b"one")
    pk = Script.objects.get().pk
    for other in (as_viewer, as_analyst):
        assert sent(other, "mine.ps1", b"x").status_code == 403
        assert other.post(f"{URL}{pk}/remove/").status_code == 403
    for address in (URL, f"{URL}{pk}/", f"{URL}{pk}/text/"):
        assert client_of(nobody).get(address).status_code == 403
        assert client.get(address).status_code == 302
    assert as_author.get(f"{URL}{pk}/remove/").status_code == 405
    assert as_author.put(URL).status_code == 405
    assert as_viewer.get(f"{URL}99999999999999999999/").status_code == 404
    assert Script.objects.get().removed is False


def test_names_and_texts_are_shown_not_run(as_author: Client) -> None:
    sent(as_author, "a\"b'<i>ü.ps1", f"{EVIL}\u202eevil".encode(), description=EVIL)
    pk = Script.objects.get().pk
    text = text_of(as_author.get(f"{URL}{pk}/"))
    assert EVIL not in text
    assert "[U+202E]" in text
    header = as_author.get(f"{URL}{pk}/text/")["Content-Disposition"]
    assert header == 'attachment; filename="a_b\'<i>_.ps1"'


def test_folders_of_a_name_are_left_out(author: User) -> None:
    made = Api(author).post("/scripts/", {"name": "C:\\fakepath\\..\\x.ps1", "text": "dir"})
    assert (made.status_code, made.json()["name"]) == (201, "x.ps1")


def test_the_api(author: User, viewer: User, nobody: User) -> None:
    api = Api(author)
    made = api.post("/scripts/", {"name": "run.sh", "text": "ls -l", "systems": ["linux"], "description": "Lists"})
    assert made.status_code == 201
    body = made.json()
    assert (body["text"], body["uploaded_by"], body["systems"]) == ("ls -l", "tomas", ["linux"])
    reader = Api(viewer)
    assert [row["name"] for row in reader.get("/scripts/").json()["results"]] == ["run.sh"]
    assert "text" not in reader.get("/scripts/").json()["results"][0]
    assert reader.get(f"/scripts/{body['id']}/").json()["text"] == "ls -l"
    problem_of(reader.post("/scripts/", {"name": "x.ps1", "text": "dir"}), 403)
    problem_of(reader.delete(f"/scripts/{body['id']}/"), 403)
    problem_of(Api(nobody).get("/scripts/"), 403)
    problem_of(api.get("/scripts/none/"), 404)
    problem_of(api.get("/scripts/?q=x"), 400)
    assert wrong_fields(api.post("/scripts/", {"name": "x.sh", "text": "dir"})) == {"systems"}
    assert wrong_fields(api.post("/scripts/", {"name": "x.exe", "text": "dir"})) == {"name"}
    assert wrong_fields(api.post("/scripts/", {"name": "x.ps1", "text": "x" * (MIB + 1)})) == {"text"}
    assert api.delete(f"/scripts/{body['id']}/").status_code == 204
    assert reader.get("/scripts/").json()["results"] == []
