"""`manage.py up`: one command starts everything, one Ctrl-C stops it, and what is wrong is said in one line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.cluster import _memory
from tests.portal import ROOT, Portal, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="soar-up-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def portal(folder: Path) -> Iterator[Portal]:
    made = Portal(folder / "data")
    try:
        made.start()
        yield made
    finally:
        made.clean_up()


def last_line(portal: Portal) -> str:
    assert portal.process is not None
    portal.process.wait(30)
    portal.wait(lambda: bool(portal.lines), 5, "nothing was said")
    return portal.lines[-1]


def test_the_ready_line_is_the_last_and_names_the_address(portal: Portal) -> None:
    assert f"ready: {portal.url}/" in portal.lines
    assert portal.client.get("/readyz").json()["status"] == "ok"


def test_the_given_password_is_not_printed(portal: Portal) -> None:
    assert not any(portal.environment["SOAR_ADMIN_PASSWORD"] in line for line in portal.lines)


def test_static_files_are_served_compressed_and_for_ever(portal: Portal) -> None:
    page = portal.client.get("/accounts/login/").text
    address = page.partition('href="/static/css/')[2].partition('"')[0]
    answer = portal.client.get(f"/static/css/{address}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] in ("br", "gzip")


@pytest.mark.parametrize(
    "path",
    [
        *("/static/", "/static/css/", "/.git/config", "/.env", "/manage.py"),
        *("/static/../manage.py", "/static/%2e%2e/%2e%2e/secret_key", "/static/..%2f..%2fsecret_key", "/evidence/"),
    ],
)
def test_nothing_but_the_static_files_is_served_and_no_folder_listed(portal: Portal, path: str) -> None:
    answer = portal.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code in (302, 404), path  # pages lead strangers to the login
    for told in (portal.data.joinpath("secret_key").read_text(), "soar.css", "[core]", "DJANGO_SETTINGS_MODULE"):
        assert answer.status_code == 302 or told not in answer.text


def test_a_second_start_on_the_same_data_is_refused(portal: Portal) -> None:
    second = Portal(portal.data)
    second.launch()
    assert "Soar already runs here" in last_line(second)
    assert second.process
    assert second.process.returncode == 1
    assert len(second.lines) == 1


def test_a_port_in_use_is_named(folder: Path) -> None:
    other = Portal(folder / "other")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.port))
        taken.listen()
        other.launch()
        assert f"Port {other.port} on 127.0.0.1 is in use." in last_line(other)
    assert len(other.lines) == 1


def test_a_setting_that_is_wrong_is_named(folder: Path) -> None:
    other = Portal(folder / "other", SOAR_TASK_WORKERS="some")
    other.launch()
    assert "SOAR_TASK_WORKERS='some' is not a whole number" in last_line(other)
    assert len(other.lines) == 1


def test_a_command_works_beside_it(portal: Portal) -> None:
    assert portal.manage("migrate", "--check") == ""


def test_a_rate_holds_for_both_web_processes_together(portal: Portal) -> None:
    """One call a second: of many at once, on connections of their own, one is taken, and one for each second more."""
    made = json.loads(portal.manage("source", "create", "Busy", "--kind", "generic"))
    admin = json.loads(portal.manage("token", "create", "admin", "--name", "rates"))["token"]
    changed = portal.client.patch(
        f"/api/v1/sources/{made['slug']}/", json={"rate_per_second": 1}, headers={"Authorization": f"Bearer {admin}"}
    )
    assert changed.status_code == 200, changed.text
    assert len(portal.pids("web")) > 2, "a parent and two that answer"
    url, headers = f"{portal.url}/api/v1/ingest/{made['slug']}/", {"Authorization": f"Bearer {made['token']}"}

    def sent(number: int) -> int:
        return httpx.post(url, json={"title": "Beacon", "id": str(number)}, headers=headers, timeout=60).status_code

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(sent, range(32)))
    assert set(codes) == {201, 429}
    assert codes.count(201) <= 1 + time.monotonic() - started


def test_a_killed_worker_comes_back(portal: Portal) -> None:
    former = portal.kill("worker")
    portal.heal("worker", former)


def test_a_killed_database_comes_back_and_pages_work(portal: Portal) -> None:
    former = portal.kill("database")
    portal.heal("database", former)
    assert portal.client.get("/accounts/login/").status_code == 200


def test_ctrl_c_stops_everything(portal: Portal) -> None:
    assert portal.stop() == 0
    assert portal.all() == []
    assert "stopped in" in portal.lines[-1]


def test_a_command_starts_the_database_for_itself(portal: Portal) -> None:
    assert portal.manage("migrate", "--check") == ""
    assert portal.all() == []


def test_a_command_for_another_folder_says_so_and_makes_nothing(folder: Path) -> None:
    given = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    said = subprocess.run(
        [sys.executable, ROOT / "manage.py", "source", "create", "Lost"],
        capture_output=True,
        text=True,
        check=False,
        env={**given, "SOAR_DATA": str(folder / "other")},
    )
    assert said.returncode == 1
    assert said.stderr.startswith(f"There is no database in {(folder / 'other').resolve()} yet.")
    assert len(said.stderr.splitlines()) == 1
    assert not (folder / "other" / "postgres").exists()


def test_any_python_goes_on_in_the_environment_of_make(folder: Path) -> None:
    if not (ROOT / ".venv").exists():
        return  # an environment of another kind: there is nothing to go on in
    program = "import sys; sys.argv[0] = 'manage.py'; import manage; manage.os.execv = print; manage.use_environment()"
    environment = {**os.environ, "PORT": str(free_port())}
    said = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.prefix = '/usr'; {program}"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert ".venv/bin/python" in said.stdout
