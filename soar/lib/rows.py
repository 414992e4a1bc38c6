"""Rows read and written by plain SQL, for the few statements that are run all the time: there the ORM's own work on a
wide row costs several times what the database does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, TypeVar

from django.db import models
from django.db.models.base import ModelState
from django.db.models.fields.json import JSONField

M = TypeVar("M", bound=models.Model)
Field: TypeAlias = "models.Field[Any, Any]"
_TYPES = {
    "UUIDField": "uuid", "BooleanField": "boolean", "DateTimeField": "timestamptz", "FloatField": "float8",
    "PositiveIntegerField": "int", "PositiveSmallIntegerField": "smallint", "SmallIntegerField": "smallint",
    "ForeignKey": "bigint", "BigAutoField": "bigint", "BigIntegerField": "bigint",
}  # fmt: skip


@cache
def columns(model: type[models.Model], alias: str, without: frozenset[str] = frozenset()) -> str:
    """``alias.column, ...`` of all columns but ``without``, in the order that ``made`` expects them."""
    return ", ".join(f'{alias}."{field.column}"' for field in _fields(model, without))


def made(model: type[M], row: Sequence[Any], without: frozenset[str] = frozenset()) -> M:
    """The object of a row that ``columns`` describes. What it lacks is read when asked for."""
    names, converters = _reading(model, without)
    values = list(row)
    for place, convert in converters:
        if values[place] is not None:
            values[place] = convert(values[place])
    return model.from_db("default", names, values)


def like(row: M, **values: Any) -> M:
    """Another object with the same values but these, which name columns, not objects: for many new rows that differ in
    little. It shares what it does not replace."""
    made = type(row).__new__(type(row))
    made.__dict__.update(row.__dict__, **values)
    made._state = ModelState()
    made._state.fields_cache = dict(row._state.fields_cache)
    return made


def width(model: type[models.Model], without: frozenset[str] = frozenset()) -> int:
    """How many columns ``columns`` names."""
    return len(_fields(model, without))


@cache
def assigned(model: type[models.Model], names: tuple[str, ...]) -> str:
    """``column = %(name)s, ...`` for an UPDATE of the fields ``names``."""
    found = [_field(model, name) for name in names]
    return ", ".join(f"{field.column} = %({name})s::{type_of(field)}" for name, field in zip(names, found, strict=True))


def cast(model: type[models.Model], name: str) -> str:
    """``::type`` of a field, for a parameter whose place does not tell its type."""
    return f"::{type_of(_field(model, name))}"


@cache
def typed(model: type[models.Model], names: tuple[str, ...]) -> str:
    """``column type, ...`` of the fields ``names``, for json_to_recordset."""
    found = [_field(model, name) for name in names]
    return ", ".join(f"{field.column} {type_of(field)}" for field in found)


def given(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields as parameters of a statement."""
    return {name: _prepared(_field(model, name), value) for name, value in values.items()}


def type_of(field: Field) -> str:
    """The type of a column, as PostgreSQL names it."""
    if isinstance(field, JSONField):
        return "jsonb"
    return _TYPES.get(field.get_internal_type(), "text")


@cache
def _fields(model: type[models.Model], without: frozenset[str]) -> tuple[Field, ...]:
    return tuple(field for field in model._meta.concrete_fields if field.attname not in without)


@cache
def _field(model: type[models.Model], name: str) -> Field:
    found = next((field for field in model._meta.concrete_fields if name in (field.attname, field.name)), None)
    if found is None:
        raise ValueError(f"{model.__name__} has no column {name}.")
    return found


@cache
def _reading(model: type[models.Model], without: frozenset[str]) -> tuple[list[str], list[tuple[int, Any]]]:
    fields = _fields(model, without)
    return [field.attname for field in fields], list(_converters(fields))


def _converters(fields: Iterable[Field]) -> Iterable[tuple[int, Any]]:
    for place, field in enumerate(fields):
        if isinstance(field, JSONField):
            yield place, _json
        elif hasattr(field, "from_db_value"):
            yield place, lambda value, field=field: field.from_db_value(value, None, None)


def _prepared(field: Field, value: Any) -> Any:
    if isinstance(field, JSONField):
        return None if value is None else json.dumps(value)
    return field.get_prep_value(value)


def _json(value: Any) -> Any:
    """Django has psycopg hand JSON over as text."""
    return json.loads(value) if isinstance(value, str | bytes) else value
