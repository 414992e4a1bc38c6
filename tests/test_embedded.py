"""The embedded database: private, kept over restarts and kills, with one owner at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from soar.embedded import EmbeddedError, Server
from soar.embedded.errors import InUse
from soar.embedded.processes import living_in
from tests.cluster import _memory

OPTIONS = {"fsync": "off", "shared_buffers": "32MB"}  # a kill loses nothing that the system was given

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a length that a socket can live in, which a service user can pass through."""
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="soar-pg-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    made = Server(folder / "data", folder / "data" / "run", OPTIONS)
    made.start()
    yield made
    made.stop()


def write(server: Server) -> None:
    with psycopg.connect(server.dsn("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def count(server: Server) -> int:
    with psycopg.connect(server.dsn("postgres")) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row
    return int(row[0])


def test_data_stay_over_a_restart(server: Server) -> None:
    write(server)
    server.stop()
    server.start()
    assert count(server) == 1


def test_it_starts_again_after_a_kill(server: Server) -> None:
    write(server)
    assert server.process
    server.process.kill()
    server.process.wait()
    server.start()
    assert count(server) == 1


def test_a_reused_process_id_in_the_pid_file_does_not_stop_the_start(server: Server) -> None:
    """After a reboot the number in postmaster.pid can be anybody's."""
    write(server)
    server.stop()
    (server.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{server.cluster}\n0\n5432\n\n\n\n\n")
    server.start()
    assert count(server) == 1


def test_a_second_owner_is_refused_in_one_line(server: Server) -> None:
    second = Server(server.data, server.socket, OPTIONS)
    with pytest.raises(InUse, match=rf"is in use by .*process {os.getpid()}"):
        second.start()
    write(server)


def test_nobody_else_can_read_or_connect(server: Server) -> None:
    for path in (server.cluster, server.socket, server.log.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.data).stat().st_mode) & 0o007 == 0
    with psycopg.connect(server.dsn("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_folders_above_keep_their_rights(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o711)
    before = [stat.S_IMODE(path.stat().st_mode) for path in (folder, closed)]
    server = Server(closed / "data", closed / "data" / "run", OPTIONS)
    server.start()
    server.stop()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, closed)] == before


def test_data_of_another_major_version_are_explained(server: Server) -> None:
    server.stop()
    (server.cluster / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="are of PostgreSQL 12, the programs of"):
        server.start()


def test_a_half_made_cluster_does_not_count(folder: Path) -> None:
    half = folder / "data" / "postgres" / "pgdata.new"
    server = Server(folder / "data", folder / "data" / "run", OPTIONS)
    server.start()
    server.stop()
    half.mkdir()
    (half / "PG_VERSION").write_text("half")
    server.start()
    write(server)
    server.stop()


def test_a_socket_folder_of_someone_else_is_refused(folder: Path) -> None:
    elsewhere = folder / "socket"
    elsewhere.symlink_to(folder)
    os.lchown(elsewhere, os.getuid(), os.getgid())
    server = Server(folder / "data", folder / "socket" / "x", OPTIONS)
    (folder / "x").write_text("a file, not a folder")
    with pytest.raises(EmbeddedError, match="is not a folder of the database's user"):
        server.start()


def test_wrong_programs_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_PG_BIN", str(folder))
    with pytest.raises(EmbeddedError, match="holds no postgres and initdb"):
        Server(folder / "data", folder / "data" / "run", OPTIONS).start()


@pytest.mark.skipif(sys.platform != "linux", reason="the signal at a parent's death is Linux's")
def test_nothing_is_left_when_the_owner_is_killed(folder: Path) -> None:
    program = (
        "import sys, time, pathlib; from soar.embedded import Server;"
        "d = pathlib.Path(sys.argv[1]); s = Server(d, d / 'run', {'fsync': 'off'}); s.start();"
        "print(s.cluster, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(folder / "d")], stdout=subprocess.PIPE, cwd=ROOT)
    assert owner.stdout
    cluster = Path(owner.stdout.readline().decode().strip())
    assert living_in(cluster)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    after = Server(folder / "d", folder / "d" / "run", OPTIONS)
    after.start()  # waits until the old one has gone
    write(after)
    after.stop()
    assert not living_in(cluster)
