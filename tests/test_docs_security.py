"""The table of docs/security.md is whole: every requirement of ASVS 5.0 up to level 2, and only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
# How many requirements of levels 1 and 2 each section of each chapter of ASVS 5.0.0 has.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2,
}  # fmt: skip
TEST = re.compile(r"\b((?:\w+/)?test_\w+\.py)(?:::(test_\w+))?")


def rows() -> list[list[str]]:
    """Number, what is asked, state, proof."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if re.match(r"\| \d", line)]


def test_every_requirement_has_its_row_once() -> None:
    numbers = [row[0] for row in rows()]
    assert len(numbers) == len(set(numbers)) == 253
    found = {section: sum(number.startswith(f"{section}.") for number in numbers) for section in SECTIONS}
    assert found == SECTIONS


def test_every_row_says_yes_and_why_or_what_is_missing() -> None:
    for number, asked, state, proof in rows():
        assert asked and state in ("yes", "partly", "no", "yours", "none"), number
        assert proof or state == "none", number


def test_every_test_that_is_named_is_there() -> None:
    for number, _asked, _state, proof in rows():
        for file, name in TEST.findall(proof):
            path = ROOT / "tests" / file
            assert path.is_file(), f"{number}: {file}"
            assert not name or re.search(rf"def {name}\b", path.read_text(encoding="utf-8")), f"{number}: {name}"
