"""The playbooks as this process knows them: rows and functions, cached until the generation changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, transaction

from playbooks import file_rows
from playbooks.graph.schema import Graph, read
from playbooks.loader import Found, Loaded, load
from playbooks.models import CodeGeneration, Playbook, PlaybookVersion
from soar.accounts.models import User

AGAIN_AFTER = 30.0  # seconds after which a process looks again for code that it could not load


@dataclass(frozen=True, slots=True)
class Entry:
    """One playbook that can run: its row, its function, the version that the function is."""

    row: Playbook
    found: Found
    version: int


@dataclass(frozen=True, slots=True)
class Unloaded:
    """One Python playbook that runs, but not in this process, which could not load its code; the version of its row."""

    row: Playbook
    version: int | None


@dataclass(frozen=True, slots=True)
class ResponseEntry:
    """One response playbook that can run: its row, the id of the published version, that version's graph."""

    row: Playbook
    version: int
    graph: Graph


@dataclass(slots=True)
class Catalog:
    """All playbooks. ``entries`` holds the Python playbooks that this process can execute; ``starting`` those that
    start by themselves, by trigger, in the order of a sequence, as the rows say: whether this process has the code is
    no matter; ``unloaded`` why it has not, of those that run; ``response`` the response playbooks that are published,
    enabled and not hindered, by name."""

    generation: int
    entries: dict[int, Entry] = field(default_factory=dict)
    rows: dict[int, Playbook] = field(default_factory=dict)
    starting: dict[str, list[Entry | Unloaded]] = field(default_factory=dict)
    unloaded: dict[int, str] = field(default_factory=dict)
    response: list[ResponseEntry] = field(default_factory=list)
    loaded_at: float = field(default_factory=time.monotonic)

    @property
    def contradicts(self) -> bool:
        """Whether this process has code of which the rows say that it cannot be loaded."""
        return any(entry.row.load_error for entry in self.entries.values())

    @property
    def is_due(self) -> bool:
        """Whether to look again for what could not be loaded, here or elsewhere."""
        return time.monotonic() - self.loaded_at > AGAIN_AFTER and (bool(self.unloaded) or self.contradicts)


_lock = threading.RLock()
_cache: dict[str, Catalog] = {}  # of this process; at most one, under "current"
_lacking: dict[int, float] = {}  # since when this process looks for the code of these playbooks, monotonic


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

    The first one of a process also brings the rows in line with the files. What could not be loaded is looked for again
    after half a minute: the file may have been written just then."""
    wanted = generation() if number is None else number
    known = _cache.get("current")
    if known is not None and wanted and known.generation == wanted and not known.is_due:
        return known
    with _lock:
        loaded = file_rows.without_taken(load(settings.PLAYBOOK_DIRS))
        if not wanted or (known is None and file_rows.differs(loaded)):
            wanted = sync(loaded)
        built = _build(wanted, loaded)
        if known is not None and known.is_due and built.contradicts and file_rows.differs(loaded):
            built = _build(sync(loaded), loaded)  # the trouble was that of one process, or is over
        _cache["current"] = built
        _note(built)
        return built


def _note(built: Catalog) -> None:
    for playbook in _lacking.keys() - built.unloaded.keys():
        del _lacking[playbook]
    for playbook in built.unloaded:
        _lacking.setdefault(playbook, time.monotonic())


def lacked_for(playbook: int) -> float:
    """For how many seconds this process has looked for the code of a playbook in vain; 0 for one that it has, or need
    not have. By its own clock: that of the database may be set."""
    since = _lacking.get(playbook)
    return 0.0 if since is None else time.monotonic() - since


def unloaded_here() -> list[int]:
    """The playbooks whose code this process could not load when it looked last."""
    known = _cache.get("current")
    return list(known.unloaded) if known else []


def forget() -> None:
    """Start afresh at the next look."""
    with _lock:
        _cache.clear()
        _lacking.clear()


@transaction.atomic
def sync(loaded: Loaded, actor: User | None = None, *, gone: bool = False) -> int:
    """Write rows for what the files hold (``file_rows.write``). Returns the new generation."""
    file_rows.write(loaded, actor, gone=gone)
    return bump()


def _build(number: int, loaded: Loaded) -> Catalog:
    catalog = Catalog(number)
    versions = dict(
        PlaybookVersion.objects.filter(digest__in={found.digest for found in loaded.found.values()}).values_list(
            "playbook_id", "id"
        )
    )
    for row in Playbook.objects.filter(kind="python"):
        catalog.rows[row.pk] = row
        entry = _entry(row, loaded, versions)
        if isinstance(entry, Entry):
            catalog.entries[row.pk] = entry
        elif not row.off:
            catalog.unloaded[row.pk] = file_rows.problem_of(row, loaded).message
        if not row.off:
            catalog.starting.setdefault(row.trigger, []).append(entry)
    for entries in catalog.starting.values():
        entries.sort(key=lambda entry: (entry.row.order, entry.row.name.lower()))
    catalog.response = _responses()
    return catalog


def _entry(row: Playbook, loaded: Loaded, versions: dict[int, int]) -> Entry | Unloaded:
    if (found := loaded.found.get(row.name.lower())) is not None:
        return Entry(row, found, versions.get(row.pk) or file_rows.version_of(row, found).pk)
    known = PlaybookVersion.objects.filter(playbook=row, digest=row.digest)
    return Unloaded(row, known.values_list("pk", flat=True).first())


def _responses() -> list[ResponseEntry]:
    """Those that may run, manual ones too: whether one starts by itself is said by its graph's trigger."""
    rows = Playbook.objects.filter(kind="response", enabled=True, current__isnull=False).select_related("current")
    return [
        ResponseEntry(row, row.current.pk, read(row.current.definition)[0])
        for row in rows.order_by("name")
        if row.current is not None and not row.off
    ]
