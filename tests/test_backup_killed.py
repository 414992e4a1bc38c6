"""Backups and restores that meet each other or are killed: no broken file is called good, nothing stays in clear."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from soar.backup import BackupError, writing
from soar.backup.folders import marked, sweep
from soar.backup.reading import opened
from tests.portal import ROOT

pytestmark = pytest.mark.django_db
HOLD = (
    "import sys; from pathlib import Path; from soar.backup.folders import marked\n"
    "with marked(lambda: Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that works with this file or folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_another_backup_of_the_same_name_is_left_alone_while_it_is_written(tmp_path: Path) -> None:
    target = tmp_path / "nightly.backup"
    other = tmp_path / ".nightly.backup.0123.part"
    other.write_bytes(b"half")
    writer = holder(other)
    writing.write(target)
    assert other.read_bytes() == b"half"
    with opened(target, tmp_path / "data") as found:
        assert found.dump.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    killed(writer)
    writing.write(tmp_path / "later.backup")
    assert other.exists(), "it is of another name"
    with pytest.raises(BackupError, match="there already"):
        writing.write(target)
    target.unlink()
    writing.write(target)
    assert not other.exists(), "what a killed one left is swept away by the next"


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a share or a stick has none; the system call is what refuses."""

    def refused(*_given: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    writing.write(tmp_path / "nightly.backup")
    assert [one.name for one in tmp_path.iterdir()] == ["nightly.backup"]
    with opened(tmp_path / "nightly.backup", tmp_path / "data") as found:
        assert found.dump.stat().st_size


def test_a_file_system_without_hard_links_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(BackupError, match="cannot be written"):
        writing.write(tmp_path / "nightly.backup")
    assert list(tmp_path.iterdir()) == [], "an empty file would look like a backup"


@pytest.mark.parametrize("folder", [True, False])
def test_what_was_just_made_is_not_swept_away(tmp_path: Path, folder: bool) -> None:
    """The sweep comes between the making and the mark: another one is made."""
    made: list[Path] = []

    def make() -> Path:
        path = tmp_path / f".restore-{len(made)}"
        path.mkdir() if folder else path.touch()
        made.append(path)
        if len(made) < 3:
            sweep([path])
        return path

    with marked(make) as given:
        assert given == made[2] and given.exists()
        sweep([given])
        assert given.exists()
    sweep([given])
    assert not given.exists()


def test_many_at_once_each_keep_theirs_under_sweeps(tmp_path: Path) -> None:
    over = threading.Event()

    def sweeping() -> None:
        while not over.is_set():
            sweep(tmp_path.glob(".restore-*"))

    sweeper = threading.Thread(target=sweeping)
    sweeper.start()
    try:
        for _time in range(300):
            with marked(lambda: Path(tempfile.mkdtemp(prefix=".restore-", dir=tmp_path))) as folder:
                (folder / "keys.json").write_text("{}", encoding="ascii")
                assert (folder / "keys.json").exists()
    finally:
        over.set()
        sweeper.join()


def test_what_a_killed_restore_left_open_is_removed_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "x.backup"
    writing.write(target, "a passphrase")
    left, busy = tmp_path / "data/.restore-left", tmp_path / "data/.restore-busy"
    for folder in (left, busy):
        folder.mkdir(parents=True)
        (folder / "keys.json").write_text("{}", encoding="ascii")
    killed(holder(left))
    restorer = holder(busy)
    with opened(target, tmp_path / "data", "a passphrase") as found:
        assert not left.exists() and (busy / "keys.json").exists()
        assert not (found.folder / "backup.zip").exists(), "the opened zip is not kept beside its contents"
    killed(restorer)


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    target = tmp_path / "x.backup"
    writing.write(target)
    with pytest.raises(BackupError, match="cannot be opened"), opened(target, Path("/dev/full/data")):
        pass
