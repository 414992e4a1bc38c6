"""Makes many of everything: each row of the world again and again, so that every list of the portal has its rows.

What is unique about a row is varied: a text gets a number, a number goes on, a key to another row goes to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Model

OURS = ("accounts", "connectors", "cases", "playbooks")
# Written by the portal alone: one each, or chained to what was before.
LEFT = {
    "accounts.AuditEntry", "accounts.AuditUnsent", "accounts.AuditStream", "accounts.Viewing", "accounts.Setting",
    "accounts.Role", "accounts.User", "cases.TimelineEntry", "cases.SuppressionGeneration", "cases.AlertHour",
    "cases.SigningKey", "cases.SlaPolicy", "cases.LegalHold", "cases.DefaultView", "playbooks.CodeGeneration",
    "cases.EvidenceAccess", "playbooks.Position", "cases.ServiceNowInstance", "connectors.WarningName",
}  # fmt: skip
SEEDS = 4  # rows of a kind that are copied


def multiply(times: int) -> dict[str, int]:
    """Copy rows of each kind ``times`` times. Returns how many there are of each now."""
    return {model._meta.label: _copies(model, times) for model in ordered() if model._meta.label not in LEFT}


def ordered() -> list[type[Model]]:
    """All models of ours; what a row points to comes before it."""
    found: list[type[Model]] = []
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            _put(model, found, set())
    return found


def _put(model: type[Model], found: list[type[Model]], above: set[type[Model]]) -> None:
    if model in found or model in above or model._meta.app_label not in OURS:
        return
    for field in model._meta.concrete_fields:
        if field.is_relation and field.related_model is not None:
            _put(field.related_model, found, {*above, model})
    found.append(model)


def _copies(model: type[Model], times: int) -> int:
    rows, manager = list(model._base_manager.order_by("pk")[:SEEDS]), model._base_manager
    varied = list(unique(model))
    made = [_copy(row, number, varied) for number in range(1, times + 1) for row in rows]
    manager.bulk_create(made, ignore_conflicts=True)
    return manager.count()


def unique(model: type[Model]) -> Iterator[models.Field[Any, Any]]:
    """One field of each thing that must be unique: by a text if there is one, else by the last key."""
    meta = model._meta
    single = ([one.name] for one in meta.concrete_fields if one.unique and not _counted(one))
    several = (_names(one) for one in meta.constraints if isinstance(one, models.UniqueConstraint))
    for names in [*single, *several, *map(list, meta.unique_together)]:
        fields = [meta.get_field(name) for name in names]
        free = [one for one in fields if not one.is_relation and not getattr(one, "choices", None)]
        keys = [one for one in fields if one.is_relation]
        yield (free or keys or fields)[-1]  # type: ignore[misc]


def _names(one: models.UniqueConstraint) -> list[str]:
    """The fields of a constraint, be it of an expression as ``Lower("name")``."""
    found = (part for expression in one.expressions for part in _parts(expression))
    inside = [str(vars(part)["name"]) for part in found if isinstance(part, models.F)]
    return [*one.fields, *inside]


def _parts(expression: Any) -> Iterator[Any]:
    yield expression
    for part in getattr(expression, "get_source_expressions", list)():
        yield from _parts(part)


def _counted(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.AutoField)


def _copy(row: Model, number: int, varied: list[models.Field[Any, Any]]) -> Model:
    values = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields if not _counted(one)}
    for field in varied:
        values[field.attname] = _other(field, values[field.attname], number, row.pk)
    return type(row)(**values)


def _other(field: models.Field[Any, Any], value: Any, number: int, pk: Any) -> Any:
    """Another value for the field."""
    if field.is_relation:
        related: type[Model] = field.related_model  # type: ignore[assignment]
        return next(islice(related._base_manager.order_by("-pk").values_list("pk", flat=True), number, None), value)
    if isinstance(value, str):
        longest = getattr(field, "max_length", None) or 10_000
        return f"{value[: longest - 12]}-{pk}-{number}"
    if isinstance(value, bytes | memoryview):
        return os.urandom(len(bytes(value)) or 16)
    return value + number * 1000 if isinstance(value, int) else value
