"""Playbook folders for tests, and a worker that is no process: it does what the queue says, here and now."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.utils import timezone

from playbooks import catalog, tasks
from playbooks.models import Playbook, Run
from playbooks.response.crew import Crew

PATIENCE = 20.0  # seconds for what is under way; a test of a slow product has less
HEAD = """
import asyncio
from playbooks import *
"""


class Folder:
    """A folder of Python playbooks that the settings name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, source: str, name: str = "one.py") -> Path:
        """A file with the usual imports; workers see it at their next look only after ``reload``."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
        return path

    def load(self, source: str, name: str = "one.py") -> None:
        """Write a file and reload."""
        self.write(source, name)
        reload()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Folder]:
    """An empty playbook folder, the only one."""
    path = tmp_path / "playbooks"
    path.mkdir()
    settings.PLAYBOOK_DIRS = [path]
    catalog.forget()
    yield Folder(path)
    catalog.forget()


def reload() -> None:
    """As the reload button does it."""
    from cases.actors import Actor
    from playbooks.actions import reload as reload_action

    reload_action(Actor.system())


def work() -> int:
    """Do everything that is queued, oldest first, and what that asks of the crew. Returns how many tasks there were."""
    done = 0
    while (task := _next()) is not None:
        name, args = task
        getattr(tasks, name.rpartition(".")[2])(*args)
        done += 1
    return done


def _next() -> tuple[str, list[int]] | None:
    """The next task, which may be one that the crew has made."""
    task = _take()
    if task is None and Crew.is_busy():
        Crew.work(PATIENCE)
        task = _take()
    return task


def _take() -> tuple[str, list[int]] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM soar_queue WHERE id = (SELECT id FROM soar_queue WHERE task LIKE 'playbooks.%%'"
            " ORDER BY id LIMIT 1) RETURNING task, args"
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return row[0], json.loads(row[1]) if isinstance(row[1], str) else row[1]


def only_run() -> Run:
    """The one run there is."""
    return Run.objects.select_related("playbook", "sequence").get()


def named(name: str) -> Playbook:
    """The playbook's row."""
    return Playbook.objects.get(name=name)


def execute_elsewhere(run: int, folder: Folder) -> subprocess.Popen[bytes]:
    """A worker in a process of its own that executes this run."""
    code = (
        "import django; django.setup()\n"
        "from pathlib import Path\n"
        "from django.conf import settings\n"
        f"settings.PLAYBOOK_DIRS = [Path({str(folder.path)!r})]\n"
        "from playbooks import engine\n"
        f"engine.execute({run})\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1])


def _environment() -> dict[str, str]:
    given = connection.settings_dict
    parts = {"dbname": given["NAME"], "user": given["USER"], "password": given["PASSWORD"]}
    parts |= {"host": given["HOST"], "port": str(given["PORT"] or "")}
    url = "postgresql:///?" + urlencode({key: value for key, value in parts.items() if value})
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that another process or thread does. Fails after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.02)


def kill_in_flight(run: int, folder: Folder, ready: Callable[[], object]) -> None:
    """Execute the run elsewhere, kill -9 the worker as soon as ``ready``, and let its lease run out."""
    worker = execute_elsewhere(run, folder)
    try:
        until(ready)
    finally:
        worker.kill()
        worker.wait()
    lapse(run)


def lapse(run: int) -> None:
    """As if the lease's seconds had passed."""
    Run.objects.filter(pk=run, status="in_progress").update(lease_until=timezone.now() - timedelta(seconds=1))
