"""The table of answers: of what there is, and all of it."""

from __future__ import annotations

from tests.crossing import table, test_calls, test_calls_rest, test_pages, test_pages_rest, test_pages_setup
from tests.crossing.operations import GROUPS, everything
from tests.crossing.world import RESTRICTED

FILES = (test_calls, test_calls_rest, test_pages, test_pages_rest, test_pages_setup)


def test_the_table_holds_nothing_that_is_gone() -> None:
    there = {str(one).strip() for one in everything()}  # the first page has no route
    assert not [key for key in table.expected() if key.removesuffix(f" {RESTRICTED}") not in there]


def test_every_group_is_asked_by_one_file() -> None:
    assert sorted(group for file in FILES for group in file.GROUPS) == sorted(GROUPS)
