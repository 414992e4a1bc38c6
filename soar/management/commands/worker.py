"""``manage.py worker``: runs queued tasks (contract: commands)."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from soar.worker import run


class Command(BaseCommand):
    """Works until SIGTERM or Ctrl-C."""

    help = "Run queued tasks. Start as many, on as many hosts, as you like."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns when told to stop."""
        sys.exit(run())
