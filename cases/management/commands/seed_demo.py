"""``manage.py seed_demo`` and ``seed_demo --remove``: the demo data (docs/demo.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Make the demo data, or take them away again. Doing it twice changes nothing."""

    help = "Load believable demo data: alerts of two weeks, incidents, people. --remove takes all of it away again."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--remove`` and ``--wait``."""
        parser.add_argument("--remove", action="store_true", help="remove the demo data")
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help="wait so long for the practice range to be up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Says in one line what was done."""
        self.stdout.write(_remove() if options["remove"] else _seed(options["wait"]))


def _seed(wait: float) -> str:
    from cases.dashboard.counting import count_hours
    from cases.demo.seeding import seed
    from cases.demo.stage import parts

    made = seed()
    if made is None:
        return "The demo data are there already."
    count_hours()  # the dashboard shows the two weeks at once
    more = [part.begin(made.stage, wait) for part in parts()]
    return " ".join([f"Demo data loaded: {made.alerts} alerts, {made.incidents} incidents.", *filter(None, more)])


def _remove() -> str:
    from cases.demo.removal import remove

    gone = remove()
    if gone is None:
        return "There are no demo data."
    kept = f" Kept, because others use them: {', '.join(gone.kept)}." if gone.kept else ""
    return f"Demo data removed: {gone.alerts} alerts, {gone.incidents} incidents.{kept}"
