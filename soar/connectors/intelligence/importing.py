"""Bringing warning lists into the database: one file at a time, by COPY, once per version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction

from soar.connectors.intelligence import bundled
from soar.connectors.intelligence.classes import meaning_of
from soar.connectors.intelligence.values import ATTRIBUTES
from soar.connectors.models import WarningList, WarningName, WarningNetwork, WarningPattern
from soar.lib import clock

OURS = frozenset().union(*ATTRIBUTES.values())


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one list. ``state``: imported, unchanged or broken (then ``error`` says why)."""

    slug: str
    state: str
    entries: int = 0
    skipped: int = 0
    error: str = ""


def import_all(where: Path, slugs: Iterable[str], *, force: bool = False) -> Iterable[Result]:
    """Import the lists ``slugs`` of the folder ``where``, yielding each result. A broken one does not stop the others.

    A list whose version is in the database stays as it is, unless ``force``; its meaning is always brought up to date.
    """
    changed = False
    for slug in slugs:
        try:
            file = bundled.read(where, slug)
        except ValueError as error:
            yield Result(slug, "broken", error=str(error))
        else:
            result = _import(file, force)
            changed = changed or result.state == "imported"
            yield result
    if changed:
        _tidy()


def _tidy() -> None:
    with connection.cursor() as cursor:
        # Grown row by row the index of networks is loose: a lookup reads three times as many pages.
        cursor.execute("REINDEX INDEX warningnetwork_network")
        # So that the planner knows the sizes at once, not after the next autovacuum.
        for model in (WarningName, WarningNetwork, WarningPattern):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def _import(file: bundled.ListFile, force: bool) -> Result:
    meaning = meaning_of(file.slug)
    head: dict[str, Any] = {
        "name": file.name,
        "description": file.description,
        "type": file.type,
        "attributes": file.attributes,
        "category": meaning.group,
        "effect": meaning.effect,
    }
    with transaction.atomic():
        # The row is the lock: a second import of the same list waits here, then finds nothing to do.
        WarningList.objects.get_or_create(slug=file.slug, defaults=head)
        row = WarningList.objects.select_for_update().get(slug=file.slug)
        same = row.imported_at is not None and row.version == file.version and not force
        if not same:
            head |= {"version": file.version, "imported_at": clock.now(), **_replace(row, file)}
        WarningList.objects.filter(pk=row.pk).update(**head)
    if same:
        return Result(file.slug, "unchanged", row.entry_count, row.skipped_count)
    return Result(file.slug, "imported", head["entry_count"], head["skipped_count"])


def _replace(row: WarningList, file: bundled.ListFile) -> dict[str, int]:
    """New entries for old; returns the counts."""
    for model in (WarningName, WarningNetwork, WarningPattern):
        model._base_manager.filter(list=row).delete()
    count = 0
    if not OURS & set(file.attributes):
        pass  # about telephone numbers and the like: nothing would ever ask for its entries
    elif file.type == "cidr":
        count = _copy(WarningNetwork, ("network", "list_id"), ((net, row.pk) for net in bundled.networks(file)))
    elif file.type == "regex":
        count = _copy(WarningPattern, ("pattern", "list_id"), ((text, row.pk) for text in bundled.patterns(file)))
    else:
        rows = ((value, row.pk, below) for value, below in bundled.names(file))
        count = _copy(WarningName, ("value", "list_id", "below"), rows)
    return {"entry_count": count, "skipped_count": len(file.entries) - count}


def _copy(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with connection.cursor() as cursor:
        statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
    return count
