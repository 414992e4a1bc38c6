"""Print what happens in an incident until it is closed: follow_case.py INC-7

SOAR_URL is the address of the portal, SOAR_TOKEN an API token."""

from __future__ import annotations

import os
import sys
import time

from soar_client import Soar

ENDED = ("resolved", "closed")


def main(number: str, *, every: float = 5.0) -> None:
    """Asks every few seconds, and prints each entry once."""
    seen: set[int] = set()
    with Soar(os.environ["SOAR_URL"], os.environ["SOAR_TOKEN"]) as soar:
        while True:
            ended = soar.incident(number)["status"] in ENDED  # before reading, so that nothing is missed
            for entry in soar.timeline(number):
                if entry["id"] not in seen:
                    seen.add(entry["id"])
                    print(entry["recorded_at"], entry["actor"]["name"], entry["kind"], entry["text"])
            if ended:
                return
            time.sleep(every)


if __name__ == "__main__":
    main(sys.argv[1])
