"""Make an alert of each line of a CSV file (title, severity, hostname): post_alerts.py alerts.csv

SOAR_URL is the address of the portal, SOAR_TOKEN an API token that may work on cases."""

from __future__ import annotations

import csv
import os
import sys

from soar_client import Problem, Soar


def main(name: str) -> int:
    """Returns how many lines were refused."""
    refused = 0
    with (
        Soar(os.environ["SOAR_URL"], os.environ["SOAR_TOKEN"]) as soar,
        open(name, newline="", encoding="utf-8") as file,
    ):
        for row in csv.DictReader(file):
            try:
                alert = soar.create_alert(row["title"], severity=row["severity"], hostname=row["hostname"])
            except Problem as problem:
                refused += 1
                print(f"{row['title']}: {problem}", file=sys.stderr)
            else:
                print(alert["number"], alert["url"])
    return refused


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1]), 1))
