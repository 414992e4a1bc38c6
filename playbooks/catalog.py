"""The playbooks as this process knows them: rows and functions, cached until the generation changes."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from playbooks.graph.schema import Graph, read
from playbooks.loader import Found, Loaded, Problem, load
from playbooks.models import CodeGeneration, LoadError, Playbook, PlaybookVersion
from soar.accounts.models import User

logger = logging.getLogger(__name__)
_SYNC_LOCK = 0x50415200  # advisory lock: one process at a time writes the rows


@dataclass(frozen=True, slots=True)
class Entry:
    """One playbook that can run: its row, its function, the version that the function is."""

    row: Playbook
    found: Found
    version: int


@dataclass(frozen=True, slots=True)
class ResponseEntry:
    """One response playbook that can run: its row, the id of the published version, that version's graph."""

    row: Playbook
    version: int
    graph: Graph


@dataclass(slots=True)
class Catalog:
    """All playbooks. ``starting`` holds the Python playbooks that start by themselves, by trigger, in the order of a
    sequence; ``response`` the response playbooks that are published, enabled and not hindered, by name."""

    generation: int
    entries: dict[int, Entry] = field(default_factory=dict)
    rows: dict[int, Playbook] = field(default_factory=dict)
    starting: dict[str, list[Entry]] = field(default_factory=dict)
    response: list[ResponseEntry] = field(default_factory=list)


_lock = threading.RLock()
_cache: dict[str, Catalog] = {}  # of this process; at most one, under "current"


def generation() -> int:
    """The number that changes with every reload, toggle or edit; 0 before anything was ever loaded."""
    return CodeGeneration.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def bump() -> int:
    """Tell every worker to look again, in the caller's transaction. Returns the new number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO playbooks_codegeneration (id, number) VALUES (1, %s) ON CONFLICT (id) DO UPDATE"
            " SET number = greatest(playbooks_codegeneration.number + 1, excluded.number) RETURNING number",
            [time.time_ns() // 1000],
        )
        return int(cursor.fetchone()[0])


def current(number: int | None = None) -> Catalog:
    """The catalogue of this generation (asked of the database if not given). Loads files and rows if it is new.

    The first one of a process also brings the rows in line with the files."""
    wanted = generation() if number is None else number
    known = _cache.get("current")
    if known is not None and wanted and known.generation == wanted:
        return known
    with _lock:
        loaded = without_taken(load(settings.PLAYBOOK_DIRS))
        if not wanted or (known is None and _differs(loaded)):
            wanted = sync(loaded)
        _cache["current"] = _build(wanted, loaded)
        return _cache["current"]


def forget() -> None:
    """Start afresh at the next look."""
    with _lock:
        _cache.clear()


def without_taken(loaded: Loaded) -> Loaded:
    """The same without the functions whose name a response playbook bears already; each is a problem then: names are
    unique, whatever the kind (response-playbooks.md 1)."""
    taken = {name.lower() for name in Playbook.objects.exclude(kind="python").values_list("name", flat=True)}
    for name in taken & loaded.found.keys():
        found = loaded.found.pop(name)
        path = str(Path(found.folder) / found.module)
        message = f"A response playbook is called {found.spec.name!r} already: this one is not used."
        loaded.problems.append(Problem(path, found.spec.name, message))
    return loaded


@transaction.atomic
def sync(loaded: Loaded, actor: User | None = None) -> int:
    """Write rows for what the files hold: new ones, changed ones, those that are gone, and the load errors.

    Returns the new generation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SYNC_LOCK])
    loaded = without_taken(loaded)
    rows = {row.name.lower(): row for row in Playbook.objects.select_for_update().filter(kind="python")}
    for name, found in loaded.found.items():
        _write(rows.get(name), found, actor)
    for name, row in rows.items():
        if name not in loaded.found:
            _mark_missing(row, loaded)
    LoadError.objects.all().delete()
    LoadError.objects.bulk_create(
        LoadError(path=problem.path, name=problem.name, message=problem.message, traceback=problem.traceback)
        for problem in loaded.problems
    )
    return bump()


def _write(row: Playbook | None, found: Found, actor: User | None) -> Playbook:
    spec = found.spec
    values: dict[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "trigger": spec.trigger,
        "conditions": dict(spec.conditions),
        "order": spec.order,
        "cron": spec.cron,
        "on_failure": spec.on_failure,
        "folder": found.folder,
        "module": found.module,
        "digest": found.digest,
        "present": True,
        "load_error": "",
    }
    if row is None:
        row = Playbook.objects.create(enabled=spec.enabled, modified_by=actor, **values)
    elif changed := [name for name, value in values.items() if getattr(row, name) != value]:
        for name in changed:
            setattr(row, name, values[name])
        row.save(update_fields=changed)
    version_of(row, found)
    return row


def version_of(row: Playbook, found: Found) -> PlaybookVersion:
    """The version row of this text, made when it is new."""
    version = PlaybookVersion.objects.filter(playbook=row, digest=found.digest).first()
    if version is not None:
        return version
    last = PlaybookVersion.objects.filter(playbook=row).order_by("-number").first()
    Playbook.objects.filter(pk=row.pk).update(modified_at=_now())
    definition = {
        "trigger": row.trigger, "conditions": row.conditions, "order": row.order, "cron": row.cron,
        "on_failure": row.on_failure,
    }  # fmt: skip
    return PlaybookVersion.objects.create(
        playbook=row,
        number=last.number + 1 if last else 1,
        digest=found.digest,
        source=found.source,
        definition=definition,
    )


def _now() -> Any:
    from django.db.models.functions import Now

    return Now()


def _mark_missing(row: Playbook, loaded: Loaded) -> None:
    """Its file fails to load, or two bear its name, or it is gone: each is said differently."""
    path = str(Path(row.folder) / row.module)
    error = next(
        (
            problem
            for problem in loaded.problems
            if problem.name.lower() == row.name.lower() or (not problem.name and problem.path == path)
        ),
        None,
    )
    row.present, row.load_error = error is not None, (error.traceback or error.message) if error else ""
    row.save(update_fields=["present", "load_error"])


def _differs(loaded: Loaded) -> bool:
    known = {
        (name.lower(), digest)
        for name, digest in Playbook.objects.filter(kind="python", present=True, load_error="").values_list(
            "name", "digest"
        )
    }
    problems = set(LoadError.objects.values_list("path", "message"))
    return known != {(name, found.digest) for name, found in loaded.found.items()} or problems != {
        (problem.path, problem.message) for problem in loaded.problems
    }


def _build(number: int, loaded: Loaded) -> Catalog:
    catalog = Catalog(number)
    versions = dict(
        PlaybookVersion.objects.filter(digest__in={found.digest for found in loaded.found.values()}).values_list(
            "playbook_id", "id"
        )
    )
    for row in Playbook.objects.filter(kind="python"):
        catalog.rows[row.pk] = row
        found = loaded.found.get(row.name.lower())
        if found is not None:
            version = versions.get(row.pk) or version_of(row, found).pk
            catalog.entries[row.pk] = Entry(row, found, version)
    for entry in catalog.entries.values():
        if not entry.row.hindrance:
            catalog.starting.setdefault(entry.row.trigger, []).append(entry)
    for entries in catalog.starting.values():
        entries.sort(key=lambda entry: (entry.row.order, entry.row.name.lower()))
    catalog.response = _responses()
    return catalog


def _responses() -> list[ResponseEntry]:
    """Those that may run, manual ones too: whether one starts by itself is said by its graph's trigger."""
    rows = Playbook.objects.filter(kind="response", enabled=True, current__isnull=False).select_related("current")
    return [
        ResponseEntry(row, row.current.pk, read(row.current.definition)[0])
        for row in rows.order_by("name")
        if row.current is not None and not row.hindrance
    ]
