"""Files for feeds: taken from the page, imported by a worker, watched on the page (connectors.md 4)."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from soar.accounts.models import AuditEntry, User
from soar.connectors import actions as accounts
from soar.connectors.errors import Forbidden, NoConnector, Refused
from soar.connectors.intelligence.feeds import files, imports
from soar.connectors.intelligence.lookup import look_up
from soar.connectors.models import ConnectorAccount, FeedEntry, FeedImport, FeedState
from soar.lib import clock
from tests.feed_files import drain, kept_files, send, take
from tests.fixtures import client_of
from tests.playbook_files import until
from tests.portal import ROOT

pytestmark = pytest.mark.django_db
UPLOAD = "/settings/feeds/upload/"
POLLS = 'hx-get="/settings/feeds/"'


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def feed(name: str = "Evil", **settings: Any) -> ConnectorAccount:
    return accounts.create_account(None, "feed", name, settings, {})


def rated(value: str) -> str:
    return look_up([("domain", value)])["domain", value].risk


def upload(client: Client, account: int, body: bytes, name: str = "list.txt") -> Any:
    return client.post(UPLOAD, {"feed": account, "file": SimpleUploadedFile(name, body)})


def page(client: Client) -> str:
    return client.get("/settings/feeds/").content.decode()


def test_a_file_is_kept_imported_and_removed(admin: User) -> None:
    account, client = feed(), client_of(admin)
    answer = upload(client, account.pk, b"evil.example\nwhat is this\n", "C:\\lists\\evil.txt")
    assert (answer.status_code, answer["Location"]) == (302, "/settings/feeds/")
    (name,) = kept_files()
    assert files.path_of(name).stat().st_mode & 0o777 == 0o600
    assert "evil.txt waits for a worker." in page(client)
    assert rated("evil.example") == "unrated"
    drain()
    text = page(client)
    assert "evil.txt, 2 lines" in text
    assert "what is this" in text
    assert rated("evil.example") == "highly_suspicious"
    assert kept_files() == []
    verbs = AuditEntry.objects.filter(verb__startswith="feed.", actor_id=admin.pk).order_by("pk")
    assert [(one.verb, one.data["file"]) for one in verbs] == [
        ("feed.import_requested", "evil.txt"), ("feed.imported", "evil.txt")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "how", "words", "line"),
    [
        (b"# fine\nnothing here\nat all really\n", {}, "None of 2 lines holds a value", 2),
        (b"<html>", {}, "web page", 1),
        (b" \n ", {}, "empty", None),
        (b"\xff\xfe\x00\x01", {}, "None of", 1),
        (b"\x1f\x8bnot really", {}, "cannot be unpacked", None),
        (b"when,what\n1,evil.example\n", {"format": "csv", "column": "value"}, "no column", 1),
        (b"a,b\n1,2\n" + b"x" * 200_000 + b",y\n", {"format": "csv"}, "no CSV", 3),
        (b'{"type": "bundle",\n"objects": [\noops]}', {"format": "stix"}, "no STIX bundle", 3),
        (gzip.compress(b"\n" * (65 * 1024 * 1024)), {}, "64 MiB, unpacked", None),
    ],
)
def test_a_bad_file_is_told_with_its_line_and_the_old_values_stay(
    admin: User, body: bytes, how: dict[str, Any], words: str, line: int | None
) -> None:
    account = feed()
    take(account.pk, b"old.example\n")
    accounts.update_account(None, account.pk, settings=how)
    row = send(admin, account.pk, body, "new.txt")
    drain()
    row.refresh_from_db()
    assert (row.status, row.error_line, row.file) == ("unsuccessful", line, "")
    assert words in row.error
    assert words in page(client_of(admin))
    assert (rated("old.example"), kept_files()) == ("highly_suspicious", [])
    assert AuditEntry.objects.get(verb="feed.import_failed").actor_id == admin.pk


def test_too_many_values_are_told_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soar.connectors.intelligence.feeds.staging.MOST", 2)
    account = feed()
    take(account.pk, b"old.example\n")
    row = send(None, account.pk, b"a.example\nb.example\n\nc.example\n")
    drain()
    row.refresh_from_db()
    assert (row.error, row.error_line) == ("The feed holds more than 2 values.", 4)
    assert rated("old.example") == "highly_suspicious"


def test_huge_lines_are_skipped_and_shown_short(admin: User) -> None:
    account = feed()
    take(account.pk, b"a.example\n" + b"x" * 5_000_000 + b"\nb.example # " + b"n" * 3000 + b"\n")
    row = FeedImport.objects.get()
    assert (row.taken_count, row.skipped_count) == (2, 1)
    assert row.problems == [["line 2", "x" * 79 + "…"]]
    assert len(page(client_of(admin))) < 100_000


def test_what_copy_gives_a_meaning_stays_as_it_is() -> None:
    account = feed(type="url")
    take(account.pk, b"http://evil.example/a\\nb\\.c\\N # a \\ back\n")
    row = FeedEntry.objects.get()
    assert (row.value, row.note) == ("http://evil.example/a\\nb\\.c\\N", "a \\ back")


def test_two_at_once_are_one(admin: User) -> None:
    account, client = feed(), client_of(admin)
    assert upload(client, account.pk, b"first.example\n").status_code == 302
    answer = upload(client, account.pk, b"second.example\n")
    assert answer.status_code == 422
    assert "Another file for Evil is being imported." in answer.content.decode()
    assert len(kept_files()) == 1
    drain()
    assert upload(client, account.pk, b"second.example\n").status_code == 302
    drain()
    assert (rated("first.example"), rated("second.example")) == ("unrated", "highly_suspicious")


@pytest.mark.django_db(transaction=True)
def test_ten_requests_at_the_same_time_begin_one(admin: User) -> None:
    account, begun, refused = feed(), [], []

    def ask() -> None:
        try:
            begun.append(send(admin, account.pk, b"evil.example\n"))
        except Refused as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused), len(kept_files())) == (1, 9, 1)
    drain()


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_is_followed_by_another(admin: User) -> None:
    account = feed()
    take(account.pk, b"old.example\n")
    body = "".join(f"{number}.evil.example\n" for number in range(100_000)).encode()
    row = send(admin, account.pk, body)
    worker = elsewhere(row.pk)
    try:
        until(lambda: FeedImport.objects.filter(pk=row.pk, status="in_progress").exists(), 120)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    imports.work(row.pk)  # its lease runs on: nobody else may
    row.refresh_from_db()
    assert (row.status, row.starts, FeedEntry.objects.count()) == ("in_progress", 1, 1)
    FeedImport.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    imports.sweep()
    drain()
    row.refresh_from_db()
    assert (row.status, row.starts, row.taken_count, row.read_bytes) == ("successful", 2, 100_000, len(body))
    assert FeedState.objects.get().entry_count == 100_000
    assert kept_files() == []


def elsewhere(pk: int) -> subprocess.Popen[bytes]:
    """A worker of its own process for one import."""
    address = connection.get_connection_params()
    named = "&".join(f"{name}={address[name]}" for name in ("host", "user", "port", "password") if address.get(name))
    from django.conf import settings

    environment = {
        **os.environ, "DATABASE_URL": f"postgresql:///{address['dbname']}?{named}", "SOAR_DATA": str(settings.DATA_DIR)
    }  # fmt: skip
    code = f"import django; django.setup(); from soar.connectors.intelligence.feeds.imports import work; work({pk})"
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT, start_new_session=True)


def test_a_file_that_takes_every_worker_down_is_given_up(admin: User) -> None:
    account = feed()
    row = send(admin, account.pk, b"evil.example\n")
    lost = {"status": "in_progress", "starts": imports.MOST_STARTS, "lease_owner": "gone"}
    FeedImport.objects.update(**lost, lease_until=clock.now() - timedelta(seconds=1))
    imports.sweep()
    drain()
    row.refresh_from_db()
    assert (row.status, "stopped in the middle 3 times" in row.error) == ("unsuccessful", True)
    assert kept_files() == []


def test_a_worker_that_was_overtaken_changes_nothing(admin: User) -> None:
    account = feed()
    take(account.pk, b"old.example\n")
    row = send(admin, account.pk, b"evil.example\n")
    held = imports._claim(row.pk)
    assert held is not None
    FeedImport.objects.filter(pk=row.pk).update(lease_owner="another")
    with pytest.raises(imports._Lost):
        imports._import(held)
    assert (rated("old.example"), rated("evil.example")) == ("highly_suspicious", "unrated")


def test_a_file_that_is_gone_is_told(admin: User) -> None:
    row = send(admin, feed().pk, b"evil.example\n")
    files.remove(row.file)
    drain()
    row.refresh_from_db()
    assert (row.status, row.error) == (
        "unsuccessful", "The file is gone from the server's data folder. Send it again."
    )  # fmt: skip


def test_files_that_nobody_knows_go_after_a_while(admin: User) -> None:
    row = send(admin, feed().pk, b"evil.example\n")
    orphan = files.Writer()
    orphan.write(b"x")
    orphan.finish()
    imports.sweep()
    assert len(kept_files()) == 2
    for name in kept_files():
        os.utime(files.path_of(name), (0, 0))
    imports.sweep()
    assert kept_files() == [row.file]


def test_an_empty_none_or_too_large_file_is_refused_beside_the_field(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, client = feed(), client_of(admin)
    monkeypatch.setattr(files, "LARGEST", 1000)
    for given, words in ((b"", "The file is empty."), (b"x" * 1001, "A feed has at most 64 MiB.")):
        answer = upload(client, account.pk, given)
        assert (answer.status_code, words in answer.content.decode()) == (422, True)
    for data in ({"feed": account.pk}, {"feed": account.pk, "file": "text"}, {}):
        answer = client.post(UPLOAD, data)
        assert (answer.status_code, "Choose a file." in answer.content.decode()) == (422, True)
    assert client.post(UPLOAD, "{}", content_type="application/json").status_code == 422
    assert not FeedImport.objects.exists()


def test_a_form_that_is_cut_imports_nothing(admin: User) -> None:
    account, client = feed(), client_of(admin)
    head = f'--B\r\nContent-Disposition: form-data; name="feed"\r\n\r\n{account.pk}\r\n--B\r\n'
    cut = head + 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\na.example\nb.exa'
    answer = client.generic("POST", UPLOAD, cut.encode(), "multipart/form-data; boundary=B")
    assert answer.status_code == 422
    assert not FeedImport.objects.exists()


def test_two_files_in_one_form_are_refused(admin: User) -> None:
    both = [SimpleUploadedFile("a.txt", b"a.example"), SimpleUploadedFile("b.txt", b"b.example")]
    answer = client_of(admin).post(UPLOAD, {"feed": feed().pk, "file": both})
    assert (answer.status_code, "Send one file" in answer.content.decode()) == (422, True)


def test_without_the_permission_nothing_is_written(viewer: User, responder: User, admin: User) -> None:
    account = feed()
    for person in (viewer, responder):
        assert upload(client_of(person), account.pk, b"evil.example\n").status_code == 403
        with pytest.raises(Forbidden):
            send(person, account.pk, b"evil.example\n")
    assert upload(Client(), account.pk, b"evil.example\n").status_code in (302, 403)
    with pytest.raises(NoConnector):
        send(admin, 999_999, b"evil.example\n")
    assert upload(client_of(admin), 999_999, b"evil.example\n").status_code == 422
    checked = Client(enforce_csrf_checks=True)
    checked.force_login(admin)
    assert upload(checked, account.pk, b"evil.example\n").status_code == 403
    assert kept_files() == []


def test_the_page_polls_only_while_something_is_under_way(admin: User, viewer: User) -> None:
    account, client = feed(), client_of(admin)
    assert POLLS not in page(client)
    row = send(admin, account.pk, b"evil.example\n" * 10)
    FeedImport.objects.update(status="in_progress", stage="reading", read_bytes=row.size // 2, read_lines=5)
    for one in (client, client_of(viewer)):
        answer = one.get("/settings/feeds/", headers={"HX-Request": "true"}).content.decode()
        assert answer.startswith("<div")
        assert 'value="50"' in answer
        assert POLLS in answer
        assert "list.txt: 5 lines read" in answer
    FeedImport.objects.update(stage="saving", taken_count=1, starts=2)
    assert "list.txt: saving 1 values" in page(client)
    assert "its worker was lost" in page(client)
    FeedImport.objects.update(status="queued", lease_until=None)
    drain()


def test_the_last_imports_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "KEPT", 2)
    account = feed()
    for number in range(4):
        take(account.pk, f"{number}.example\n".encode(), f"{number}.txt")
    assert list(FeedImport.objects.order_by("pk").values_list("name", flat=True)) == ["2.txt", "3.txt"]
