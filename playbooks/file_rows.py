"""The rows of Python playbooks, as the files are: new, changed, broken, gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connection

from playbooks.loader import Found, Loaded, Problem
from playbooks.models import LoadError, Playbook, PlaybookVersion
from soar.accounts.models import User

_LOCK = 0x50415200  # advisory lock: one process at a time writes the rows
NOT_THERE = "It is not in the files that were found. If it was taken away on purpose, reload the playbooks."


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


def write(loaded: Loaded, actor: User | None, *, gone: bool) -> None:
    """Write rows for what the files hold: new ones, changed ones, those that cannot be loaded, and the load errors, in
    a transaction of the caller.

    ``gone``: what is not there was taken away on purpose. Nobody knows that of a file that one process does not find:
    without it, the row says that the file is not there, and what it starts goes on being started."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    loaded = without_taken(loaded)
    rows = {row.name.lower(): row for row in Playbook.objects.select_for_update().filter(kind="python")}
    for name, found in loaded.found.items():
        _write(rows.get(name), found, actor)
    for name, row in rows.items():
        if name not in loaded.found:
            _mark_missing(row, loaded, gone=gone)
    LoadError.objects.all().delete()
    LoadError.objects.bulk_create(
        LoadError(path=problem.path, name=problem.name, message=problem.message, traceback=problem.traceback)
        for problem in loaded.problems
    )


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


def problem_of(row: Playbook, loaded: Loaded) -> Problem:
    """Why its code is not there: its file fails to load, two bear its name, its folder or its file is not there."""
    path = str(Path(row.folder) / row.module)
    for problem in loaded.problems:
        if problem.name.lower() == row.name.lower() or (not problem.name and problem.path in (path, row.folder)):
            return problem
    return Problem(path, row.name, NOT_THERE)


def _mark_missing(row: Playbook, loaded: Loaded, *, gone: bool) -> None:
    problem = problem_of(row, loaded)
    if problem.message == NOT_THERE and (gone or not row.present):
        row.present, row.load_error = False, ""
    else:
        row.present, row.load_error = True, problem.traceback or problem.message
    row.save(update_fields=["present", "load_error"])


def differs(loaded: Loaded) -> bool:
    """Whether the rows tell of other files than these."""
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
