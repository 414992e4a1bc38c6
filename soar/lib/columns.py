"""Rows with little of what they belong to: a line names an incident, and need not read all that it holds."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound="QuerySet[Any, Any]")
PERSON = ("username", "first_name", "last_name")  # what a person is called by


def beside(rows: Rows, **related: tuple[str, ...]) -> Rows:
    """``rows`` with all columns of their own, and joined what ``related`` names, of each only its key and the columns
    that are given: ``beside(tasks, incident=("title",), assignee=PERSON)``. A column that is read besides costs a
    query."""
    own = [field.name for field in rows.model._meta.concrete_fields]
    other = [f"{name}__{column}" for name, columns in related.items() for column in columns]
    return rows.select_related(*related).only(*own, *other)
