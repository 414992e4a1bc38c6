"""``manage.py up``: the whole portal in the foreground (contract: commands)."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from soar.up.supervisor import main


class Command(BaseCommand):
    """Runs until Ctrl-C. manage.py itself comes here without loading the applications, to stay small."""

    help = "Start database, web, worker and scheduler, and keep them running until Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns when told to stop."""
        sys.exit(main())
