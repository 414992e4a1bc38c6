"""What is done at a start and then ends: migrations and files before, demo data and lists beside the portal."""

from __future__ import annotations

import importlib.metadata
import sys
import threading
from pathlib import Path
from types import ModuleType

from soar.up.child import Child, Lifeline
from soar.up.console import say

TICK = 0.02
RANGE_SECONDS = "15"  # that the demo waits for the practice range, which starts beside it
LISTS = "pymispwarninglists"


class Jobs:
    """The one-time programs. A mark in the data folder remembers those that are done once and never again."""

    def __init__(self, settings: ModuleType, lifeline: Lifeline) -> None:
        self.children: list[Child] = []
        self._settings = settings
        self._lifeline = lifeline
        self._marks: dict[Child, tuple[Path, str]] = {}

    def prepare(self, stop: threading.Event) -> bool:
        """Migrate, collect files, make the first login; False when that failed or a stop was asked for."""
        child = self._start("setup", "prepare")
        while child.result is None and not stop.wait(TICK):
            child.look()
        self.children.remove(child)
        if child.result is None:
            child.stop()
        elif child.result:
            say("The portal cannot start; the lines above say why.")
        return child.result == 0

    def start_demo(self) -> None:
        """Load the demo data unless that was done in this data folder before."""
        mark = Path(self._settings.DATA_DIR) / "demo-loaded"
        if self._settings.DEMO and not mark.exists() and self._has("seed_demo"):
            say("demo: loading the demo data")
            self._marks[self._start("demo", "seed_demo", "--wait", RANGE_SECONDS)] = (mark, "1")

    def start_imports(self) -> None:
        """Import the bundled warning lists, once for each version of them."""
        mark = Path(self._settings.DATA_DIR) / "warninglists"
        version = importlib.metadata.version(LISTS)
        if self._has("warninglists") and (not mark.exists() or mark.read_text(encoding="ascii") != version):
            say("lists: importing the bundled warning lists in the background")
            self._marks[self._start("lists", "warninglists", "import", quiet=True)] = (mark, version)

    def busy(self) -> bool:
        """Whether any of them still runs."""
        return bool(self.children)

    def look(self) -> None:
        """Notice those that have ended, and remember the ones that went well."""
        for child in list(self.children):
            child.look()
            if child.result is not None:
                self.children.remove(child)
                self._done(child)

    def _done(self, child: Child) -> None:
        mark, text = self._marks.pop(child)
        if child.result:
            say(f"{child.name}: failed with code {child.result}; it is tried again at the next start")
        else:
            mark.write_text(text, encoding="ascii")
            say(f"{child.name}: done")

    def _start(self, name: str, *command: str, quiet: bool = False) -> Child:
        manage = Path(self._settings.BASE_DIR) / "manage.py"
        child = Child(name, [sys.executable, manage, *command], self._lifeline, once=True, quiet=quiet)
        self.children.append(child)
        child.start()
        return child

    def _has(self, command: str) -> bool:
        pattern = f"management/commands/{command}.py"
        rooms = ("soar", "soar/accounts", "soar/connectors", "cases", "playbooks")
        return any((Path(self._settings.BASE_DIR) / room / pattern).exists() for room in rooms)
