"""The practice range for browser tests: its stand-ins with the accounts of a portal that has just started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from playbooks.models import ResponseTask, Run
from playbooks.response import crew
from soar.connectors import practice
from soar.paths import data_dir
from soar.standins import folder
from soar.standins import practice_range as program
from soar.standins.server import Server
from tests.playbook_files import until, work
from tests.response_tools import make_due


class Story:
    """The practice range, asked as anybody can ask it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def state(self, kind: str) -> Any:
        """What a stand-in was told."""
        return httpx.get(f"{self.server.urls[kind]['control']}/state", timeout=60).json()

    def isolated(self) -> set[str]:
        """The hosts that are off the network, as their agents are called."""
        return {name for name, about in self.state("visionone")["endpoints"].items() if about["isolated"]}

    def subjects(self) -> list[str]:
        """Of the mails, in order."""
        return [mail["subject"] for mail in self.state("smtp")["messages"]]


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Story]:
    """The range of a portal that has just started, with its accounts."""
    if (key := data_dir() / "encryption_key").exists():  # what there is already is read with it
        copy(key, tmp_path)
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    folder._range.cache_clear()
    with program.made() as server:
        practice.connect(server)
        program.remember(server, os.getpid())
        yield Story(server)
        crew.Crew.rest()
    folder._range.cache_clear()


def say(command: str, *arguments: str, **options: Any) -> str:
    """What a command says."""
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


def settle() -> None:
    """As if the workers had had some seconds: no run waits for anything but people."""
    work()
    under_way = Run.objects.filter(playbook__kind="response", status__in=("queued", "in_progress"))
    to_tell = ResponseTask.objects.filter(status__in=("queued", "in_progress"))

    def settled() -> bool:
        make_due()
        return not under_way.exists() and not to_tell.exists()

    until(settled, 120)
