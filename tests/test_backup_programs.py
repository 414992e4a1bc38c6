"""Which pg_dump a backup is made with: the newest that fits, or words for its lack before anything is written."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cases.models import Incident
from soar.backup import BackupError
from soar.backup.programs import NEEDED, programs, server_major
from soar.embedded import binaries
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident
from tests.test_backup import folder

__all__ = ["folder"]


def installed(place: Path, version: str, *, lacks: str = "") -> Path:
    """A folder with the client programs of some release, as far as they are asked for their version."""
    place.mkdir(parents=True)
    for name in NEEDED:
        if name != lacks:
            (place / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
            (place / name).chmod(0o755)
    return place


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without PostgreSQL, whose PATH is this folder alone."""
    monkeypatch.setattr(binaries, "PACKAGES", ())
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("SOAR_PG_BIN", raising=False)
    return tmp_path


def test_the_newest_release_of_the_servers_version_is_taken_wherever_it_is(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(bare / "debian/17/bin", "17.9")
    installed(bare / "debian/18/bin", "18.1 (Debian 18.1-1)")
    installed(bare / "debian/19/bin", "19.0")
    newest = installed(bare / "bin", "18.10")
    assert programs(18) == (newest, 18)
    assert programs(17) == (bare / "debian/17/bin", 17)
    assert programs(16) == (bare / "debian/17/bin", 17)  # the nearest that can read it
    monkeypatch.setenv("PATH", "")
    assert programs(18) == (bare / "debian/18/bin", 18)


def test_the_folder_that_is_set_comes_first_if_it_fits(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = installed(bare / "bin", "18.10")
    monkeypatch.setenv("SOAR_PG_BIN", str(installed(bare / "mine", "18.2")))
    assert programs(18) == (bare / "mine", 18)
    assert programs(17) == (bare / "mine", 18)
    monkeypatch.setenv("SOAR_PG_BIN", str(installed(bare / "old", "16.4")))
    assert programs(18) == (newest, 18)


def test_what_does_not_run_or_is_not_whole_is_passed_over(bare: Path) -> None:
    broken = installed(bare / "debian/19/bin", "19.0")
    (broken / "pg_dump").write_bytes(b"\x7fELF of another machine")
    installed(bare / "debian/20/bin", "20.0", lacks="psql")
    installed(bare / "debian/21/bin", "of nothing")
    good = installed(bare / "debian/18/bin", "18.4")
    assert programs(18) == (good, 18)
    with pytest.raises(
        BackupError, match=r"of PostgreSQL 19 or newer are needed here; the newest found are of 18\.4, in"
    ):
        programs(19)


@pytest.mark.django_db(transaction=True)
def test_an_older_one_that_is_set_does_not_stand_in_the_way(
    folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs are PostgreSQL's own: the server's version here, and an older one of the distribution."""
    older = [one for one in binaries.DEBIAN.glob("*/bin") if binaries.major(one, "pg_dump") < server_major()]
    assert older, "There is no older PostgreSQL here: apt-get install postgresql"
    settings.DATA_DIR = folder
    monkeypatch.setenv("SOAR_PG_BIN", str(older[0]))
    call_command("backup", folder / "a", verbosity=0)
    with zipfile.ZipFile(folder / "a") as archive:
        assert archive.testzip() is None and "database.dump" in archive.namelist()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("older", [True, False])
def test_without_one_that_fits_nothing_is_written(
    folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = folder / "data", ["the key of these tests"]
    settings.DATA_DIR.mkdir()
    incident = make_incident("Kept", make_alert("Beacon"))
    keep(incident)
    call_command("backup", folder / "a", verbosity=0)
    (path,) = [one for one in (settings.DATA_DIR / "evidence").rglob("*") if one.is_file()]
    path.unlink()
    make_incident("Made later")
    before = sorted(str(one) for one in folder.rglob("*"))
    monkeypatch.setattr(binaries, "PACKAGES", ())
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("SOAR_PG_BIN", raising=False)
    if not older:
        monkeypatch.setattr(binaries, "DEBIAN", folder / "none")
    found = r"the newest found are of \d+\." if older else "none were found"
    words = rf"PostgreSQL {server_major()} or newer are needed here.*{found}.*Nothing was written\."
    with pytest.raises(CommandError, match=words):
        call_command("backup", folder / "b")
    with pytest.raises(CommandError, match=words):
        call_command("restore", folder / "a", "--replace")
    assert sorted(str(one) for one in folder.rglob("*")) == before
    assert Incident.objects.count() == 2
