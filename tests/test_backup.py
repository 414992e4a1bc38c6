"""`manage.py backup` and `restore`: a portal with everything in it comes back elsewhere, or nothing is touched."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection

from cases.models import Evidence, Incident
from cases.verify import report_of_all
from soar.accounts.models import AuditEntry
from soar.backup import BackupError, sealing
from soar.connectors.models import ConnectorAccount
from soar.lib import crypto
from tests.cluster import _memory
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident
from tests.portal import ROOT, Portal

SECRET = "kept-over-the-restore-4711"
FILL = (
    "from tests.factories import make_alert, make_incident; from tests.evidence_files import keep;"
    "keep(make_incident('Kept', make_alert('Beacon'), make_alert('Beacon again')))"
)
COUNTS = (
    "import json; from django.apps import apps;"
    "print(json.dumps({m._meta.db_table: m._base_manager.count() for m in apps.get_models()}))"
)
OPEN = "from soar.connectors.models import *; print(ConnectorAccount.objects.get(name='EDR').secrets['token'])"
CHANGING = {  # the backup's own note, who was signed in, signs of life, the queue
    *("accounts_auditentry", "accounts_auditunsent", "django_session", "accounts_loginsession"),
    *("soar_heartbeat", "soar_queue"),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="soar-backup-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def counts(portal: Portal) -> dict[str, int]:
    found: dict[str, int] = json.loads(portal.manage("shell", "--no-imports", "-c", COUNTS).splitlines()[-1])
    return {table: number for table, number in found.items() if table not in CHANGING}


def refused(portal: Portal, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env=portal._environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode, done.stdout
    return done.stderr


def test_a_whole_portal_comes_back_in_a_new_data_folder(folder: Path) -> None:
    """Alerts, an incident, evidence, a secret. Encrypted, so nothing of it is in the file in plain text."""
    file, secret = folder / "all.backup", {"SOAR_BACKUP_PASSPHRASE": "correct horse battery"}
    old, new = Portal(folder / "old", **secret), Portal(folder / "new", **secret)
    old.manage("migrate")
    old.manage("shell", "--no-imports", "-c", FILL)
    old.manage(
        "connector", "create", "http", "EDR", "--set", "url=https://edr.example.com", "--secret", f"token={SECRET}"
    )
    before = counts(old)
    assert before["cases_evidence"] == 1 and before["cases_alert"] == 2 and before["cases_timelineentry"]
    assert "Encrypted" in old.manage("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes()[:2] != b"PK" and b"CREATE TABLE" not in file.read_bytes()
    assert "Restored the portal of" in new.manage("restore", str(file))
    assert counts(new) == before
    assert "every chain is whole" in new.manage("verify_timeline")
    assert "all whole" in new.manage("verify_evidence")
    assert new.manage("shell", "--no-imports", "-c", OPEN).splitlines()[-1] == SECRET
    assert "This portal holds data" in refused(new, "restore", str(file))
    assert "The passphrase is wrong" in refused(
        Portal(folder / "third", SOAR_BACKUP_PASSPHRASE="no"), "restore", str(file)
    )
    assert not list((folder / "new").glob(".restore-*"))
    assert stat.S_IMODE((folder / "new" / "encryption_key").stat().st_mode) == 0o600


# --- beside each other, in the database of the tests


@pytest.fixture
def portal(transactional_db: None, settings: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    settings.DATA_DIR = folder / "data"
    settings.DATA_DIR.mkdir()
    monkeypatch.delenv("SOAR_BACKUP_PASSPHRASE", raising=False)
    settings.ENCRYPTION_KEYS = ["the key of these tests"]
    incident = make_incident("Kept", make_alert("Beacon"))
    keep(incident)
    row = ConnectorAccount(kind="http", name="EDR")
    row.secrets = {"token": SECRET}
    row.save()
    return incident


def test_what_came_after_the_backup_is_gone_and_everything_else_is_as_it_was(portal: Incident, folder: Path) -> None:
    call_command("backup", folder / "a", verbosity=0)
    make_incident("Made later")
    Evidence.objects.get()
    Session.objects.create(session_key="x", session_data="", expire_date="2099-01-01T00:00Z")
    call_command("restore", folder / "a", "--replace", verbosity=0)
    assert [one.title for one in Incident.objects.all()] == ["Kept"]
    assert not report_of_all().findings
    assert not Session.objects.exists()
    assert ConnectorAccount.objects.get().secrets == {"token": SECRET}
    assert AuditEntry.objects.filter(verb="backup.restored").count() == 1
    call_command("backup", folder / "b", verbosity=0)  # a restored portal is one like any other
    call_command("restore", folder / "b", "--replace", verbosity=0)
    assert make_incident("Next").pk == portal.pk + 1


def test_a_lost_file_of_evidence_comes_back(portal: Incident, folder: Path, settings: Any) -> None:
    call_command("backup", folder / "a", verbosity=0)
    (path,) = [one for one in (settings.DATA_DIR / "evidence").rglob("*") if one.is_file()]
    content = path.read_bytes()
    path.unlink()
    call_command("restore", folder / "a", "--replace", verbosity=0)
    assert path.read_bytes() == content


def test_without_a_passphrase_it_says_so(portal: Incident, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("backup", folder / "a")
    assert "Not encrypted" in capsys.readouterr().out
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600
    with zipfile.ZipFile(folder / "a") as archive:
        assert json.loads(archive.read("manifest.json"))["files"].keys() == set(archive.namelist()) - {"manifest.json"}


def test_it_overwrites_nothing(portal: Incident, folder: Path) -> None:
    (folder / "a").write_text("mine")
    with pytest.raises(CommandError, match="overwrites nothing"):
        call_command("backup", folder / "a")
    assert (folder / "a").read_text() == "mine"
    assert not list(folder.glob(".a*"))


def test_data_are_not_overwritten_unless_told(portal: Incident, folder: Path) -> None:
    call_command("backup", folder / "a", verbosity=0)
    make_incident("Made later")
    with pytest.raises(CommandError, match="holds data"):
        call_command("restore", folder / "a")
    assert Incident.objects.count() == 2


def test_not_while_somebody_is_connected(portal: Incident, folder: Path) -> None:
    from soar.lib.database import own_connection

    call_command("backup", folder / "a", verbosity=0)
    with own_connection(), pytest.raises(CommandError, match="portal is running"):
        call_command("restore", folder / "a", "--replace")
    assert Incident.objects.count() == 1


def rewritten(source: Path, target: Path, change: Any) -> Path:
    """A copy of the backup with its contents, by name, passed through ``change``."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target


def other_evidence(parts: dict[str, bytes]) -> None:
    (name,) = [one for one in parts if one.startswith("evidence/")]
    parts[name] = parts[name].swapcase()


def stray_path(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    manifest["files"]["evidence/../../escaped"] = {"size": 1, "sha256": "0" * 64}
    parts.update({"evidence/../../escaped": b"x", "manifest.json": json.dumps(manifest).encode()})


def newer(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    manifest["migrations"].append("cases.9999_of_next_year")
    parts["manifest.json"] = json.dumps(manifest).encode()


def broken_dump(parts: dict[str, bytes]) -> None:
    """A dump that is whole by its hash and yet cannot be restored: it fails in the middle of the transaction."""
    import hashlib

    manifest, cut = json.loads(parts["manifest.json"]), parts["database.dump"][:-20_000]
    manifest["files"]["database.dump"] = {"size": len(cut), "sha256": hashlib.sha256(cut).hexdigest()}
    parts.update({"database.dump": cut, "manifest.json": json.dumps(manifest).encode()})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_evidence, "not what the manifest says"),
        (stray_path, "no portal writes"),
        (newer, "newer version of Soar"),
        (broken_dump, "not restored and is as it was"),
        (lambda parts: parts.pop("manifest.json"), "no whole backup"),
        (lambda parts: parts.pop("keys.json"), "no whole backup"),
    ],
)
def test_a_bad_backup_changes_nothing(portal: Incident, folder: Path, change: Any, words: str) -> None:
    call_command("backup", folder / "a", verbosity=0)
    make_incident("Made later")
    bad = rewritten(folder / "a", folder / "b", change)
    with pytest.raises(CommandError, match=words):
        call_command("restore", bad, "--replace")
    assert Incident.objects.count() == 2
    assert not (folder / "escaped").exists()
    assert ConnectorAccount.objects.get().secrets == {"token": SECRET}


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_what_is_no_backup_is_said(portal: Incident, folder: Path, content: bytes) -> None:
    (folder / "a").write_bytes(content)
    with pytest.raises(CommandError, match="no whole backup"):
        call_command("restore", folder / "a", "--replace")


def test_keys_that_would_not_open_the_secrets_are_refused(portal: Incident, folder: Path, settings: Any) -> None:
    call_command("backup", folder / "a", verbosity=0)
    settings.ENCRYPTION_KEYS = ["another key"]
    with pytest.raises(CommandError, match="SOAR_ENCRYPTION_KEYS lacks a key"):
        call_command("restore", folder / "a", "--replace")


def test_the_keys_of_the_backup_are_kept_where_none_are_given(
    portal: Incident, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("backup", folder / "a", verbosity=0)
    settings.ENCRYPTION_KEYS = []
    monkeypatch.setenv("SOAR_DATA", str(folder / "elsewhere"))
    crypto.forget_local_key()
    call_command("restore", folder / "a", "--replace", verbosity=0)
    assert ConnectorAccount.objects.get().secrets == {"token": SECRET}
    monkeypatch.undo()
    crypto.forget_local_key()


# --- the seal


@pytest.mark.parametrize("size", [0, 1, sealing.PIECE - 1, sealing.PIECE, sealing.PIECE + 1, 3 * sealing.PIECE])
def test_a_sealed_file_opens_with_its_passphrase(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    with (tmp_path / "a").open("wb") as out:
        sealer = sealing.Sealer(out, "a passphrase")
        sealer.write(content[:100])
        sealer.write(content[100:])
        sealer.close()
    assert sealing.is_sealed(tmp_path / "a")
    with (tmp_path / "b").open("wb") as out:
        sealing.unseal(tmp_path / "a", out, "a passphrase")
    assert (tmp_path / "b").read_bytes() == content


def test_the_key_of_a_backup_costs_what_owasp_asks_for(tmp_path: Path) -> None:
    """Opened here by what the format says, without our code: scrypt with N = 2**17, r = 8, p = 1, then AES-256-GCM."""
    with (tmp_path / "a").open("wb") as out:
        sealer = sealing.Sealer(out, "a passphrase")
        sealer.write(b"all of it")
        sealer.close()
    sealed = (tmp_path / "a").read_bytes()
    key = hashlib.scrypt(b"a passphrase", salt=sealed[8:24], n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
    assert AESGCM(key).decrypt(bytes(11) + b"\1", sealed[24:], None) == b"all of it"


def test_a_backup_of_before_opens_still(tmp_path: Path) -> None:
    key = hashlib.scrypt(b"a passphrase", salt=bytes(16), n=2**15, r=8, p=1, maxmem=2**28, dklen=32)
    piece = AESGCM(key).encrypt(bytes(11) + b"\1", b"all of it", None)
    (tmp_path / "a").write_bytes(b"SOARBAK1" + bytes(16) + piece)
    assert sealing.is_sealed(tmp_path / "a")
    with (tmp_path / "b").open("wb") as out:
        sealing.unseal(tmp_path / "a", out, "a passphrase")
    assert (tmp_path / "b").read_bytes() == b"all of it"


@pytest.mark.parametrize("end", [-1, 24 + sealing.PIECE + sealing.TAG, 24])
def test_a_cut_sealed_file_does_not_open(tmp_path: Path, end: int) -> None:
    with (tmp_path / "a").open("wb") as out:
        sealer = sealing.Sealer(out, "a passphrase")
        sealer.write(bytes(2 * sealing.PIECE))
        sealer.close()
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:end])
    with (tmp_path / "b").open("wb") as out, pytest.raises(BackupError, match="cut"):
        sealing.unseal(tmp_path / "a", out, "a passphrase")


def test_no_password_is_in_the_list_of_processes(settings: Any) -> None:
    from soar.backup.programs import address, environment

    settings.DATABASES["default"]["PASSWORD"] = "not-for-all"
    connection.settings_dict["PASSWORD"] = "not-for-all"
    try:
        assert "not-for-all" not in address()
        assert environment()["PGPASSWORD"] == "not-for-all"
    finally:
        connection.settings_dict["PASSWORD"] = ""
