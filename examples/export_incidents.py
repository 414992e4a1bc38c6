"""Write the open incidents as CSV: export_incidents.py > incidents.csv

SOAR_URL is the address of the portal, SOAR_TOKEN an API token."""

from __future__ import annotations

import csv
import os
import re
import sys
from typing import TextIO

from soar_client import Soar

COLUMNS = ("number", "title", "severity", "status", "team", "created_at", "url")


def main(to: TextIO) -> None:
    """One line an incident; the owners stand in one column. A text that a spreadsheet would take for a formula is
    made harmless."""
    writer = csv.writer(to)
    writer.writerow([*COLUMNS, "owners"])
    with Soar(os.environ["SOAR_URL"], os.environ["SOAR_TOKEN"]) as soar:
        for row in soar.incidents(status="open", page_size=200):
            owners = " ".join(owner["username"] for owner in row["owners"])
            writer.writerow([_plain(row.get(name)) for name in COLUMNS] + [_plain(owners)])


def _plain(value: object) -> str:
    # Where the semicolon parts cells, what stands behind one is a cell of its own.
    text = re.sub(r'([;\t\r\n])(?="*[=+\-@])', r"\1'", "" if value is None else str(value))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


if __name__ == "__main__":
    main(sys.stdout)
