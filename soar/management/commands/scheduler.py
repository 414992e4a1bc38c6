"""``manage.py scheduler``: calls what is due (contract: commands)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from soar.scheduler import run


class Command(BaseCommand):
    """Schedules until SIGTERM or Ctrl-C."""

    help = "Call what is due. Of several schedulers on one database one acts at a time."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns when told to stop."""
        run()
