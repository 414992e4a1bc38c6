"""Playbook folders for tests, and a worker that is no process: it does what the queue says, here and now."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from django.db import connection

from playbooks import catalog, tasks
from playbooks.models import Playbook, Run

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
def folder(tmp_path: Path, settings) -> Folder:
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
    """Do everything that is queued, oldest first. Returns how many tasks there were."""
    done = 0
    while (task := _take()) is not None:
        name, args = task
        getattr(tasks, name.rpartition(".")[2])(*args)
        done += 1
    return done


def _take() -> tuple[str, list[int]] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM soar_queue WHERE id = (SELECT id FROM soar_queue WHERE task LIKE 'playbooks.%%'"
            " ORDER BY id LIMIT 1) RETURNING task, args"
        )
        row = cursor.fetchone()
    if row is None:
        return None
    import json

    return row[0], json.loads(row[1]) if isinstance(row[1], str) else row[1]


def only_run() -> Run:
    """The one run there is."""
    return Run.objects.select_related("playbook", "sequence").get()


def named(name: str) -> Playbook:
    """The playbook's row."""
    return Playbook.objects.get(name=name)
