"""Whoever follows docs/new-connector.md to the letter has a connector that works (connectors.md 6)."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

import soar.connectors
import soar.standins
from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.models import ConnectorAccount
from soar.standins.server import Server
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder
from tests.response_tools import action, alert_of, graph, make_due, publish, run_now
from tests.test_docs import ROOT, blocks

__all__ = ["folder"]
PAGE = "docs/new-connector.md"
TABLES = ("soar/connectors/registry.py", "soar/standins/registry.py")


def files() -> dict[str, str]:
    """The files that the page shows, by their names."""
    found = {}
    for block in blocks(PAGE, "python", tried=False):
        first, _, code = block.partition("\n")
        assert re.fullmatch(r"# [\w/]+\.py", first), first
        found[first[2:]] = code
    return found


def extended(path: str, shown: str) -> str:
    """The registry with the lines that the page shows: the import to the others, the line into the table."""
    told = shown.splitlines()
    (imported,) = [line for line in told if line.startswith("from ")]
    entry = told[told.index("    # ...") + 1]
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    (head,) = [place for place, line in enumerate(lines) if line == told[2]]
    end = next(place for place in range(head, len(lines)) if lines[place] in ("}", ")"))
    lines.insert(end, entry)
    lines.insert(lines.index("from __future__ import annotations") + 2, imported)
    return "\n".join(lines) + "\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The project as somebody has it who followed the page."""
    top = tmp_path / "project"
    for folder_ in (top, top / "soar"):
        folder_.mkdir()
        for one in (ROOT / folder_.relative_to(top)).iterdir():
            if one.name not in ("soar", "connectors", "standins", "var", ".git", "manage.py"):
                (folder_ / one.name).symlink_to(one)
    shutil.copy(ROOT / "manage.py", top)  # Python looks for modules beside where a link leads
    for name in ("connectors", "standins"):
        shutil.copytree(ROOT / "soar" / name, top / "soar" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, code in files().items():
        if not path.startswith("tests/"):
            (top / path).parent.mkdir(exist_ok=True)
            (top / path).write_text(extended(path, code) if path in TABLES else code, encoding="utf-8")
    return top


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """For processes of that project, with the database of the test."""
    given = connection.get_connection_params()
    named = {key: given[key] for key in ("host", "port", "user", "password", "dbname") if given.get(key)}
    address = " ".join(f"{key}='{value}'" for key, value in named.items())
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "DATABASE_URL": address, "PATH": path, "SOAR_DATA": str(tmp_path / "data")}


@pytest.fixture
def address(tree: Path, environment: dict[str, str]) -> Iterator[str]:
    """Where ``manage.py standins`` of that project serves the new product."""
    command = [sys.executable, "manage.py", "standins"]
    with subprocess.Popen(command, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True) as range_:
        assert range_.stdout is not None
        try:
            yield json.loads(range_.stdout.readline())["acme"]["url"]
        finally:
            range_.terminate()


@pytest.mark.django_db(transaction=True)
def test_the_commands_make_an_account_that_works(tree: Path, environment: dict[str, str], address: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(blocks(PAGE, "sh", tried=False))],
        cwd=tree,
        env={**environment, "ACME": address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Acme takes the token of practice." in done.stdout and "API token" in done.stdout
    account = ConnectorAccount.objects.get()
    assert (account.kind, account.name, account.last_error) == ("acme", "Acme EDR", "")


@pytest.fixture
def acme(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The new kind, known here."""
    monkeypatch.setattr(soar.connectors, "__path__", [*soar.connectors.__path__, str(tree / "soar/connectors")])
    monkeypatch.setattr(soar.standins, "__path__", [*soar.standins.__path__, str(tree / "soar/standins")])
    module = importlib.import_module("soar.connectors.acme.connector")
    monkeypatch.setitem(registry.KINDS, "acme", module.KIND)
    yield importlib.import_module("soar.standins.acme")
    for name in [name for name in sys.modules if name.startswith(("soar.connectors.acme", "soar.standins.acme"))]:
        del sys.modules[name]


@pytest.mark.django_db
def test_the_test_of_the_page_passes(acme: Any) -> None:
    defined: dict[str, Any] = {"__name__": "shown"}
    exec(compile(files()["tests/test_acme.py"], PAGE, "exec"), defined)
    tests = [found for name, found in defined.items() if name.startswith("test_")]
    for test in tests:
        test()
        ConnectorAccount.objects.all().delete()
    assert len(tests) == 3


@pytest.mark.django_db(transaction=True)
def test_pages_and_playbooks_know_it(acme: Any, folder: Folder, admin: User) -> None:
    page_of = client_of(admin)
    assert "Acme EDR" in page_of.get("/connectors/new/").content.decode()
    with Server([acme.Acme()]) as server:
        sent = {"name": "Acme EDR", "set_url": server.urls["acme"]["url"], "set_allow_internal": "on"}
        made = page_of.post("/connectors/new/acme/", {**_usual(page_of), **sent, "secret_token": "practice"})
        assert made.status_code == 302, made.content.decode()
        account = ConnectorAccount.objects.get()
        assert "Acme takes the token" in page_of.post(f"/connectors/{account.pk}/test/", follow=True).content.decode()
        run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of(hostname="ws-7", entities=[]))
        for _ in range(6):
            make_due()
        run.refresh_from_db()
        assert run.status == "successful", [task.reason for task in run.tasks.all()]
        assert server.standins["acme"].state["effects"] == 1


def _usual(client: Client) -> dict[str, str]:
    """What the form proposes."""
    settings = registry.KINDS["acme"].all_settings()
    return {f"set_{one.name}": str(one.default) for one in settings if one.form != "flag"}
