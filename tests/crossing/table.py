"""The answers that are expected, as a table of words, and the words of an answer."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("expected.txt")
WRITE = bool(os.environ.get("SOAR_CROSSING_WRITE"))
SIGN_IN = "/accounts/login/"
CONFIRM = "/accounts/reauthenticate/"
WIDE = 78  # of the first column, whatever stands in it: one new line is one new line in a comparison


def word_of(answer: Any) -> str:
    """What an answer means to whoever knocked. ``in``: it was dealt with, be it that the empty form was refused."""
    status = answer.status_code
    where = answer["Location"] if status in (301, 302) else ""
    if status == 401 or where.startswith(SIGN_IN):
        return "login"
    if where.startswith(CONFIRM):
        return "confirm"
    named = {403: "forbidden", 404: "missing", 405: "method"}
    return named.get(status, "in" if status < 500 else str(status))


def is_told(words: str) -> bool:
    """Whether a row says anything: not what a page does not know for anybody, as GET of a button."""
    return "method" not in words or bool(set(words.split()) - {"method", "login", "-"})


def expected() -> dict[str, str]:
    """By operation and subject, the words in the order of the columns."""
    if not FILE.exists():
        return {}
    lines = (line for line in FILE.read_text().splitlines() if line and not line.startswith("#"))
    return {key.strip(): " ".join(words.split()) for key, _, words in (line.partition("|") for line in lines)}


def write(rows: dict[str, str], columns: tuple[str, ...]) -> None:
    """Put these rows into the table, beside those of other operations and of other processes of the run."""
    with FILE.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _write({**expected(), **rows}, columns)


def _write(there: dict[str, str], columns: tuple[str, ...]) -> None:
    lines = [
        "# What everybody gets to hear who knocks (with what: bodies.py). After a change of who may do what, look at",
        "# each line that differs before it is written anew: SOAR_CROSSING_WRITE=1 pytest tests/crossing",
        "# What is 405 for everybody is not here.",
        f"# {'':{WIDE - 2}} | {_row(' '.join(columns))}".rstrip(),
        *(f"{key:{WIDE}} | {_row(words)}".rstrip() for key, words in sorted(there.items()) if is_told(words)),
    ]
    FILE.write_text("\n".join(lines) + "\n")


def _row(words: str) -> str:
    return " ".join(f"{word:9}" for word in words.split())
