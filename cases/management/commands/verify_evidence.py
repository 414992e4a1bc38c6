"""``manage.py verify_evidence [--incident N]``: are the files of evidence there and what they were (casework.md 12)?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.errors import Missing
from cases.evidence_check import check
from cases.models import Incident
from cases.permissions import parse_number


class Command(BaseCommand):
    """Prints a line for each finding and ends with 1; without findings, how much was read, and 0."""

    help = "Read all files of evidence again and compare their hashes: changed, missing and superfluous files."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Without a number, all evidence, and files that no row names."""
        parser.add_argument("--incident", metavar="N", help="one incident (42 or INC-42)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a number that is not there."""
        report = check(_incident(options["incident"]))
        for finding in report.findings:
            self.stdout.write(finding)
        if report.bad:
            sys.exit(1)
        self.stdout.write(
            f"{report.pieces} pieces of evidence in {report.files} files, {report.size} bytes: all whole."
        )


def _incident(given: str | None) -> Incident | None:
    if given is None:
        return None
    try:
        return Incident.objects.get(pk=parse_number(given, "INC"))
    except (Missing, Incident.DoesNotExist):
        raise CommandError(f"There is no {given}.") from None
