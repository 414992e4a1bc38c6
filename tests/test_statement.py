"""Long statements are taken apart once, and say the same as the driver's own way."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.utils import DataError
from django.test.utils import CaptureQueriesContext

from soar.lib.database import Statement

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "values", "row"),
    [
        ("SELECT %(b)s::int - %(a)s::int", {"a": 1, "b": 3, "unused": 9}, (2,)),
        ("SELECT %(a)s::text || %(b)s::text || %(a)s::text", {"a": "x", "b": "%(a)s"}, ("x%(a)sx",)),
        ("SELECT 7 %% %(a)s::int, '100%%', $q$a$q$", {"a": 4}, (3, "100%", "a")),
        ("SELECT %(a)s::bytea", {"a": b"\x00\xff"}, (b"\x00\xff",)),
        ("SELECT 1 WHERE %(a)s::text IS NOT NULL", {"a": None}, None),
    ],
)
def test_values_stand_where_they_are_named(text: str, values: dict[str, Any], row: Any) -> None:
    assert Statement(text).fetchone(values) == row


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        Statement("SELECT %(a)s::int").fetchone({})


def test_errors_are_those_of_django() -> None:
    with pytest.raises(DataError):
        Statement("SELECT 1 / %(a)s::int").fetchone({"a": 0})


def test_it_is_counted_among_the_queries() -> None:
    with CaptureQueriesContext(connection) as seen:
        Statement("SELECT %(a)s::int").fetchone({"a": 1})
    assert [one["sql"] for one in seen.captured_queries] == ["SELECT $1::int"]
