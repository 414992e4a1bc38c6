"""``manage.py verify_timeline [--incident N] [--alert N]``: is the evidence whole (casework.md 15)?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.errors import Missing
from cases.models import Alert, Incident
from cases.permissions import parse_number
from cases.verify import Report, report_of_alert, report_of_all, report_of_incident


class Command(BaseCommand):
    """Prints a line for each finding and ends with 1; without findings, how much was read, and 0."""

    help = "Verify the hash chains of the timeline: changed, missing and reordered entries, a cut end."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Without either, every chain is read."""
        one = parser.add_mutually_exclusive_group()
        one.add_argument("--incident", metavar="N", help="one incident and its alerts (42 or INC-42)")
        one.add_argument("--alert", metavar="N", help="one alert (42 or ALR-42)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a number that is not there."""
        report = _report(options["incident"], options["alert"])
        for finding in report.findings:
            self.stdout.write(str(finding))
        if report.findings:
            sys.exit(1)
        self.stdout.write(f"{report.entries} entries of {report.subjects} alerts and incidents: every chain is whole.")


def _report(incident: str | None, alert: str | None) -> Report:
    try:
        if incident:
            return report_of_incident(Incident.objects.get(pk=parse_number(incident, "INC")))
        if alert:
            return report_of_alert(Alert.objects.get(pk=parse_number(alert, "ALR")))
    except (Missing, Incident.DoesNotExist, Alert.DoesNotExist):
        raise CommandError(f"There is no {incident or alert}.") from None
    return report_of_all()
